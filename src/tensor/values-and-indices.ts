// What max, min, sort, topk and pools of the largest give.
import type { Tensor } from './class.js';

/**
 * Values, and where along the dimension each was: int64. By name, by number, or taken apart as PyTorch's.
 *
 * @example
 * ```ts
 * const [values, indices] = tensor([[1, 5], [7, 2]]).max(1);
 * [values.toArray(), indices.toArray()]; // => [[5, 7], [1, 0]]
 * tensor([[1, 5], [7, 2]]).max(1)[1].toArray(); // => [1, 0]
 * ```
 */
export class ValuesAndIndices {
  readonly values: Tensor;
  readonly indices: Tensor;

  constructor(values: Tensor, indices: Tensor) {
    this.values = values;
    this.indices = indices;
  }

  get 0(): Tensor {
    return this.values;
  }

  get 1(): Tensor {
    return this.indices;
  }

  [Symbol.iterator](): IterableIterator<Tensor> {
    return [this.values, this.indices].values();
  }
}
