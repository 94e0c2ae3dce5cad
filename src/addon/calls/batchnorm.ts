// Batch normalisation: binding/batchnorm.h, passes.h, moments.h and lengths.h explain the arguments.
import type { Floats } from './floats.js';

export interface BatchNormCalls {
  batchNormForward(
    x: Floats,
    y: Floats,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    runningMean: Floats | null,
    runningVar: Floats | null,
    saved: Float64Array | null,
    useRunning: boolean,
    update: boolean,
    momentum: number,
    eps: number,
    relu: boolean,
  ): 'out' | 'running_mean' | 'running_var' | undefined;
  batchNormBackward(
    x: Floats,
    dy: Floats | null,
    dyValue: number,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    dx: Floats | null,
    dweight: Floats | null,
    dbias: Floats | null,
    usedRunning: boolean,
    relu: boolean,
  ): void;
  batchNormActivated(
    x: Floats,
    y: Floats,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    runningMean: Floats | null,
    runningVar: Floats | null,
    saved: Float64Array | null,
    useRunning: boolean,
    update: boolean,
    momentum: number,
    eps: number,
    relu: boolean,
    code: number,
    p: number,
    q: number,
    slopes: Floats | null,
  ): 'out' | 'running_mean' | 'running_var' | undefined;
  activationBackward(
    x: Floats,
    dy: Floats,
    dz: Floats,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    gradient: number,
    p: number,
    q: number,
    slopes: Floats | null,
    products: Floats | null,
  ): void;
  normalizeByMoments(
    x: Floats,
    y: Floats,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    moments: Float64Array,
    saved: Float64Array | null,
    eps: number,
    relu: boolean,
  ): void;
  gradientSums(
    x: Floats,
    dy: Floats | null,
    dyValue: number,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    sums: Float64Array,
    dweight: Floats | null,
    dbias: Floats | null,
    relu: boolean,
  ): void;
  gradientBySums(
    x: Floats,
    dy: Floats | null,
    dyValue: number,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    sums: Float64Array,
    count: number,
    dx: Floats | null,
    dweight: Floats | null,
    dbias: Floats | null,
    relu: boolean,
  ): void;
  batchMoments(x: Floats, moments: Float64Array, n: number, c: number, l: number): void;
  firstShift(x: Floats, shift: Floats, n: number, c: number, l: number): void;
  batchSums(x: Floats, shift: Floats, sums: Float64Array, n: number, c: number, l: number): void;
  momentsOfSums(
    shift: Floats,
    sums: Float64Array,
    moments: Float64Array,
    count: number,
    c: number,
  ): void;
  mergeMoments(
    into: Float64Array,
    count: number,
    from: Float64Array,
    more: number,
    c: number,
  ): void;
  finiteMoments(moments: Float64Array, count: number, c: number, float64: boolean): boolean;
  moveByMoments(
    runningMean: Floats,
    runningVar: Floats,
    moments: Float64Array,
    count: number,
    momentum: number,
    c: number,
  ): void;
  pack(
    x: Floats,
    packed: Floats,
    lengths: Int32Array,
    n: number,
    c: number,
    l: number,
    unit: number,
  ): void;
  unpack(
    x: Floats,
    packed: Floats,
    lengths: Int32Array,
    n: number,
    c: number,
    l: number,
    unit: number,
  ): void;
}
