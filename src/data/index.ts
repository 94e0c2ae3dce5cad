// Datasets, samplers and loaders.
export { TensorDataset, type Batch, type Samples } from './dataset.js';
export {
  DataLoader,
  type CollateOptions,
  type DataLoaderOptions,
  type Dataset,
  type ItemDataset,
} from './loader.js';
export { padSequence, type PadSequenceOptions } from './padding.js';
export { ConcatDataset, randomSplit, Subset } from './parts.js';
export {
  BatchSampler,
  RandomSampler,
  SequentialSampler,
  WeightedRandomSampler,
  type BatchSamplerOptions,
  type RandomSamplerOptions,
  type Sampler,
  type Sized,
  type WeightedRandomSamplerOptions,
} from './samplers.js';
