// The rows of convolutions, pooling, embeddings and norms by sample.
import { row, type Operation, type Package } from './row.js';

/** Channels in and out, and values of a channel. */
const [C, L] = [2, 6];

export function convolutionsOf({ functional, nn, tensor, Tensor }: Package): Operation[] {
  type Tensor = InstanceType<typeof Tensor>;
  const numbers = (...shape: number[]): Tensor => {
    const count = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) - 4),
      shape,
    );
  };
  const x = (): [Tensor] => [numbers(2, C, L)];
  const affine = (): Record<string, unknown> => ({
    ...{ weight: numbers(C), bias: numbers(C), eps: 0.5 },
  });
  /** The tensor, or the values of values and indices. */
  const valuesOf = (y: Tensor | { readonly values: Tensor }): Tensor =>
    'values' in y ? y.values : y;
  const window = { stride: 1, padding: 1, ceilMode: true };
  const layer = { groups: 2, bias: false, dtype: 'float32' };

  return [
    row(
      'functional.conv1d',
      () => [...x(), numbers(4, C, 3), numbers(4)],
      (input, weight, bias, options) => functional.conv1d(input, weight, bias, options),
      { options: () => ({ stride: 2, padding: 1, dilation: 2 }) },
    ),
    row(
      'functional.conv1d, channels last',
      () => [numbers(2, L, C), numbers(4, C, 3), numbers(4)],
      (input, weight, bias, options?: object) =>
        functional.conv1d(input, weight, bias, { layout: 'NLC', ...options }),
      { options: () => ({ stride: 2, padding: 1, dilation: 2 }) },
    ),
    row(
      'functional.conv1d, depthwise',
      // Not as many as the batch has samples: with these a weight of many elements is not meant (enlarge.ts).
      () => [...x(), numbers(4, 1, 3), null],
      (input, weight, bias, options?: object) =>
        functional.conv1d(input, weight, bias, { groups: 2, ...options }),
      { options: () => ({ stride: 2, padding: 'valid', dilation: 2 }) },
    ),
    row(
      'functional.convTranspose1d',
      () => [...x(), numbers(C, 3, 3), numbers(3)],
      (input, weight, bias, options?: object) =>
        functional.convTranspose1d(input, weight, bias, options),
      { options: () => ({ stride: 2, padding: 1, dilation: 2 }) },
    ),
    row(
      'functional.convTranspose1d, of a stride',
      () => [...x(), numbers(C, 3, 3), null],
      (input, weight, bias, options?: object) =>
        functional.convTranspose1d(input, weight, bias, { stride: 3, ...options }),
      { options: () => ({ outputPadding: 1 }) },
    ),
    row(
      'functional.maxPool1d',
      () => [...x(), 2],
      (input, size: number, options?: object) =>
        valuesOf(functional.maxPool1d(input, size, options)),
      { options: () => ({ ...window, dilation: 2, returnIndices: true }) },
    ),
    row('functional.avgPool1d', () => [...x(), 2], functional.avgPool1d, {
      options: () => ({ ...window, countIncludePad: false }),
    }),
    row(
      'functional.adaptiveMaxPool1d',
      () => [...x(), 4],
      (input, size: number, options?: object) =>
        valuesOf(functional.adaptiveMaxPool1d(input, size, options)),
      { options: () => ({ returnIndices: true }) },
    ),
    row('functional.adaptiveAvgPool1d', () => [...x(), 4], functional.adaptiveAvgPool1d),
    row(
      'functional.embedding',
      () => [[1, 0, 1], numbers(3, 2)],
      (index: number[], weight, options) => functional.embedding(index, weight, options),
      { options: () => ({ paddingIdx: 1 }) },
    ),
    ...(['sum', 'mean', 'max'] as const).map((mode) =>
      row(
        `functional.embeddingBag, ${mode}`,
        () => [tensor(Int32Array.of(1, 0, 1, 2), [2, 2]), numbers(3, 2)],
        (index, weight, options?: object) =>
          functional.embeddingBag(index, weight, { mode, ...options }),
        { options: () => ({ paddingIdx: 1 }) },
      ),
    ),
    row(
      'functional.embeddingBag',
      () => [[1, 0, 1], numbers(3, 2)],
      (index: number[], weight, options?: object) =>
        functional.embeddingBag(index, weight, { mode: 'sum', offsets: [0, 2], ...options }),
      { options: () => ({ perSampleWeights: numbers(3), includeLastOffset: true }) },
    ),
    row('functional.statisticsPooling', x, functional.statisticsPooling, {
      options: () => ({ lengths: [3, 4], correction: 0 }),
    }),
    row(
      'functional.layerNorm',
      () => [...x(), [L]],
      (input, shape: number[], options) => functional.layerNorm(input, shape, options),
      { options: () => ({ weight: numbers(L), bias: numbers(L), eps: 0.5 }) },
    ),
    row('functional.groupNorm', () => [...x(), 2], functional.groupNorm, { options: affine }),
    row('functional.instanceNorm', x, functional.instanceNorm, { options: affine }),
    row(
      'functional.interpolate',
      x,
      (input, options?: object) =>
        functional.interpolate(input, { size: 9, mode: 'linear', ...options }),
      { options: () => ({ alignCorners: true }) },
    ),
    row('functional.dropout1d', x, functional.dropout1d, {
      options: () => ({ p: 0.25, training: false }),
    }),
    row(
      'nn.Conv1d',
      x,
      (input, options?: object) => new nn.Conv1d(C, 4, 3, options).forward(input),
      {
        options: () => ({
          ...layer,
          ...{ stride: 2, padding: 1, dilation: 2, paddingMode: 'reflect' },
        }),
      },
    ),
    row(
      'nn.Conv1d, channels last',
      () => [numbers(2, L, C)],
      (input, options?: object) =>
        new nn.Conv1d(C, 4, 3, { layout: 'NLC', ...options }).forward(input),
      { options: () => ({ ...layer, ...{ stride: 2, padding: 1, paddingMode: 'reflect' } }) },
    ),
    row(
      'nn.LazyConv1d',
      x,
      (input, options?: object) => new nn.LazyConv1d(4, 3, options).forward(input),
      {
        options: () => ({
          ...layer,
          ...{ stride: 2, padding: 1, dilation: 2, paddingMode: 'reflect' },
        }),
      },
    ),
    row(
      'nn.ConvTranspose1d',
      x,
      (input, options?: object) => new nn.ConvTranspose1d(C, 4, 3, options).forward(input),
      {
        options: () => ({
          ...layer,
          ...{ stride: 3, padding: 1, dilation: 2, outputPadding: 0 },
        }),
      },
    ),
    row(
      'nn.MaxPool1d',
      x,
      (input, options) => valuesOf(new nn.MaxPool1d<boolean>(2, options).forward(input)),
      {
        options: () => ({ ...window, dilation: 2, returnIndices: true }),
      },
    ),
    row('nn.AvgPool1d', x, (input, options) => new nn.AvgPool1d(2, options).forward(input), {
      options: () => ({ ...window, countIncludePad: false }),
    }),
    row(
      'nn.AdaptiveMaxPool1d',
      x,
      (input, options) => valuesOf(new nn.AdaptiveMaxPool1d<boolean>(4, options).forward(input)),
      { options: () => ({ returnIndices: true }) },
    ),
    row('nn.AdaptiveAvgPool1d', x, (input) => new nn.AdaptiveAvgPool1d(4).forward(input)),
    row(
      'nn.Embedding',
      () => [tensor(Int32Array.of(1, 0, 1))],
      (index, options) => new nn.Embedding(3, 2, options).forward(index),
      { options: () => ({ paddingIdx: 1, dtype: 'float32' }) },
    ),
    row(
      'nn.EmbeddingBag',
      () => [tensor(Int32Array.of(1, 0, 1, 2), [2, 2])],
      (index, options) => new nn.EmbeddingBag(3, 2, options).forward(index),
      { options: () => ({ paddingIdx: 1, mode: 'max', dtype: 'float32' }) },
    ),
    row(
      'nn.StatisticsPooling',
      () => [...x(), { lengths: [3, 4] }],
      (input, lengths: object, options) =>
        new nn.StatisticsPooling(options).forward(input, lengths),
      { options: () => ({ correction: 0 }) },
    ),
    row('nn.LayerNorm', x, (input, options) => new nn.LayerNorm(L, options).forward(input), {
      options: () => ({ eps: 0.5, elementwiseAffine: false, bias: false, dtype: 'float32' }),
    }),
    row('nn.GroupNorm', x, (input, options) => new nn.GroupNorm(2, C, options).forward(input), {
      options: () => ({ eps: 0.5, affine: false, dtype: 'float32' }),
    }),
    row(
      'nn.InstanceNorm1d',
      x,
      (input, options) => new nn.InstanceNorm1d(C, options).forward(input),
      { options: () => ({ eps: 0.5, affine: true, dtype: 'float32' }) },
    ),
    row(
      'nn.Upsample',
      x,
      (input, options?: object) =>
        new nn.Upsample({ size: 9, mode: 'linear', ...options }).forward(input),
      { options: () => ({ alignCorners: true }) },
    ),
    row('nn.Identity', x, (input) => new nn.Identity().forward(input), { isIdentity: true }),
    row('nn.Flatten', x, (input, options) => new nn.Flatten(options).forward(input), {
      options: () => ({ startDim: 0, endDim: 1 }),
    }),
    row('nn.Unflatten', x, (input) => new nn.Unflatten(2, [2, -1]).forward(input)),
    row(
      'nn.Dropout1d',
      () => [...x(), 0.5],
      (input, p: number) => new nn.Dropout1d(p).forward(input),
    ),
  ];
}
