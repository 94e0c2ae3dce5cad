// Shapes: lists of sizes.
import { isList } from './arrays.js';
import { wrongKind, wrongValue } from './sentences.js';
import { wholeNumber } from './values.js';

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** The number of elements of a shape, or of its dimensions from `first` to before `end`. */
export function numelOf(shape: readonly number[], first = 0, end = shape.length): number {
  let numel = 1;
  for (let i = first; i < end; i++) {
    if (shape[i] === 0) return 0; // the other sizes' product may be infinite, and 0 times that is NaN
    numel *= shape[i]!;
  }
  return numel;
}

export function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  // A loop: `every` of a frozen array, as shapes are, takes V8 0.1 µs longer.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** As many as PyTorch has; what walks a tensor by its dimensions may call itself once for each. */
export const MOST_DIMENSIONS = 64;

/** That a shape has no more dimensions than a tensor may have. */
export function rank(who: string, dimensions: number): void {
  if (dimensions <= MOST_DIMENSIONS) return;
  throw wrongValue(who, `at most ${MOST_DIMENSIONS} dimensions`, String(dimensions));
}

/** A list of sizes, copied: what is checked is what is used. */
export function shape(who: string, value: unknown): number[] {
  if (!isList(value)) throw wrongKind(who, 'a shape (an array of sizes)', value);
  rank(who, value.length);
  const sizes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const size = value[i];
    const number = typeof size === 'bigint' ? Number(size) : size;
    sizes.push(wholeNumber(who, 'every size of a shape', number, 0));
  }
  if (!Number.isSafeInteger(numelOf(sizes))) {
    throw wrongValue(who, 'at most 2^53 - 1 elements', `shape ${shapeText(sizes)}`);
  }
  return sizes;
}
