// Making tensors: from a typed array that is adopted, or from nested arrays that are copied.
import * as check from './check.js';
import { fromNested, type NestedArray } from './containers.js';
import { DTYPES, dtypeOf, lengthOf, type DType, type TensorData } from './storage.js';
import { Tensor } from './tensor.js';

export interface TensorOptions {
  dtype?: DType;
  requiresGrad?: boolean;
}

const OPTION_NAMES = ['dtype', 'requiresGrad'];

/**
 * Makes a tensor.
 *
 * `tensor(typedArray, shape?)` adopts a Float32Array, Float64Array, Int32Array or BigInt64Array (a
 * view with a byte offset or over a SharedArrayBuffer too): no copy. `tensor(nestedArrays)` copies;
 * float32 unless `dtype` says otherwise.
 *
 * @throws {TypeError} when the data is of another kind, or detached.
 * @throws {RangeError} when the shape does not fit the data, or nested arrays are ragged.
 * @example
 * ```ts
 * const x = tensor(new Float32Array(64 * 256), [64, 256]);
 * x.shape; // => [64, 256]
 * tensor([[1, 2], [3, 4]]).dtype; // => 'float32'
 * ```
 */
export function tensor(
  data: TensorData | NestedArray,
  shapeOrOptions?: readonly number[] | TensorOptions,
  maybeOptions?: TensorOptions,
): Tensor {
  const shape = Array.isArray(shapeOrOptions) ? (shapeOrOptions as readonly number[]) : undefined;
  const options =
    (shape === undefined ? (shapeOrOptions as TensorOptions | undefined) : maybeOptions) ?? {};
  check.options('tensor', options, OPTION_NAMES);
  if (options.dtype !== undefined) check.oneOf('tensor', 'dtype', options.dtype, DTYPES);
  const made = ArrayBuffer.isView(data)
    ? adopt(data, shape ?? [lengthOf(data)], options.dtype)
    : fromNumbers(data, shape, options.dtype ?? 'float32');
  if (options.requiresGrad !== undefined) made.requiresGrad = options.requiresGrad;
  return made;
}

function adopt(data: unknown, shape: readonly number[], wanted: DType | undefined): Tensor {
  const dtype = dtypeOf(data);
  if (dtype === null) {
    throw check.wrongKind(
      'tensor',
      'a Float32Array, Float64Array, Int32Array, BigInt64Array or nested arrays of numbers',
      data,
    );
  }
  if (wanted !== undefined && wanted !== dtype) {
    throw new TypeError(`tensor: expected data for dtype ${wanted}, got ${check.describe(data)}.`);
  }
  const numel = check.shape('tensor', shape);
  const length = lengthOf(data as TensorData);
  if (numel !== length) {
    const detached = length === 0 ? ' (or its buffer was detached)' : '';
    throw check.wrongValue(
      'tensor',
      `${numel} elements for shape ${check.shapeText(shape)}`,
      `${length}${detached}`,
    );
  }
  return Tensor.adopting(data as TensorData, [...shape], dtype);
}

function fromNumbers(
  nested: NestedArray,
  shape: readonly number[] | undefined,
  dtype: DType,
): Tensor {
  const contents = fromNested(nested, dtype);
  return adopt(contents.data, shape ?? contents.shape, undefined);
}
