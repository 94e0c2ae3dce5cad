// Sequences of unequal length in one padded array: packed behind one another for the layers that must
// not see the padding, and spread out again. Each is the other's gradient.
import * as check from '../check.js';
import { addon } from '../native.js';
import { floats, record, Tensor, type TensorData } from '../tensor.js';

/** Steps that count of each sample: whole numbers, as numbers or BigInts; a tensor's are int32 or int64. */
export type Lengths = ArrayLike<number | bigint> | Tensor;

/** @internal Which part of [n, c, l · unit] counts: the first lengths[i] steps of sample i. */
export interface Padding {
  readonly n: number;
  readonly c: number;
  readonly l: number;
  /** Elements of one step: 1, or the channels where they come last. */
  readonly unit: number;
  readonly lengths: Int32Array;
  /** The sum of the lengths. */
  readonly steps: number;
}

/**
 * @internal What `lengths` says of an input [N, C, L], or [N, L, C]; null where nothing is padding.
 *
 * @throws {RangeError | TypeError} unless it has N whole numbers from 0 to L.
 */
export function paddingOf(
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
  const given = lengths instanceof Tensor ? dataOf(who, lengths) : lengths;
  const checked = check.lengths(who, given, n, Math.min(l, 2 ** 31 - 1));
  const steps = checked.reduce((sum, length) => sum + length, 0);
  if (steps === n * l) return null;
  return { n, c: last ? 1 : channels, l, unit: last ? channels : 1, lengths: checked, steps };
}

function dataOf(who: string, lengths: Tensor): TensorData {
  if (!lengths.dtype.startsWith('int')) {
    throw new TypeError(`${who}: expected lengths to be int32 or int64, got ${lengths.dtype}.`);
  }
  return lengths.attached(who, 'lengths');
}

/** @internal [c, steps · unit]: what counts of x, without the padding. */
export function pack(x: Tensor, padding: Padding): Tensor {
  const { n, c, l, unit, lengths } = padding;
  const packed = roomFor(x, padding);
  addon.pack(floats(x), floats(packed), lengths, n, c, l, unit);
  return recordPack(x, padding, packed);
}

/** @internal Memory for what counts of x, which nobody has written. */
export function roomFor(x: Tensor, { c, unit, steps }: Padding): Tensor {
  return Tensor.uninitialized([c, steps * unit], x.dtype);
}

/** @internal Makes `packed` the recorded result of packing x, which may be done later. */
export function recordPack(x: Tensor, padding: Padding, packed: Tensor): Tensor {
  const { shape } = x;
  return record('pack', packed, [x], [], (gradient) => [
    spread(gradient, padding, Tensor.uninitialized(shape, gradient.dtype)),
  ]);
}

/** @internal How the packed steps are to be read by a layer of channels. */
export function packedDims({ c, unit, steps }: Padding): check.ChannelDims {
  return unit === 1 ? { n: 1, c, l: steps } : { n: steps, c: unit, l: 1 };
}

/** @internal Writes `packed` into x, and 0 where the padding is; x is the result. */
export function unpack(packed: Tensor, padding: Padding, x: Tensor): Tensor {
  return recordUnpack(packed, padding, spread(packed, padding, x));
}

/** @internal Makes x the recorded result of unpacking, which may be done later. */
export function recordUnpack(packed: Tensor, padding: Padding, x: Tensor): Tensor {
  return record('unpack', x, [packed], [], (gradient) => [pack(gradient, padding)]);
}

function spread(packed: Tensor, padding: Padding, x: Tensor): Tensor {
  const { n, c, l, unit, lengths } = padding;
  addon.unpack(floats(x), floats(packed), lengths, n, c, l, unit);
  return x;
}
