// The only door.
export { isGradEnabled, noGrad } from './autograd/index.js';
export type { ArrayLikeTensor, NestedArray } from './tensor/interop.js';
export { tensor, type TensorOptions, type TensorSource } from './tensor/create.js';
export {
  arange,
  eye,
  full,
  linspace,
  ones,
  onesLike,
  rand,
  randn,
  randnLike,
  randperm,
  zeros,
  zerosLike,
} from './tensor/filled.js';
export * as checkpoint from './checkpoint/index.js';
export * as data from './data/index.js';
export * as functional from './functional/index.js';
export { native } from './memory/native.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export { manualSeed } from './tensor/random.js';
export { keep, scope } from './tensor/scope.js';
export { StateDict, type ModuleRecord, type OtherValue } from './tensor/state-dict.js';
export {
  Tensor,
  type BackwardAsyncOptions,
  type BackwardOptions,
  type DType,
  type FloatData,
  type TensorData,
  type TensorJSON,
  type TensorLike,
} from './tensor/tensor.js';
