// Who records and who requires grad: noGrad, the flag's rules, and what backward refuses.
import { describe, expect, test } from 'vitest';

import { functional, isGradEnabled, noGrad, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const { add, mul, sum } = functional;
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

describe('noGrad', () => {
  test('nests, and is undone by a throw', () => {
    expect(isGradEnabled()).toBe(true);
    noGrad(() => {
      noGrad(() => expect(isGradEnabled()).toBe(false));
      expect(isGradEnabled()).toBe(false);
      expect(() =>
        noGrad(() => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      expect(isGradEnabled()).toBe(false);
    });
    expect(() =>
      noGrad(() => {
        throw new Error('outside');
      }),
    ).toThrow('outside');
    expect(isGradEnabled()).toBe(true);
  });

  test('returns what the body returns, without a graph', () => {
    const x = leaf([1]);
    const y = noGrad(() => mul(x, x));
    expect([y.item(), y.requiresGrad]).toEqual([1, false]);
    expect(mul(x, x).requiresGrad).toBe(true);
  });

  test('refuses an asynchronous body, and is over then', () => {
    expect(thrownBy(() => noGrad(async () => 1))).toBe(
      'TypeError: noGrad: expected a synchronous function, got one that returns a promise.',
    );
    expect(isGradEnabled()).toBe(true);
  });
});

describe('requiresGrad', () => {
  test('spreads from any input, and only then', () => {
    const [x, c] = [leaf([1]), tensor([1])];
    expect([add(x, c), add(c, x), add(c, c)].map((y) => y.requiresGrad)).toEqual([
      true,
      true,
      false,
    ]);
    add(x, c).backward();
    expect([x.grad!.item(), c.grad]).toEqual([1, null]);
  });

  test.each([
    [
      'nothing requires grad',
      () => sum(tensor([1])).backward(),
      'Error: Tensor.backward: element 0 of tensors does not require grad and does not have a grad_fn.',
    ],
    [
      'the result is not a scalar',
      () => add(leaf([1, 2]), leaf([1, 2])).backward(),
      'RangeError: Tensor.backward: expected a gradient (grad can be implicitly created only for scalar ' +
        'outputs), got none for shape [2].',
    ],
    [
      'the gradient has another shape',
      () => add(leaf([1, 2]), leaf([1, 2])).backward(tensor([[1, 2]])),
      'RangeError: Tensor.backward: Mismatch in shape: grad_output[0] has a shape of [1, 2] and output[0] ' +
        'has a shape of [2].',
    ],
    [
      'the gradient has another dtype',
      () => leaf([1]).backward(tensor([1], { dtype: 'float64' })),
      'TypeError: Tensor.backward: expected the gradient to be float32 like the input, got float64 (all ' +
        "inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'the flag of a result is switched off',
      () => (add(leaf([1]), leaf([1])).requiresGrad = false),
      'Error: Tensor.requiresGrad: you can only change requires_grad flags of leaf variables; use detach().',
    ],
    [
      'the flag is no boolean',
      () => (leaf([1]).requiresGrad = 1 as never),
      'TypeError: Tensor: expected requiresGrad to be a boolean, got 1.',
    ],
    [
      'an option is unknown',
      () => leaf([1]).backward(undefined, { retain_graph: true } as never),
      "TypeError: Tensor.backward: expected options among retainGraph, got 'retain_graph' (did you mean " +
        "'retainGraph'?).",
    ],
  ])('an error when %s', (_, body, message) => {
    expect(thrownBy(body)).toBe(message);
  });

  test('a gradient that cannot be added to leaves the others alone', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    b.gradient = tensor([1, 2, 3]); // of another size: grad itself refuses it
    const unchanged = snapshot(a, b);
    expect(() => sum(add(a, b)).backward()).toThrow();
    unchanged();
  });
});
