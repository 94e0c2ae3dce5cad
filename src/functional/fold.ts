// Folding a batch normalisation by running statistics into the linear map before it: numbers only.
// Which modules may be folded is nn/fold.ts. Nothing here is recorded: a fold is not differentiable.
import * as check from '../check.js';
import { floats, type FloatData, type Tensor } from '../tensor.js';

/** @internal y = W x + b. */
export interface LinearMap {
  /** [outFeatures, inFeatures]. */
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

/**
 * @internal W' = W · scale and b' = (b - runningMean) · scale + bias with scale = weight /
 * sqrt(runningVar + eps), row by row: in double, each rounded once when stored.
 *
 * @param folded - Receives W' and b', whole; memory that nothing else uses.
 * @param channels - C: as many as rows, or 1.
 * @throws {TypeError | RangeError} for an operand of another dtype or shape, or a fold that is not finite.
 */
export function foldChannels(
  who: string,
  folded: LinearMap & { readonly bias: Tensor },
  linear: LinearMap,
  norm: ChannelMap,
  channels: number,
): void {
  const { shape, dtype } = folded.weight;
  const [rows = 0, inner = 0] = shape;
  const read = (name: string, operand: Tensor, sizes: readonly number[]): FloatData => {
    check.dtype(who, name, operand, dtype, " like linear's weight");
    check.sameShape(who, name, operand, sizes);
    operand.attached(who, name);
    return floats(operand);
  };
  const readIf = (name: string, operand: Tensor | null, size: number): FloatData | null =>
    operand === null ? null : read(name, operand, [size]);
  const w = read("linear's weight", linear.weight, shape);
  const b = readIf("linear's bias", linear.bias, rows);
  const gain = readIf("bn's weight", norm.weight, channels);
  const shift = readIf("bn's bias", norm.bias, channels);
  const mean = read('running_mean', norm.runningMean, [channels]);
  const variance = read('running_var', norm.runningVar, [channels]);
  const [foldedW, foldedB] = [floats(folded.weight), floats(folded.bias)];

  for (let row = 0; row < rows; row++) {
    const c = channels === 1 ? 0 : row;
    const scale = (gain?.[c] ?? 1) / Math.sqrt((variance[c] ?? NaN) + norm.eps);
    foldedB[row] = ((b?.[row] ?? 0) - (mean[c] ?? NaN)) * scale + (shift?.[c] ?? 0);
    let finite = Number.isFinite(foldedB[row]);
    for (let i = row * inner; i < (row + 1) * inner; i++) {
      foldedW[i] = (w[i] ?? NaN) * scale;
      finite &&= Number.isFinite(foldedW[i]);
    }
    if (!finite) {
      throw check.wrongValue(
        who,
        `parameters and running statistics whose fold is finite in ${dtype}`,
        `NaN or an infinity in row ${row}`,
      );
    }
  }
}
