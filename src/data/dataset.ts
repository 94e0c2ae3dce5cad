import * as check from '../check.js';
import { mark } from '../copies.js';
import { Tensor, type TensorLike } from '../tensor.js';

/** One tensor for each of a dataset's: `[x, label]` of two. */
export type Batch<Sources extends readonly unknown[]> = {
  -readonly [Index in keyof Sources]: Tensor;
};

/**
 * Samples as rows: sample i is row i of every tensor.
 *
 * @example
 * ```ts
 * const images = tensor(new Float32Array(3 * 784), [3, 784]);
 * const train = new data.TensorDataset(images, tensor(Int32Array.of(7, 0, 4)));
 * train.length; // => 3
 * ```
 */
export class TensorDataset<const Sources extends readonly TensorLike[] = readonly TensorLike[]> {
  readonly tensors: readonly Tensor[];
  /** Number of samples. */
  readonly length: number;

  constructor(...tensors: Sources) {
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
  rows(indices: ArrayLike<number>): Batch<Sources> {
    for (let i = 0; i < indices.length; i++) {
      const index = check.wholeNumber('TensorDataset.rows', 'an index', indices[i], 0);
      if (index >= this.length) {
        throw check.wrongValue('TensorDataset.rows', `indices below ${this.length}`, String(index));
      }
    }
    const batch = this.tensors.map((from) => {
      const inner = from.shape.slice(1);
      const size = check.numelOf(inner);
      const source = from.attached('TensorDataset') as Float32Array;
      const gathered = Tensor.uninitialized([indices.length, ...inner], from.dtype);
      const target = gathered.attached('TensorDataset') as Float32Array;
      for (let i = 0; i < indices.length; i++) {
        const at = (indices[i] ?? 0) * size;
        target.set(source.subarray(at, at + size), i * size);
      }
      return gathered;
    });
    return batch as unknown as Batch<Sources>;
  }
}

mark(TensorDataset, 'TensorDataset');
