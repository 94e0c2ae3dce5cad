// Modules.
export type {
  BatchNormAsyncOptions,
  BatchNormForwardOptions,
  BatchNormOptions,
  FreezeOptions,
} from './batchnorm-options.js';
export { BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d } from './batchnorm.js';
export { Dropout } from './dropout.js';
export { foldBatchNorm } from './fold.js';
export { FrozenBatchNorm1d, type FrozenBatchNormOptions } from './frozen-batchnorm.js';
export { LazyBatchNorm1d } from './lazy-batchnorm.js';
export { Linear, type LinearOptions } from './linear.js';
export { CrossEntropyLoss, MSELoss } from './loss.js';
export {
  Module,
  type ForwardHook,
  type ForwardPreHook,
  type FullBackwardHook,
  type FullBackwardPreHook,
  type Gradients,
  type HookHandle,
  type Layer,
  type RegisterBufferOptions,
  type ZeroGradOptions,
} from './module.js';
export { ModuleDict } from './module-dict.js';
export { ModuleList } from './module-list.js';
export { ParameterDict, ParameterList } from './parameter-containers.js';
export { Parameter } from '../tensor.js';
export { ReLU } from './relu.js';
export { Sequential, type SequentialForwardOptions } from './sequential.js';
export type { LoadResult, LoadStateDictOptions } from './load-state-dict.js';
export { snapshotStatistics, transaction, type StatisticsSnapshot } from './snapshot.js';
export {
  updateBatchNorm,
  type UpdateBatchNormOptions,
  type UpdateBatchNormResult,
} from './update-batchnorm.js';
export { virtualBatch, type VirtualBatch } from './virtual-batch.js';
