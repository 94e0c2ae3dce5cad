// Rows of what changes an optimiser or gradients, and of data.
import type * as types from 'evenkeel';

import { row, type Operation, type Package } from './row.js';

const isMethod = true;

export function trainingStateOf({ data, nn, optim, tensor }: Package): Operation[] {
  const parameter = (): types.nn.Parameter => {
    const made = new nn.Parameter(tensor([1, 2]));
    made.grad = tensor([0.5, -1]);
    return made;
  };
  const adam = (): types.optim.Adam => new optim.Adam([parameter()]);
  const stepped = (): types.optim.Adam => {
    const made = adam();
    made.step();
    return made;
  };
  const list = (): [types.nn.Parameter[]] => [[parameter()]];
  return [
    row(
      'Optimizer.addParamGroup',
      () => [adam(), { params: [parameter()], lr: 0.5 }],
      (made, group) => made.addParamGroup(group),
      { isMethod },
    ),
    row(
      'Optimizer.stateDict',
      () => [stepped()],
      (made) => made.stateDict(),
      { isMethod },
    ),
    row(
      'Optimizer.loadStateDict',
      () => [stepped(), stepped().stateDict()],
      (made, state) => made.loadStateDict(state),
      { isMethod },
    ),
    row(
      'Optimizer.loadStateDict, in parts',
      () => {
        const made = stepped();
        const { state, param_groups } = made.stateDict();
        return [made, state, param_groups];
      },
      (made, state, param_groups) => made.loadStateDict({ state, param_groups }),
      { isMethod },
    ),
    row(
      'Optimizer.step, with a group that was changed',
      () => [0.5, [0.5, 0.6]],
      (lr, betas) => {
        const made = adam();
        Object.assign(made.paramGroups[0]!, { lr, betas });
        return made.step();
      },
    ),
    row(
      'nn.clipGradNorm_',
      () => [...list(), 0.5],
      (parameters, most, options) => nn.clipGradNorm_(parameters, most, options),
      { options: () => ({ normType: 1, errorIfNonFinite: true }) },
    ),
    row(
      'nn.clipGradValue_',
      () => [...list(), 0.5],
      (parameters, most) => nn.clipGradValue_(parameters, most),
    ),
    row(
      'data.TensorDataset',
      () => [tensor([[1], [2]]), tensor([3, 4])],
      (x, y) => new data.TensorDataset(x, y).length,
    ),
    row(
      'data.padSequence',
      () => [[tensor([1, 2]), tensor([3])]],
      (sequences, options) => {
        const { padded, lengths } = data.padSequence(sequences, options);
        return [padded.toArray(), lengths.toArray()];
      },
      { options: () => ({ dim: 0, value: 1 }) },
    ),
  ];
}
