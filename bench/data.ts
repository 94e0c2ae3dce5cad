// The arrays of a case, the same in every run and for every contender.
import { dimsOf, numelOf, type Case, type DType } from './cases.js';
import { OPERATIONS } from './operations.js';

export type Floats = Float32Array | Float64Array;

/** What every contender of a case is given. */
export interface Job {
  readonly case: Case;
  readonly x: Floats;
  /** The gradient of backward cases; of operations the other operand too. */
  readonly dy: Floats | null;
  /** [C] each: the running statistics of evaluation. Every value is exact in float32. */
  readonly runningMean: Floats;
  readonly runningVar: Floats;
  readonly step: StepData | null;
}

/** Weights before the first step, in PyTorch's layout: fc1 [hidden, in], fc2 [classes, hidden]. */
interface StepData {
  readonly labels: Int32Array;
  readonly fc1: { readonly weight: Float32Array; readonly bias: Float32Array };
  readonly fc2: { readonly weight: Float32Array; readonly bias: Float32Array };
}

export const LR = 0.01;
export const MOMENTUM = 0.9;
export const DROPOUT = 0.3;

export function makeJob(each: Case): Job {
  if (each.mode === 'step') return makeStep(each);
  if (each.operation !== null) return makeOperation(each, each.operation);
  const { c } = dimsOf(each);
  const numel = numelOf(each.shape);
  const hasGradient = ['backward', 'frozen', 'forward+backward'].includes(each.mode);
  return {
    case: each,
    x: fill(zeros(each.dtype, numel), 12345, -1, 3),
    dy: hasGradient
      ? each.sumGradient
        ? zeros(each.dtype, numel).fill(1)
        : fill(zeros(each.dtype, numel), 777, -1, 1)
      : null,
    runningMean: zeros(each.dtype, c).map((_, i) => 0.5 + (i % 7) / 8),
    runningVar: zeros(each.dtype, c).map((_, i) => 1 + (i % 3) / 4),
    step: null,
  };
}

function makeOperation(each: Case, operation: string): Job {
  const numel = numelOf(each.shape);
  const positive = OPERATIONS[operation]?.positive === true;
  const none = zeros(each.dtype, 0);
  return {
    case: each,
    x: fill(zeros(each.dtype, numel), 12345, positive ? 1 / 16 : -4, 4),
    dy: fill(zeros(each.dtype, numel), 777, -2, 2),
    runningMean: none,
    runningVar: none,
    step: null,
  };
}

function makeStep(each: Case): Job {
  const [batch = 0, inputs = 0, hidden = 0, classes = 0] = each.shape;
  const linear = (rows: number, columns: number, seed: number): StepData['fc1'] => {
    const bound = 1 / Math.sqrt(columns);
    return {
      weight: fill(new Float32Array(rows * columns), seed, -bound, bound),
      bias: fill(new Float32Array(rows), seed + 1, -bound, bound),
    };
  };
  return {
    case: each,
    x: fill(new Float32Array(batch * inputs), 12345, -1, 3),
    dy: null,
    runningMean: new Float32Array(hidden),
    runningVar: new Float32Array(hidden).fill(1),
    step: {
      labels: Int32Array.from({ length: batch }, (_, i) => (i * 7) % classes),
      fc1: linear(hidden, inputs, 31),
      fc2: linear(classes, hidden, 47),
    },
  };
}

function zeros(dtype: DType, length: number): Floats {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** Uniform values in [low, high): a 32-bit linear congruential generator. */
function fill<Data extends Floats>(values: Data, seed: number, low: number, high: number): Data {
  const scale = (high - low) / 2 ** 32;
  let state = seed;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = low + state * scale;
  }
  return values;
}
