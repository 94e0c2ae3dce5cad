// Sequences of unequal length in one padded array: packed behind one another for the layers that must
// not see the padding, and spread out again. Each is the other's gradient.
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type FloatData, type TensorData } from '../../tensor/tensor.js';

/** Steps that count of each sample: whole numbers, as numbers or BigInts; a tensor's are int32 or int64. */
export type Lengths = ArrayLike<number | bigint> | Tensor;

/** Which positions count, true or 1 each: rows of flags, all of them in one list, or a tensor of int32 or int64. */
export type Mask = ArrayLike<Flag> | ArrayLike<ArrayLike<Flag>> | Tensor;

type Flag = boolean | number | bigint;

/** Which part of an input counts: one of the two, or all of it. */
interface Counted {
  readonly lengths?: Lengths | undefined;
  readonly mask?: Mask | undefined;
}

/** @internal Which part of [n, c, l · unit] counts: the first lengths[i] steps of sample i, or those `at` places. */
export interface Padding {
  readonly n: number;
  readonly c: number;
  readonly l: number;
  /** Elements of one step: 1, or the channels where they come last. */
  readonly unit: number;
  /** Whether channels come last: one channel alone does not show it, and the order of sums follows it. */
  readonly last: boolean;
  readonly lengths: Int32Array;
  /** How many steps count in all. */
  readonly steps: number;
  /** Where each of them is in the first channel, where lengths cannot say it; null otherwise. */
  readonly at: Float64Array | null;
}

/**
 * @internal What `lengths` or `mask` says of an input; null where all of it counts.
 *
 * @throws {RangeError | TypeError} for both, or for other lengths or flags than the input's shape asks for.
 */
export function paddingOf(
  who: string,
  input: Tensor,
  counted: Counted | undefined,
  layout: 'NCL' | 'NLC',
): Padding | null {
  const lengths = counted?.lengths;
  const mask = counted?.mask;
  if (mask === undefined) {
    return lengths === undefined ? null : paddingOfLengths(who, input, lengths, layout);
  }
  if (lengths === undefined) return paddingOfMask(who, input, mask, layout);
  throw new TypeError(`${who}: expected lengths or mask, got both.`);
}

/** Of an input [N, C, L], or [N, L, C]: N whole numbers from 0 to L. */
function paddingOfLengths(
  who: string,
  input: Tensor,
  lengths: Lengths,
  layout: 'NCL' | 'NLC',
): Padding | null {
  const { shape } = input;
  if (shape.length !== 3) {
    throw check.wrongValue(who, 'a 3D input beside lengths', `shape ${check.shapeText(shape)}`);
  }
  const last = layout === 'NLC';
  const [n = 0, l = 0] = last ? shape : [shape[0], shape[2]];
  const channels = shape[last ? 2 : 1] ?? 0;
  const given = lengths instanceof Tensor ? dataOf(who, 'lengths', lengths) : lengths;
  const checked = check.lengths(who, given, n, Math.min(l, 2 ** 31 - 1));
  const steps = checked.reduce((sum, length) => sum + length, 0);
  if (steps === n * l) return null;
  const [c, unit] = last ? [1, channels] : [channels, 1];
  return { n, c, l, unit, last, lengths: checked, steps, at: null };
}

function dataOf(who: string, name: string, list: Tensor): TensorData {
  if (!list.dtype.startsWith('int')) {
    throw new TypeError(`${who}: expected ${name} to be int32 or int64, got ${list.dtype}.`);
  }
  return list.attached(who, name);
}

/** Of an input [N, C]: N flags; of [N, C, L], or [N, L, C]: N rows of L. */
function paddingOfMask(
  who: string,
  input: Tensor,
  mask: Mask,
  layout: 'NCL' | 'NLC',
): Padding | null {
  const { shape } = input;
  if (shape.length !== 2 && shape.length !== 3) {
    throw check.wrongValue(who, 'a 2D or 3D input beside mask', `shape ${check.shapeText(shape)}`);
  }
  const last = layout === 'NLC' || shape.length === 2;
  const [n = 0, channels = 0] = last ? [shape[0], shape.at(-1)] : shape;
  const l = shape.length === 2 ? null : (shape[last ? 1 : 2] ?? 0);
  if (mask instanceof Tensor) check.sameShape(who, 'a mask', mask, l === null ? [n] : [n, l]);
  const flags = check.mask(who, mask instanceof Tensor ? dataOf(who, 'mask', mask) : mask, n, l);
  const steps = flags.reduce((sum, flag) => sum + flag, 0);
  if (steps === flags.length) return null;
  // Where channels come last each step is a row of its own: one of n · l samples, of length 1 or 0.
  if (last) {
    const dims = { n: flags.length, c: 1, l: 1, unit: channels, last };
    return { ...dims, lengths: flags, steps, at: null };
  }
  const dims = { n, c: channels, l: l ?? 1, unit: 1, last, steps };
  const lengths = prefixesOf(flags, n, l ?? 1);
  if (lengths !== null) return { ...dims, lengths, at: null };
  return { ...dims, lengths: new Int32Array(0), at: placesOf(flags, dims) };
}

/** How many flags each row begins with, where no other is set; null otherwise. */
function prefixesOf(flags: Int32Array, n: number, l: number): Int32Array | null {
  const lengths = new Int32Array(n);
  for (let row = 0; row < n; row++) {
    const own = flags.subarray(row * l, (row + 1) * l);
    const end = own.indexOf(0);
    lengths[row] = end < 0 ? l : end;
    if (end >= 0 && own.includes(1, end)) return null;
  }
  return lengths;
}

function placesOf(flags: Int32Array, dims: { c: number; l: number; steps: number }): Float64Array {
  const { c, l, steps } = dims;
  const at = new Float64Array(steps);
  let next = 0;
  flags.forEach((flag, i) => {
    if (flag === 1) at[next++] = Math.floor(i / l) * c * l + (i % l);
  });
  return at;
}

/** @internal [c, steps · unit]: what counts of x, without the padding. */
export function pack(x: Tensor, padding: Padding): Tensor {
  const { n, c, l, unit, steps, lengths, at } = padding;
  const packed = Tensor.uninitialized([c, steps * unit], x.dtype);
  perform(
    {
      who: 'pack',
      work: x.numel,
      reads: { 'the input': x },
      writes: [packed],
    },
    (native, arrayOf, turns) => {
      const [from, to] = [arrayOf(x), arrayOf(packed)];
      if (at === null) return native.pack(from, to, lengths, n, c, l, unit);
      // No kernel takes places.
      return turns(packed.numel, (first, end) => {
        repackPlaces('pack', from, to, padding, first, end);
      });
    },
  );
  const { shape } = x;
  return record('pack', packed, [x], [], (gradient) => [
    spread(gradient, padding, Tensor.uninitialized(shape, gradient.dtype)),
  ]);
}

/** @internal How the packed steps are to be read by a layer of channels. */
export function packedDims({ c, unit, last, steps }: Padding): check.ChannelDims {
  return last ? { n: steps, c: unit, l: 1 } : { n: 1, c, l: steps };
}

/** @internal Writes `packed` into x, and 0 where the padding is; x is the result. */
export function unpack(packed: Tensor, padding: Padding, x: Tensor): Tensor {
  spread(packed, padding, x);
  return record('unpack', x, [packed], [], (gradient) => [pack(gradient, padding)]);
}

function spread(packed: Tensor, padding: Padding, x: Tensor): Tensor {
  const { n, c, l, unit, lengths, at } = padding;
  perform(
    {
      who: 'unpack',
      work: x.numel,
      reads: { 'the input': packed },
      writes: [x],
    },
    (native, arrayOf, turns) => {
      const [to, from] = [arrayOf(x), arrayOf(packed)];
      if (at === null) return native.unpack(to, from, lengths, n, c, l, unit);
      return turns(x.numel + packed.numel, (first, end) => {
        if (first < x.numel) to.fill(0, first, Math.min(end, x.numel));
        const [begin, stop] = [Math.max(first - x.numel, 0), end - x.numel];
        if (stop > begin) repackPlaces('unpack', to, from, padding, begin, stop);
      });
    },
  );
  return x;
}

/** Elements `from` to before `to` of `packed`, from their places in x or into them. */
function repackPlaces(
  which: 'pack' | 'unpack',
  x: FloatData,
  packed: FloatData,
  { at, l, steps }: Padding,
  from: number,
  to: number,
): void {
  if (at === null) return;
  let channel = Math.floor(from / steps);
  let step = from % steps;
  for (let i = from; i < to; i++) {
    const place = at[step]! + channel * l;
    if (which === 'pack') packed[i] = x[place]!;
    else x[place] = packed[i]!;
    if (++step === steps) {
      step = 0;
      channel++;
    }
  }
}
