// Norms, distances, similarities that broadcast, masks, and what tensors are asked and cut to, against PyTorch in float64.
import { functional, linspace, tensor, type Tensor } from 'evenkeel';

import { describeGoldenCases } from '../helpers/golden-cases.js';

const { maskedSelect, norm } = functional;
const masks: Record<string, (x: Tensor) => Tensor> = {
  maskedSelect: (x) => maskedSelect(x, x.detach().gt(0)),
  negativeColumns: (x) => maskedSelect(x, x.detach().narrow(0, 0, 1).squeeze(0).lt(0)),
  selectedOfRow: (x) => x.maskedSelect(tensor([[1], [0], [1]], { dtype: 'int64' })),
  placesAbove: (x) => x.detach().gt(0.5).nonzero(),
};

const STEPS = ['floor', 'ceil', 'round', 'trunc', 'sign'] as const;
const flag = (value: boolean): Tensor => tensor(Number(value), { dtype: 'int32' });

describeGoldenCases('tensors', {
  adapters: {
    ...(masks as Record<string, (...args: unknown[]) => unknown>),
    ...Object.fromEntries(
      STEPS.map((name) => [
        `over ${name}`,
        (x) => functional.div(1, functional[name](x as Tensor)),
      ]),
    ),
    equal: (a, b) => flag(functional.equal(a as Tensor, b as Tensor)),
    allclose: (a, b, options) =>
      flag(functional.allclose(a as Tensor, b as Tensor, options as object)),
    linspace: (...given) => linspace(...(given as [number, number, number]), { dtype: 'float64' }),
    // JSON has no Infinity.
    largest: (x, options) => norm(x as Tensor, { p: Infinity, ...(options as { dim: number }) }),
  },
  // norm and cdist are bent where a vector is 0, which some of these are.
  bent: new Set([
    'norm',
    'largest',
    'cdist',
    'clip',
    ...STEPS,
    ...STEPS.map((name) => `over ${name}`),
    ...Object.keys(masks),
  ]),
});
