// From the tensors that a pickle tells of to tensors with memory. Tensors that lie in one storage without
// gaps share memory, as they did; others are gathered. What all of it takes is bounded by the file's size.
import * as check from '../check.js';
import type { TensorData } from '../storage.js';
import { Tensor } from '../tensor.js';
import { bytesHere, fill, type Element } from './elements.js';
import type { Storage, TensorRecord } from './torch-globals.js';

/** NumPy's and PyTorch's. */
const MAX_RANK = 64;
/** int8 widens by 4; twice that, and a page for files that are nearly nothing but expanded tensors. */
const FACTOR = 8;
const FLOOR_BYTES = 4096;

export class Materials {
  private readonly arrays = new Map<Storage, Map<string, TensorData>>();
  private readonly made = new Map<TensorData, Map<string, Tensor>>();
  private readonly budget: number;
  private spent = 0;

  constructor(
    private readonly who: string,
    private readonly fileBytes: number,
  ) {
    this.budget = Math.max(FLOOR_BYTES, FACTOR * fileBytes);
  }

  /** `what` names the tensor in messages. */
  tensor(what: string, record: TensorRecord): Tensor {
    const { view, element, size, stride } = record;
    if (element === undefined) {
      const type = `torch.${view.storage.type.name}`;
      throw check.wrongValue(this.who, `${what} of real numbers`, `a ${type}`);
    }
    const numel = this.numelOf(what, record);
    if (numel === 0) return Tensor.uninitialized(size, element.dtype);
    const first = this.firstOf(what, record, element);
    if (!isContiguous(size, stride)) {
      this.spend(what, size, bytesHere(element, numel));
      const gathered = Tensor.uninitialized(size, element.dtype);
      gather(this.arrayOf(what, record, element), first, size, stride, gathered.attached(this.who));
      return gathered;
    }
    return this.shared(this.arrayOf(what, record, element), first, numel, size, element);
  }

  /** Also that sizes and strides go together, and that their product is a number. */
  private numelOf(what: string, { size, stride }: TensorRecord): number {
    if (size.length !== stride.length || size.length > MAX_RANK) {
      throw check.wrongValue(
        this.who,
        `${what} to have a stride for each of at most ${MAX_RANK} sizes`,
        `${size.length} sizes and ${stride.length} strides`,
      );
    }
    return size.includes(0) ? 0 : check.numelOf(size);
  }

  /** Where it begins in its storage, all of it being inside. Past 2^53 the sum is rounded, and too large. */
  private firstOf(what: string, record: TensorRecord, element: Element): number {
    const { view, offset, size, stride } = record;
    const from = view.start * view.storage.type.bytes;
    const room = Math.floor((view.numel * view.storage.type.bytes) / element.bytes);
    let last = offset;
    size.forEach((count, axis) => (last += (count - 1) * stride[axis]!));
    if (last < room && from % element.bytes === 0) return from / element.bytes + offset;
    throw check.wrongValue(
      this.who,
      `${what} of shape ${check.shapeText(size)} inside of its storage of ${room} elements`,
      `offset ${offset} and strides ${check.shapeText(stride)}`,
    );
  }

  /** A storage's elements, here. */
  private arrayOf(what: string, { view, size }: TensorRecord, element: Element): TensorData {
    const { storage } = view;
    let arrays = this.arrays.get(storage);
    if (arrays === undefined) this.arrays.set(storage, (arrays = new Map<string, TensorData>()));
    const known = arrays.get(element.name);
    if (known !== undefined) return known;
    const numel = Math.floor(storage.bytes.length / element.bytes);
    this.spend(what, size, bytesHere(element, numel));
    const array = Tensor.uninitialized([numel], element.dtype).keep().data;
    fill(this.who, what, element, storage.bytes.subarray(0, numel * element.bytes), array);
    arrays.set(element.name, array);
    return array;
  }

  /** Elements `first` to before `first + numel`: the array's memory, one holder of it per range. */
  private shared(
    array: TensorData,
    first: number,
    numel: number,
    shape: readonly number[],
    { dtype }: Element,
  ): Tensor {
    let ranges = this.made.get(array);
    if (ranges === undefined) this.made.set(array, (ranges = new Map<string, Tensor>()));
    const range = `${first} ${numel}`;
    const known = ranges.get(range);
    if (known !== undefined) return known.alias(shape);
    const made = Tensor.adopting(array.subarray(first, first + numel), shape, dtype);
    ranges.set(range, made);
    return made;
  }

  private spend(what: string, size: readonly number[], bytes: number): void {
    this.spent += bytes;
    if (this.spent <= this.budget) return;
    throw check.wrongValue(
      this.who,
      `tensors of at most ${this.budget} bytes in a file of ${this.fileBytes}`,
      `more by ${what} of shape ${check.shapeText(size)}`,
    );
  }
}

/** Whether the elements lie in row-major order without gaps; a size of 1 has no stride to speak of. */
function isContiguous(size: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    if (size[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= size[axis]!;
  }
  return true;
}

/** Copies strided elements in row-major order. */
function gather(
  from: TensorData,
  first: number,
  size: readonly number[],
  stride: readonly number[],
  to: TensorData,
): void {
  const source = from as { readonly [index: number]: number };
  const target = to as { [index: number]: number };
  const index = size.map(() => 0);
  let at = first;
  for (let i = 0; i < to.length; i++) {
    target[i] = source[at]!;
    for (let axis = size.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      if (++index[axis]! < size[axis]!) break;
      at -= size[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
}
