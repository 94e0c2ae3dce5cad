// What is measured: seeded shapes, and for each the pass over memory it is held against.
import { nn, tensor, type Tensor } from 'evenkeel';

export interface Case {
  /** [N, C] or [N, C, L]. */
  readonly shape: readonly number[];
  readonly x: Tensor;
  readonly out: Tensor;
  readonly layer: nn.BatchNorm1d;
}

/** The shapes of the first figure: small, in L2, in L3, out of cache, in both layouts. */
export const SHAPES: readonly (readonly number[])[] = [
  [32, 64],
  [256, 1024],
  [4096, 512],
  [8192, 1024],
  [32, 64, 128],
  [32, 256, 512],
];

/** A case with values in [-1, 3), the same in every run (a 32-bit linear congruential generator). */
export function makeCase(shape: readonly number[]): Case {
  const numel = shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(numel);
  let state = 12345;
  for (let i = 0; i < numel; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 30 - 1;
  }
  return {
    shape,
    x: tensor(values, shape),
    out: tensor(new Float32Array(numel), shape),
    layer: new nn.BatchNorm1d(shape[1] ?? 0),
  };
}

/** Bytes of one pass over x. */
export function bytes(shape: readonly number[]): number {
  return 4 * shape.reduce((a, b) => a * b, 1);
}
