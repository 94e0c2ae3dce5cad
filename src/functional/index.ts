// Stateless operations, each with its gradient.
import './methods.js';

export {
  abs,
  add,
  clamp,
  clip,
  div,
  exp,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  rsqrt,
  sqrt,
  sub,
  type ClampOptions,
  type Operand,
} from './pointwise/arithmetic.js';
export {
  elu,
  gelu,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu6,
  sigmoid,
  silu,
  softplus,
  tanh,
} from './pointwise/activations.js';
export type {
  ELUOptions,
  GELUOptions,
  HardtanhOptions,
  LeakyReLUOptions,
  SoftplusOptions,
} from './pointwise/activation-options.js';
export type { ActivationOption } from './pointwise/activation-table.js';
export { allclose, equal, type AllcloseOptions } from './pointwise/closeness.js';
export { ceil, floor, round, sign, trunc } from './pointwise/rounding.js';
export { isfinite, isinf, isnan } from './pointwise/finite.js';
export { eq, ge, gt, le, lt, maskedFill, ne, where } from './pointwise/masks.js';
export {
  amax,
  amin,
  argmax,
  argmin,
  logsumexp,
  max,
  mean,
  min,
  std,
  sum,
  var,
  type ArgOptions,
  type DimOptions,
  type OneDimOptions,
  type VarOptions,
} from './reductions/reductions.js';
export { all, any } from './reductions/any-all.js';
export { cumsum } from './reductions/cumsum.js';
export type { ValuesAndIndices } from '../tensor/tensor.js';
export { logSoftmax, softmax, type SoftmaxOptions } from './reductions/softmax.js';
export { conv1d, type Conv1dOptions } from './convolution/conv1d.js';
export { convTranspose1d, type ConvTranspose1dOptions } from './convolution/conv-transpose1d.js';
export {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  maxPool1d,
  type AvgPool1dOptions,
  type AdaptiveMaxPool1dOptions,
  type MaxPool1dOptions,
} from './pooling/pooling.js';
export { embedding, type EmbeddingOptions } from './embedding.js';
export { embeddingBag, type EmbeddingBagOptions } from './embedding-bag.js';
export { statisticsPooling, type StatisticsPoolingOptions } from './pooling/statistics.js';
export { interpolate, type InterpolateOptions } from './interpolate.js';
export {
  groupNorm,
  instanceNorm,
  layerNorm,
  type GroupNormOptions,
  type LayerNormOptions,
} from './layer-norm.js';
export { bmm, dot, matmul, mm, outer } from './matmul.js';
export { cdist, norm, type CdistOptions, type NormOptions } from './norm.js';
export { normalize, type NormalizeOptions } from './normalize.js';
export {
  argsort,
  gather,
  indexAdd,
  indexSelect,
  oneHot,
  sort,
  topk,
  type OneHotOptions,
  type SortOptions,
  type TopkOptions,
} from './shapes/indexing.js';
export type { Indices } from './shapes/indices.js';
export type { AlongOptions } from './shapes/arguments.js';
export { cat, stack } from './shapes/cat.js';
export { expand } from './shapes/expand.js';
export { maskedSelect, nonzero } from './shapes/masked.js';
export { pad, type PadOptions } from './shapes/pad.js';
export { flip, permute, t, transpose } from './shapes/permute.js';
export { repeat, tile } from './shapes/repeat.js';
export {
  flatten,
  reshape,
  squeeze,
  unsqueeze,
  type FlattenFunctionOptions,
} from './shapes/reshape.js';
export { chunk, narrow, select, split, unbind } from './shapes/split.js';
export { batchNorm, type BatchNormFunctionOptions } from './batchnorm/batchnorm.js';
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
} from './losses/binary-cross-entropy.js';
export type { ClassTargets } from './losses/class-rows.js';
export { crossEntropy, type CrossEntropyOptions } from './losses/cross-entropy.js';
export {
  huberLoss,
  l1Loss,
  smoothL1Loss,
  type HuberLossOptions,
  type L1LossOptions,
  type SmoothL1LossOptions,
} from './losses/distances.js';
export { klDiv, type KLDivOptions } from './losses/kl-div.js';
export { nllLoss, type NLLLossOptions } from './losses/nll-loss.js';
export type { Reduction, Weights } from './losses/reduction.js';
export {
  cosineEmbeddingLoss,
  cosineSimilarity,
  type CosineEmbeddingLossOptions,
  type CosineSimilarityOptions,
} from './losses/similarity.js';
export { tripletMarginLoss, type TripletMarginLossOptions } from './losses/triplet-margin-loss.js';
export {
  custom,
  type CustomContext,
  type CustomGradients,
  type CustomOperation,
} from './custom.js';
export { dropout, dropout1d, type DropoutOptions } from './dropout.js';
export { glu, type GLUOptions } from './glu.js';
export { linear } from './linear.js';
export type { Mask } from './batchnorm/padding.js';
export { mseLoss, type MSELossOptions } from './losses/mse-loss.js';
export { relu } from './relu.js';
