// Losses and their gradients: binding/loss.h and losses.h explain the arguments.
import type { Floats } from './floats.js';

export interface LossCalls {
  /** Returns -1, or where the first target stands that is neither a class nor ignored; so do rowLosses and nllLosses. */
  crossEntropy(
    logits: Floats,
    targets: Int32Array | BigInt64Array,
    labels: Int32Array,
    probabilities: Floats,
    rows: number,
    classes: number,
    ignoreIndex: number,
    out: Float64Array,
  ): number;
  crossEntropyBackward(
    probabilities: Floats,
    targets: Int32Array,
    gradient: Floats,
    rows: number,
    classes: number,
    ignoreIndex: number,
    factor: number,
  ): void;
  squaredError(prediction: Floats, target: Floats, n: number): number;
  meanSquaredError(prediction: Floats, target: Floats, n: number): number;
  squaredErrorBackward(
    prediction: Floats,
    target: Floats,
    factor: number,
    gradient: Floats,
    n: number,
  ): void;
  lossSum(
    x: Floats,
    target: Floats,
    weight: Floats | null,
    positive: Floats | null,
    kind: number,
    n: number,
    p: number,
    divisor: number,
  ): number;
  lossValues(
    x: Floats,
    target: Floats,
    weight: Floats | null,
    positive: Floats | null,
    kind: number,
    n: number,
    p: number,
    out: Floats,
  ): void;
  lossGradients(
    x: Floats,
    target: Floats,
    weight: Floats | null,
    positive: Floats | null,
    kind: number,
    n: number,
    p: number,
    ofTarget: boolean,
    dy: Floats | null,
    factor: number,
    out: Floats,
  ): void;
  rowLosses(
    logits: Floats,
    targets: Int32Array | BigInt64Array | Floats,
    labels: Int32Array | null,
    weight: Float64Array | null,
    rows: number,
    classes: number,
    ignoreIndex: number,
    smoothing: number,
    lse: Float64Array,
    values: Floats | null,
    out: Float64Array,
  ): number;
  rowGradients(
    logits: Floats,
    targets: Int32Array | Floats,
    weight: Float64Array | null,
    rows: number,
    classes: number,
    hard: boolean,
    ignoreIndex: number,
    smoothing: number,
    lse: Float64Array,
    dy: Floats | null,
    factor: number,
    dx: Floats | null,
    dtarget: Floats | null,
  ): void;
  firstOutside(x: Floats, n: number, low: number, high: number): number;
  nllLosses(
    x: Floats,
    targets: Int32Array | BigInt64Array,
    labels: Int32Array,
    weight: Float64Array | null,
    outer: number,
    classes: number,
    inner: number,
    ignoreIndex: number,
    values: Floats | null,
    out: Float64Array,
  ): number;
  nllGradients(
    dx: Floats,
    labels: Int32Array,
    weight: Float64Array | null,
    outer: number,
    classes: number,
    inner: number,
    ignoreIndex: number,
    dy: Floats | null,
    factor: number,
  ): void;
  cosines(
    a: Floats,
    b: Floats,
    y: Floats,
    sums: Float64Array,
    rows: number,
    size: number,
    eps: number,
  ): void;
  cosineGradients(
    a: Floats,
    b: Floats,
    sums: Float64Array,
    dy: Floats,
    rows: number,
    size: number,
    eps: number,
    da: Floats | null,
    db: Floats | null,
  ): void;
  embeddingLosses(
    a: Floats,
    b: Floats,
    signs: Int32Array,
    rows: number,
    size: number,
    margin: number,
    sums: Float64Array,
    values: Floats | null,
  ): number;
  embeddingGradients(
    a: Floats,
    b: Floats,
    signs: Int32Array,
    rows: number,
    size: number,
    margin: number,
    sums: Float64Array,
    dy: Floats | null,
    factor: number,
    da: Floats | null,
    db: Floats | null,
  ): void;
  tripletLosses(
    anchor: Floats,
    positive: Floats,
    negative: Floats,
    rows: number,
    size: number,
    margin: number,
    eps: number,
    squares: boolean,
    swap: boolean,
    distances: Float64Array,
    values: Floats | null,
  ): number;
  tripletGradients(
    anchor: Floats,
    positive: Floats,
    negative: Floats,
    rows: number,
    size: number,
    margin: number,
    eps: number,
    squares: boolean,
    swap: boolean,
    distances: Float64Array,
    dy: Floats | null,
    factor: number,
    dAnchor: Floats | null,
    dPositive: Floats | null,
    dNegative: Floats | null,
  ): void;
}
