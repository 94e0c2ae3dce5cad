// The operations that are measured one by one: element by element, softmax and its kind, reductions, pools. Each is
// written as a user writes it, on [rows, 1024] or shapes of its own; bench/peers/operations.py has the same for PyTorch, by the same names.
import { functional, type Tensor } from 'evenkeel';

/** A bare pass over the buffers of a case. */
export type Pass = 'read x' | 'read dy' | 'read other' | 'read mask' | 'x to out' | 'x to dx';

/** What an operation may take: x and `other` of the case's shape, one row, one column, a mask, and as many row numbers. */
export interface Operands {
  readonly x: Tensor;
  readonly other: Tensor;
  readonly row: Tensor;
  readonly column: Tensor;
  readonly mask: Tensor;
  readonly index: Tensor;
}

export interface Operation {
  readonly group: 'pointwise' | 'activated' | 'softmax' | 'reductions' | 'pools';
  readonly call: (operands: Operands) => Tensor;
  /** The passes over memory that it cannot do without. */
  readonly passes: readonly Pass[];
  /** Whether its backward is measured too. */
  readonly backward: boolean;
  /** Whether x is above 0. */
  readonly positive: boolean;
  /** Of x, where they are not [rows, 1024]. */
  readonly shapes?: readonly (readonly number[])[];
}

type Call = Operation['call'];

function table<Name extends string>(
  group: Operation['group'],
  passes: readonly Pass[],
  calls: Readonly<Record<Name, Call>>,
  options: Partial<Operation> = {},
): Record<Name, Operation> {
  const common = { group, passes, backward: false, positive: false, ...options };
  return Object.fromEntries(
    Object.entries<Call>(calls).map(([name, call]) => [name, { ...common, call }]),
  ) as Record<Name, Operation>;
}

const COPY: readonly Pass[] = ['x to out'];
const COPY_BESIDE: readonly Pass[] = ['read other', 'x to out'];
const READ: readonly Pass[] = ['read x'];

const unary = {
  ...table('pointwise', COPY, {
    neg: ({ x }) => functional.neg(x),
    abs: ({ x }) => functional.abs(x),
    exp: ({ x }) => functional.exp(x),
    clamp: ({ x }) => functional.clamp(x, { min: -1, max: 1 }),
    relu: ({ x }) => functional.relu(x),
    addNumber: ({ x }) => functional.add(x, 0.5),
    mulNumber: ({ x }) => functional.mul(x, 0.5),
    square: ({ x }) => functional.pow(x, 2),
  }),
  ...table(
    'pointwise',
    COPY,
    {
      sqrt: ({ x }) => functional.sqrt(x),
      rsqrt: ({ x }) => functional.rsqrt(x),
      log: ({ x }) => functional.log(x),
      log1p: ({ x }) => functional.log1p(x),
      pow: ({ x }) => functional.pow(x, 2.5),
      cube: ({ x }) => functional.pow(x, 3),
      reciprocal: ({ x }) => functional.pow(x, -1),
    },
    { positive: true },
  ),
  ...table(
    'pointwise',
    COPY,
    {
      sigmoid: ({ x }) => functional.sigmoid(x),
      tanh: ({ x }) => functional.tanh(x),
      silu: ({ x }) => functional.silu(x),
      gelu: ({ x }) => functional.gelu(x),
      geluTanh: ({ x }) => functional.gelu(x, { approximate: 'tanh' }),
      softplus: ({ x }) => functional.softplus(x),
      elu: ({ x }) => functional.elu(x),
      logSigmoid: ({ x }) => functional.logSigmoid(x),
      mish: ({ x }) => functional.mish(x),
      leakyRelu: ({ x }) => functional.leakyRelu(x),
      hardtanh: ({ x }) => functional.hardtanh(x),
    },
    { backward: true },
  ),
};

/** Batch normalisation by the batch of each of 1024 channels, with an activation: in its pass, and as an operation of its own. */
function activated(activation: 'silu' | 'leakyRelu'): Readonly<Record<'fused' | 'apart', Call>> {
  const normalized = ({ x, row }: Operands, options: object): Tensor =>
    functional.batchNorm(x, null, null, { training: true, weight: row, bias: row, ...options });
  return {
    fused: (operands) => normalized(operands, { activation }),
    apart: (operands) => functional[activation](normalized(operands, {})),
  };
}
const [silu, leakyRelu] = [activated('silu'), activated('leakyRelu')];
const behindNorm = table(
  'activated',
  ['read x', 'x to out'],
  {
    normSilu: silu.fused,
    normSiluApart: silu.apart,
    normLeakyRelu: leakyRelu.fused,
    normLeakyReluApart: leakyRelu.apart,
  },
  { backward: true },
);

const binary = {
  ...table('pointwise', COPY_BESIDE, {
    add: ({ x, other }) => functional.add(x, other),
    mul: ({ x, other }) => functional.mul(x, other),
    div: ({ x, other }) => functional.div(x, other),
    maximum: ({ x, other }) => functional.maximum(x, other),
    gt: ({ x, other }) => functional.gt(x, other),
  }),
  ...table('pointwise', ['read mask', 'read other', 'x to out'], {
    where: ({ x, other, mask }) => functional.where(mask, x, other),
  }),
  ...table('pointwise', COPY, {
    addRow: ({ x, row }) => functional.add(x, row),
    mulColumn: ({ x, column }) => functional.mul(x, column),
  }),
};

const rows = {
  ...table(
    'softmax',
    COPY,
    {
      softmax: ({ x }) => functional.softmax(x, { dim: 1 }),
      logSoftmax: ({ x }) => functional.logSoftmax(x, { dim: 1 }),
    },
    { backward: true },
  ),
  ...table('softmax', READ, { logsumexp: ({ x }) => functional.logsumexp(x, { dim: 1 }) }),
};

const reductions = table('reductions', READ, {
  sum: ({ x }) => functional.sum(x),
  sumRows: ({ x }) => functional.sum(x, { dim: 1 }),
  sumColumns: ({ x }) => functional.sum(x, { dim: 0 }),
  sumMiddle: ({ x }) => functional.sum(x.reshape([8, x.numel / 2048, 256]), { dim: 1 }),
  meanRows: ({ x }) => functional.mean(x, { dim: 1 }),
  varRows: ({ x }) => functional.var(x, { dim: 1 }),
  varColumns: ({ x }) => functional.var(x, { dim: 0 }),
  amaxRows: ({ x }) => functional.amax(x, { dim: 1 }),
  amaxColumns: ({ x }) => functional.amax(x, { dim: 0 }),
  maxRows: ({ x }) => functional.max(x, { dim: 1 }).values,
  argmaxRows: ({ x }) => functional.argmax(x, { dim: 1 }),
});

/** Held against one copy of x: a pool writes less, an embedding as many rows as its table has. */
const pools = {
  ...table(
    'pools',
    COPY,
    {
      maxPool2: ({ x }) => functional.maxPool1d(x, 2),
      maxPool4: ({ x }) => functional.maxPool1d(x, 4),
      maxPool3Stride2: ({ x }) => functional.maxPool1d(x, 3, { stride: 2 }),
      avgPool2: ({ x }) => functional.avgPool1d(x, 2),
      avgPool4: ({ x }) => functional.avgPool1d(x, 4),
    },
    { backward: true, shapes: [[128, 32, 496]] },
  ),
  ...table(
    'pools',
    COPY,
    { embedding: ({ x, index }) => functional.embedding(index, x) },
    { backward: true, shapes: [[16384, 128]] },
  ),
};

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...unary,
  ...binary,
  ...behindNorm,
  ...rows,
  ...reductions,
  ...pools,
};

/** Columns of a case; rows are what fills 1 and 64 MB. */
const COLUMNS = 1024;
const ROWS = [256, 16384];
const SHAPES = ROWS.map((count) => [count, COLUMNS]);

/** Every operation, forward and where it is measured backward, in the cache and beyond it where it has no shapes of its own. */
export function operationCases(): {
  readonly group: string;
  readonly mode: 'operation' | 'gradient';
  readonly operation: string;
  readonly shape: readonly number[];
}[] {
  const names = Object.keys(OPERATIONS);
  const groups = [...new Set(names.map((name) => OPERATIONS[name]!.group))];
  const of = (group: string, isBackward: boolean): string[] =>
    names.filter(
      (name) => OPERATIONS[name]!.group === group && (!isBackward || OPERATIONS[name]!.backward),
    );
  const cases = (group: string, mode: 'operation' | 'gradient') =>
    of(group, mode === 'gradient').flatMap((operation) =>
      (OPERATIONS[operation]!.shapes ?? SHAPES).map((shape) => ({
        group: mode === 'operation' ? group : `${group}-backward`,
        mode,
        operation,
        shape,
      })),
    );
  return groups.flatMap((group) => [...cases(group, 'operation'), ...cases(group, 'gradient')]);
}
