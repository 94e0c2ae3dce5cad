// Matrix products: binding/linear.h explains the arguments.
import type { Floats } from './floats.js';

export interface LinearCalls {
  matmul(
    a: Floats,
    b: Floats,
    bias: Floats | null,
    c: Floats,
    m: number,
    n: number,
    k: number,
    transposeA: boolean,
    transposeB: boolean,
  ): void;
  matmulBatch(
    a: Floats,
    b: Floats,
    c: Floats,
    count: number,
    repeatA: boolean,
    repeatB: boolean,
    m: number,
    n: number,
    k: number,
    transposeA: boolean,
    transposeB: boolean,
  ): void;
  leafProducts(a: Floats, b: Floats, c: Floats, m: number, n: number, k: number): void;
  columnSums(x: Floats, sums: Floats, rows: number, columns: number): void;
  columnTotals(x: Floats, totals: Float64Array, rows: number, columns: number): void;
}
