// The only door.
export { isGradEnabled, noGrad } from './autograd.js';
export type { ArrayLikeTensor, NestedArray } from './containers.js';
export { tensor, type TensorOptions, type TensorSource } from './create.js';
export * as checkpoint from './checkpoint/index.js';
export * as data from './data/index.js';
export * as functional from './functional/index.js';
export { native } from './native.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export { manualSeed } from './random.js';
export { keep, scope } from './scope.js';
export { StateDict, type ModuleRecord, type OtherValue } from './state-dict.js';
export {
  Tensor,
  type BackwardAsyncOptions,
  type BackwardOptions,
  type DType,
  type FloatData,
  type TensorData,
  type TensorJSON,
  type TensorLike,
} from './tensor.js';
