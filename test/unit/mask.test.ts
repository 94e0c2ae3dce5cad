// forward(x, { mask }): any positions of padded sequences. The same bits as the values that count alone, in both
// layouts, forward and backward, at once and beside the event loop; 0 at the others.
import { describe, expect, test } from 'vitest';

import { functional, nn, noGrad, tensor, type Tensor } from '../../src/index.js';
import { normals32, uniformFrom } from '../helpers/random.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

type Layout = 'NCL' | 'NLC';

interface Case {
  readonly shape: readonly number[];
  readonly layout: Layout;
  /** 1 or 0 for each of N · L positions. */
  readonly flags: readonly number[];
}

const values = (t: Tensor | null): number[] => [...(t!.data as Float32Array)];
/** Of many numbers, which Vitest would compare one by one. */
const bitsOf = (list: readonly number[]): string =>
  Buffer.from(Float64Array.from(list).buffer).toString('base64');

/** Where the values that count are: channel by channel, or step by step where channels come last. */
function places({ shape, layout, flags }: Case): { places: number[]; c: number; m: number } {
  const [n, c, l] = (
    shape.length === 2
      ? [shape[0], shape[1], 1]
      : layout === 'NCL'
        ? shape
        : [shape[0], shape[2], shape[1]]
  ) as [number, number, number];
  expect(flags).toHaveLength(n * l);
  const steps = flags.flatMap((flag, i) => (flag === 1 ? [i] : []));
  const rows = layout === 'NLC' || shape.length === 2;
  const channels = Array.from({ length: c }, (_, ch) => ch);
  return {
    c,
    m: steps.length,
    places: rows
      ? steps.flatMap((step) => channels.map((ch) => step * c + ch))
      : channels.flatMap((ch) =>
          steps.map((step) => (Math.floor(step / l) * c + ch) * l + (step % l)),
        ),
  };
}

const nested = ({ flags, shape }: Case): boolean[] | boolean[][] => {
  const l = flags.length / shape[0]!;
  const booleans = flags.map((flag) => flag === 1);
  if (shape.length === 2) return booleans;
  return Array.from({ length: shape[0]! }, (_, i) => booleans.slice(i * l, (i + 1) * l));
};

type Change = (bn: nn.BatchNorm1d) => unknown;

async function compare(
  each: Case,
  {
    change,
    relu = false,
    later = false,
  }: { change?: Change; relu?: boolean; later?: boolean } = {},
): Promise<void> {
  const { shape, layout } = each;
  const { places: at, c, m } = places(each);
  const numel = shape.reduce((a, b) => a * b);
  const [xs, gs] = [normals32(1, numel), normals32(2, numel)];
  const counts = new Set(at);
  const dirty = xs.map((value, i) => (counts.has(i) ? value : i % 2 === 0 ? NaN : Infinity));
  const pick = (from: Float32Array): Float32Array => Float32Array.from(at, (i) => from[i]!);
  const rows = layout === 'NLC' || shape.length === 2;

  const bn = new nn.BatchNorm1d(c, { layout });
  const plain = new nn.BatchNorm1d(c);
  for (const layer of [bn, plain]) {
    layer.weight!.data.set(normals32(3, c));
    change?.(layer);
  }
  const x = tensor(dirty, [...shape], { requiresGrad: true });
  const options = { mask: nested(each), relu };
  const y = later ? await bn.forwardAsync(x, options) : bn.forward(x, options);
  const dy = tensor(gs, [...shape]);
  if (later) await y.backwardAsync(dy);
  else y.backward(dy);
  const alone = tensor(pick(xs), rows ? [m, c] : [1, c, m], { requiresGrad: true });
  const z = plain.forward(alone, { relu });
  z.backward(tensor(pick(gs), alone.shape));

  const spread = (t: Tensor | null): number[] => {
    const all = new Array<number>(numel).fill(0);
    values(t).forEach((value, i) => (all[at[i]!] = value));
    return all;
  };
  expect(bitsOf(values(y))).toBe(bitsOf(spread(z)));
  expect(bitsOf(values(x.grad))).toBe(bitsOf(spread(alone.grad)));
  for (const name of ['weight', 'bias'] as const) {
    expect(bn[name]!.grad && values(bn[name]!.grad)).toEqual(
      plain[name]!.grad && values(plain[name]!.grad),
    );
  }
  for (const name of ['runningMean', 'runningVar'] as const) {
    expect(values(bn[name])).toEqual(values(plain[name]));
  }
  expect(bn.numBatchesTracked).toBe(plain.numBatchesTracked);
}

const HOLES: readonly Case[] = [
  { shape: [2, 3, 4], layout: 'NCL', flags: [0, 1, 0, 1, 1, 1, 0, 1] },
  { shape: [2, 4, 3], layout: 'NLC', flags: [0, 1, 0, 1, 1, 1, 0, 1] },
  { shape: [5, 3], layout: 'NCL', flags: [0, 1, 1, 0, 1] },
  { shape: [5, 3], layout: 'NLC', flags: [1, 0, 1, 0, 1] },
  { shape: [3, 1, 3], layout: 'NCL', flags: [0, 0, 1, 0, 0, 0, 1, 0, 1] },
  { shape: [2, 3, 4], layout: 'NCL', flags: [1, 1, 0, 0, 1, 1, 1, 0] }, // as lengths
  { shape: [2, 3, 4], layout: 'NCL', flags: [1, 1, 1, 1, 1, 1, 1, 1] },
];
const CHANGES: Record<string, Change | undefined> = {
  'in training': undefined,
  'in evaluation': (bn) => bn.eval(),
  frozen: (bn) => bn.freeze(),
  'frozen, but for weight and bias': (bn) => bn.freeze({ affine: false }),
  'by the running statistics that also move': (bn) =>
    Object.assign(bn, { normalizeBy: 'running', updateStatistics: true }),
};

describe.each(Object.entries(CHANGES))('%s', (_, change) => {
  for (const each of HOLES) {
    for (const relu of [false, true]) {
      for (const later of [false, true]) {
        test(`${JSON.stringify(each)}${relu ? ', relu' : ''}${later ? ', later' : ''}`, () =>
          compare(each, { relu, later, ...(change && { change }) }));
      }
    }
  }
});

test.each(['NCL', 'NLC'] as const)(
  'large, in many parts beside the event loop: %s',
  async (layout) => {
    const uniform = uniformFrom(4);
    const flags = Array.from({ length: 60 * 700 }, () => (uniform() < 0.6 ? 1 : 0));
    const shape = layout === 'NCL' ? [60, 16, 700] : [60, 700, 16];
    await compare({ shape, layout, flags }, { later: true });
    await compare({ shape, layout, flags });
  },
);

describe('the mask', () => {
  const [x, rows] = [tensor(normals32(1, 24), [2, 3, 4]), [[0, 1, 0, 1], [1, 1, 0, 1]]]; // prettier-ignore
  const right = noGrad(() => new nn.BatchNorm1d(3).forward(x, { mask: rows }));

  test.each<[string, functional.Mask]>([
    ['booleans', rows.map((row) => row.map((flag) => flag === 1))],
    ['bigints', rows.map((row) => row.map(BigInt))],
    ['rows of typed arrays', rows.map((row) => Uint8Array.from(row))],
    ['one list', rows.flat()],
    ['one typed array', Uint8Array.from(rows.flat())],
    ['an int32 tensor', tensor(Int32Array.from(rows.flat()), [2, 4])],
    ['an int64 tensor', tensor(BigInt64Array.from(rows.flat().map(BigInt)), [2, 4])],
  ])('as %s', (_, mask) => {
    const y = noGrad(() => new nn.BatchNorm1d(3).forward(x, { mask }));
    expect(values(y)).toEqual(values(right));
    const stateless = functional.batchNorm(x, null, null, { training: true, mask });
    expect(values(stateless)).toEqual(values(right));
  });

  test('is read at the call', async () => {
    const mask = rows.map((row) => [...row]);
    const y = new nn.BatchNorm1d(3).forwardAsync(x, { mask });
    for (const row of mask) row.fill(0);
    expect(values(await y)).toEqual(values(right));
  });

  test('that lets nothing through is an empty batch: it moves the counter alone', () => {
    const bn = new nn.BatchNorm1d(3);
    expect(values(bn.forward(x, { mask: new Uint8Array(8) }))).toEqual(new Array(24).fill(0));
    expect([values(bn.runningMean), bn.numBatchesTracked]).toEqual([[0, 0, 0], 1]);
  });

  const one = Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0);
  test('that leaves one value is refused like one value, and taken by the policy', () => {
    const bn = new nn.BatchNorm1d(3);
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(x, { mask: one }))).toMatch(/more than 1 value per channel/);
    unchanged();
    new nn.BatchNorm1d(3, { singleValue: 'running' }).forward(x, { mask: one });
  });

  test('goes through a Sequential, a FrozenBatchNorm1d, a virtual batch', () => {
    const model = new nn.Sequential(new nn.BatchNorm1d(3), new nn.ReLU());
    expect(values(model.forward(x, { mask: rows }))).toEqual(values(functional.relu(right)));
    const frozen = new nn.FrozenBatchNorm1d(3, { eps: 0 });
    expect(values(frozen.forward(x, { mask: rows }))).toEqual(
      values(x).map((value, i) => (rows[Math.floor(i / 12)]![i % 4] === 1 ? value : 0)),
    );
    const [bn, plain] = [new nn.BatchNorm1d(3), new nn.BatchNorm1d(3)];
    const batch = nn.virtualBatch(bn);
    bn.forward(x, { mask: rows });
    expect(bn.numBatchesTracked).toBe(0);
    batch.commit();
    plain.forward(x, { mask: rows });
    expect(values(bn.runningMean)).toEqual(values(plain.runningMean));
  });

  const who = 'BatchNorm1d: expected';
  test.each<[string, unknown, string]>([
    ['with lengths', { mask: rows, lengths: [1, 2] }, `TypeError: ${who} lengths or mask, got both.`],
    ['no list', { mask: 3 }, `TypeError: ${who} mask to be an array of booleans (or 1 and 0), rows of such, or an integer tensor, got 3.`],
    ['null', { mask: null }, `TypeError: ${who} mask to be an array of booleans (or 1 and 0), rows of such, or an integer tensor, got null.`],
    ['a row too few', { mask: [[1, 1, 1, 1]] }, `RangeError: ${who} a mask of shape [2, 4], got 1 rows.`],
    ['a short row', { mask: [[1, 1, 1, 1], [1]] }, `RangeError: ${who} a mask of shape [2, 4], got a row of 1.`],
    ['a short list', { mask: [1, 1] }, `RangeError: ${who} a mask of shape [2, 4], got 2.`],
    ['a row that is none', { mask: [[1, 1, 1, 1], 1] }, `TypeError: ${who} mask to be an array of booleans (or 1 and 0), rows of such, or an integer tensor, got 1.`],
    ['a flag of 2', { mask: [1, 0, 1, 2, 0, 0, 0, 0] }, `RangeError: ${who} a mask of true and false, or 1 and 0, got 2 at index 3.`],
    ['NaN', { mask: [[NaN, 1, 1, 1], [1, 1, 1, 1]] }, `RangeError: ${who} a mask of true and false, or 1 and 0, got NaN at index 0.`],
    ['a tensor of another shape', { mask: tensor(new Int32Array(8), [4, 2]) }, `RangeError: ${who} a mask of shape [2, 4], got shape [4, 2].`],
    ['a float tensor', { mask: tensor(new Float32Array(8), [2, 4]) }, `TypeError: ${who} mask to be int32 or int64, got float32.`],
  ])('refuses %s', async (_, options, words) => {
    const bn = new nn.BatchNorm1d(3);
    const unchanged = snapshot(bn, x);
    expect(thrownBy(() => bn.forward(x, options as nn.BatchNormForwardOptions))).toBe(words);
    await expect(bn.forwardAsync(x, options as nn.BatchNormAsyncOptions)).rejects.toThrow(words.slice(words.indexOf(' ') + 1));
    expect(thrownBy(() => new nn.FrozenBatchNorm1d(3).forward(x, options as nn.BatchNormForwardOptions))).toBe(words.replace('BatchNorm1d', 'FrozenBatchNorm1d'));
    unchanged();
  }); // prettier-ignore

  test('of four dimensions is refused', () => {
    const bn = new nn.BatchNorm2d(3);
    expect(thrownBy(() => bn.forward(tensor(new Float32Array(24), [2, 3, 2, 2]), { mask: [1, 0] }))).toBe(
      'RangeError: BatchNorm2d: expected a 2D or 3D input beside mask, got shape [2, 3, 2, 2].',
    ); // prettier-ignore
  });

  test('aborted in the middle, nothing has moved', async () => {
    const flags = Uint8Array.from({ length: 60 * 700 }, (_, i) => (i % 3 === 1 ? 1 : 0));
    const big = tensor(normals32(1, 60 * 16 * 700), [60, 16, 700]);
    const bn = new nn.BatchNorm1d(16);
    const unchanged = snapshot(bn);
    const controller = new AbortController();
    const y = bn.forwardAsync(big, { mask: flags, signal: controller.signal });
    setImmediate(() => {
      controller.abort(new Error('enough'));
    });
    await expect(y).rejects.toThrow('enough');
    unchanged();
  });
});
