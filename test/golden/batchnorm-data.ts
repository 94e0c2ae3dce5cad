// The BatchNorm cases of scripts/golden/make.py: what is in the file, and a layer set up like it.
import { nn } from 'evenkeel';

import { decode, readGolden, type DTypeName, type Encoded } from '../helpers/golden.js';

export interface Inputs {
  readonly dtype: DTypeName;
  readonly layout: 'NCL' | 'NLC';
  /** As stored: channels second, or last with layout 'NLC'. */
  readonly shape: number[];
  readonly channels: number;
  readonly weight: Encoded;
  readonly bias: Encoded;
  /** One input and one gradient a step. */
  readonly x: Encoded[];
  readonly dy: Encoded[];
}

export interface StepResult {
  readonly y: Encoded;
  readonly dx: Encoded;
  readonly dweight: Encoded | null;
  readonly dbias: Encoded | null;
  readonly runningMean: Encoded | null;
  readonly runningVar: Encoded | null;
  readonly numBatchesTracked: number;
}

export interface Case {
  /** A key of `inputs`. */
  readonly inputs: string;
  readonly affine: 'both' | 'none' | 'weight';
  readonly track: boolean;
  readonly momentum: number | null;
  readonly eps: number;
  /** From float64. */
  readonly steps: StepResult[];
  /** From PyTorch's float32 kernels. */
  readonly torch32?: StepResult[];
}

export const data = readGolden('batchnorm') as {
  readonly torch: string;
  /** The steps before the one in evaluation. */
  readonly trainingSteps: number;
  readonly inputs: Record<string, Inputs>;
  readonly cases: Case[];
};

export type Layer = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d;

export function buildLayer(each: Case, inputs: Inputs): Layer {
  const ranks = [nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d];
  const layer = ranks[inputs.shape.length - 2]!;
  const bn = new layer(inputs.channels, {
    eps: each.eps,
    momentum: each.momentum,
    trackRunningStats: each.track,
    affine: each.affine !== 'none',
    bias: each.affine !== 'weight',
    dtype: inputs.dtype,
    layout: inputs.layout,
  });
  const { weight, bias } = parametersOf(each, inputs);
  if (weight !== null) bn.weight!.data.set(weight);
  if (bias !== null) bn.bias!.data.set(bias);
  return bn;
}

export function parametersOf(
  { affine }: Case,
  inputs: Inputs,
): { weight: Float32Array | Float64Array | null; bias: Float32Array | Float64Array | null } {
  return {
    weight: affine === 'none' ? null : decode(inputs.weight),
    bias: affine === 'both' ? decode(inputs.bias) : null,
  };
}

/** Which channel element i belongs to. */
export function channelIn({ layout, shape, channels }: Inputs): (i: number) => number {
  if (layout === 'NLC') return (i) => i % channels;
  const inner = shape.slice(2).reduce((a, b) => a * b, 1);
  return (i) => Math.floor(i / inner) % channels;
}
