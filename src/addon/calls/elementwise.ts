// Element by element: binding/elementwise.h and arithmetic.h explain the arguments.
import type { Floats } from './floats.js';

export interface ElementwiseCalls {
  relu(x: Floats, y: Floats, n: number): void;
  reluBackward(y: Floats, dy: Floats, dx: Floats, n: number): void;
  add(a: Floats, b: Floats, out: Floats, n: number): void;
  multiply(a: Floats, b: Floats, out: Floats, n: number): void;
  scale(x: Floats, factor: number, out: Floats, n: number): void;
  sum(x: Floats, n: number): number;
  mean(x: Floats, n: number): number;
  /** `code`: src/functional/pointwise/codes.ts. */
  unary(x: Floats, y: Floats, n: number, code: number, p: number, q: number): void;
  /** `layout`: `rank` sizes, then as many strides for each operand; null with rank 0 where all are of one shape. */
  binary(
    a: Floats,
    b: Floats,
    y: Floats,
    lengthA: number,
    lengthB: number,
    n: number,
    code: number,
    p: number,
    q: number,
    layout: Float64Array | null,
    rank: number,
  ): void;
  compare(
    a: Floats,
    b: Floats,
    y: Int32Array,
    lengthA: number,
    lengthB: number,
    n: number,
    code: number,
    layout: Float64Array | null,
    rank: number,
  ): void;
  choose(
    a: Floats,
    b: Floats,
    mask: Int32Array,
    y: Floats,
    lengthA: number,
    lengthB: number,
    lengthMask: number,
    n: number,
    layout: Float64Array | null,
    rank: number,
  ): void;
}
