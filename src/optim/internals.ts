// The names under which an optimiser keeps what is not public: symbols, so that no field of a user's class can take
// the place of one of them.
export const WHO = Symbol('who');
export const DEFAULTS = Symbol('defaults');
export const CHECK_GROUP = Symbol('checkGroup');
export const PREPARE = Symbol('prepare');
export const UPDATE = Symbol('update');
export const SLOTS = Symbol('slots');
export const OPTIONAL_STATE = Symbol('optionalState');
export const FIXED = Symbol('fixed');
export const KEPT = Symbol('kept');
export const KEEP = Symbol('keep');
export const DECOUPLED = Symbol('decoupled');
/** A step beside the event loop has not settled. */
export const BEFORE = Symbol('before');
export const CHECK_SETTLED = Symbol('checkSettled');
export const CHECK_GRADIENTS = Symbol('checkGradients');
export const MAY_STEP = Symbol('mayStep');
export const CHECK_STEP = Symbol('checkStep');
export const MOVE = Symbol('move');
export const STEPPED = Symbol('stepped');
/** How many backwards there had been at the last step; null once their lack of gradients has been told. */
export const WALKS = Symbol('walks');
export const CHECK_ANY = Symbol('checkAny');
