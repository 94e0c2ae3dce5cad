// Stateless operations, each with its gradient.
export { add, mean, mul, reshape, sum } from './arithmetic.js';
export { batchNorm, type BatchNormFunctionOptions } from './batchnorm/batchnorm.js';
export {
  crossEntropy,
  type ClassTargets,
  type CrossEntropyOptions,
  type Reduction,
} from './losses/cross-entropy.js';
export {
  custom,
  type CustomContext,
  type CustomGradients,
  type CustomOperation,
} from './custom.js';
export { dropout, type DropoutOptions } from './dropout.js';
export { linear } from './linear.js';
export type { Mask } from './batchnorm/padding.js';
export { mseLoss, type MSELossOptions } from './losses/mse-loss.js';
export { relu } from './relu.js';
