import * as check from '../check/index.js';
import { mark } from '../check/copies.js';
import { samplesOf, type TensorSource } from '../tensor/create.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';

/** Samples: row i is sample i. */
export type Samples = TensorLike | TensorSource;

/** One tensor for each of a dataset's: `[x, label]` of two. */
export type Batch<Sources extends readonly unknown[]> = {
  -readonly [Index in keyof Sources]: Tensor;
};

/**
 * Samples as rows: sample i is row i of every tensor.
 *
 * A source is a tensor, what `Tensor.from` takes, or arrays as for `tensor()`: typed ones are adopted, nested ones
 * copied as float32. A flat array of whole numbers is class targets, and becomes int32 (int64 for larger ones, and
 * for BigInts); so does a typed array of another kind, such as a Uint8Array.
 *
 * @example
 * ```ts
 * const images = tensor(new Float32Array(3 * 784), [3, 784]);
 * const train = new data.TensorDataset(images, [7, 0, 4]);
 * train.length; // => 3
 * train.tensors[1]?.dtype; // => 'int32'
 * ```
 */
export class TensorDataset<const Sources extends readonly Samples[] = readonly Samples[]> {
  readonly #tensors: readonly Tensor[];
  readonly #length: number;

  constructor(...tensors: Sources) {
    const who = 'TensorDataset';
    if (tensors.length === 0) throw check.wrongValue(who, 'at least one tensor', 'none');
    this.#tensors = Object.freeze(tensors.map((each) => samplesOf(who, each)));
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
    this.#length = length ?? 0;
  }

  get tensors(): readonly Tensor[] {
    return this.#tensors;
  }

  /** Number of samples. */
  get length(): number {
    return this.#length;
  }

  /** The given rows of every tensor, copied, as one batch. */
  rows(indices: ArrayLike<number>): Batch<Sources> {
    const who = 'TensorDataset.rows';
    const wanted = this.#checked(who, indices);
    const batch = this.tensors.map((from) =>
      gathered(who, from, wanted, [wanted.length, ...from.shape.slice(1)]),
    );
    return batch as unknown as Batch<Sources>;
  }

  /** One row of every tensor, copied: of one dimension less. */
  get(index: number): Batch<Sources> {
    const who = 'TensorDataset.get';
    const wanted = this.#checked(who, [index]);
    const sample = this.tensors.map((from) => gathered(who, from, wanted, from.shape.slice(1)));
    return sample as unknown as Batch<Sources>;
  }

  /** The indices, copied: what is checked is what is read. */
  #checked(who: string, indices: unknown): number[] {
    if (!check.isList(indices)) throw check.wrongKind(who, 'an array of indices', indices);
    const checked: number[] = [];
    for (let i = 0; i < indices.length; i++) {
      const each = indices[i];
      const index = typeof each === 'bigint' ? Number(each) : each;
      checked.push(check.wholeNumber(who, 'an index', index, 0));
      if (checked[i]! < this.length) continue;
      throw check.wrongValue(who, `indices below ${this.length}`, check.describe(each));
    }
    return checked;
  }
}

/** Rows of a tensor, in a shape that holds so many. */
function gathered(
  who: string,
  from: Tensor,
  rows: readonly number[],
  shape: readonly number[],
): Tensor {
  const size = check.numelOf(from.shape, 1);
  const source = from.attached(who) as Float32Array;
  const made = Tensor.uninitialized(shape, from.dtype);
  const target = made.attached(who) as Float32Array;
  rows.forEach((row, i) => {
    target.set(source.subarray(row * size, (row + 1) * size), i * size);
  });
  return made;
}

mark(TensorDataset, 'TensorDataset');
check.refuseAssignment(TensorDataset, {
  tensors: 'make another data set',
  length: 'it is that of the tensors',
});
