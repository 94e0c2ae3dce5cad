// One native call for each pointwise operation.
import * as check from '../../check/index.js';
import type { TensorData } from '../../memory/dtype.js';
import { perform } from '../../run/deferral.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { wordsOf } from '../shapes/strided.js';
import { broadcastShape, layoutOf } from './broadcast.js';
import { CODES, type BinaryName, type CompareName, type UnaryName } from './codes.js';

/**
 * An operand that is a floating tensor whose elements are there.
 *
 * @param more - What else the message for another dtype says.
 */
export function floatingInput(
  who: string,
  x: TensorLike,
  name = 'the input',
  more?: string,
): Tensor {
  const input = Tensor.operand(who, name, x);
  check.floating(who, name, input, more);
  input.present(who, name);
  return input;
}

/** y = f(x), element by element. */
export function unary(name: UnaryName, x: Tensor, p = 0, q = 0): Tensor {
  const y = Tensor.like(x);
  perform({ who: name, work: y.numel, reads: { 'the input': x }, writes: [y] }, (native, arrayOf) =>
    native.unary(arrayOf(x), arrayOf(y), y.numel, CODES.unary[name], p, q),
  );
  return y;
}

/** y = f(a, b), broadcast; for shapes that are known to. */
export function binary(
  name: BinaryName,
  a: Tensor,
  b: Tensor,
  shape: readonly number[] = check.equalShapes(a.shape, b.shape)
    ? a.shape
    : broadcastShape(name, a.shape, b.shape),
  p = 0,
  q = 0,
): Tensor {
  const y = shape === a.shape ? Tensor.like(a) : Tensor.uninitialized(shape, a.dtype);
  if (y.numel === 0) return y;
  const { numbers, rank } = layoutOf(shape, [a, b]);
  perform(
    {
      who: name,
      work: y.numel,
      reads: { 'the first operand': a, 'the second operand': b },
      writes: [y],
    },
    (native, arrayOf) =>
      native.binary(
        arrayOf(a),
        arrayOf(b),
        arrayOf(y),
        a.numel,
        b.numel,
        y.numel,
        CODES.binary[name],
        p,
        q,
        numbers,
        rank,
      ),
  );
  return y;
}

/** The gradient of an operation of one input: f(what was saved, dy). */
export function gradient(name: BinaryName, saved: Tensor, dy: Tensor, p = 0, q = 0): Tensor {
  return binary(name, saved, dy, saved.shape, p, q);
}

/** 1 where the comparison holds, else 0. */
export function comparison(
  name: CompareName,
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
): Tensor {
  const y = Tensor.uninitialized(shape, 'int32');
  if (y.numel === 0) return y;
  const { numbers, rank } = layoutOf(shape, [a, b]);
  perform(
    {
      who: name,
      work: y.numel,
      reads: { 'the first operand': a, 'the second operand': b },
      writes: [y],
    },
    (native, arrayOf) =>
      native.compare(
        arrayOf(a),
        arrayOf(b),
        arrayOf(y) as TensorData as Int32Array,
        a.numel,
        b.numel,
        y.numel,
        CODES.compare[name],
        numbers,
        rank,
      ),
  );
  return y;
}

/** mask ? a : b, broadcast; of whole numbers too. */
export function chosen(mask: Tensor, a: Tensor, b: Tensor, shape: readonly number[]): Tensor {
  const { dtype } = a;
  const y = Tensor.uninitialized(shape, dtype);
  if (y.numel === 0) return y;
  const { numbers, rank } = layoutOf(shape, [a, b, mask]);
  perform(
    {
      who: 'where',
      work: y.numel,
      reads: { 'the first operand': a, 'the second operand': b, 'the mask': mask },
      writes: [y],
    },
    (native, arrayOf) =>
      native.choose(
        wordsOf(arrayOf(a), dtype),
        wordsOf(arrayOf(b), dtype),
        arrayOf(mask) as TensorData as Int32Array,
        wordsOf(arrayOf(y), dtype),
        a.numel,
        b.numel,
        mask.numel,
        y.numel,
        numbers,
        rank,
      ),
  );
  return y;
}
