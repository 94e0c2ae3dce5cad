// What convolutions, pools and embeddings refuse: each of their checks, by its whole sentence.
// Longer than 250 lines because each check has its call and its sentence.
import { expect, test } from 'vitest';

import { functional, nn, tensor, zeros, type Tensor } from '../../src/index.js';

const of = (...shape: number[]): Tensor => zeros(shape);
const double = (...shape: number[]): Tensor => zeros(shape, { dtype: 'float64' });
const disposed = (each: Tensor): Tensor => {
  each.dispose();
  return each;
};
const x = of(2, 3, 8);
const weight = of(4, 3, 3);
const table = of(4, 2);
const words = new nn.Embedding(4, 2);

type Kind = typeof TypeError | typeof RangeError;

test.each<readonly [() => unknown, Kind, string]>([
  [
    () => functional.conv1d(x, weight, null, { padding: [1] as never }),
    TypeError,
    "conv1d: expected padding to be a whole number, 'same' or 'valid', got an array of length 1.",
  ],
  [
    () => functional.conv1d(x, weight, null, { padding: -1 }),
    RangeError,
    'conv1d: expected padding to be a whole number from 0 to 2147483647, got -1.',
  ],
  [
    () => functional.conv1d(x, weight, null, { stride: 0 }),
    RangeError,
    'conv1d: expected stride to be a positive integer, got 0.',
  ],
  [
    () => functional.conv1d(x, weight, null, { dilation: 0 }),
    RangeError,
    'conv1d: expected dilation to be a positive integer, got 0.',
  ],
  [
    () => functional.conv1d(x, weight, null, { groups: 0 }),
    RangeError,
    'conv1d: expected groups to be a positive integer, got 0.',
  ],
  [
    () => functional.conv1d(x, weight, null, { strides: 2 } as never),
    TypeError,
    "conv1d: expected options among stride, padding, dilation, groups, layout, got 'strides' (did you mean 'stride'?).",
  ],
  [
    () => functional.conv1d(x, weight, null, { layout: 'NWC' as never }),
    RangeError,
    "conv1d: expected layout to be 'NCL' or 'NLC', got 'NWC'.",
  ],
  [
    () => functional.conv1d(x, [[[1]]] as never),
    TypeError,
    'conv1d: expected a weight Tensor, got an array of length 1.',
  ],
  [
    () => functional.conv1d(x, weight, [1] as never),
    TypeError,
    'conv1d: expected a bias Tensor or null, got an array of length 1.',
  ],
  [
    () => functional.conv1d(x, double(4, 3, 3)),
    TypeError,
    "conv1d: expected weight to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts).",
  ],
  [
    () => functional.conv1d(x, weight, double(4)),
    TypeError,
    "conv1d: expected bias to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts).",
  ],
  [
    () => functional.conv1d(x, of(4, 3)),
    RangeError,
    'conv1d: expected a weight of shape [outChannels, inChannels / groups, kernelSize], got shape [4, 3].',
  ],
  [
    () => functional.conv1d(x, of(4, 3, 0)),
    RangeError,
    'conv1d: expected a weight of shape [outChannels, inChannels / groups, kernelSize], got shape [4, 3, 0].',
  ],
  [
    () => functional.conv1d(x, weight, of(3)),
    RangeError,
    'conv1d: expected bias of shape [4], got shape [3].',
  ],
  [
    () => functional.conv1d(x, disposed(of(4, 3, 3))),
    TypeError,
    'conv1d: expected weight to hold the 36 elements of shape [4, 3, 3], got 0 (its buffer was detached, shrunk or disposed of).',
  ],
  [
    () => functional.conv1d(x, weight, disposed(of(4))),
    TypeError,
    'conv1d: expected bias to hold the 4 elements of shape [4], got 0 (its buffer was detached, shrunk or disposed of).',
  ],
  [
    () => functional.conv1d(of(1, 2, 3, 8), weight),
    RangeError,
    'conv1d: expected input of shape [N, C, L] or [C, L], got shape [1, 2, 3, 8].',
  ],
  [
    () => functional.conv1d(x, weight, null, { groups: 2 }),
    RangeError,
    'conv1d: expected input with 6 channels (weight [4, 3, 3], 2 groups), got shape [2, 3, 8].',
  ],
  [
    () => functional.conv1d(of(2, 8, 4), weight, null, { layout: 'NLC' }),
    RangeError,
    'conv1d: expected input with 3 channels, last (weight [4, 3, 3], 1 groups), got shape [2, 8, 4].',
  ],
  [
    () => functional.conv1d(of(2, 8, 3), of(4, 3, 1), of(3), { layout: 'NLC' }),
    RangeError,
    'conv1d: expected bias of shape [4], got shape [3].',
  ],
  [
    () => functional.conv1d(of(2, 8, 3), 1 as never, null, { layout: 'NLC' }),
    TypeError,
    'conv1d: expected a weight Tensor, got 1.',
  ],
  [
    () => functional.conv1d(of(2, 8, 3), of(4, 3, 1), null, { layout: 'NLC', stride: 0 }),
    RangeError,
    'conv1d: expected stride to be a positive integer, got 0.',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { outputPadding: 1 }),
    RangeError,
    'convTranspose1d: expected outputPadding below stride or dilation (output padding must be smaller than either stride or dilation), got 1, stride 1, dilation 1.',
  ],
  [
    () => functional.convTranspose1d(of(2, 4, 8), of(3, 4, 2)),
    RangeError,
    'convTranspose1d: expected input with 3 channels, which 1 groups divide (weight [3, 4, 2]), got shape [2, 4, 8].',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { groups: 2 }),
    RangeError,
    'convTranspose1d: expected input with 3 channels, which 2 groups divide (weight [3, 4, 2]), got shape [2, 3, 8].',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), of(3)),
    RangeError,
    'convTranspose1d: expected bias of shape [4], got shape [3].',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { padding: 5 }),
    RangeError,
    'convTranspose1d: expected a result of at least 1 value a channel (calculated output size is too small), got -1.',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { layout: 'NLC' } as never),
    TypeError,
    "convTranspose1d: expected options among stride, padding, outputPadding, groups, dilation, got 'layout'.",
  ],
  [
    () => new nn.Conv1d(0, 4, 3),
    RangeError,
    'Conv1d: expected inChannels to be a positive integer, got 0.',
  ],
  [
    () => new nn.Conv1d(3, 0, 3),
    RangeError,
    'Conv1d: expected outChannels to be a positive integer, got 0.',
  ],
  [
    () => new nn.Conv1d(3, 4, 0),
    RangeError,
    'Conv1d: expected kernelSize to be a positive integer, got 0.',
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { paddingMode: 'mirror' as never }),
    RangeError,
    "Conv1d: expected paddingMode to be 'zeros' or 'reflect' or 'replicate' or 'circular', got 'mirror'.",
  ],
  [
    () => new nn.Conv1d(4, 6, 3, { groups: 4 }),
    RangeError,
    'Conv1d: expected outChannels that 4 groups divide (outChannels must be divisible by groups), got 6.',
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { bias: 1 as never }),
    TypeError,
    'Conv1d: expected bias to be a boolean, got 1.',
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { dtype: 'int32' as never }),
    RangeError,
    "Conv1d: expected dtype to be 'float32' or 'float64', got 'int32'.",
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { layout: 'NWC' as never }),
    RangeError,
    "Conv1d: expected layout to be 'NCL' or 'NLC', got 'NWC'.",
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { padding: 'same', stride: 2 }),
    RangeError,
    "Conv1d: expected a stride of 1 with padding 'same' (padding='same' is not supported for strided convolutions), got 2.",
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { mode: 1 } as never),
    TypeError,
    "Conv1d: expected options among stride, padding, dilation, groups, bias, dtype, paddingMode, layout, got 'mode'.",
  ],
  [
    () => new nn.Conv1d(3, 4, 3).forward(x, 1 as never),
    TypeError,
    'Conv1d.forward: expected 1 argument, got 2 (1).',
  ],
  [
    () => new nn.ConvTranspose1d(3, 4, 3, { paddingMode: 'reflect' } as never),
    TypeError,
    "ConvTranspose1d: expected options among stride, padding, dilation, groups, bias, dtype, outputPadding, got 'paddingMode'.",
  ],
  [
    () => functional.maxPool1d(x, 0),
    RangeError,
    'maxPool1d: expected kernelSize to be a positive integer, got 0.',
  ],
  [
    () => functional.maxPool1d(x, 2, { size: 1 } as never),
    TypeError,
    "maxPool1d: expected options among stride, padding, dilation, ceilMode, returnIndices, got 'size'.",
  ],
  [
    () => functional.avgPool1d(x, 2, { dilation: 1 } as never),
    TypeError,
    "avgPool1d: expected options among stride, padding, ceilMode, countIncludePad, got 'dilation'.",
  ],
  [
    () => functional.avgPool1d(x, 2, { countIncludePad: 1 as never }),
    TypeError,
    'avgPool1d: expected countIncludePad to be a boolean, got 1.',
  ],
  [
    () => functional.avgPool1d(x, 2, { padding: 2 }),
    RangeError,
    'avgPool1d: expected padding of at most half a window (pad should be at most half of effective kernel size), got 2.',
  ],
  [
    () => functional.maxPool1d(of(2, 3, 0), 2),
    RangeError,
    'maxPool1d: expected input of 1 to 2^31 - 1 values a channel, got shape [2, 3, 0].',
  ],
  [
    () => functional.maxPool1d(of(8), 2),
    RangeError,
    'maxPool1d: expected input of shape [N, C, L] or [C, L], got shape [8].',
  ],
  [
    () => functional.maxPool1d(x, 2, { returnIndices: 1 as never }),
    TypeError,
    'maxPool1d: expected returnIndices to be a boolean, got 1.',
  ],
  [
    () => functional.maxPool1d(x, 2, { ceilMode: 1 as never }),
    TypeError,
    'maxPool1d: expected ceilMode to be a boolean, got 1.',
  ],
  [
    () => functional.adaptiveMaxPool1d(x, 2, { ceilMode: true } as never),
    TypeError,
    "adaptiveMaxPool1d: expected options among returnIndices, got 'ceilMode'.",
  ],
  [
    () => functional.adaptiveAvgPool1d(x, 2, 1 as never),
    TypeError,
    'adaptiveAvgPool1d: expected 2 arguments, got 3 (1).',
  ],
  [
    () => functional.embedding([0], [[1]] as never),
    TypeError,
    'embedding: expected a weight Tensor, got an array of length 1.',
  ],
  [
    () => functional.embedding([0], of(4)),
    RangeError,
    'embedding: expected a weight of shape [rows, width], got shape [4].',
  ],
  [
    () => functional.embedding([-1], table),
    RangeError,
    'embedding: expected indices from 0 to 3, got -1 at index 0.',
  ],
  [
    () =>
      functional.embedding(
        [
          [0, 1],
          [2, 4],
        ] as never,
        table,
      ),
    RangeError,
    'embedding: expected indices from 0 to 3, got an array of length 2 at index 0.',
  ],
  [
    () => functional.embedding([0.5], table),
    RangeError,
    'embedding: expected indices from 0 to 3, got 0.5 at index 0.',
  ],
  [
    () => functional.embedding([0], table, { padding: 1 } as never),
    TypeError,
    "embedding: expected options among paddingIdx, got 'padding' (did you mean 'paddingIdx'?).",
  ],
  [
    () => functional.embedding([0], table, { paddingIdx: -5 }),
    RangeError,
    'embedding: expected paddingIdx to be a whole number from -4 to 3, got -5.',
  ],
  [
    () => functional.embedding([0], disposed(of(4, 2))),
    TypeError,
    'embedding: expected weight to hold the 8 elements of shape [4, 2], got 0 (its buffer was detached, shrunk or disposed of).',
  ],
  [
    () => functional.embedding([0], tensor([[1, 2]], { dtype: 'int32' } as never)),
    TypeError,
    "embedding: expected weight to be float32 or float64, got int32 (x.to('float32') converts).",
  ],
  [
    () => new nn.Embedding(0, 2),
    RangeError,
    'Embedding: expected numEmbeddings to be a positive integer, got 0.',
  ],
  [
    () => new nn.Embedding(4, 0),
    RangeError,
    'Embedding: expected embeddingDim to be a positive integer, got 0.',
  ],
  [
    () => new nn.Embedding(4, 2, { dtype: 'int32' as never }),
    RangeError,
    "Embedding: expected dtype to be 'float32' or 'float64', got 'int32'.",
  ],
  [
    () => new nn.Embedding(4, 2, { maxNorm: 1 } as never),
    TypeError,
    "Embedding: expected options among paddingIdx, dtype, got 'maxNorm'.",
  ],
  [
    () => new nn.Embedding(4, 2).forward([0], 1 as never),
    TypeError,
    'Embedding.forward: expected 1 argument, got 2 (1).',
  ],
  [
    () => new nn.Embedding(4, 2, { paddingIdx: 4 }),
    RangeError,
    'Embedding: expected paddingIdx to be a whole number from -4 to 3, got 4.',
  ],
  [
    () => functional.embeddingBag([0, 4], table, { offsets: [0] }),
    RangeError,
    'embeddingBag: expected indices from 0 to 3, got 4 at index 1.',
  ],
  [
    () => functional.embeddingBag([0, 1], table),
    TypeError,
    'embeddingBag: expected offsets beside a list of indices (offsets has to be a 1D Tensor), got none.',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [1] }),
    RangeError,
    'embeddingBag: expected offsets[0] to be 0, got 1.',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [0, 2, 1] }),
    RangeError,
    'embeddingBag: expected offsets that do not fall, got 1 at index 2.',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [0, 3] }),
    RangeError,
    'embeddingBag: expected offsets from 0 to 2, got 3 at index 1.',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [], includeLastOffset: true }),
    RangeError,
    'embeddingBag: expected at least one offset (include_last_offset), got none.',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [0], mode: 'median' as never }),
    RangeError,
    "embeddingBag: expected mode to be 'sum' or 'mean' or 'max', got 'median'.",
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [0], perSampleWeights: of(2) }),
    RangeError,
    "embeddingBag: expected perSampleWeights only with mode 'sum', got mode 'mean'.",
  ],
  [
    () =>
      functional.embeddingBag([0, 1], table, {
        offsets: [0],
        mode: 'sum',
        perSampleWeights: of(3),
      }),
    RangeError,
    'embeddingBag: expected perSampleWeights of shape [2], got shape [3].',
  ],
  [
    () =>
      functional.embeddingBag([0, 1], table, {
        offsets: [0],
        mode: 'sum',
        perSampleWeights: double(2),
      }),
    TypeError,
    "embeddingBag: expected perSampleWeights to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts).",
  ],
  [
    () =>
      functional.embeddingBag([0, 1], table, {
        offsets: [0],
        mode: 'sum',
        perSampleWeights: [1, 2] as never,
      }),
    TypeError,
    'embeddingBag: expected perSampleWeights to be a Tensor or null, got an array of length 2.',
  ],
  [
    () =>
      functional.embeddingBag(tensor([[0, 1]], { dtype: 'int32' } as never), table, {
        offsets: [0],
      }),
    RangeError,
    'embeddingBag: expected no offsets beside a matrix of indices (if input is 2D, then offsets has to be null), got offsets.',
  ],
  [
    () => functional.embeddingBag(tensor([[[0, 1]]], { dtype: 'int32' } as never), table),
    RangeError,
    'embeddingBag: expected indices of 1 or 2 dimensions (input has to be 1D or 2D Tensor), got shape [1, 1, 2].',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [0], includeLastOffset: 1 as never }),
    TypeError,
    'embeddingBag: expected includeLastOffset to be a boolean, got 1.',
  ],
  [
    () => functional.embeddingBag([0, 1], table, { offsets: [0], sparse: true } as never),
    TypeError,
    "embeddingBag: expected options among offsets, mode, perSampleWeights, paddingIdx, includeLastOffset, got 'sparse'.",
  ],
  [
    () =>
      functional.embeddingBag([0, 1], table, {
        offsets: [0],
        mode: 'sum',
        perSampleWeights: disposed(of(2)),
      }),
    TypeError,
    'embeddingBag: expected perSampleWeights to hold the 2 elements of shape [2], got 0 (its buffer was detached, shrunk or disposed of).',
  ],
  [
    () => functional.conv1d(of(2, 8, 3), of(4, 3, 1), null, { layout: 'NLC', groups: 0 }),
    RangeError,
    'conv1d: expected groups to be a positive integer, got 0.',
  ],
  [
    () => functional.conv1d(x, of(4, 1, 3), null, { groups: 3 }),
    RangeError,
    'conv1d: expected outChannels that 3 groups divide, got 4.',
  ],
  [
    () => functional.conv1d(of(2, 3, 2), weight),
    RangeError,
    "conv1d: expected a padded length of at least 3 (Kernel size can't be greater than actual input size), got 2.",
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { stride: 0 }),
    RangeError,
    'convTranspose1d: expected stride to be a positive integer, got 0.',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { padding: -1 }),
    RangeError,
    'convTranspose1d: expected padding to be a whole number from 0 to 2147483647, got -1.',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { groups: 0 }),
    RangeError,
    'convTranspose1d: expected groups to be a positive integer, got 0.',
  ],
  [
    () => functional.convTranspose1d(x, of(3, 4, 2), null, { dilation: 0 }),
    RangeError,
    'convTranspose1d: expected dilation to be a positive integer, got 0.',
  ],
  [
    () => new nn.ConvTranspose1d(3, 4, 3).forward(x, 1 as never),
    TypeError,
    'ConvTranspose1d.forward: expected 1 argument, got 2 (1).',
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { stride: 0 }),
    RangeError,
    'Conv1d: expected stride to be a positive integer, got 0.',
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { dilation: 0 }),
    RangeError,
    'Conv1d: expected dilation to be a positive integer, got 0.',
  ],
  [
    () => new nn.Conv1d(3, 4, 3, { groups: 0 }),
    RangeError,
    'Conv1d: expected groups to be a positive integer, got 0.',
  ],
  [
    () => new nn.ConvTranspose1d(3, 4, 3, { padding: -1 }),
    RangeError,
    'ConvTranspose1d: expected padding to be a whole number from 0 to 2147483647, got -1.',
  ],
  [
    () => new nn.ConvTranspose1d(3, 4, 3, { outputPadding: -1 }),
    RangeError,
    'ConvTranspose1d: expected outputPadding to be a whole number from 0 to 2147483647, got -1.',
  ],
  [
    () => functional.maxPool1d(x, 2, { stride: 0 }),
    RangeError,
    'maxPool1d: expected stride to be a positive integer, got 0.',
  ],
  [
    () => functional.maxPool1d(x, 2, { padding: -1 }),
    RangeError,
    'maxPool1d: expected padding to be a whole number from 0 to 2147483647, got -1.',
  ],
  [
    () => functional.maxPool1d(x, 2, { dilation: 0 }),
    RangeError,
    'maxPool1d: expected dilation to be a positive integer, got 0.',
  ],
  [
    () => functional.maxPool1d(x, 9),
    RangeError,
    'maxPool1d: expected a padded length of at least 9 (Output size is too small), got 8.',
  ],
  [
    () => functional.adaptiveAvgPool1d(x, 0),
    RangeError,
    'adaptiveAvgPool1d: expected outputSize to be a positive integer, got 0.',
  ],
  [
    () => nn.Embedding.prototype.resetParameters.call(Object.assign(words, { weight: null })),
    TypeError,
    'Embedding: expected weight to be a Parameter, got null.',
  ],
])('%s', (call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(new kind(message));
});
