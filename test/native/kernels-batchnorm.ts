// The BatchNorm exports of the addon as calls on an Arena, with every nullable argument.
// Longer than 250 lines because each call has a row for each form of its arguments.
import type { Addon } from '../../src/addon/types.js';
import { CODES } from '../../src/functional/pointwise/codes.js';
import type { Arena } from './arena.js';
import { flags, nothing, positive, sweep, type KernelCase } from './kernel-case.js';

const tiny = (value: number): number => value * 2 ** -30;

/** (N, C, L): -1 is the one that runs over 0 to 67. */
const batchNormSizes = sweep(
  [2, -1, 1],
  [19, -1, 1],
  [-1, 3, 1],
  [-1, 21, 1],
  [3, -1, 5],
  [2, 3, -1],
  [3, 9, -1],
  [5, 1, -1],
  [-1, 2, 18],
  [-1, 2, 33],
);
/** Narrow samples, several to a row, and what does not fill the last one: C of 3, 7 and 64, L of 2. */
const narrowSizes = [0, 1, 5, 95].flatMap((rest) => [
  [1536 + rest, 3, 1],
  [770 + rest, 7, 1],
  [64 + rest, 64, 1],
  [800 + rest, 5, 2],
]);
const someBatchNormSizes = sweep([3, -1, 1], [2, 3, -1], [3, 9, -1]);

/** Which nullable arguments are there, bit by bit. */
interface Forward {
  readonly weight: boolean;
  readonly bias: boolean;
  readonly saved: boolean;
  readonly mode: 'update' | 'train' | 'eval';
  readonly relu: boolean;
}

function forward(addon: Addon, options: Forward, sizes = batchNormSizes): KernelCase {
  const { weight, bias, saved, mode, relu } = options;
  const given = Object.entries({ weight, bias, saved, relu }).filter(([, is]) => is);
  return {
    name: `batchNormForward ${mode} (${given.map(([name]) => name).join(', ')})`,
    // One value per channel has no unbiased variance to move the running one to.
    sizes: mode === 'update' ? sizes.filter(([n = 0, , l = 0]) => n * l !== 1) : sizes,
    prepare(arena, [n = 0, c = 0, l = 0]) {
      const x = arena.input(n * c * l);
      const y = arena.output(n * c * l);
      const w = weight ? arena.input(c) : null;
      const b = bias ? arena.input(c) : null;
      const running = mode === 'update' ? arena.inout.bind(arena) : arena.input.bind(arena);
      const mean = mode === 'train' ? null : running(c);
      const variance = mode === 'train' ? null : running(c, positive);
      const kept = saved && n * c * l > 0 ? arena.doublesOut(3 * c) : null;
      const isEval = mode === 'eval';
      return nothing(() =>
        addon.batchNormForward(
          x,
          y,
          n,
          c,
          l,
          w,
          b,
          mean,
          variance,
          kept,
          isEval,
          mode === 'update',
          0.3,
          1e-5,
          relu,
        ),
      );
    },
  };
}

interface Backward {
  readonly weight: boolean;
  readonly dx: boolean;
  readonly dweight: boolean;
  readonly dbias: boolean;
  readonly usedRunning: boolean;
  readonly relu: boolean;
  /** A gradient of one value instead of an array. */
  readonly expanded: boolean;
}

function backward(addon: Addon, options: Backward, sizes = batchNormSizes): KernelCase {
  const { usedRunning, ...present } = options;
  const { relu, expanded } = options;
  const given = Object.entries(present).filter(([, is]) => is);
  return {
    name: `batchNormBackward ${usedRunning ? 'running' : 'batch'} (${given.map(([name]) => name).join(', ')})`,
    sizes,
    prepare(arena, [n = 0, c = 0, l = 0]) {
      const x = arena.input(n * c * l);
      const dy = arena.input(n * c * l);
      const w = options.weight ? arena.input(c) : null;
      const b = options.relu ? arena.input(c) : null;
      const saved = arena.doublesIn(3 * c, positive);
      for (let i = c; i < 2 * c; i++) saved[i] = tiny(saved[i]!);
      const dx = options.dx ? arena.output(n * c * l) : null;
      const dweight = options.dweight ? arena.output(c) : null;
      const dbias = options.dbias ? arena.output(c) : null;
      return nothing(() =>
        addon.batchNormBackward(
          x,
          expanded ? null : dy,
          0.7,
          n,
          c,
          l,
          w,
          b,
          saved,
          dx,
          dweight,
          dbias,
          usedRunning,
          relu,
        ),
      );
    },
  };
}

/** The calls with an activation behind. */
function activated(addon: Addon, name: 'silu' | 'tanh', sizes: KernelCase['sizes']): KernelCase[] {
  const [code, gradient] = [CODES.unary[name], CODES.binary[`${name}_gradient`]];
  return [
    {
      name: `batchNormActivated ${name}`,
      sizes,
      prepare(arena, [n = 0, c = 0, l = 0]) {
        const [x, y] = [arena.input(n * c * l), arena.output(n * c * l)];
        const [w, b, mean] = [arena.input(c), arena.input(c), arena.input(c)];
        const variance = arena.input(c, positive);
        const isEval = n * l === 1;
        return nothing(() =>
          addon.batchNormActivated(
            ...([x, y, n, c, l, w, b, isEval ? mean : null, isEval ? variance : null, null] as const),
            ...([isEval, false, 0, 1e-5, false, code, 0, 0, null] as const),
          ),
        );
      },
    },
    {
      name: `activationBackward ${name}`,
      sizes,
      prepare(arena, [n = 0, c = 0, l = 0]) {
        const [x, dy] = [arena.input(n * c * l), arena.input(n * c * l)];
        const [dz, w, b] = [arena.output(n * c * l), arena.input(c), arena.input(c)];
        const saved = arena.doublesIn(3 * c, positive);
        for (let i = c; i < 2 * c; i++) saved[i] = tiny(saved[i]!);
        return nothing(() =>
          addon.activationBackward(
            ...([x, dy, dz, n, c, l, w, b, saved, gradient, 0, 0, null, null] as const),
          ),
        );
      },
    },
  ];
}

/** The same with a PReLU behind, of one slope or of one for each channel. */
function preluBehind(addon: Addon, one: boolean, sizes: KernelCase['sizes']): KernelCase[] {
  const slopesIn = (arena: Arena, c: number) => arena.input(one ? Math.min(c, 1) : c);
  const of = one ? 'of one slope' : 'of channels';
  return [
    {
      name: `batchNormActivated prelu ${of}`,
      sizes,
      prepare(arena, [n = 0, c = 0, l = 0]) {
        const [x, y] = [arena.input(n * c * l), arena.output(n * c * l)];
        const [w, b, slopes] = [arena.input(c), arena.input(c), slopesIn(arena, c)];
        const [mean, variance] = [arena.input(c), arena.input(c, positive)];
        const isEval = n * l === 1;
        return nothing(() =>
          addon.batchNormActivated(
            ...([x, y, n, c, l, w, b, isEval ? mean : null, isEval ? variance : null, null] as const),
            ...([isEval, false, 0, 1e-5, false, CODES.unary.leaky_relu, 0, 0, slopes] as const),
          ),
        );
      },
    },
    {
      name: `activationBackward prelu ${of}`,
      sizes,
      prepare(arena, [n = 0, c = 0, l = 0]) {
        const [x, dy] = [arena.input(n * c * l), arena.input(n * c * l)];
        const [dz, products] = [arena.output(n * c * l), arena.output(n * c * l)];
        const [w, b, slopes] = [arena.input(c), arena.input(c), slopesIn(arena, c)];
        const saved = arena.doublesIn(3 * c, positive);
        for (let i = c; i < 2 * c; i++) saved[i] = tiny(saved[i]!);
        const code = CODES.binary.leaky_relu_gradient;
        return nothing(() =>
          addon.activationBackward(
            ...([x, dy, dz, n, c, l, w, b, saved, code, 0, 0, slopes, products] as const),
          ),
        );
      },
    },
  ];
}

/** The two BatchNorm calls, as a training loop makes them. */
export function batchNormCases(addon: Addon): KernelCase[] {
  const all = { weight: true, bias: true, saved: true };
  const gradients = { weight: true, dx: true, dweight: true, dbias: true };
  const cases: KernelCase[] = [];
  for (const sizes of [batchNormSizes, narrowSizes]) {
    cases.push(...activated(addon, 'silu', sizes), ...activated(addon, 'tanh', sizes));
    cases.push(...preluBehind(addon, true, sizes), ...preluBehind(addon, false, sizes));
    for (const relu of flags) {
      cases.push(forward(addon, { ...all, mode: 'update', relu }, sizes));
      cases.push(forward(addon, { ...all, mode: 'eval', relu }, sizes));
      for (const usedRunning of flags) {
        for (const expanded of flags) {
          cases.push(backward(addon, { ...gradients, usedRunning, relu, expanded }, sizes));
        }
      }
    }
  }
  return cases;
}

/** The same with every combination of nullable arguments. */
export function nullableCases(addon: Addon): KernelCase[] {
  const cases: KernelCase[] = [];
  for (let bits = 0; bits < 8; bits++) {
    const given = { weight: (bits & 1) > 0, bias: (bits & 2) > 0, saved: (bits & 4) > 0 };
    for (const mode of ['update', 'train', 'eval'] as const) {
      cases.push(forward(addon, { ...given, mode, relu: false }, someBatchNormSizes));
    }
  }
  for (let bits = 0; bits < 16; bits++) {
    const given = {
      weight: (bits & 1) > 0,
      dx: (bits & 2) > 0,
      dweight: (bits & 4) > 0,
      dbias: (bits & 8) > 0,
    };
    for (const usedRunning of flags) {
      const call = { ...given, usedRunning, relu: false, expanded: false };
      cases.push(backward(addon, call, someBatchNormSizes));
    }
  }
  return cases;
}
