// Elements moved from one place to another: binding/strided.h explains the arguments.
import type { Floats } from './floats.js';

export interface StridedCalls {
  copyStrided(
    from: Floats,
    to: Floats,
    lengthFrom: number,
    lengthTo: number,
    layout: Float64Array,
    rank: number,
  ): void;
  fill(x: Floats, value: number, n: number): void;
  /** Each of the four returns -1, or where the first index stands that is none of 0 to size - 1. */
  indexSelect(
    x: Floats,
    index: Int32Array | BigInt64Array,
    y: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): number;
  gather(
    x: Floats,
    index: Int32Array | BigInt64Array,
    y: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): number;
  indexAdd(
    x: Floats,
    index: Int32Array | BigInt64Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): number;
  /** x is written: what `indexAdd` makes of zeros. */
  indexSum(
    x: Floats,
    index: Int32Array | BigInt64Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): number;
  scatterAdd(
    x: Floats,
    index: Int32Array | BigInt64Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): number;
}
