// Datasets, samplers and loaders.
export { TensorDataset, type Batch, type Samples } from './dataset.js';
export { defaultCollate, type Collated } from './collate.js';
export {
  DataLoader,
  type CollateOptions,
  type DataLoaderClass,
  type DataLoaderOptions,
} from './loader.js';
export { padSequence, type PadSequenceOptions } from './padding.js';
export { ConcatDataset, type ConcatDatasetClass } from './concat.js';
export { randomSplit, Subset, type ItemSubset, type SubsetClass } from './parts.js';
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
export type { Dataset, ItemDataset, Items } from './source.js';
