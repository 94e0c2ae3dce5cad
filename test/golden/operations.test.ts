// Arithmetic, reductions, shapes, indexing and activations against PyTorch in float64: results, places and gradients, in
// both dtypes; and central differences.
import { functional, scope, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { gradcheck } from '../helpers/gradcheck.js';
import { decode, readGolden, type Encoded } from '../helpers/golden.js';

interface Values {
  readonly shape: number[];
  readonly data: Encoded;
}
interface Places {
  readonly shape: number[];
  readonly integers: number[];
}
interface Case {
  readonly name: string;
  readonly many: boolean;
  readonly inputs: Values[];
  readonly arguments: unknown[];
  readonly outputs: (Values | Places)[];
  readonly gradients: Encoded[];
}
const { cases } = readGolden('operations') as { readonly cases: Case[] };

type Operation = (...args: unknown[]) => unknown;
const operations = functional as unknown as Readonly<Record<string, Operation>>;

/** The tensors that a function returns, however. */
function call({ name, many, arguments: more }: Case, inputs: readonly Tensor[]): Tensor[] {
  const result = operations[name]!(...(many ? [inputs] : inputs), ...more);
  if (Array.isArray(result)) return result as Tensor[];
  if (typeof result === 'object' && result !== null && 'values' in result) {
    const { values, indices } = result as { values: Tensor; indices: Tensor };
    return [values, indices];
  }
  return [result as Tensor];
}

/** Error of the operations that are chains of roundings, in units of the dtype's precision at 1. */
const ROUNDINGS = 64;

function expectClose(
  got: ArrayLike<number | bigint>,
  want: ArrayLike<number>,
  precision: number,
): void {
  expect(got.length).toBe(want.length);
  let largest = 1;
  for (let i = 0; i < want.length; i++)
    if (Number.isFinite(want[i])) largest = Math.max(largest, Math.abs(want[i]!));
  for (let i = 0; i < want.length; i++) {
    const [value, wanted] = [Number(got[i]), want[i]!];
    if (Object.is(value, wanted) || value === wanted) continue;
    const error = Math.abs(value - wanted);
    if (!(error <= ROUNDINGS * precision * largest)) {
      expect.fail(`element ${i}: ${value}, PyTorch ${wanted}`);
    }
  }
}

/** The weights of scripts/golden/operations.py, where the result is finite. */
function weigh(y: Tensor): Tensor {
  const weights = Array.from(y.data as Float64Array, (value, i) =>
    Number.isFinite(value) ? Math.sin(1.7 * i + 0.6) : 0,
  );
  const kind = y.dtype === 'float32' ? Float32Array : Float64Array;
  return tensor(kind.from(weights), y.shape);
}

const named = cases.map(
  (each, i) =>
    [
      `${i} ${each.name} ${JSON.stringify(each.arguments)} of ${each.inputs.map(({ shape }) => `[${shape.join()}]`).join()}`,
      each,
    ] as const,
);

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const precision = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  test.each(named)('%s', (_, each) => {
    const inputs = each.inputs.map(({ shape, data }) => {
      const values = decode(data);
      const array = dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
      return tensor(array, shape, { requiresGrad: each.gradients.length > 0 });
    });
    const before = inputs.map((input) => [...input.data]);
    const outputs = call(each, inputs);
    expect(outputs.map(({ shape }) => [...shape])).toEqual(each.outputs.map(({ shape }) => shape));
    for (const [i, wanted] of each.outputs.entries()) {
      const { data } = outputs[i]!;
      if ('integers' in wanted) expect(Array.from(data, Number)).toEqual(wanted.integers);
      else expectClose(data, decode(wanted.data), precision);
    }
    if (each.gradients.length > 0) {
      for (const y of outputs.filter((output) => output.dtype === dtype)) {
        y.backward(weigh(y), { retainGraph: true });
      }
      for (const [i, wanted] of each.gradients.entries()) {
        const got = inputs[i]!.grad;
        expectClose(
          got === null ? new Float64Array(inputs[i]!.numel) : got.data,
          decode(wanted),
          precision,
        );
      }
    }
    expect(inputs.map((input) => [...input.data])).toEqual(before);
  });
});

/** Points where a function bends or jumps have no difference to compare with. */
const BENT = new Set([
  'clamp',
  'hardtanh',
  'relu6',
  'abs',
  'leakyRelu',
  'elu',
  'max',
  'min',
  'amax',
  'amin',
]);

describe('central differences', () => {
  const smooth = named.filter(
    ([, { name, gradients, inputs }]) =>
      gradients.length > 0 &&
      !BENT.has(name) &&
      inputs.every(({ shape }) => shape.every((size) => size < 30 && size > 0)),
  );
  test.each(smooth)('%s', (_, each) => {
    if (each.inputs.some(({ data }) => decode(data).includes(0))) return; // √|0|, a norm of 0
    const inputs = each.inputs.map(({ shape, data }) =>
      tensor(Float64Array.from(decode(data)), shape, { requiresGrad: true }),
    );
    gradcheck(
      (...args) => {
        const floating = call(each, args).filter(({ dtype }) => dtype === 'float64');
        return functional.cat(floating.map((y) => functional.reshape(y, [y.numel])));
      },
      inputs,
      { atol: 1e-6, rtol: 1e-5 },
    );
  });
});

test('in a scope, only the result stays', () => {
  for (const each of cases) {
    const inputs = each.inputs.map(({ shape, data }) =>
      tensor(Float64Array.from(decode(data)), shape, { requiresGrad: each.gradients.length > 0 }),
    );
    const outputs = scope(() => call(each, inputs));
    expect(outputs.every((y) => !y.disposed)).toBe(true);
    if (each.gradients.length === 0) continue;
    scope(() => {
      for (const y of call(each, inputs)) if (y.dtype === 'float64') y.backward(weigh(y));
    });
    for (const input of inputs) expect(input.disposed).toBe(false);
  }
});
