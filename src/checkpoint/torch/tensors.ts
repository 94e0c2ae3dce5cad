// Builds Tensors from the tensors of a pickle. Those that lie in one storage without gaps share memory, as
// they did when they were saved; others are gathered. The memory of all is bounded by the file's size.
import * as check from '../../check/index.js';
import type { TensorData } from '../../memory/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { COST, type Budget } from '../budget.js';
import { bytesHere, readElements, roomFor, type Element } from '../elements.js';
import type { Source, Steps } from '../source.js';
import type { Storage, PickledTensor } from './globals.js';

/** int8 widens by 4; twice that, and a page for files that are nearly nothing but expanded tensors. */
const FACTOR = 8;
const FLOOR_BYTES = 4096;

export class TensorReader {
  private readonly arrays = new Map<Storage, Map<string, TensorData>>();
  private readonly made = new Map<TensorData, Map<string, Tensor>>();
  private readonly budget: number;
  private spent = 0;

  constructor(
    private readonly who: string,
    private readonly source: Source,
    private readonly whole: Budget,
  ) {
    this.budget = Math.max(FLOOR_BYTES, FACTOR * source.size);
  }

  /** `what` names the tensor in messages. */
  *tensor(what: string, pickled: PickledTensor): Steps<Tensor> {
    const { element, stride, strange } = pickled;
    if (element === undefined || strange !== null) {
      const wish =
        element === undefined
          ? 'of an element type that there is here'
          : 'whose elements are as stored';
      throw check.wrongValue(this.who, `${what} ${wish}`, strange ?? 'others');
    }
    const numel = this.numelOf(what, pickled);
    // a shape of its own: many tensors may have the sizes of one tuple
    const size = [...pickled.size];
    this.whole.spend(COST.tensor + 8 * size.length);
    if (numel === 0) return Tensor.uninitialized(size, element.dtype);
    const first = this.firstOf(what, pickled, element);
    if (!isContiguous(size, stride)) {
      this.spend(what, size, bytesHere(element, numel));
      const array = yield* this.arrayOf(what, pickled, element);
      const gathered = roomFor(this.who, what, size, element.dtype);
      yield* gather(array, first, size, stride, gathered.attached(this.who));
      return gathered;
    }
    return this.shared(yield* this.arrayOf(what, pickled, element), first, numel, size, element);
  }

  /** Also that sizes and strides go together, and that their product is a number. */
  private numelOf(what: string, { size, stride }: PickledTensor): number {
    if (size.length !== stride.length || size.length > check.MOST_DIMENSIONS) {
      throw check.wrongValue(
        this.who,
        `${what} to have a stride for each of at most ${check.MOST_DIMENSIONS} sizes`,
        `${size.length} sizes and ${stride.length} strides`,
      );
    }
    if (!size.includes(0)) return check.numelOf(size);
    // without the zeros, which the product would hide an overflow behind
    if (Number.isSafeInteger(check.numelOf(size.filter((each) => each !== 0)))) return 0;
    const got = `shape ${check.shapeText(size)}`;
    throw check.wrongValue(this.who, `${what} of at most 2^53 - 1 elements`, got);
  }

  /** Where it begins in its storage, all of it being inside. Past 2^53 the sum is rounded, and too large. */
  private firstOf(what: string, pickled: PickledTensor, element: Element): number {
    const { view, offset, size, stride } = pickled;
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
  private *arrayOf(
    what: string,
    { view, size }: PickledTensor,
    element: Element,
  ): Steps<TensorData> {
    const { storage } = view;
    let arrays = this.arrays.get(storage);
    if (arrays === undefined) this.arrays.set(storage, (arrays = new Map<string, TensorData>()));
    const known = arrays.get(element.name);
    if (known !== undefined) return known;
    this.whole.spend(2 * COST.array);
    const numel = Math.floor(storage.extent.length / element.bytes);
    this.spend(what, size, bytesHere(element, numel));
    const array = roomFor(this.who, what, [numel], element.dtype).keep().data;
    yield* readElements(this.who, what, element, this.source, storage.extent, array);
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
    if (this.spent <= this.budget) {
      this.whole.spend(bytes);
      return;
    }
    throw check.wrongValue(
      this.who,
      `tensors of at most ${this.budget} bytes in a file of ${this.source.size}`,
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

/** So many elements are gathered between two turns of the event loop. */
const GATHERED = 2 ** 13;

/** Copies strided elements in row-major order. */
function* gather(
  from: TensorData,
  first: number,
  sizes: readonly number[],
  strides: readonly number[],
  to: TensorData,
): Steps<void> {
  // a dimension of 1 has nothing to step over: sixty of them would be sixty steps an element
  const size = sizes.filter((each) => each !== 1);
  const stride = strides.filter((_, axis) => sizes[axis] !== 1);
  const source = from as { readonly [index: number]: number };
  const target = to as { [index: number]: number };
  const index = size.map(() => 0);
  let at = first;
  for (let i = 0; i < to.length; i++) {
    target[i] = source[at]!;
    if (i % GATHERED === 0) yield;
    for (let axis = size.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      if (++index[axis]! < size[axis]!) break;
      at -= size[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
}
