// Losses and their gradients: binding/loss.h and losses.h explain the arguments.
import type { Floats } from './floats.js';

export interface LossCalls {
  crossEntropy(
    logits: Floats,
    targets: Int32Array,
    probabilities: Floats,
    rows: number,
    classes: number,
    ignoreIndex: number,
    out: Float64Array,
  ): void;
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
  lossSlopes(
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
    targets: Int32Array | Floats,
    weight: Float64Array | null,
    rows: number,
    classes: number,
    hard: boolean,
    ignoreIndex: number,
    smoothing: number,
    lse: Float64Array,
    loss: Float64Array,
  ): void;
  rowSlopes(
    logits: Floats,
    targets: Int32Array | Floats,
    weight: Float64Array | null,
    rows: number,
    classes: number,
    hard: boolean,
    ignoreIndex: number,
    smoothing: number,
    lse: Float64Array,
    scale: Float64Array,
    dx: Floats | null,
    dtarget: Floats | null,
  ): void;
}
