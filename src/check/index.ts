// Every argument check, and every sentence a user reads when one fails:
// `<Who>: expected <what>, got <actual>.` TypeError for the wrong kind, RangeError for a wrong value.
// A check never changes anything, and callers run all of them before they change something.
// What a value is, is asked of the engine or of its members, never by `instanceof`: the classes of another
// realm (a `vm` context, a test runner's) are not ours.

export { arrayKind, arrayLength, isIntegerArray, isList, placeOfArray, present } from './arrays.js';
export {
  batchNormInput,
  bothOrNeither,
  channelDims,
  enoughForStatistics,
  trainingEps,
  type ChannelDims,
} from './batchnorm.js';
export { classTargets, indices, lengths, mask } from './indices.js';
export {
  isBuiltIn,
  isOptions,
  isPlainObject,
  isThenable,
  refuseAssignment,
  synchronous,
} from './objects.js';
export { abortReason, noMore, notAborted, options, requiredOptions, signal } from './options.js';
export { describe, wrongKind, wrongValue } from './sentences.js';
export { equalShapes, MOST_DIMENSIONS, numelOf, rank, shape, shapeText } from './shapes.js';
export { attached, converting, dtype, floating, sameDtype, sameShape } from './tensors.js';
export { boolean, booleanOption, iterable, numberBetween, oneOf, wholeNumber } from './values.js';
