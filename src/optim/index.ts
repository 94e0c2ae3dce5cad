// Optimisers.
export { Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, type AdamOptions } from './adam.js';
export { AdamW } from './adamw.js';
export { EarlyStopping, type EarlyStoppingOptions, type Restorable } from './early-stopping.js';
export { groups, type DecayGroup, type GroupsOptions, type NoDecay } from './groups.js';
export { LARS, type LARSOptions } from './lars.js';
export * as lrScheduler from './schedulers/index.js';
export { NAdam, type NAdamOptions } from './nadam.js';
export type { StepOptions } from './gradients.js';
export { Optimizer, type LoadableOptimizerState } from './optimizer.js';
export type { ParameterGroup, ResolvedGroup, ScheduledGroup } from './param-groups.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export type { GroupState, OptimizerStateDict, ParameterState } from './state.js';
export { SGD, type SGDOptions } from './sgd.js';
