// The pointwise operations, reductions and softmax as calls on an Arena.
import type { Addon } from '../../src/addon/types.js';
import { CODES } from '../../src/functional/pointwise/codes.js';
import type { Arena } from './arena.js';
import { flags, lengths, nothing, positive, sweep, type Call, type KernelCase } from './kernel-case.js';
import { flat } from './kernels.js';

/** What is not finite elsewhere. */
const ofPositive = new Set([
  ...['sqrt', 'rsqrt', 'log', 'log1p', 'pow', 'pow_gradient'],
  ...['power', 'power_derivative', 'power_logarithm'],
]);
/** Small ones, and now and then one that is beyond a function's usual range. */
const beyond = (factor: number) => (value: number) => (value > 1.5 ? value * factor : value * 3);

/** Each operation by its code, and comparisons. */
export function pointwiseCases(addon: Addon): KernelCase[] {
  const sizes = [...lengths.slice(0, 36), 127, 1000].map((length) => [length]);
  const named = (name: string, prepare: (arena: Arena, n: number) => Call): KernelCase => ({
    ...flat(name, prepare),
    sizes,
  });
  return [
    ...Object.entries(CODES.unary).map(([name, code]) =>
      named(name, (arena, n) => {
        const x = arena.input(n, ofPositive.has(name) ? positive : beyond(name === 'exp' ? -60 : 60));
        const y = arena.output(n);
        return nothing(() => addon.unary(x, y, n, code, 0.7, 20));
      }),
    ),
    ...Object.entries(CODES.binary).map(([name, code]) =>
      named(name, (arena, n) => {
        const a = arena.input(n, ofPositive.has(name) ? positive : (value) => value * 3);
        const [b, y] = [arena.input(n), arena.output(n)];
        return nothing(() => addon.binary(a, b, y, n, n, n, code, -0.7, 0.9, null, 0));
      }),
    ),
    ...powerCases(addon, named),
    ...broadcastCases(addon),
    ...Object.entries(CODES.compare).map(([name, code]) =>
      named(name, (arena, n) => {
        const [a, b, y] = [arena.input(n), arena.input(n), arena.words(n)];
        return nothing(() => addon.compare(a, b, new Int32Array(y.buffer, y.byteOffset, n), n, n, n, code, null, 0));
      }),
    ),
  ];
}

/** Powers of both signs, and of zeros among them: they are walked another way. */
function powerCases(
  addon: Addon,
  named: (name: string, prepare: (arena: Arena, n: number) => Call) => KernelCase,
): KernelCase[] {
  const inputs: Record<string, (value: number) => number> = {
    'of both signs': (value) => value,
    'of zeros too': (value) => (Math.abs(value) < 0.2 ? 0 : value),
  };
  return Object.entries(inputs).flatMap(([name, of]) => [
    named(`pow ${name}`, (arena, n) => {
      const [x, y] = [arena.input(n, of), arena.output(n)];
      return nothing(() => addon.unary(x, y, n, CODES.unary.pow, 3, 0));
    }),
    named(`pow_gradient ${name}`, (arena, n) => {
      const [x, dy, y] = [arena.input(n, of), arena.input(n), arena.output(n)];
      return nothing(() => addon.binary(x, dy, y, n, n, n, CODES.binary.pow_gradient, 4, 0, null, 0));
    }),
  ]);
}

/** Beside a row, a column, both, and a middle dimension; rows that are gathered, and longer ones that are read in place. */
function broadcastCases(addon: Addon): KernelCase[] {
  const sizes = sweep([3, -1, 1], [2, 3, -1], [-1, 4, 40]);
  const ways: Record<string, (n: number, c: number, l: number) => readonly [number[], number[]]> = {
    'beside a row': (_, c, l) => [
      [c * l, l, 1],
      [0, 0, 1],
    ],
    'beside a column': (_, c, l) => [
      [c * l, l, 1],
      [0, 1, 0],
    ],
    'of a column and a row': (_, __, l) => [
      [1, 0, 0],
      [0, l, 1],
    ],
  };
  return Object.entries(ways).map(([name, stridesOf]) => ({
    name: `sub ${name}`,
    sizes,
    prepare(arena, [n = 0, c = 0, l = 0]) {
      if (n * c * l === 0) return nothing(() => undefined);
      const strides = stridesOf(n, c, l);
      const dims = [n, c, l];
      const [lengthA = 0, lengthB = 0] = strides.map((each) =>
        each.reduce((sum, stride, d) => sum + (dims[d]! - 1) * stride, 1),
      );
      const [a, b, y] = [arena.input(lengthA), arena.input(lengthB), arena.output(n * c * l)];
      const layout = Float64Array.of(...dims, ...strides.flat());
      return nothing(() =>
        addon.binary(a, b, y, lengthA, lengthB, n * c * l, CODES.binary.sub, 0, 0, layout, 3),
      );
    },
  }));
}

/** Reductions over rows, columns and a middle dimension, and softmax. */
export function reductionCases(addon: Addon): KernelCase[] {
  const extents = sweep([3, -1, 1], [-1, 5, 1], [1, 4, -1], [2, -1, 3], [1, 33, -1]);
  const some = extents.filter(([, size]) => size !== 0);
  const names = ['sum', 'mean', 'var', 'std', 'logsumexp', 'norm', 'amax', 'amin'];
  return [
    ...names.map((name, code): KernelCase => ({
      name,
      sizes: some,
      prepare(arena, [outer = 0, size = 0, inner = 0]) {
        const x = arena.input(outer * size * inner);
        const y = arena.output(outer * inner);
        return nothing(() => addon.reduce(x, y, code, outer, size, inner, 0));
      },
    })),
    ...flags.map((log): KernelCase => ({
      name: log ? 'logSoftmax and backward' : 'softmax and backward',
      sizes: some,
      prepare(arena, [outer = 0, size = 0, inner = 0]) {
        const n = outer * size * inner;
        const [x, dy] = [arena.input(n), arena.input(n)];
        const [y, dx] = [arena.output(n), arena.output(n)];
        return nothing(() => {
          addon.softmax(x, y, log, outer, size, inner);
          addon.softmaxBackward(y, dy, dx, log, outer, size, inner);
        });
      },
    })),
  ];
}

