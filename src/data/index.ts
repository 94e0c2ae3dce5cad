// Datasets and loaders.
export { TensorDataset } from './dataset.js';
export { DataLoader, type DataLoaderOptions, type Dataset } from './loader.js';
