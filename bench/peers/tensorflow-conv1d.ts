// A convolution over one dimension in TensorFlow.js, as fast as its user may have it: channels last from the first, the
// bias added in the same call, and no padding of its own where 'same' or 'valid' say it.
import { convolutionWeights } from '../convolution-runner.js';
import { CONVOLUTIONS } from '../convolutions.js';
import type { Job } from '../data.js';

export interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

interface Convolved {
  readonly x: TfTensor;
  readonly filter: TfTensor;
  readonly strides: readonly [number, number];
  readonly pad: 'same' | 'valid';
  readonly dataFormat: 'NHWC';
  readonly dilations: readonly [number, number];
  readonly bias: TfTensor;
}

export interface TfConvolution {
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, order: readonly number[]): TfTensor;
  pad(x: TfTensor, sides: readonly (readonly [number, number])[]): TfTensor;
  tidy(run: () => TfTensor): TfTensor;
  readonly fused: {
    readonly conv2d: (call: Convolved) => TfTensor;
    readonly depthwiseConv2d: (call: Convolved) => TfTensor;
  };
}

/** The call on [N, 1, L, C], and one that shows its output as [N, C, L]. */
export function conv1d(
  tf: TfConvolution,
  job: Job,
): { call: () => TfTensor; shown: () => TfTensor; tensors: TfTensor[] } {
  const [n = 0, c = 0, l = 0] = job.case.shape;
  const { weight: sizes, options = {} } = CONVOLUTIONS[job.case.operation!]!;
  const [out = 0, inner = 0, taps = 0] = sizes;
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const numbers = convolutionWeights(job);
  const isDepthwise = groups > 1;
  const turned = (data: Float32Array, shape: readonly number[], order: readonly number[]) =>
    tf.tidy(() => tf.transpose(tf.tensor(data, shape), order));
  const x = turned(job.x as Float32Array, [n, c, 1, l], [0, 2, 3, 1]);
  const filter = turned(
    Float32Array.from(numbers.weight),
    [out, inner, 1, taps],
    isDepthwise ? [2, 3, 0, 1] : [2, 3, 1, 0],
  );
  const bias = tf.tensor(Float32Array.from(numbers.bias), [out]);
  const isSame = stride === 1 && padding > 0 && 2 * padding === dilation * (taps - 1);
  const aside = padding > 0 && !isSame;
  const sides = [0, 0, padding, 0].map((each): [number, number] => [each, each]);
  const run = isDepthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  const call = (): TfTensor =>
    tf.tidy(() =>
      run({
        x: aside ? tf.pad(x, sides) : x,
        filter,
        strides: [stride, stride],
        pad: isSame ? 'same' : 'valid',
        dataFormat: 'NHWC',
        dilations: isDepthwise ? [dilation, dilation] : [1, dilation],
        bias,
      }),
    );
  const shown = (): TfTensor => tf.tidy(() => tf.transpose(call(), [0, 3, 1, 2]));
  return { call, shown, tensors: [x, filter, bias] };
}
