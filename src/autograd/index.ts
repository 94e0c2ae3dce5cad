// The tape: which operation made a value, and the walk back from a result to the leaves. It knows an
// interface of what it differentiates; Tensor implements it.
export type { Arithmetic } from './arithmetic.js';
export { addHook } from './hooks.js';
export { isGradEnabled, needsGrad, noGrad, unrecorded } from './mode.js';
export { Operation, type How, type Variable } from './operation.js';
export { currentWalk, walkBack, walkBackAsync, walksMade } from './walk.js';
