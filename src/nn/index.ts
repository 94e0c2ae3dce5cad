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
export { Dropout } from './dropout.js';
export { foldBatchNorm } from './batchnorm/fold.js';
export { FrozenBatchNorm1d, type FrozenBatchNormOptions } from './batchnorm/frozen.js';
export * as init from './init.js';
export { LazyBatchNorm1d } from './batchnorm/lazy.js';
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
export { PReLU, type PReLUOptions } from './prelu.js';
export { ReLU } from './relu.js';
export { Sequential, type SequentialForwardOptions } from './containers/sequential.js';
export type { LoadResult, LoadStateDictOptions } from './module/load-state-dict.js';
export { snapshotStatistics, transaction, type StatisticsSnapshot } from './batchnorm/snapshot.js';
export {
  updateBatchNorm,
  type UpdateBatchNormOptions,
  type UpdateBatchNormResult,
} from './batchnorm/update-batchnorm.js';
export { virtualBatch, type VirtualBatch } from './batchnorm/virtual-batch.js';
