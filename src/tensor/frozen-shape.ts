// Shapes are frozen, because tensors share them; and frozen arrays are slow to read.

/** The shape that was frozen last, as most results have the one of their input; and the same sizes, not frozen. */
let lastFrozen: readonly number[] = Object.freeze([]);
let lastSizes: readonly number[] = [];

/** @internal Freezes a shape, because tensors share it; returns the same sizes for `sizesOf`. */
export function freeze(shape: readonly number[]): readonly number[] {
  if (shape !== lastFrozen) {
    lastSizes = shape.slice();
    lastFrozen = Object.freeze(shape);
  }
  return lastSizes;
}
