// Sums and the like over dimensions, softmax and sorting: binding/reductions.h explains the arguments.
import type { Floats } from './floats.js';

export interface ReductionCalls {
  /** `code`: src/functional/reductions/reduce.ts. */
  reduce(
    x: Floats,
    y: Floats,
    code: number,
    outer: number,
    size: number,
    inner: number,
    correction: number,
  ): void;
  extremeIndices(
    x: Floats,
    indices: BigInt64Array,
    largest: boolean,
    outer: number,
    size: number,
    inner: number,
  ): void;
  softmax(x: Floats, y: Floats, log: boolean, outer: number, size: number, inner: number): void;
  softmaxBackward(
    y: Floats,
    dy: Floats,
    dx: Floats,
    log: boolean,
    outer: number,
    size: number,
    inner: number,
  ): void;
  sort(
    x: Floats,
    y: Floats,
    indices: BigInt64Array,
    rows: number,
    size: number,
    k: number,
    descending: boolean,
  ): void;
}
