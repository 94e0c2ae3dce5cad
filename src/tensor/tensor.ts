// The door to tensors: the class, and the files that give it its methods.
import './backward.js';
import './in-place.js';
import './operators.js';
import './reading.js';
import './sharing.js';

export type { BackwardAsyncOptions, BackwardOptions } from './methods.js';
export { sizesOf, Tensor, type Backward, type TensorLike } from './class.js';
export { learned, MADE, Parameter, parametersMade } from './parameter.js';
export type { TensorJSON } from './printing.js';
export { floats, record, recordGate, recordRepeatable } from './record.js';
export { collect, outsideScopes } from './scope-list.js';
export { shareAll } from './sharing.js';
export { ValuesAndIndices } from './values-and-indices.js';
export type { DType, FloatData, IntegerArray, TensorData } from '../memory/dtype.js';
