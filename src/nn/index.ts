// Modules.
export type {
  BatchNormAsyncOptions,
  BatchNormForwardOptions,
  BatchNormOptions,
  FreezeOptions,
} from './batchnorm/options.js';
export { BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d } from './batchnorm/layer.js';
export {
  ELU,
  GELU,
  GLU,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activations.js';
export { AveragedModel, softUpdate, type AveragedModelOptions } from './averaged-model.js';
export { clipGradNorm_, clipGradValue_, type ClipGradNormOptions } from './clip-gradients.js';
export {
  Conv1d,
  ConvTranspose1d,
  type Conv1dLayerOptions,
  type ConvTranspose1dLayerOptions,
} from './convolution.js';
export { Dropout, Dropout1d } from './dropout.js';
export { Embedding, type EmbeddingLayerOptions } from './embedding.js';
export {
  EmbeddingBag,
  type EmbeddingBagForwardOptions,
  type EmbeddingBagLayerOptions,
} from './embedding-bag.js';
export { Flatten, Unflatten, type FlattenOptions } from './flatten.js';
export { foldBatchNorm } from './batchnorm/fold.js';
export { FrozenBatchNorm1d, type FrozenBatchNormOptions } from './batchnorm/frozen.js';
export { Identity } from './identity.js';
export * as init from './init.js';
export {
  GroupNorm,
  InstanceNorm1d,
  LayerNorm,
  type GroupNormLayerOptions,
  type LayerNormLayerOptions,
} from './layer-norm.js';
export { LazyBatchNorm1d } from './batchnorm/lazy.js';
export {
  convertSyncBatchNorm,
  SyncBatchNorm,
  type SharingGroup,
  type SyncBatchNormOptions,
} from './batchnorm/sync.js';
export { LazyConv1d } from './lazy-convolution.js';
export { Linear, type LinearOptions } from './linear.js';
export {
  CrossEntropyLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  NLLLoss,
  SmoothL1Loss,
  type CrossEntropyLossOptions,
} from './loss.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CosineSimilarity,
  TripletMarginLoss,
} from './pair-losses.js';
export {
  Module,
  type ForwardHook,
  type ForwardPreHook,
  type FullBackwardHook,
  type FullBackwardPreHook,
  type Gradients,
  type HookHandle,
  type Layer,
  type ZeroGradOptions,
} from './module/module.js';
export type { RegisterBufferOptions } from './module/register.js';
export { ModuleDict } from './containers/module-dict.js';
export { ModuleList } from './containers/module-list.js';
export { ParameterDict, ParameterList } from './containers/parameter-containers.js';
export { Parameter } from '../tensor/tensor.js';
export { AdaptiveAvgPool1d, AdaptiveMaxPool1d, AvgPool1d, MaxPool1d } from './pooling.js';
export { PReLU, type PReLUOptions } from './prelu.js';
export { ReLU } from './relu.js';
export { StatisticsPooling } from './statistics-pooling.js';
export { Upsample } from './upsample.js';
export { Sequential, type SequentialForwardOptions } from './containers/sequential.js';
export type { LoadResult, LoadStateDictOptions } from './module/load-state-dict.js';
export { snapshotStatistics, transaction, type StatisticsSnapshot } from './batchnorm/snapshot.js';
export {
  updateBatchNorm,
  type UpdateBatchNormOptions,
  type UpdateBatchNormResult,
} from './batchnorm/update-batchnorm.js';
export { virtualBatch, type VirtualBatch } from './batchnorm/virtual-batch.js';
