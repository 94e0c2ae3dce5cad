// The variance that Dropout adds in training and not in evaluation (Li, Chen, Hu, Yang 2019, "Understanding the
// Disharmony between Dropout and Batch Normalization by Variance Shift"): measured at every BatchNorm, and predicted
// where Dropout, or Dropout and a Linear, come right before it.
import { Moments } from '../functional/batchnorm/moments.js';
import { linear } from '../functional/linear.js';
import { BatchNorm } from '../nn/batchnorm/layer.js';
import { Dropout } from '../nn/dropout.js';
import { Linear } from '../nn/linear.js';
import type { Module } from '../nn/module/module.js';
import { floats, Tensor } from '../tensor/tensor.js';
import { mean } from './distribution.js';
import type { Seen } from './seen.js';

/** What a Dropout before a layer does to the layer's input. */
export interface VarianceShift {
  /** Path of the Dropout that is next before it; null where another operation lies in between. */
  readonly dropout: string | null;
  readonly p: number | null;
  /** Variance in evaluation over that in training, geometric mean over channels. */
  readonly ratio: number;
  /** The same of the next Dropout alone: variance without it over variance with it, measured and predicted. */
  readonly ownRatio: number | null;
  readonly predictedRatio: number | null;
}

/** What came out of a Dropout, and what made the layer's input of it. */
interface Origin {
  readonly dropout: Dropout;
  readonly before: Tensor;
  readonly through: Linear | null;
}

/** Of one layer, over all batches. */
interface Sums {
  readonly dropout: Dropout;
  readonly without: Moments;
  readonly withIt: Moments;
  /** p / (1 - p) · Σ w² E[x²], summed over rows, per channel. */
  readonly added: Float64Array;
}

/** Follows tensors from a Dropout to a BatchNorm during a pass with dropout. */
export class DropoutTrail {
  private readonly origins = new WeakMap<object, Origin>();
  private readonly sums = new Map<BatchNorm, Sums>();
  private readonly handles: { remove(): void }[] = [];

  constructor(private readonly model: Module) {
    for (const module of model.modules()) {
      if (module instanceof Dropout || module instanceof Linear) {
        this.handles.push(
          module.registerForwardHook((_, [x], y) => {
            this.follow(module, x, y);
            return undefined;
          }),
        );
      } else if (module instanceof BatchNorm) {
        this.handles.push(
          module.registerForwardPreHook((_, [x]) => {
            const origin = x instanceof Tensor ? this.origins.get(x) : undefined;
            if (origin !== undefined) this.arrive(module, origin, x as Tensor);
            return undefined;
          }),
        );
      }
    }
  }

  static isNeeded(model: Module): boolean {
    return [...model.modules()].some((module) => module instanceof Dropout && module.p > 0);
  }

  remove(): void {
    for (const handle of this.handles) handle.remove();
  }

  private follow(module: Dropout | Linear, x: unknown, y: unknown): void {
    if (!(x instanceof Tensor) || !(y instanceof Tensor)) return;
    if (module instanceof Dropout) {
      if (module.p > 0) this.origins.set(y, { dropout: module, before: x, through: null });
      return;
    }
    const origin = this.origins.get(x);
    if (origin?.through === null) this.origins.set(y, { ...origin, through: module });
  }

  private arrive(layer: BatchNorm, { dropout, before, through }: Origin, x: Tensor): void {
    if (x.shape.length !== 2 || before.shape.length !== 2 || dropout.p >= 1) return;
    const [n = 0, c = 0] = x.shape;
    if (n === 0) return;
    const sums = this.sums.get(layer) ?? {
      dropout,
      without: new Moments(c),
      withIt: new Moments(c),
      added: new Float64Array(c),
    };
    this.sums.set(layer, sums);
    const undropped =
      through === null ? before : linear(before, through.weight.detach(), through.bias?.detach());
    sums.without.merge(Moments.of('diagnose', undropped, { n, c, l: 1 }));
    sums.withIt.merge(Moments.of('diagnose', x, { n, c, l: 1 }));
    addMaskVariance(sums.added, before, through, dropout.p);
  }

  /** @param evaluation - What the layer has seen without dropout, @param training - and with it. */
  shiftOf(layer: BatchNorm, evaluation: Seen, training: Seen): VarianceShift {
    const sums = this.sums.get(layer);
    const path = [...this.model.namedModules()].find(([, each]) => each === sums?.dropout)?.[0];
    const ratio = geometricRatio(evaluation.variance, training.variance, layer.eps);
    if (sums === undefined) {
      return { dropout: null, p: null, ratio, ownRatio: null, predictedRatio: null };
    }
    const { without, withIt, added } = sums;
    const variance = without.rows.subarray(3 * without.channels);
    const predicted = variance.map((each, c) => each + added[c]! / without.count);
    return {
      dropout: path ?? null,
      p: sums.dropout.p,
      ratio,
      ownRatio: geometricRatio(variance, withIt.rows.subarray(3 * withIt.channels), layer.eps),
      predictedRatio: geometricRatio(variance, predicted, layer.eps),
    };
  }
}

/**
 * The law of total variance: given x, the masks of Dropout are independent, so Var(Σ w m x / (1 - p)) over the masks
 * is p / (1 - p) · Σ w² x².
 */
function addMaskVariance(
  added: Float64Array,
  before: Tensor,
  through: Linear | null,
  p: number,
): void {
  const [n = 0, inner = 0] = before.shape;
  const data = floats(before);
  const squares = new Float64Array(inner);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < inner; i++) squares[i]! += data[row * inner + i]! ** 2;
  }
  const scale = p / (1 - p);
  const weight = through === null ? null : floats(through.weight);
  for (let c = 0; c < added.length; c++) {
    if (weight === null) {
      added[c]! += scale * squares[c]!;
      continue;
    }
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += weight[c * inner + i]! ** 2 * squares[i]!;
    added[c]! += scale * sum;
  }
}

function geometricRatio(a: ArrayLike<number>, b: ArrayLike<number>, eps: number): number {
  const logs = Array.from(a, (each, c) => Math.log((each + eps) / (b[c]! + eps)));
  return Math.exp(mean(logs));
}
