// One bad batch must not poison a run: what nonFinite does with NaN, infinity and overflow.
import { describe, expect, test } from 'vitest';

import { nn, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const GOOD = [
  [1, 10],
  [3, 30],
];

const values = (t: Tensor | null): unknown => (t === null ? null : [...t.data]);
const state = (bn: nn.BatchNorm1d): unknown => [
  values(bn.runningMean),
  values(bn.runningVar),
  bn.numBatchesTracked,
];

function build(options: nn.BatchNormOptions): nn.BatchNorm1d {
  return new nn.BatchNorm1d(2, options);
}

/** [name, batch, what an error says of it] */
const BAD: readonly (readonly [string, number[][], string])[] = [
  ['NaN', [[1, 2], [NaN, 4]], 'a mean of NaN in channel 0'],
  ['infinity', [[1, Infinity], [3, 4]], 'a mean of Infinity in channel 1'],
  ['a variance beyond float32', [[1, 3e38], [3, -3e38]], 'a variance of Infinity in channel 1'],
]; // prettier-ignore

describe.each(BAD)('%s', (_, rows, found) => {
  test("'propagate' lets it in, as PyTorch does", () => {
    const bn = build({});
    bn.forward(tensor(rows));
    const all = [...bn.runningMean!.data, ...bn.runningVar!.data].map(Number);
    expect(all.every(Number.isFinite)).toBe(false);
    expect([bn.numBatchesTracked, bn.skippedBatches]).toEqual([1, 0]);
  });

  test.each([{}, { trackRunningStats: false }])(
    "'throw' with %j: an error, and nothing has changed",
    (options) => {
      const bn = build({ nonFinite: 'throw', ...options });
      const unchanged = snapshot(bn);
      expect(thrownBy(() => bn.forward(tensor(rows)))).toBe(
        `RangeError: BatchNorm1d: expected a batch of finite statistics, got ${found}.`,
      );
      unchanged();
      expect(bn.skippedBatches).toBe(0);
    },
  );

  test("'throw' leaves the caller's memory alone: out, and the input in place", () => {
    const bn = build({ nonFinite: 'throw' });
    const input = tensor(rows);
    const out = tensor([[7, 7], [7, 7]]); // prettier-ignore
    const unchanged = snapshot(bn, input, out);
    bn.requiresGrad_(false);
    bn.requiresGrad_(true);
    expect(() => bn.forward(input, { out })).toThrow(RangeError);
    unchanged();
    bn.requiresGrad_(false);
    const before = values(input);
    expect(() => bn.forward(input, { out: input })).toThrow(RangeError);
    expect(values(input)).toEqual(before);
  });

  test("'skip' normalises it, moves nothing, and counts it", () => {
    const [bn, free] = [build({ nonFinite: 'skip' }), build({})];
    bn.forward(tensor(GOOD));
    const before = state(bn);
    const y = bn.forward(tensor(rows));
    expect(values(y)).toEqual(values(free.forward(tensor(rows))));
    expect(state(bn)).toEqual(before);
    expect(bn.skippedBatches).toBe(1);
  });

  test.each(['throw', 'skip'] as const)(
    '%s: evaluation by running statistics looks at nothing',
    (nonFinite) => {
      const bn = build({ nonFinite }).eval();
      const unchanged = snapshot(bn);
      expect(values(bn.forward(tensor(rows)))).toEqual(
        values(build({}).eval().forward(tensor(rows))),
      );
      unchanged();
      expect(bn.skippedBatches).toBe(0);
    },
  );

  test.each(['throw', 'skip'] as const)(
    '%s, where other statistics normalise but these move',
    (nonFinite) => {
      const bn = build({ nonFinite });
      bn.normalizeBy = 'running';
      const unchanged = snapshot(bn);
      if (nonFinite === 'throw') expect(() => bn.forward(tensor(rows))).toThrow(found);
      else bn.forward(tensor(rows));
      unchanged();
      expect(bn.skippedBatches).toBe(nonFinite === 'skip' ? 1 : 0);
    },
  );
});

describe.each(['throw', 'skip'] as const)('%s and good batches', (nonFinite) => {
  test.each([false, true])('the bits of "propagate", forward and backward; out: %s', (withOut) => {
    for (const shape of [
      [5, 2],
      [5, 2, 3],
      [3, 2, 70],
    ]) {
      // prettier-ignore
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 7) + i);
      const run = (options: nn.BatchNormOptions): unknown => {
        const bn = build(options);
        const x = tensor(data.slice(), shape, { requiresGrad: true });
        const out = withOut ? tensor(new Float32Array(data.length), shape) : undefined;
        const y = bn.forward(x, out === undefined ? {} : { out });
        y.backward(
          tensor(
            data.map((value) => Math.cos(value)),
            shape,
          ),
        );
        return [
          values(y),
          values(x.grad),
          values(bn.weight!.grad),
          values(bn.bias!.grad),
          state(bn),
        ];
      };
      expect(run({ nonFinite })).toEqual(run({}));
    }
  });

  test('one value, an empty batch, a wrong shape: as without it', () => {
    const [bn, plain] = [build({ nonFinite }), build({})];
    for (const x of [tensor([[1, 2]]), tensor([[1, 2, 3]])]) {
      expect(thrownBy(() => bn.forward(x))).toBe(thrownBy(() => plain.forward(x)));
    }
    expect(bn.forward(tensor(new Float32Array(0), [0, 2])).shape).toEqual([0, 2]);
    expect(state(bn)).toEqual([[0, 0], [1, 1], 1]);
  });
});

test('variance overflows by what is stored: float64 statistics hold 3e38', () => {
  const bn = build({ nonFinite: 'throw', dtype: 'float64' });
  bn.forward(tensor([[1, 3e38], [3, -3e38]], { dtype: 'float64' })); // prettier-ignore
  expect(bn.runningVar!.toArray()).toEqual([0.9 + 0.1 * 2, 0.9 + 0.1 * 1.8e77]);
});

describe('singleValue', () => {
  const ONE = /^RangeError: BatchNorm1d: expected more than 1 value per channel when training, got/;

  test("'throw', the default, has PyTorch's words", () => {
    const bn = build({});
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(tensor([[1, 2]])))).toMatch(ONE);
    unchanged();
  });

  test.each([[[1, 2]], [[1, 2, 1]]])(
    "'running' normalises shape %j by the running statistics, which stay",
    (shape) => {
      const bn = build({ singleValue: 'running' });
      bn.forward(tensor(GOOD));
      const unchanged = snapshot(bn);
      const one = tensor(Float32Array.of(5, 6), shape);
      const y = bn.forward(one);
      unchanged();
      expect(values(y)).toEqual(values(bn.eval().forward(one)));
    },
  );

  test("'running' is for one value only", () => {
    const bn = build({ singleValue: 'running' });
    bn.forward(tensor(GOOD));
    expect(state(bn)).toEqual(
      (() => {
        const plain = build({});
        plain.forward(tensor(GOOD));
        return state(plain);
      })(),
    );
  });

  test("'running' without running statistics: an error still", () => {
    const bn = build({ singleValue: 'running', trackRunningStats: false });
    expect(thrownBy(() => bn.forward(tensor([[1, 2]])))).toMatch(ONE);
    expect(thrownBy(() => bn.eval().forward(tensor([[1, 2]])))).toMatch(ONE);
  });

  test('with lengths, one step that counts is one value', () => {
    const x = tensor([[[5, 0]], [[9, 0]]]); // prettier-ignore
    const bn = new nn.BatchNorm1d(1, { singleValue: 'running', eps: 15 });
    const y = bn.forward(x, { lengths: [1, 0] });
    expect(values(y)).toEqual([5 / 4, 0, 0, 0]);
    expect(bn.numBatchesTracked).toBe(0);
    expect(thrownBy(() => new nn.BatchNorm1d(1).forward(x, { lengths: [1, 0] }))).toMatch(ONE);
  });
});

test.each([
  [
    { nonFinite: 'ignore' },
    "RangeError: BatchNorm1d: expected nonFinite to be 'propagate' or 'throw' or 'skip', got 'ignore'.",
  ],
  [
    { nonFinite: false },
    "TypeError: BatchNorm1d: expected nonFinite to be 'propagate' or 'throw' or 'skip', got false.",
  ],
  [
    { singleValue: 'eval' },
    "RangeError: BatchNorm1d: expected singleValue to be 'throw' or 'running', got 'eval'.",
  ],
])('options %j', (options, message) => {
  expect(thrownBy(() => build(options as nn.BatchNormOptions))).toBe(message);
});
