// Every other computing export of the addon as calls on an Arena.
// Longer than 250 lines because each export of the addon has a row.
import type { Addon } from '../../src/addon/types.js';
import type { Arena } from './arena.js';
import {
  flags,
  lengths,
  nothing,
  positive,
  sweep,
  type Call,
  type KernelCase,
} from './kernel-case.js';

/** (m, n, k), with the k-blocks' ends (256) and odd sizes around every instruction set's tile. */
const matmulSizes = [
  ...sweep([-1, 19, 7], [5, -1, 9], [3, 17, -1], [13, 33, -1]),
  ...[255, 256, 257, 511, 513, 600].flatMap((k) => [
    [7, 35, k],
    [13, 67, k],
    [1, 1, k],
  ]),
];

export function matmulCases(addon: Addon): KernelCase[] {
  return flags.flatMap((transposeA) =>
    flags.flatMap((transposeB) =>
      flags.map((withBias) => ({
        name: `matmul ${transposeA ? 'At' : 'A'} ${transposeB ? 'Bt' : 'B'}${withBias ? ' + bias' : ''}`,
        sizes: matmulSizes,
        prepare(arena: Arena, [m = 0, n = 0, k = 0]: readonly number[]) {
          const a = arena.input(m * k);
          const b = arena.input(k * n);
          const bias = withBias ? arena.input(n) : null;
          const c = arena.output(m * n);
          return nothing(() => addon.matmul(a, b, bias, c, m, n, k, transposeA, transposeB));
        },
      })),
    ),
  );
}

/** (samples, in, out, groups, length, taps, stride, dilation, pad): products, depthwise rows, their transposes. */
const convolutions = [
  ...sweep([2, 3, 5, 1, -1, 3, 1, 1, 1], [2, 3, 5, 1, -1, 3, 2, 1, 1], [2, 3, -1, 1, 9, 3, 1, 2, 2]),
  ...sweep([2, 3, 3, 3, -1, 3, 1, 2, 2], [2, 3, 6, 3, -1, 4, 3, 1, 2], [-1, 2, 2, 1, 5, 1, 1, 1, 0]),
  ...[[3, 5, 7, 1, 530, 3, 1, 1, 1]],
  ...[[3, 5, 7, 1, 530, 3, 2, 1, 1]],
  ...[[130, 2, 3, 1, 100, 5, 1, 1, 0]],
];

export function convolutionCases(addon: Addon): KernelCase[] {
  const all = convolutions.flatMap(([n, inputs, out, groups, length, taps, stride, dilation, pad]) => {
    const outLength = Math.floor((length! + 2 * pad! - dilation! * (taps! - 1) - 1) / stride!) + 1;
    const sizes = [n!, inputs!, out!, groups!, length!, outLength, taps!, stride!, dilation!, pad!];
    return outLength < 1 || inputs === 0 || out === 0 ? [] : [sizes];
  });
  type Shape = [number, number, number, number, number, number, number, number, number, number];
  const run = (name: string, prepare: (arena: Arena, shape: Shape) => Call): KernelCase => ({
    name,
    sizes: all,
    prepare: (arena, sizes) => prepare(arena, sizes as unknown as Shape),
  });
  const sizesOf = ([n, c, out, groups, length, outLength, taps]: Shape): [number, number, number] => [
    n * c * length,
    n * out * outLength,
    ((out * c) / groups) * taps,
  ];
  return [
    run('conv1d', (arena, shape) => {
      const [x, y, weight] = sizesOf(shape);
      const [from, w, bias] = [arena.input(x), arena.input(weight), arena.input(shape[2])];
      const to = arena.output(y);
      return nothing(() => addon.conv1d(from, w, bias, to, ...shape));
    }),
    run('conv1dTransposed', (arena, shape) => {
      const [x, y, weight] = sizesOf(shape);
      const [from, w, bias] = [arena.input(y), arena.input(weight), arena.input(shape[1])];
      const to = arena.output(x);
      return nothing(() => addon.conv1dTransposed(from, w, bias, to, ...shape));
    }),
    run('conv1dWeightGradient', (arena, shape) => {
      const [x, y, weight] = sizesOf(shape);
      const [from, dy, to] = [arena.input(x), arena.input(y), arena.output(weight)];
      return nothing(() => addon.conv1dWeightGradient(from, dy, to, null, ...shape));
    }),
    run('channelSums', (arena, [n, c, , , length]) => {
      const [x, sums] = [arena.input(n * c * length), arena.output(c)];
      return nothing(() => addon.channelSums(x, sums, n, c, length));
    }),
  ];
}

/** Kernels of one length. */
export function flat(name: string, prepare: (arena: Arena, n: number) => Call): KernelCase {
  const sizes = [...lengths, 127, 128, 129, 1000].map((length) => [length]);
  return { name, sizes, prepare: (arena, [n = 0]) => prepare(arena, n) };
}

export function elementwiseCases(addon: Addon): KernelCase[] {
  const binary = (name: 'reluBackward' | 'add' | 'multiply'): KernelCase =>
    flat(name, (arena, n) => {
      const [a, b, out] = [arena.input(n), arena.input(n), arena.output(n)];
      return nothing(() => addon[name](a, b, out, n));
    });
  const dropout = (p: number): KernelCase =>
    flat(`dropout ${p}`, (arena, n) => {
      const [x, y] = [arena.input(n), arena.output(n)];
      return nothing(() => addon.dropout(x, y, n, p, 123456789, 7));
    });
  return [
    flat('relu', (arena, n) => {
      const [x, y] = [arena.input(n), arena.output(n)];
      return nothing(() => addon.relu(x, y, n));
    }),
    binary('reluBackward'),
    binary('add'),
    binary('multiply'),
    flat('scale', (arena, n) => {
      const [x, out] = [arena.input(n), arena.output(n)];
      return nothing(() => addon.scale(x, 0.3, out, n));
    }),
    flat('sum', (arena, n) => {
      const x = arena.input(n);
      return () => addon.sum(x, n);
    }),
    ...[0, 0.3, 1].map(dropout),
    flat('uniform', (arena, n) => {
      const out = arena.output(n);
      return nothing(() => addon.uniform(out, n, -0.7, 1.9, 2 ** 52 + 1, 3));
    }),
    flat('randomWords', (arena, n) => {
      const out = arena.words(n);
      return nothing(() => addon.randomWords(out, n, 42, 2 ** 40));
    }),
    flat('squaredError', (arena, n) => {
      const [a, b] = [arena.input(n), arena.input(n)];
      return () => addon.squaredError(a, b, n);
    }),
    flat('squaredErrorBackward', (arena, n) => {
      const [a, b, out] = [arena.input(n), arena.input(n), arena.output(n)];
      return nothing(() => addon.squaredErrorBackward(a, b, 0.7, out, n));
    }),
  ];
}

/** A class target, or now and then the ignored one. */
const IGNORED = -100;
function target(classes: number): (value: number) => number {
  return (value) => {
    const whole = Math.floor(Math.abs(value) * 1000);
    return whole % 7 === 0 ? IGNORED : whole % classes;
  };
}

/** Kernels of rows x columns. */
export function rowCases(addon: Addon): KernelCase[] {
  const sizes = sweep([-1, 1], [-1, 10], [-1, 33], [3, -1], [20, -1]);
  const withTargets = sizes.filter(([rows, classes]) => rows === 0 || classes !== 0);
  return [
    {
      name: 'leafProducts',
      sizes,
      prepare(arena, [rows = 0, columns = 0]) {
        const [a, b] = [arena.input(70 * rows), arena.input(70 * columns)];
        const c = arena.output(rows * columns);
        return nothing(() => addon.leafProducts(a, b, c, rows, columns, 70));
      },
    },
    {
      name: 'columnSums',
      sizes,
      prepare(arena, [rows = 0, columns = 0]) {
        const [x, sums] = [arena.input(rows * columns), arena.output(columns)];
        return nothing(() => addon.columnSums(x, sums, rows, columns));
      },
    },
    {
      name: 'crossEntropy',
      sizes: withTargets,
      prepare(arena, [rows = 0, classes = 0]) {
        const logits = arena.input(rows * classes, (value) => value * 20);
        const targets = arena.integers(rows, target(classes));
        const [out, result] = [arena.output(rows * classes), arena.doublesOut(3)];
        const labels = new Int32Array(rows);
        return nothing(() =>
          addon.crossEntropy(logits, targets, labels, out, rows, classes, IGNORED, result),
        );
      },
    },
    ...flags.map(
      (hard): KernelCase => ({
        name: `rowLosses and rowGradients ${hard}`,
        sizes: withTargets.filter(([, classes]) => classes !== 0),
        prepare(arena, [rows = 0, classes = 0]) {
          const logits = arena.input(rows * classes, (value) => value * 20);
          const targets = hard
            ? arena.integers(rows, target(classes))
            : arena.input(rows * classes, positive);
          const [lse, out] = [arena.doublesOut(rows), arena.doublesOut(2)];
          const loss = arena.output(rows);
          const labels = hard ? new Int32Array(rows) : null;
          const [dx, dtarget] = [arena.output(rows * classes), arena.output(rows * classes)];
          const weight = Float64Array.from({ length: classes }, (_, i) => 0.5 + (i % 3));
          const sizes = [rows, classes] as const;
          return nothing(() => {
            addon.rowLosses(
              ...[logits, targets, labels, weight, ...sizes, IGNORED, 0.1, lse, loss, out] as const,
            );
            addon.rowGradients(
              ...[logits, labels ?? (targets as Float32Array), weight, ...sizes, hard, IGNORED] as const,
              ...[0.1, lse, loss, 0.5, dx, hard ? null : dtarget] as const,
            );
            if (hard) dtarget.fill(0);
          });
        },
      }),
    ),
    {
      name: 'crossEntropyBackward',
      sizes: withTargets,
      prepare(arena, [rows = 0, classes = 0]) {
        const probabilities = arena.input(rows * classes, positive);
        const targets = arena.integers(rows, target(classes));
        const out = arena.output(rows * classes);
        return nothing(() =>
          addon.crossEntropyBackward(probabilities, targets, out, rows, classes, IGNORED, 0.1),
        );
      },
    },
  ];
}

export function optimizerCases(addon: Addon): KernelCase[] {
  const sgd = (name: string, momentum: number, nesterov: boolean, first: boolean): KernelCase =>
    flat(`sgdStep ${name}`, (arena, n) => {
      const [p, g] = [arena.inout(n), arena.input(n)];
      const buffer = momentum === 0 ? null : arena.inout(n);
      return nothing(() =>
        addon.sgdStep(p, g, buffer, n, 0.1, momentum, 0.05, 1e-3, nesterov, nesterov, first),
      );
    });
  const adam = (decoupled: boolean): KernelCase =>
    flat(`adamStep ${decoupled ? 'decoupled' : 'coupled'}`, (arena, n) => {
      const [p, g] = [arena.inout(n), arena.input(n)];
      const [m, v] = [arena.inout(n), arena.inout(n, positive)];
      const [beta1, beta2, step] = [0.9, 0.999, 3];
      const [first, second] = [1 - beta1 ** step, Math.sqrt(1 - beta2 ** step)];
      return nothing(() =>
        addon.adamStep(
          p,
          g,
          m,
          v,
          n,
          1e-3,
          beta1,
          beta2,
          1e-8,
          0.01,
          first,
          second,
          decoupled,
          decoupled,
        ),
      );
    });
  return [
    sgd('plain', 0, false, true),
    sgd('momentum', 0.9, false, false),
    sgd('first', 0.9, false, true),
    sgd('nesterov', 0.9, true, false),
    adam(false),
    adam(true),
    ...moreSteps(addon),
    ...lossCases(addon),
  ];
}

/** The steps of the other optimisers, and what is done to gradients and averages. */
function moreSteps(addon: Addon): KernelCase[] {
  const rmsprop = (momentum: boolean, centered: boolean): KernelCase =>
    flat(`rmspropStep ${momentum} ${centered}`, (arena, n) => {
      const [p, g, s] = [arena.inout(n), arena.input(n), arena.inout(n, (x) => 9 + Math.abs(x))];
      const buffer = momentum ? arena.inout(n) : null;
      const mean = centered ? arena.inout(n, (x) => x / 4) : null;
      return nothing(() =>
        addon.rmspropStep(p, g, s, buffer, mean, n, 0.1, 0.9, 1e-3, 0.01, 0.8, centered),
      );
    });
  return [
    ...flags.flatMap((momentum) => flags.map((centered) => rmsprop(momentum, centered))),
    flat('adagradStep', (arena, n) => {
      const [p, g, s] = [arena.inout(n), arena.input(n), arena.inout(n, positive)];
      return nothing(() => addon.adagradStep(p, g, s, n, 0.1, 1e-10, 0.01, false));
    }),
    ...flags.map((decoupled) =>
      flat(`nadamStep ${decoupled}`, (arena, n) => {
        const [p, g] = [arena.inout(n), arena.input(n)];
        const [m, v] = [arena.inout(n), arena.inout(n, positive)];
        const rates = [0.1, 0.9, 0.99, 1e-8, 0.01, 0.3, 0.05, 0.07] as const;
        return nothing(() => addon.nadamStep(p, g, m, v, n, ...rates, decoupled, decoupled));
      }),
    ),
    flat('larsStep', (arena, n) => {
      const [p, g, m] = [arena.inout(n), arena.input(n), arena.inout(n)];
      return nothing(() => addon.larsStep(p, g, m, n, 0.1, 0.9, 0.01, 0.3, true));
    }),
    ...[0.3, 0.7].map((weight) =>
      flat(`lerp ${weight}`, (arena, n) => {
        const [a, b, out] = [arena.input(n), arena.input(n), arena.output(n)];
        return nothing(() => addon.lerp(a, b, weight, out, n));
      }),
    ),
    flat('limit', (arena, n) => {
      const [x, out] = [arena.input(n), arena.output(n)];
      return nothing(() => addon.clipValues(x, 0.6, out, n));
    }),
    ...[1, 2, Infinity].map((type) =>
      flat(`normPart ${type}`, (arena, n) => {
        const x = arena.input(n);
        return () => addon.normPart(x, n, type);
      }),
    ),
  ];
}

/** Every loss that is computed element by element: its sum, its values and both gradients. */
function lossCases(addon: Addon): KernelCase[] {
  const kinds = Array.from({ length: 8 }, (_, kind) => kind);
  const unit = (value: number): number => 0.5 + 0.49 * Math.sin(value);
  const operands = (arena: Arena, n: number, kind: number) =>
    [
      arena.input(n, kind === 4 ? unit : (value) => value * 3),
      arena.input(n, unit),
      kind % 2 === 0 ? arena.input(n) : null,
      kind === 5 ? arena.input(n, positive) : null,
      ...([kind, n, 0.7] as const),
    ] as const;
  return kinds.flatMap((kind) => [
    flat(`lossSum ${kind}`, (arena, n) => {
      const given = operands(arena, n, kind);
      return () => addon.lossSum(...given, 3);
    }),
    flat(`lossValues ${kind}`, (arena, n) => {
      const [given, out] = [operands(arena, n, kind), arena.output(n)];
      return nothing(() => addon.lossValues(...given, out));
    }),
    ...flags.map((ofTarget) =>
      flat(`lossGradients ${kind} ${ofTarget}`, (arena, n) => {
        const given = operands(arena, n, kind);
        const [dy, out] = [ofTarget ? arena.input(n) : null, arena.output(n)];
        return nothing(() => addon.lossGradients(...given, ofTarget, dy, 0.3, out));
      }),
    ),
  ]);
}
