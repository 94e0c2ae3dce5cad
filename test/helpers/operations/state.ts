// Rows of what changes a tensor or a choice of the process, and of what is made of them; layers and optimisers are in
// layer-state.ts and training-state.ts. The first input of a method is what it changes: a new one in a test of one
// call, one that lives on in the fuzzer.
import type * as types from 'evenkeel';

import { layerStateOf } from './layer-state.js';
import { row, type Operation, type Package } from './row.js';
import { trainingStateOf } from './training-state.js';

const isMethod = true;

export function stateOf(evenkeel: Package): Operation[] {
  return [...tensorsOf(evenkeel), ...layerStateOf(evenkeel), ...trainingStateOf(evenkeel)];
}

function tensorsOf(evenkeel: Package): Operation[] {
  const { functional, keep, manualSeed, native, noGrad, nn, scope, tensor } = evenkeel;
  const matrix = (): types.Tensor => tensor(Float32Array.of(1, -2, 3, 4, 5, -6), [3, 2]);
  const one = (): [types.Tensor] => [matrix()];
  const { init } = nn;
  const made = (): Record<string, unknown> => ({ dtype: 'float64', requiresGrad: true });
  /** A choice of the process, which is afterwards as it was. */
  const chosen =
    <Value>(get: () => Value, set: (value: Value) => void) =>
    (value: Value): Value => {
      const before = get();
      set(value);
      const after = get();
      set(before);
      return after;
    };
  return [
    row(
      'Tensor.item',
      () => [tensor([5])],
      (x) => x.item(),
      { isMethod },
    ),
    row('Tensor.toArray', one, (x) => x.toArray(), { isMethod }),
    row('Tensor.toString', one, (x) => String(x), { isMethod }),
    row('Tensor.shareMemory_', one, (x) => x.shareMemory_().toArray(), { isMethod }),
    row(
      'Tensor.copy_',
      () => [matrix(), matrix()],
      (x, from) => x.copy_(from),
      { isMethod },
    ),
    row(
      'Tensor.fill_',
      () => [matrix(), 3],
      (x, value) => x.fill_(value),
      { isMethod },
    ),
    row(
      'Tensor.fill_, of a scalar',
      () => [matrix(), tensor(2)],
      (x, value) => x.fill_(value),
      { isMethod },
    ),
    row(
      'Tensor.requiresGrad =',
      () => [matrix(), true],
      (x, flag) => (x.requiresGrad = flag),
      { isMethod },
    ),
    row(
      'Tensor.grad =',
      () => [matrix(), matrix()],
      (x, gradient) => (x.grad = gradient),
      { isMethod },
    ),
    row(
      'Tensor.registerHook',
      () => [tensor([1], { requiresGrad: true }), () => undefined],
      (x, hook: () => undefined) => x.registerHook(hook).remove(),
      { isMethod },
    ),
    row(
      'nn.init.uniform_',
      () => [matrix(), 0, 1],
      (x, low, high) => init.uniform_(x, low, high),
      { isMethod },
    ),
    row(
      'nn.init.constant_',
      () => [matrix(), 2],
      (x, value) => init.constant_(x, value),
      { isMethod },
    ),
    row('nn.init.kaimingUniform_', one, (x, options) => init.kaimingUniform_(x, options), {
      isMethod,
      options: () => ({ a: 1, mode: 'fan_out', nonlinearity: 'relu' }),
    }),
    row(
      'nn.init.orthogonal_',
      () => [matrix(), 2],
      (x, gain) => init.orthogonal_(x, gain),
      { isMethod },
    ),
    row(
      'noGrad',
      () => [() => 1],
      (body) => noGrad(body),
    ),
    row(
      'scope',
      () => [() => 1],
      (body) => scope(body),
    ),
    row('keep', one, (x) => scope(() => keep(x))),
    row(
      'manualSeed',
      () => [3],
      (seed) => manualSeed(seed),
    ),
    row('full', () => [[2, 3], 5], evenkeel.full, { options: made }),
    ...(['zeros', 'ones', 'rand', 'randn'] as const).map((name) =>
      row(
        name,
        () => [[2, 3]],
        (shape, options) => (manualSeed(1), evenkeel[name](shape, options)),
        { options: made },
      ),
    ),
    row(
      'native.setThreads',
      () => [2],
      chosen(
        () => native.threads,
        (n) => native.setThreads(n),
      ),
    ),
    row(
      'native.memory.limit =',
      () => [2 ** 20],
      chosen(
        () => native.memory.limit,
        (bytes) => (native.memory.limit = bytes),
      ),
    ),
    row(
      'functional.custom, its description',
      () => [
        {
          name: 'same',
          forward: (_: unknown, x: types.Tensor) => functional.relu(x),
          backward: (_: unknown, dy: types.Tensor) => dy,
        },
      ],
      (description) => typeof functional.custom(description),
    ),
  ];
}
