// Padded sequences: the same bits as the values without their padding, in both layouts, forward and
// backward; 0 where the padding is.
import { describe, expect, test } from 'vitest';

import { functional, nn, noGrad, tensor, type Tensor } from '../../src/index.js';
import { normals32, sizesFrom, uniformFrom } from '../helpers/random.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const values = (t: Tensor | null): number[] => [...(t!.data as Float32Array)];
const state = (bn: nn.BatchNorm): unknown => [
  values(bn.runningMean),
  values(bn.runningVar),
  bn.numBatchesTracked,
];

interface Padded {
  readonly shape: readonly number[];
  readonly lengths: readonly number[];
  readonly layout: 'NCL' | 'NLC';
}

/** Where the values that count are, channel by channel ([1, C, M]) or step by step ([M, C]). */
function counted({ shape, lengths, layout }: Padded): number[] {
  const [n, c, l] = (layout === 'NCL' ? shape : [shape[0], shape[2], shape[1]]) as [
    number,
    number,
    number,
  ];
  const places: number[] = [];
  const steps = lengths.flatMap((length, i) =>
    Array.from({ length }, (_, step) => [i, step] as const),
  );
  expect(lengths).toHaveLength(n);
  if (layout === 'NLC') {
    for (const [i, step] of steps)
      for (let ch = 0; ch < c; ch++) places.push((i * l + step) * c + ch);
  } else {
    for (let ch = 0; ch < c; ch++)
      for (const [i, step] of steps) places.push((i * c + ch) * l + step);
  }
  return places;
}

function compare(padded: Padded, options: nn.BatchNormOptions = {}, relu = false): void {
  const { shape, lengths, layout } = padded;
  const numel = shape.reduce((a, b) => a * b);
  const places = counted(padded);
  const c = shape[layout === 'NCL' ? 1 : 2]!;
  const m = places.length / c;
  const double = options.dtype === 'float64';
  const make = (seed: number): Float32Array | Float64Array =>
    double ? Float64Array.from(normals32(seed, numel)) : normals32(seed, numel);
  const [xs, gs] = [make(1), make(2)];
  // What lies in the padding must not matter.
  const isCounted = new Set(places);
  const dirty = xs.map((value, i) => (isCounted.has(i) ? value : i % 2 === 0 ? NaN : Infinity));
  const pick = (from: Float32Array | Float64Array): Float32Array | Float64Array =>
    from.constructor === Float64Array
      ? Float64Array.from(places, (i) => from[i]!)
      : Float32Array.from(places, (i) => from[i]!);

  const [bn, plain] = [
    new nn.BatchNorm1d(c, { ...options, layout }),
    new nn.BatchNorm1d(c, options),
  ];
  const x = tensor(dirty, shape, { requiresGrad: true });
  const y = bn.forward(x, { lengths, relu });
  y.backward(tensor(gs, shape));
  const packed = tensor(pick(xs), layout === 'NCL' ? [1, c, m] : [m, c], { requiresGrad: true });
  const z = plain.forward(packed, { relu });
  z.backward(tensor(pick(gs), packed.shape));

  const spread = (t: Tensor | null): number[] => {
    const all = new Array<number>(numel).fill(0);
    values(t).forEach((value, i) => (all[places[i]!] = value));
    return all;
  };
  expect(values(y)).toEqual(spread(z));
  expect(values(x.grad)).toEqual(spread(packed.grad));
  expect(values(bn.weight!.grad)).toEqual(values(plain.weight!.grad));
  expect(values(bn.bias!.grad)).toEqual(values(plain.bias!.grad));
  expect(state(bn)).toEqual(state(plain));
}

describe('equal, bit for bit, to the values without padding', () => {
  const cases: Padded[] = [
    { shape: [2, 3, 4], lengths: [4, 1], layout: 'NCL' },
    { shape: [2, 4, 3], lengths: [4, 1], layout: 'NLC' },
    { shape: [4, 2, 5], lengths: [0, 5, 0, 2], layout: 'NCL' },
    { shape: [4, 5, 2], lengths: [0, 5, 0, 2], layout: 'NLC' },
    { shape: [3, 1, 70], lengths: [70, 33, 1], layout: 'NCL' },
    { shape: [3, 70, 1], lengths: [70, 33, 1], layout: 'NLC' },
    {
      shape: [16, 40, 100],
      lengths: Array.from({ length: 16 }, (_, i) => 6 * i + 5),
      layout: 'NCL',
    },
    {
      shape: [16, 100, 40],
      lengths: Array.from({ length: 16 }, (_, i) => 6 * i + 5),
      layout: 'NLC',
    },
  ];
  test.each(cases)('$layout $shape, $lengths', (padded) => {
    compare(padded);
    compare(padded, {}, true);
    compare(padded, { dtype: 'float64' });
  });

  test('50 random shapes', () => {
    const [size, uniform] = [sizesFrom(11), uniformFrom(12)];
    for (let i = 0; i < 50; i++) {
      const [n, c, l] = [size(1, 9), size(1, 40), size(2, 90)];
      const lengths = Array.from({ length: n }, () => Math.floor(uniform() * (l + 1)));
      lengths[0] = 2;
      const layout = i % 2 === 0 ? 'NCL' : 'NLC';
      compare({ shape: layout === 'NCL' ? [n, c, l] : [n, l, c], lengths, layout });
    }
  });
});

describe('lengths', () => {
  test('full ones have the bits of a call without', () => {
    const run = (lengths?: readonly number[]): unknown => {
      const bn = new nn.BatchNorm1d(3);
      const y = bn.forward(
        tensor(normals32(4, 120), [4, 3, 10]),
        lengths === undefined ? {} : { lengths },
      );
      return [values(y), state(bn)];
    };
    expect(run([10, 10, 10, 10])).toEqual(run());
  });

  test('evaluation: values as ever, 0 in the padding', () => {
    const bn = new nn.BatchNorm1d(1, { eps: 15 }).eval(); // 1 / sqrt(1 + 15) = 1 / 4
    bn.bias!.data.fill(7);
    const y = bn.forward(tensor([[[1, 2, 3]], [[4, 5, 6]]]), { lengths: [2, 0] });
    expect(values(y)).toEqual([7.25, 7.5, 0, 0, 0, 0]);
  });

  test.each([
    ['an Int32Array', Int32Array.of(2, 1)],
    ['an int32 tensor', tensor(Int32Array.of(2, 1))],
    ['a Uint8Array', Uint8Array.of(2, 1)],
  ])('%s', (_, lengths) => {
    const bn = new nn.BatchNorm1d(1);
    expect(values(bn.forward(tensor([[[1, 3]], [[2, 9]]]), { lengths }))[3]).toBe(0);
    expect(values(bn.runningMean)).toEqual([Math.fround(0.2)]);
  });

  test('are read at the call: changing them afterwards changes no gradient', () => {
    const lengths = [2, 1];
    const x = tensor([[[1, 3]], [[2, 9]]], { requiresGrad: true });
    const y = new nn.BatchNorm1d(1).forward(x, { lengths });
    lengths[1] = 2;
    y.backward(tensor([[[1, 2]], [[3, 4]]]));
    expect(values(x.grad)[3]).toBe(0);
  });

  test('all 0: an empty batch', () => {
    const bn = new nn.BatchNorm1d(1);
    const x = tensor([[[NaN, 3]]], { requiresGrad: true });
    const y = bn.forward(x, { lengths: [0] });
    expect([values(y), state(bn)]).toEqual([
      [0, 0],
      [[0], [1], 1],
    ]);
    y.backward(tensor([[[1, 1]]]));
    expect([values(x.grad), values(bn.weight!.grad), values(bn.bias!.grad)]).toEqual([
      [0, 0],
      [0],
      [0],
    ]);
  });

  test('with out, also over the input', () => {
    const bn = new nn.BatchNorm1d(2);
    bn.requiresGrad_(false);
    const data = normals32(7, 24);
    const expected = values(
      new nn.BatchNorm1d(2).forward(tensor(data.slice(), [3, 2, 4]), { lengths: [1, 4, 2] }),
    );
    const out = tensor(new Float32Array(24).fill(5), [3, 2, 4]);
    bn.forward(tensor(data.slice(), [3, 2, 4]), { lengths: [1, 4, 2], out });
    expect(values(out)).toEqual(expected);
    const x = tensor(data, [3, 2, 4]);
    bn.forward(x, { lengths: [1, 4, 2], out: x });
    expect(values(x)).toEqual(expected);
  });

  test('out over a parameter is refused, and nothing has changed', () => {
    const bn = new nn.BatchNorm1d(2);
    const memory = new Float32Array(26).fill(1);
    bn.weight = new nn.Parameter(tensor(memory.subarray(24)));
    const out = tensor(memory.subarray(2), [3, 2, 4]);
    const x = tensor(normals32(7, 24), [3, 2, 4]);
    const unchanged = snapshot(bn, out);
    expect(thrownBy(() => noGrad(() => bn.forward(x, { lengths: [1, 4, 2], out })))).toBe(
      'RangeError: BatchNorm1d: expected out to have memory of its own, ' +
        'got some that overlaps another operand.',
    );
    unchanged();
  });

  test('the stateless form', () => {
    const x = tensor(normals32(7, 24), [3, 2, 4]);
    const [mean, variance] = [tensor([0, 0]), tensor([1, 1])];
    const y = functional.batchNorm(x, mean, variance, { training: true, lengths: [1, 4, 2] });
    const bn = new nn.BatchNorm1d(2);
    expect(values(y)).toEqual(values(bn.forward(x, { lengths: [1, 4, 2] })));
    expect([values(mean), values(variance)]).toEqual([
      values(bn.runningMean),
      values(bn.runningVar),
    ]);
  });

  test.each([
    [[2], 'RangeError: BatchNorm1d: expected 2 lengths, one a sample, got 1.'],
    [[2, 5], 'RangeError: BatchNorm1d: expected lengths from 0 to 4, got 5 at index 1.'],
    [[-1, 2], 'RangeError: BatchNorm1d: expected lengths from 0 to 4, got -1 at index 0.'],
    [[2, 1.5], 'RangeError: BatchNorm1d: expected lengths from 0 to 4, got 1.5 at index 1.'],
    [[2, '3'], "RangeError: BatchNorm1d: expected lengths from 0 to 4, got '3' at index 1."],
    [
      3,
      'TypeError: BatchNorm1d: expected lengths to be an array of whole numbers or an integer tensor, got 3.',
    ],
    [
      new DataView(new ArrayBuffer(8)),
      'TypeError: BatchNorm1d: expected lengths to be an array of whole numbers or an integer tensor, got DataView.',
    ],
    [tensor([2, 3]), 'TypeError: BatchNorm1d: expected lengths to be int32 or int64, got float32.'],
    [
      [1, 0],
      'RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape [2, 3, 4] (a last batch of one: dropLast: true of the DataLoader leaves it out).',
    ],
  ])('wrong ones: %j', (lengths, message) => {
    const bn = new nn.BatchNorm1d(3);
    const unchanged = snapshot(bn);
    const x = tensor(normals32(1, 24), [2, 3, 4]);
    expect(thrownBy(() => bn.forward(x, { lengths: lengths as number[] }))).toBe(message);
    unchanged();
  });

  test('are for sequences', () => {
    expect(
      thrownBy(() =>
        new nn.BatchNorm1d(3).forward(tensor(normals32(1, 6), [2, 3]), { lengths: [1, 1] }),
      ),
    ).toBe('RangeError: BatchNorm1d: expected a 3D input beside lengths, got shape [2, 3].');
  });
});
