// What an operation asks of its tensors: that their memory is there, their dtype, their shape.
import { wrongValue } from './sentences.js';
import { equalShapes, shapeText } from './shapes.js';

/** How to get another dtype, for the messages. */
export function converting(dtype: string): string {
  return `x.to('${dtype}') converts`;
}

/** What a check needs to know of a tensor. */
export interface Described {
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** That the memory behind a tensor is still there: a transferred or shrunk buffer is not. */
export function attached(
  who: string,
  name: string,
  length: number,
  sizes: readonly number[],
  numel: number,
): void {
  if (length !== numel) {
    throw new TypeError(
      `${who}: expected ${name} to hold the ${numel} elements of shape ${shapeText(sizes)}, ` +
        `got ${length} (its buffer was detached, shrunk or disposed of).`,
    );
  }
}

/** @param more - What else helps. */
export function floating(who: string, name: string, tensor: Described, more = ''): void {
  if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') {
    throw new TypeError(
      `${who}: expected ${name} to be float32 or float64, got ${tensor.dtype} (${converting('float32')}${more}).`,
    );
  }
}

/** `what`: where the expected dtype comes from, for the message. */
export function dtype(
  who: string,
  name: string,
  tensor: Described,
  expected: string,
  what = '',
): void {
  if (tensor.dtype !== expected) {
    throw new TypeError(
      `${who}: expected ${name} to be ${expected}${what}, got ${tensor.dtype} ` +
        `(all inputs must share same datatype; ${converting(expected)}).`,
    );
  }
}

export function sameDtype(who: string, name: string, tensor: Described, expected: string): void {
  dtype(who, name, tensor, expected, ' like the input');
}

export function sameShape(
  who: string,
  name: string,
  tensor: Described,
  expected: readonly number[],
): void {
  if (!equalShapes(tensor.shape, expected)) {
    throw wrongValue(
      who,
      `${name} of shape ${shapeText(expected)}`,
      `shape ${shapeText(tensor.shape)}`,
    );
  }
}
