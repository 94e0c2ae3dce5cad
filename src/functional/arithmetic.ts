// The little arithmetic a loss or a residual connection needs. Shapes must be equal: no broadcasting.
import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { record, Tensor, type TensorLike } from '../tensor/tensor.js';

function pair(who: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const left = Tensor.from(a);
  const right = Tensor.from(b);
  check.floating(who, 'the first operand', left);
  check.sameDtype(who, 'the second operand', right, left.dtype);
  check.sameShape(who, 'the second operand', right, left.shape);
  // One of one value has no array, and mul needs none.
  if (left.expandedValue === null) left.present(who, 'the first operand');
  if (right.expandedValue === null) right.present(who, 'the second operand');
  return [left, right];
}

/** a + b, elementwise. Same shape and dtype. */
export function add(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = pair('add', a, b);
  const y = Tensor.like(left);
  perform(
    {
      who: 'add',
      work: y.numel,
      reads: { 'the first operand': left, 'the second operand': right },
      writes: [y],
    },
    (native, arrayOf) => native.add(arrayOf(left), arrayOf(right), arrayOf(y), y.numel),
  );
  return record('add', y, [left, right], [], (dy) => [dy, dy]);
}

/** a · b, elementwise. Same shape and dtype. */
export function mul(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = pair('mul', a, b);
  const product = (x: Tensor, y: Tensor): Tensor => {
    const out = Tensor.like(y);
    const { expandedValue } = x;
    perform(
      {
        who: 'mul',
        work: out.numel,
        reads: { 'an operand': expandedValue === null ? x : null, 'the other operand': y },
        writes: [out],
      },
      (native, arrayOf) =>
        expandedValue !== null
          ? native.scale(arrayOf(y), expandedValue, arrayOf(out), out.numel)
          : native.multiply(arrayOf(x), arrayOf(y), arrayOf(out), out.numel),
    );
    return out;
  };
  const kept = [...(left.requiresGrad ? [right] : []), ...(right.requiresGrad ? [left] : [])];
  return record('mul', product(left, right), [left, right], kept, (dy, needs) => [
    needs[0] ? product(dy, right) : null,
    needs[1] ? product(dy, left) : null,
  ]);
}

/** The sum of all elements, as a scalar; added in double (float64: in two doubles), rounded once. */
export function sum(x: TensorLike): Tensor {
  const input = Tensor.from(x);
  return total('sum', input, 1);
}

/** The mean of all elements, as a scalar, rounded once: that of equal values is their value. */
export function mean(x: TensorLike): Tensor {
  const input = Tensor.from(x);
  return total('mean', input, input.numel);
}

function total(who: 'sum' | 'mean', input: Tensor, divisor: number): Tensor {
  check.floating(who, 'the input', input);
  input.present(who, 'the input');
  const y = Tensor.uninitialized([], input.dtype);
  perform(
    {
      who,
      work: input.numel,
      reads: { 'the input': input },
      writes: [y],
    },
    (native, arrayOf) => native[who](arrayOf(input), input.numel),
    (arrayOf, result) => {
      arrayOf(y)[0] = result as number;
    },
  );
  return record(who, y, [input], [], (dy) => [
    Tensor.expanded(input.shape, input.dtype, dy.item() / divisor),
  ]);
}

/** The same elements in the same order under another shape; shares memory. */
export function reshape(x: TensorLike, shape: readonly number[]): Tensor {
  const input = Tensor.from(x);
  const sizes = check.shape('reshape', shape);
  if (check.numelOf(sizes) !== input.numel) {
    throw check.wrongValue(
      'reshape',
      `a shape of ${input.numel} elements`,
      `shape ${check.shapeText(sizes)}`,
    );
  }
  input.present('reshape', 'the input');
  return record('reshape', input.alias(sizes), [input], [], (dy) => [dy.alias(input.shape)]);
}
