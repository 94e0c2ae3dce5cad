// What is measured: every case, by group. Bytes, limits and times are elsewhere; this is the list.
import { convolutionCases } from './convolutions.js';
import { operationCases } from './operations.js';

/**
 * `frozen`: backward of a frozen layer, to x alone. `operation`, `gradient`: an operation of bench/operations.ts or convolutions.ts alone,
 * or its backward.
 */
type Mode =
  | 'forward'
  | 'evaluate'
  | 'backward'
  | 'frozen'
  | 'forward+backward'
  | 'step'
  | 'operation'
  | 'gradient';
export type DType = 'float32' | 'float64';

export interface Case {
  readonly group: string;
  readonly mode: Mode;
  /** The name of the operation, where it is measured alone. */
  readonly operation: string | null;
  /** [N, C], [N, C, L], [N, L, C] (layout NLC), or of a step [batch, in, hidden, classes]. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly layout: 'NCL' | 'NLC';
  /** The gradient is that of `y.sum()`: PyTorch expands one number over strides of 0. */
  readonly sumGradient: boolean;
  /** All peers, only PyTorch, or nobody but us. */
  readonly peers: 'all' | 'torch' | 'none';
  /** One contender a thread count, instead of one a way of calling. */
  readonly scaling: boolean;
  /** Whether `--quick` measures it. */
  readonly quick: boolean;
}

/** Where a user's batches lie: in L1, L2, L3 and beyond, rows of channels and channels of rows. */
const SHAPES = [
  [32, 64],
  [256, 256],
  [256, 1024],
  [1024, 1024],
  [4096, 512],
  [8192, 1024],
  [65536, 256],
  [32, 64, 128],
  [32, 256, 512],
  [64, 128, 1024],
  [16, 512, 4096],
  // Sizes that no vector, page or power of two divides, and long columns.
  [200, 300],
  [1000, 1000],
  [65536, 64],
];

/** [batch, in, hidden, classes] of Linear, BatchNorm1d, ReLU, Dropout, Linear. */
const STEPS = [
  [32, 64, 64, 10],
  [128, 784, 256, 10],
  [256, 128, 128, 2],
  [1024, 784, 512, 10],
];

const QUICK_NUMEL = 2 ** 20;

function define(
  group: string,
  mode: Mode,
  shapes: readonly (readonly number[])[],
  options: Partial<Case> = {},
): Case[] {
  return shapes.map((shape) => ({
    group,
    mode,
    operation: null,
    shape,
    dtype: 'float32',
    layout: 'NCL',
    sumGradient: false,
    peers: 'torch',
    scaling: false,
    quick: numelOf(shape) <= QUICK_NUMEL,
    ...options,
  }));
}

/** 1 to 128 MB: the time a byte costs should not depend on which dimension grew. */
const doublings = Array.from({ length: 8 }, (_, k) => 2 ** k);
const alone = { peers: 'none' } as const;

const FIXED: readonly Case[] = [
  ...define('forward', 'forward', SHAPES, { peers: 'all' }),
  ...define('evaluate', 'evaluate', SHAPES, { peers: 'all' }),
  ...define('backward', 'backward', SHAPES),
  ...define('forward+backward', 'forward+backward', SHAPES),
  ...define('frozen-backward', 'frozen', [SHAPES[2]!, SHAPES[4]!, SHAPES[8]!]),
  ...define('step', 'step', STEPS, { quick: true }),
  ...define('sum-gradient', 'forward+backward', [SHAPES[2]!, SHAPES[4]!, SHAPES[8]!], {
    sumGradient: true,
  }),
  ...define(
    'channels-last',
    'forward',
    [
      [32, 128, 64],
      [64, 7, 64],
      [32, 512, 256],
    ],
    {
      layout: 'NLC',
    },
  ),
  ...define('float64', 'forward', [SHAPES[0]!, SHAPES[2]!, SHAPES[7]!], { dtype: 'float64' }),
  ...define('small-length', 'forward', [
    [64, 64, 1],
    [64, 64, 3],
    [64, 64, 7],
    [1024, 512, 3],
  ]),
  ...define('channel-counts', 'forward', [
    [4096, 1],
    [4096, 7],
    [1024, 1031],
    [64, 1, 512],
    [64, 7, 512],
  ]),
  ...define('batch-sizes', 'forward', [
    [2, 1024],
    [65536, 16],
    [2, 64, 128],
  ]),
  ...define('threads', 'forward', [SHAPES[3]!, SHAPES[4]!, SHAPES[5]!, SHAPES[8]!, SHAPES[9]!], {
    ...alone,
    scaling: true,
  }),
  ...define(
    'cost-n',
    'forward',
    doublings.map((k) => [1024 * k, 256]),
    alone,
  ),
  ...define(
    'cost-c',
    'forward',
    doublings.map((k) => [1024, 256 * k]),
    alone,
  ),
  ...define(
    'cost-l',
    'forward',
    doublings.map((k) => [32, 64, 128 * k]),
    alone,
  ),
];

/** Every case, in the order of the run. `beyondBytes`: of one array that no cache holds. */
export function allCases(beyondBytes: number): Case[] {
  const numel = beyondBytes / 4;
  const shapes = [
    [numel / 256, 256],
    [16, 512, numel / 8192],
  ];
  const operations = operationCases().flatMap(({ group, mode, operation, shape }) =>
    define(group, mode, [shape], { operation }),
  );
  const convolutions = convolutionCases().flatMap(({ group, mode, operation, shape }) =>
    define(group, mode, [shape], { operation, quick: true, peers: 'all' }),
  );
  return [
    ...FIXED,
    ...define('beyond-cache', 'forward', shapes, alone),
    ...operations,
    ...convolutions,
  ];
}

export function numelOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Bytes of one pass over x. */
export function bytesOf({ mode, shape, dtype }: Pick<Case, 'mode' | 'shape' | 'dtype'>): number {
  const x = mode === 'step' ? shape.slice(0, 2) : shape;
  return numelOf(x) * (dtype === 'float32' ? 4 : 8);
}

/** n, c and l of a BatchNorm case; c is the last dimension when channels are last. */
export function dimsOf({ shape, layout }: Case): { n: number; c: number; l: number } {
  const [n = 0, second = 0, third = 1] = shape;
  return layout === 'NLC' ? { n, c: third, l: second } : { n, c: second, l: third };
}

export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(', ')})`;
}

/** A case among those of its group: its shape, behind the operation where there is one. */
export function caseTitle(each: {
  readonly operation?: string | null;
  readonly shape: readonly number[];
}): string {
  const shape = shapeText(each.shape);
  const operation = each.operation ?? ''; // a run of older days has none
  return operation === '' ? shape : `${operation} ${shape}`;
}
