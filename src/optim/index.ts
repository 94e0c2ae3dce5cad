// Optimisers.
export { Adam, type AdamOptions } from './adam.js';
export { AdamW } from './adamw.js';
export {
  Optimizer,
  type LoadableOptimizerState,
  type ParameterGroup,
  type ResolvedGroup,
  type StepOptions,
} from './optimizer.js';
export type { GroupState, OptimizerStateDict, ParameterState } from './state.js';
export { SGD, type SGDOptions } from './sgd.js';
