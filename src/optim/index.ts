// Optimisers.
export { Adam, type AdamOptions } from './adam.js';
export { AdamW } from './adamw.js';
export { Optimizer, type ParameterGroup, type ResolvedGroup } from './optimizer.js';
export { SGD, type SGDOptions } from './sgd.js';
