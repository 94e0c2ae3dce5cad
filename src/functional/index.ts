// Stateless operations, each with its gradient.
export { add, mean, mul, reshape, sum } from './arithmetic.js';
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
export { dropout, type DropoutOptions } from './dropout.js';
export { linear } from './linear.js';
export type { Mask } from './batchnorm/padding.js';
export { mseLoss, type MSELossOptions } from './losses/mse-loss.js';
export { relu } from './relu.js';
