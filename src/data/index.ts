// Datasets and loaders.
export { TensorDataset, type Batch, type Samples } from './dataset.js';
export { DataLoader, type DataLoaderOptions, type Dataset } from './loader.js';
