// Cases of scripts/golden/cases.py: functions with their inputs and other arguments, and PyTorch's results and gradients
// in float64. Each is compared in both dtypes, then with central differences, and its memory in a scope.
import { functional, scope, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { gradcheck } from './gradcheck.js';
import { decode, readGolden, type Encoded } from './golden.js';

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

type Operation = (...args: unknown[]) => unknown;

export interface GoldenOptions {
  /** How a function is called that does not take its tensors first. */
  readonly adapters?: Readonly<Record<string, Operation>>;
  /** Functions that bend or jump: there is no difference to compare with. */
  readonly bent: ReadonlySet<string>;
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

/** The weights of scripts/golden/cases.py, where the result is finite. */
function weigh(y: Tensor): Tensor {
  const weights = Array.from(y.data as Float64Array, (value, i) =>
    Number.isFinite(value) ? Math.sin(1.7 * i + 0.6) : 0,
  );
  const kind = y.dtype === 'float32' ? Float32Array : Float64Array;
  return tensor(kind.from(weights), y.shape);
}

/** The inputs of a case, which require grad where it has gradients. */
function inputsOf({ inputs, gradients }: Case, dtype: 'float32' | 'float64'): Tensor[] {
  const Kind = dtype === 'float32' ? Float32Array : Float64Array;
  return inputs.map(({ shape, data }) =>
    tensor(Kind.from(decode(data)), shape, { requiresGrad: gradients.length > 0 }),
  );
}

/** Tests of every case of a file of test/golden/data. */
export function describeGoldenCases(file: string, { adapters = {}, bent }: GoldenOptions): void {
  const { cases } = readGolden(file) as { readonly cases: Case[] };
  const operations = { ...functional, ...adapters } as unknown as Readonly<
    Record<string, Operation>
  >;

  /** The tensors that a function returns, however. */
  const call = ({ name, many, arguments: more }: Case, inputs: readonly Tensor[]): Tensor[] => {
    const result = operations[name]!(...(many ? [inputs] : inputs), ...more);
    if (Array.isArray(result)) return result as Tensor[];
    if (typeof result === 'object' && result !== null && 'values' in result) {
      const { values, indices } = result as { values: Tensor; indices: Tensor };
      return [values, indices];
    }
    return [result as Tensor];
  };

  const named = cases.map((each, i) => {
    const shapes = each.inputs.map(({ shape }) => `[${shape.join()}]`).join();
    return [`${i} ${each.name} ${JSON.stringify(each.arguments)} of ${shapes}`, each] as const;
  });

  describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
    const precision = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
    test.each(named)('%s', (_, each) => {
      const inputs = inputsOf(each, dtype);
      const before = inputs.map((input) => [...input.data]);
      const outputs = call(each, inputs);
      expect(outputs.map(({ shape }) => [...shape])).toEqual(
        each.outputs.map(({ shape }) => shape),
      );
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

  describe('central differences', () => {
    const smooth = named.filter(
      ([, { name, gradients, inputs }]) =>
        gradients.length > 0 &&
        !bent.has(name) &&
        inputs.every(({ shape }) => shape.every((size) => size < 30 && size > 0)),
    );
    test.each(smooth)('%s', (_, each) => {
      if (each.inputs.some(({ data }) => decode(data).includes(0))) return; // √|0|, a norm of 0
      gradcheck(
        (...args) => {
          const floating = call(each, args).filter(({ dtype }) => dtype === 'float64');
          return functional.cat(floating.map((y) => functional.reshape(y, [y.numel])));
        },
        inputsOf(each, 'float64'),
        { atol: 1e-6, rtol: 1e-5 },
      );
    });
  });

  test('in a scope, only the result stays', () => {
    for (const each of cases) {
      const inputs = inputsOf(each, 'float64');
      const outputs = scope(() => call(each, inputs));
      expect(outputs.every((y) => !y.disposed)).toBe(true);
      if (each.gradients.length === 0) continue;
      scope(() => {
        for (const y of call(each, inputs)) if (y.dtype === 'float64') y.backward(weigh(y));
      });
      for (const input of inputs) expect(input.disposed).toBe(false);
    }
  });
}
