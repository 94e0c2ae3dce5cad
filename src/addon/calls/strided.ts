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
  indexSelect(
    x: Floats,
    index: Int32Array,
    y: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  gather(
    x: Floats,
    index: Int32Array,
    y: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  indexAdd(
    x: Floats,
    index: Int32Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  scatterAdd(
    x: Floats,
    index: Int32Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
}
