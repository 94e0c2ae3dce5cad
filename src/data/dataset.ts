import * as check from '../check.js';
import { Tensor, type TensorLike } from '../tensor.js';

/**
 * Samples as rows: sample i is row i of every tensor.
 *
 * @example
 * ```ts
 * const train = new data.TensorDataset(images, labels); // [N, 784] and [N]
 * ```
 */
export class TensorDataset {
  readonly tensors: readonly Tensor[];
  /** Number of samples. */
  readonly length: number;

  constructor(...tensors: TensorLike[]) {
    const who = 'TensorDataset';
    if (tensors.length === 0) throw check.wrongValue(who, 'at least one tensor', 'none');
    this.tensors = tensors.map((each) => Tensor.from(each));
    const [length] = this.tensors[0]?.shape ?? [];
    for (const { shape } of this.tensors) {
      if (length === undefined || shape[0] !== length) {
        throw check.wrongValue(
          who,
          'tensors with the same first dimension (size mismatch between tensors)',
          `shapes ${this.tensors.map((each) => check.shapeText(each.shape)).join(' and ')}`,
        );
      }
    }
    this.length = length ?? 0;
  }

  /** The given rows of every tensor, copied, as one batch. */
  rows(indices: ArrayLike<number>): Tensor[] {
    return this.tensors.map((from) => {
      const inner = from.shape.slice(1);
      const size = inner.reduce((a, b) => a * b, 1);
      const source = from.attached('TensorDataset') as Float32Array;
      const batch = Tensor.uninitialized([indices.length, ...inner], from.dtype);
      const target = batch.data as Float32Array;
      for (let i = 0; i < indices.length; i++) {
        const at = (indices[i] ?? 0) * size;
        target.set(source.subarray(at, at + size), i * size);
      }
      return batch;
    });
  }
}
