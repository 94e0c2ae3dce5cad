// What holds for every row of the table of operations that returns a tensor: beside the event loop it comes to what it
// comes to at once, gradients included, and its gradient is that of central differences.
import * as evenkeel from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { gradcheck } from '../helpers/gradcheck.js';
import { enlarged } from '../helpers/operations/enlarge.js';
import { callLater, type Operation } from '../helpers/operations/row.js';
import { callsOf, operationsOf } from '../helpers/operations/table.js';
import { textOf } from '../helpers/operations/text.js';

const { manualSeed, tensor, Tensor } = evenkeel;
type Tensor = evenkeel.Tensor;

// What is beside the event loop itself has a row of its own.
const OPERATIONS = operationsOf(evenkeel).filter(({ name }) => !name.includes('forwardAsync'));
const NAMED = OPERATIONS.map((each) => [each.name, each] as const);
const JOB = 33_000;

const bytes = (x: Tensor | null): unknown =>
  x === null
    ? null
    : [
        x.dtype,
        x.shape,
        Buffer.from(x.data.buffer, x.data.byteOffset, x.data.byteLength).toString('base64'),
      ];

/** The result and the gradients of all inputs, or the sentence that the call is refused with. */
async function outcome(each: Operation, elements: number, isLater: boolean): Promise<unknown> {
  const inputs = elements === 0 ? each.inputs() : enlarged(evenkeel, each.inputs(), elements);
  const given = inputs.filter((input) => input instanceof Tensor);
  for (const x of given) if (x.dtype.startsWith('float')) x.requiresGrad = true;
  manualSeed(3);
  try {
    const y = (isLater ? await callLater(evenkeel, each, inputs) : each.call(...inputs)) as Tensor;
    if (y.requiresGrad) {
      const dy = Float32Array.from({ length: y.numel }, (_, i) => Math.sin(i + 1));
      const gradient = tensor(y.dtype === 'float32' ? dy : Float64Array.from(dy), y.shape);
      if (isLater) await y.backwardAsync(gradient);
      else y.backward(gradient);
    }
    return [bytes(y), given.map(({ grad }) => bytes(grad))];
  } catch (error) {
    return (error as Error).message;
  }
}

describe('beside the event loop', () => {
  test.each(NAMED)('%s', async (_, each) => {
    const now = await outcome(each, 0, false);
    expect(now).toBeInstanceOf(Array);
    expect(await outcome(each, 0, true)).toEqual(now);
  });

  test.each(NAMED)('%s, of many elements', async (_, each) => {
    expect(await outcome(each, JOB, true)).toEqual(await outcome(each, JOB, false));
  });

  test('nine in ten of them take many elements', async () => {
    const large = await Promise.all(OPERATIONS.map((each) => outcome(each, JOB, false)));
    expect(large.filter((each) => Array.isArray(each)).length).toBeGreaterThan(0.9 * large.length);
  });

  const calls = callsOf(evenkeel).filter(({ later }) => later !== null);
  test.each(calls.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { inputs, call, later } = each;
    expect(textOf(await later!(...inputs()))).toEqual(textOf(call(...inputs())));
  });
});

describe('gradients', () => {
  /** In float64, away from 0 and from each other, where some bend, and positive where a logarithm or a root asks for that. */
  function inputsOf({ inputs, call }: Operation): unknown[] {
    const of = (isPositive: boolean): unknown[] =>
      inputs().map((x, i) => {
        if (!(x instanceof Tensor) || !x.dtype.startsWith('float')) return x;
        const values = Float64Array.from(
          x.data as Float32Array,
          (v) => (isPositive ? Math.abs(v) : v) + 0.01 * (i + 1),
        );
        return tensor(values, x.shape, { requiresGrad: true });
      });
    const plain = of(false);
    const { data } = call(...plain) as Tensor;
    const isFinite = Array.from(data, Number).every(Number.isFinite);
    return isFinite ? plain : of(true);
  }
  /** The call with inputs that ask for gradients; the same random numbers each time. */
  const prepared = (each: Operation): { inputs: unknown[]; call: () => Tensor } => {
    const inputs = inputsOf(each);
    const call = (): Tensor => {
      manualSeed(3);
      return each.call(...inputs) as Tensor;
    };
    return { inputs, call };
  };
  const functions = NAMED.filter(([name]) => name.startsWith('functional.'));
  const hasOne = ([, each]: (typeof NAMED)[number]): boolean => prepared(each).call().requiresGrad;

  test.each(functions.filter(hasOne))('%s', (_, each) => {
    const { inputs, call } = prepared(each);
    const y = call();
    y.backward(y.detach());
    // A running mean is an input that no gradient arrives at.
    const reached = inputs.filter((x) => x instanceof Tensor && x.grad !== null) as Tensor[];
    expect(reached).not.toEqual([]);
    gradcheck(call, reached, { atol: 1e-6, rtol: 1e-5 });
  });

  test('all but these have one', () => {
    const without = functions.filter((each) => !hasOne(each));
    expect(without.map(([name]) => name)).toEqual([
      'functional.reshape, of int32',
      'functional.add, of int32',
      'functional.argsort',
      ...['eq', 'ne', 'lt', 'le', 'gt', 'ge'].map((name) => `functional.${name}`),
      ...['isnan', 'isinf', 'isfinite', 'any', 'all'].map((name) => `functional.${name}`),
      ...['functional.argmax', 'functional.argmin', 'functional.oneHot', 'functional.nonzero'],
    ]);
  });
});
