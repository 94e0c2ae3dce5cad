// Folding a batch normalisation by running statistics into the linear map before or behind it: numbers only.
// Which modules may be folded is nn/batchnorm/fold.ts. Nothing here is recorded: a fold is not differentiable.
import * as check from '../../check/index.js';
import { floats, type FloatData, type Tensor } from '../../tensor/tensor.js';

/** @internal y = W x + b, or a convolution. */
export interface LinearMap {
  /** [outFeatures, inFeatures]; of a convolution [outChannels, inChannels / groups, kernelSize]. */
  readonly weight: Tensor;
  /** [outFeatures], or null. */
  readonly bias: Tensor | null;
}

/** @internal y = (x - runningMean) / sqrt(runningVar + eps) · weight + bias; [C], or [1] for every row. */
export interface ChannelMap {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly eps: number;
}

type FoldedMap = LinearMap & { readonly bias: Tensor };

/**
 * @internal The fold of a normalisation of the outputs: W' = W · scale and b' = (b - runningMean) · scale + bias with
 * scale = weight / sqrt(runningVar + eps), row by row: in double, each rounded once when stored.
 *
 * @param folded - Receives W' and b', whole; memory that nothing else uses.
 * @param channels - C: as many as rows, or 1.
 * @throws {TypeError | RangeError} for an operand of another dtype or shape, or a fold that is not finite.
 */
export function foldOutputs(
  who: string,
  folded: FoldedMap,
  linear: LinearMap,
  norm: ChannelMap,
  channels: number,
): void {
  const { w, b, gain, shift, mean, variance } = read(who, folded, linear, norm, channels);
  const [foldedW, foldedB] = [floats(folded.weight), floats(folded.bias)];
  const [rows = 0] = folded.weight.shape;
  const inner = rows === 0 ? 0 : w.length / rows;
  for (let row = 0; row < rows; row++) {
    const c = channels === 1 ? 0 : row;
    const scale = (gain?.[c] ?? 1) / Math.sqrt((variance[c] ?? NaN) + norm.eps);
    foldedB[row] = ((b?.[row] ?? 0) - (mean[c] ?? NaN)) * scale + (shift?.[c] ?? 0);
    for (let i = row * inner; i < (row + 1) * inner; i++) foldedW[i] = (w[i] ?? NaN) * scale;
    checkRow(who, folded, row);
  }
}

/**
 * @internal The fold of a normalisation of the inputs: W' = W · scale, column by column, rounded once when stored, and
 * b' = b + Σ W · bias - Σ W' · runningMean, in double, rounded once. With the W' that is stored: what its rounding has
 * lost is a factor of x - runningMean then, not of x.
 *
 * @param folded - As for `foldOutputs`.
 * @param channels - C: as many as columns, or 1.
 * @throws {TypeError | RangeError} as `foldOutputs`.
 */
export function foldInputs(
  who: string,
  folded: FoldedMap,
  linear: LinearMap,
  norm: ChannelMap,
  channels: number,
): void {
  const { w, b, gain, shift, mean, variance } = read(who, folded, linear, norm, channels);
  const [foldedW, foldedB] = [floats(folded.weight), floats(folded.bias)];
  const [rows = 0, inner = 0] = folded.weight.shape;
  const scales = Float64Array.from(
    variance,
    (each, c) => (gain?.[c] ?? 1) / Math.sqrt(each + norm.eps),
  );
  for (let row = 0; row < rows; row++) {
    let sum = b?.[row] ?? 0;
    for (let column = 0; column < inner; column++) {
      const [c, i] = [channels === 1 ? 0 : column, row * inner + column];
      foldedW[i] = (w[i] ?? NaN) * (scales[c] ?? NaN);
      sum += (w[i] ?? NaN) * (shift?.[c] ?? 0) - foldedW[i] * (mean[c] ?? NaN);
    }
    foldedB[row] = sum;
    checkRow(who, folded, row);
  }
}

interface Operands {
  readonly w: FloatData;
  readonly b: FloatData | null;
  readonly gain: FloatData | null;
  readonly shift: FloatData | null;
  readonly mean: FloatData;
  readonly variance: FloatData;
}

function read(
  who: string,
  folded: FoldedMap,
  linear: LinearMap,
  norm: ChannelMap,
  channels: number,
): Operands {
  const { shape, dtype } = folded.weight;
  const of = (name: string, operand: Tensor, sizes: readonly number[]): FloatData => {
    check.dtype(who, name, operand, dtype, " like linear's weight");
    check.sameShape(who, name, operand, sizes);
    operand.attached(who, name);
    return floats(operand);
  };
  const ofSome = (name: string, operand: Tensor | null, size: number): FloatData | null =>
    operand === null ? null : of(name, operand, [size]);
  return {
    w: of("linear's weight", linear.weight, shape),
    b: ofSome("linear's bias", linear.bias, shape[0] ?? 0),
    gain: ofSome("bn's weight", norm.weight, channels),
    shift: ofSome("bn's bias", norm.bias, channels),
    mean: of('running_mean', norm.runningMean, [channels]),
    variance: of('running_var', norm.runningVar, [channels]),
  };
}

function checkRow(who: string, { weight, bias }: FoldedMap, row: number): void {
  const inner = check.numelOf(weight.shape, 1);
  const values = floats(weight).subarray(row * inner, (row + 1) * inner);
  if (Number.isFinite(floats(bias)[row]) && values.every((value) => Number.isFinite(value))) return;
  throw check.wrongValue(
    who,
    `parameters and running statistics whose fold is finite in ${weight.dtype}`,
    `NaN or an infinity in row ${row}`,
  );
}
