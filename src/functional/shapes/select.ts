// Places of a dimension chosen by a list of indices, or an element for each index.
import { needsGrad } from '../../autograd/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor } from '../../tensor/tensor.js';
import { around } from '../dims.js';
import { foundWithin, indicesIn } from './indices.js';
import { filled, wordsOf } from './strided.js';

/** How elements are selected: the sizes before, of and behind a dimension, and how many indices it takes. */
export interface Selection {
  readonly who: string;
  readonly index: Tensor;
  readonly outer: number;
  readonly size: number;
  readonly count: number;
  readonly inner: number;
}

type SelectName = 'indexSelect' | 'gather';
type AddName = 'indexAdd' | 'indexSum' | 'scatterAdd';

/** A new tensor of the elements selected. */
export function select(
  call: SelectName,
  x: Tensor,
  shape: readonly number[],
  { who, index, outer, size, count, inner }: Selection,
): Tensor {
  const { dtype } = x;
  const y = Tensor.uninitialized(shape, dtype);
  perform(
    {
      who,
      work: y.numel,
      reads: { 'the input': x, 'the index': index },
      writes: [y],
    },
    (native, arrayOf) => {
      const [from, to] = [wordsOf(arrayOf(x), dtype), wordsOf(arrayOf(y), dtype)];
      return native[call](from, indicesIn(arrayOf, index), to, outer, size, count, inner);
    },
    foundWithin(who, index, size),
  );
  return y;
}

/** The elements of `source` added to those selected of x, which is of our own making, one after another; by 'indexSum' x is written. */
export function addSelected(
  call: AddName,
  x: Tensor,
  source: Tensor,
  { who, index, outer, size, count, inner }: Selection,
): Tensor {
  perform(
    {
      who,
      work: source.numel,
      reads: { 'the source': source, 'the index': index },
      writes: [x],
    },
    (native, arrayOf) => {
      const [to, from] = [arrayOf(x), arrayOf(source)];
      return native[call](to, indicesIn(arrayOf, index), from, outer, size, count, inner);
    },
    foundWithin(who, index, size),
  );
  return x;
}

/** What `indexAdd` makes of zeros: of each place the sum of what is selected there, in the order of the index. */
export function summed(shape: readonly number[], source: Tensor, selection: Selection): Tensor {
  return addSelected('indexSum', Tensor.uninitialized(shape, source.dtype), source, selection);
}

/** x[:, index, :], recorded; the gradient is added up in the order of the index. */
export function selected(who: string, input: Tensor, dim: number, index: Tensor): Tensor {
  const [outer, size, inner] = around(input, dim);
  const shape = input.shape.map((each, d) => (d === dim ? index.numel : each));
  const selection = { who, index, outer, size, count: index.numel, inner };
  return record(who, select('indexSelect', input, shape, selection), [input], [index], (dy) => [
    summed(input.shape, dy, selection),
  ]);
}

/** Records elements of `input` whose places an operation has found: the user may dispose of those, so backward has its own. */
export function recordSelected(y: Tensor, input: Tensor, selection: Selection): Tensor {
  if (!needsGrad(input)) return y;
  const index = selection.index.detach();
  return record(selection.who, y, [input], [index], (dy) => [
    addSelected('scatterAdd', filled(input.shape, dy.dtype, 0), dy, { ...selection, index }),
  ]);
}
