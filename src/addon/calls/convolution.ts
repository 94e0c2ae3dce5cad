// Convolutions and pooling: binding/convolution.h and binding/pooling.h explain the arguments.
import type { Floats } from './floats.js';

export interface ConvolutionCalls {
  conv1d(
    x: Floats,
    weight: Floats,
    bias: Floats | null,
    y: Floats,
    samples: number,
    inChannels: number,
    outChannels: number,
    groups: number,
    length: number,
    outLength: number,
    taps: number,
    stride: number,
    dilation: number,
    pad: number,
  ): void;
  conv1dTransposed(
    dy: Floats,
    weight: Floats,
    bias: Floats | null,
    dx: Floats,
    samples: number,
    inChannels: number,
    outChannels: number,
    groups: number,
    length: number,
    outLength: number,
    taps: number,
    stride: number,
    dilation: number,
    pad: number,
  ): void;
  conv1dWeightGradient(
    x: Floats,
    dy: Floats,
    dweight: Floats,
    totals: Float64Array | null,
    samples: number,
    inChannels: number,
    outChannels: number,
    groups: number,
    length: number,
    outLength: number,
    taps: number,
    stride: number,
    dilation: number,
    pad: number,
  ): void;
  channelSums(x: Floats, sums: Floats, samples: number, channels: number, length: number): void;
  maxWindows(
    x: Floats,
    y: Floats,
    indices: Int32Array | null,
    bounds: Int32Array,
    rows: number,
    length: number,
    windows: number,
    dilation: number,
  ): void;
  maxWindowsBackward(
    dy: Floats,
    indices: Int32Array,
    dx: Floats,
    rows: number,
    length: number,
    windows: number,
  ): void;
  meanWindows(
    x: Floats,
    y: Floats,
    divisors: Float64Array,
    bounds: Int32Array,
    rows: number,
    length: number,
    windows: number,
    dilation: number,
  ): void;
  meanWindowsBackward(
    dy: Floats,
    dx: Floats,
    divisors: Float64Array,
    bounds: Int32Array,
    rows: number,
    length: number,
    windows: number,
    dilation: number,
  ): void;
}
