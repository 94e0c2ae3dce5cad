// Steps of optimisers, and what is done to gradients and averages: binding/optimizer.h and training.h explain the arguments.
import type { Floats } from './floats.js';

export interface OptimizerCalls {
  sgdStep(
    parameter: Floats,
    gradient: Floats,
    momentumBuffer: Floats | null,
    n: number,
    lr: number,
    momentum: number,
    dampening: number,
    weightDecay: number,
    nesterov: boolean,
    maximize: boolean,
    first: boolean,
  ): void;
  adamStep(
    parameter: Floats,
    gradient: Floats,
    m: Floats,
    v: Floats,
    n: number,
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    weightDecay: number,
    biasCorrection1: number,
    biasCorrection2Sqrt: number,
    decoupled: boolean,
    maximize: boolean,
  ): void;
  rmspropStep(
    parameter: Floats,
    gradient: Floats,
    square: Floats,
    momentumBuffer: Floats | null,
    mean: Floats | null,
    n: number,
    lr: number,
    alpha: number,
    eps: number,
    weightDecay: number,
    momentum: number,
    maximize: boolean,
  ): void;
  adagradStep(
    parameter: Floats,
    gradient: Floats,
    sum: Floats,
    n: number,
    lr: number,
    eps: number,
    weightDecay: number,
    maximize: boolean,
  ): void;
  nadamMomentum(beta1: number, momentumDecay: number, t: number): number;
  nadamStep(
    parameter: Floats,
    gradient: Floats,
    m: Floats,
    v: Floats,
    n: number,
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    weightDecay: number,
    biasCorrection2: number,
    gradientRate: number,
    momentRate: number,
    decoupled: boolean,
    maximize: boolean,
  ): void;
  larsStep(
    parameter: Floats,
    gradient: Floats,
    momentumBuffer: Floats,
    n: number,
    lr: number,
    momentum: number,
    weightDecay: number,
    trust: number,
    maximize: boolean,
  ): void;
  lerp(a: Floats, b: Floats, weight: number, out: Floats, n: number): void;
  clipValues(x: Floats, most: number, out: Floats, n: number): void;
  normPart(x: Floats, n: number, type: number): number;
}
