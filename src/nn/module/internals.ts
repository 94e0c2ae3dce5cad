// The names under which modules keep what is not public, and of what they do for each other. They are
// symbols: no field of a user's class, whatever it is called, can take the place of one of them. Names that
// one file alone needs are in that file.

/** What a Module keeps beside its properties. */
export const INSIDE = Symbol('inside');
/** The name that errors and the repr use. */
export const WHO = Symbol('who');
/** Whether its parameters and buffers wait for a first forward to know their size. */
export const UNINITIALIZED = Symbol('uninitialized');
/** Own names and values among which children and parameters are found, in order. */
export const SLOTS = Symbol('slots');
/** What a name is of from the start: a child, a parameter, or anything. */
export const HOLDS = Symbol('holds');
/** What a state dict says of a module beside its tensors. */
export const MODULE_RECORD = Symbol('moduleRecord');
/** How a module is loaded from its entries. */
export const PLAN_LOAD = Symbol('planLoad');
/** What is wrong with a value to be loaded. */
export const CHECK_STATE = Symbol('checkState');
/** The forward options that an instance hands to what it contains. */
export const KNOWN_OPTIONS = Symbol('knownOptions');
/** Called on a copy: lets go of what belongs to the module that was copied. */
export const AFTER_COPY = Symbol('afterCopy');
/** Set on classes whose evaluation differs from training, or that have state. */
export const HAS_MODE = Symbol('hasMode');

// BatchNorm's.
export const CHANNELS = Symbol('channels');
export const WITH_BIAS = Symbol('withBias');
export const WITH_STATISTICS = Symbol('withStatistics');
export const CREATE_STATE = Symbol('createState');
export const NORMALIZES_BY_RUNNING = Symbol('normalizesByRunning');
export const UPDATES = Symbol('updates');
export const MOVE_STATISTICS = Symbol('moveStatistics');
export const STATISTICS = Symbol('statistics');
export const CHECK_STATISTICS = Symbol('checkStatistics');
export const NEXT_WEIGHT = Symbol('nextWeight');
export const COUNT_BATCH = Symbol('countBatch');
/** What takes the moments of the batches that a layer learns from. */
export const SINK = Symbol('sink');
/** Who is told of each forward of a layer; null for nobody. */
export const OBSERVERS = Symbol('observers');
/** Asynchronous forwards of a layer that have not settled. */
export const UNDER_WAY = Symbol('underWay');
export const CHECK_COUNTER = Symbol('checkCounter');

/** How a Dropout layer shares the random numbers of a batch with other processes; null: it has all of it. */
export const SHARED_DRAWS = Symbol('sharedDraws');
