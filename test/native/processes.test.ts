// One batch on any number of processes: each sums the rows it holds, nodes of the tree of native/kernels/sum_tree.h,
// these are added in order, and every output, statistic and gradient has the bits of one call on the whole batch, on
// any instruction set and number of threads.
import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

import type { Addon } from '../../src/addon/types.js';
import { normalFrom } from '../helpers/random.js';
import { leafSamples, nodesOf, TreeSum, type Node } from '../../src/addon/sum-tree.js';

type Floats = Float32Array | Float64Array;

const loaded: { exports: unknown } = { exports: {} };
process.dlopen(
  loaded,
  fileURLToPath(new URL('../../build/Release/evenkeel.node', import.meta.url)),
);
const addon = loaded.exports as Addon;

const EPS = 1e-5;
const isas = addon.availableIsas();
const initial = addon.isa();
afterEach(() => {
  addon.selectIsa(initial);
});

interface Case {
  readonly n: number;
  readonly c: number;
  readonly l: number;
  /** The leaf that each process but the first begins with; a process may hold nothing. */
  readonly cuts: readonly number[];
  readonly double: boolean;
  readonly relu: boolean;
  readonly offset: number;
  readonly threads: number;
  /** Which instruction set the parts are on, by its place among those there are. */
  readonly isa: number;
  readonly seed: number;
}

const LARGEST = 300_000;

/** 1 to 8 processes; every size of a leaf: 64 samples of rows, fewer of long runs, parts of one sample. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    c: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 300 })),
    l: fc.oneof(
      fc.constant(1),
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 41, max: 20_000 }),
    ),
    size: fc.double({ min: 0, max: 1, noNaN: true }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 7 }),
    double: fc.boolean(),
    relu: fc.boolean(),
    offset: fc.constantFrom(0, 0.5, 100, 1e5),
    threads: fc.constantFrom(1, 2, 3, 8),
    isa: fc.nat(7),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
  })
  .map(({ c, l, size, cuts, ...rest }) => {
    const most = Math.max(2, Math.min(3000, Math.floor(LARGEST / (c * l))));
    const n = 2 + Math.floor(size * (most - 2));
    const leaves = Math.ceil(n / leafSamples(l));
    const at = cuts.map((cut) => Math.floor(cut * (leaves + 1))).sort((a, b) => a - b);
    return { n, c, l, cuts: at, ...rest };
  });

const bytes = (data: Floats): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** The samples that each process holds. */
function shares({ n, l, cuts }: Case): Node[] {
  const leaf = leafSamples(l);
  const begins = [0, ...cuts.map((cut) => Math.min(n, cut * leaf))];
  return begins.map((begin, i) => ({ begin, end: begins[i + 1] ?? n, level: 0 }));
}

/** The sum of what `part` gives for each node of each process, as the processes would add it. */
function gathered(each: Case, length: number, part: (node: Node) => Float64Array): Float64Array {
  const sum = new TreeSum<Float64Array>((a, b) => a.map((value, i) => value + b[i]!));
  for (const { begin, end } of shares(each)) {
    for (const node of nodesOf(begin, end, leafSamples(each.l))) sum.add(part(node), node.level);
  }
  return sum.total() ?? new Float64Array(length);
}

interface Data {
  readonly x: Floats;
  readonly dy: Floats;
  readonly weight: Floats;
  readonly bias: Floats;
}

function dataOf({ n, c, l, double, offset, seed }: Case): Data {
  const normal = normalFrom(seed);
  const array = (length: number, at: number): Floats => {
    const data = double ? new Float64Array(length) : new Float32Array(length);
    for (let i = 0; i < length; i++) data[i] = at + normal();
    return data;
  };
  const elements = n * c * l;
  return {
    x: array(elements, offset),
    dy: array(elements, 0.1),
    weight: array(c, 1),
    bias: array(c, 0),
  };
}

function oneProcess({ n, c, l, relu }: Case, { x, dy, weight, bias }: Data): Floats[] {
  const like = (length: number): Floats =>
    x instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  const [y, dx, dweight, dbias, mean, variance] = [
    like(x.length),
    like(x.length),
    like(c),
    like(c),
    like(c),
    like(c),
  ];
  const saved = new Float64Array(3 * c);
  const kept = [mean, variance, saved, false, true, 0.3, EPS, relu] as const;
  addon.batchNormForward(x, y, n, c, l, weight, bias, ...kept);
  const gradients = [dx, dweight, dbias, false, relu] as const;
  addon.batchNormBackward(x, dy, 0, n, c, l, weight, bias, saved, ...gradients);
  return [y, dx, dweight, dbias, mean, variance, saved];
}

function manyProcesses(each: Case, { x, dy, weight, bias }: Data): Floats[] {
  const { n, c, l, relu } = each;
  const like = (length: number): Floats =>
    x instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  const of = (data: Floats, { begin, end }: Node): Floats =>
    data.subarray(begin * c * l, end * c * l);

  const shift = like(c);
  addon.firstShift(x.subarray(0, c * l), shift, 1, c, l);
  const sums = gathered(each, 2 * c, (node) => {
    const own = new Float64Array(2 * c);
    addon.batchSums(of(x, node), shift, own, node.end - node.begin, c, l);
    return own;
  });
  const moments = new Float64Array(4 * c);
  addon.momentsOfSums(shift, sums, moments, n * l, c);
  const [mean, variance] = [like(c), like(c)];
  addon.moveByMoments(mean, variance, moments, n * l, 0.3, c);

  const [y, dx, dweight, dbias] = [like(x.length), like(x.length), like(c), like(c)];
  let saved = new Float64Array(0);
  for (const share of shares(each)) {
    saved = new Float64Array(3 * c);
    const rest = [moments, saved, EPS, relu] as const;
    addon.normalizeByMoments(
      of(x, share),
      of(y, share),
      share.end - share.begin,
      c,
      l,
      weight,
      bias,
      ...rest,
    );
  }
  const gradientSums = gathered(each, 2 * c, (node) => {
    const own = new Float64Array(2 * c);
    const rest = [weight, bias, saved, own, null, null, relu] as const;
    addon.gradientSums(of(x, node), of(dy, node), 0, node.end - node.begin, c, l, ...rest);
    return own;
  });
  for (const share of shares(each)) {
    const rest = [
      weight,
      bias,
      saved,
      gradientSums,
      n * l,
      of(dx, share),
      dweight,
      dbias,
      relu,
    ] as const;
    addon.gradientBySums(of(x, share), of(dy, share), 0, share.end - share.begin, c, l, ...rest);
  }
  return [y, dx, dweight, dbias, mean, variance, saved];
}

/** Those of the results that are not the same to the bit. */
function different(each: Case): string[] {
  const names = ['y', 'dx', 'dweight', 'dbias', 'running mean', 'running var', 'saved'];
  const data = dataOf(each);
  addon.setThreads(1);
  const whole = oneProcess(each, data);
  addon.setThreads(each.threads);
  addon.selectIsa(isas[each.isa % isas.length]!);
  const parts = manyProcesses(each, data);
  addon.selectIsa(initial);
  return names.filter((_, i) => !bytes(parts[i]!).equals(bytes(whole[i]!)));
}

test('BatchNorm on 1 to 8 processes, any instruction set and threads, has the bits of one', () => {
  fc.assert(
    fc.property(cases, (each) => {
      expect(different(each)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

// From 129 leaves on a block, of which there are at most 64, has three or more: it has to be a node of the tree.
test.each([
  [129 * 64, 16, 1],
  [130 * 64 - 1, 3, 1],
  [150 * 64, 2, 5],
])('a batch of %i samples of (%i, %i) has blocks that are nodes', (n, c, l) => {
  const rest = { double: true, relu: false, offset: 0.5, isa: 0, seed: n };
  expect(different({ n, c, l, cuts: [64, 128], threads: 2, ...rest })).toEqual([]);
});

test('the gradient of a bias on 1 to 8 processes, any instruction set and threads, has the bits of one', () => {
  fc.assert(
    fc.property(cases, (each) => {
      const { n, c, double } = each;
      const rows: Case = { ...each, l: 1, cuts: each.cuts.filter((cut) => cut * 64 <= n) };
      const { dy } = dataOf({ ...rows, n });
      const whole = double ? new Float64Array(c) : new Float32Array(c);
      addon.columnSums(dy, whole, n, c);
      addon.setThreads(rows.threads);
      addon.selectIsa(isas[rows.isa % isas.length]!);
      const total = gathered(rows, c, ({ begin, end }) => {
        const own = new Float64Array(c);
        addon.columnTotals(dy.subarray(begin * c, end * c), own, end - begin, c);
        return own;
      });
      addon.selectIsa(initial);
      const rounded = double ? total : Float32Array.from(total);
      expect(bytes(rounded).equals(bytes(whole))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

/** What leafProducts is: each leaf a product, added as a tree. */
function treeOfProducts(a: Floats, b: Floats, m: number, n: number, k: number): Floats {
  const room = () => (a instanceof Float64Array ? new Float64Array(m * n) : new Float32Array(m * n)); // prettier-ignore
  const tree = new TreeSum<Floats>((one, other) => {
    addon.add(one, other, one, one.length);
    return one;
  });
  for (let from = 0; from < k; from += 64) {
    const [rows, to] = [Math.min(64, k - from), room()];
    const [left, right] = [a.subarray(from * m), b.subarray(from * n)];
    addon.matmul(left.subarray(0, rows * m), right.subarray(0, rows * n), null, to, m, n, rows, true, false); // prettier-ignore
    tree.add(to, 0);
  }
  return tree.total()!;
}

test('the weight gradient in leaves is the tree of their products, on any instruction set and threads', () => {
  const shapes = fc.record({
    m: fc.integer({ min: 1, max: 160 }),
    n: fc.integer({ min: 1, max: 600 }),
    k: fc.integer({ min: 1, max: 500 }),
    double: fc.boolean(),
    threads: fc.constantFrom(1, 2, 3, 8),
    isa: fc.nat(7),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(shapes, ({ m, n, k, double, threads, isa, seed }) => {
      const room = (length: number): Floats => (double ? new Float64Array(length) : new Float32Array(length)); // prettier-ignore
      const normal = normalFrom(seed);
      const [a, b] = [room(k * m).map(normal), room(k * n).map(normal)] as [Floats, Floats];
      const tree = treeOfProducts(a, b, m, n, k);
      addon.setThreads(threads);
      addon.selectIsa(isas[isa % isas.length]!);
      const whole = room(m * n);
      addon.leafProducts(a, b, whole, m, n, k);
      addon.selectIsa(initial);
      expect(bytes(whole).equals(bytes(tree))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('the same where there are many leaves: whole blocks of four, a part of one, and a short leaf', () => {
  const normal = normalFrom(5);
  const [most, n] = [9 * 256, 37];
  // Whose sides are packed task by task, and as a whole.
  for (const m of [7, 100]) {
    const a = new Float32Array(most * m).map(normal);
    const b = new Float32Array(most * n).map(normal);
    for (let blocks = 1; blocks <= 9; blocks++) {
      for (const less of [0, 1, 64, 100, 128, 192, 255]) {
        const k = blocks * 256 - less;
        const tree = treeOfProducts(a, b, m, n, k);
        for (const isa of isas) {
          addon.selectIsa(isa);
          const whole = new Float32Array(m * n);
          addon.leafProducts(a.subarray(0, k * m), b.subarray(0, k * n), whole, m, n, k);
          expect(bytes(whole).equals(bytes(tree)), `${m} ${k} ${isa}`).toBe(true);
        }
        addon.selectIsa(initial);
      }
    }
  }
});

test('cut elsewhere than at a leaf the bits are others, now and then', () => {
  // What the cases above could not show if any order had the same bits.
  const [n, c] = [1000, 64];
  const data = dataOf({
    n,
    c,
    l: 1,
    cuts: [],
    double: false,
    relu: false,
    offset: 0,
    threads: 1,
    isa: 0,
    seed: 7,
  });
  const sums = (begin: number, end: number): Float64Array => {
    const own = new Float64Array(2 * c);
    addon.batchSums(
      data.x.subarray(begin * c, end * c),
      data.x.subarray(0, c),
      own,
      end - begin,
      c,
      1,
    );
    return own;
  };
  const whole = sums(0, n);
  const added = (at: number): Float64Array => {
    const [a, b] = [sums(0, at), sums(at, n)];
    return a.map((value, i) => value + b[i]!);
  };
  expect(bytes(added(512)).equals(bytes(whole))).toBe(true);
  expect(bytes(added(500)).equals(bytes(whole))).toBe(false);
  expect(bytes(added(448)).equals(bytes(whole))).toBe(false);
});
