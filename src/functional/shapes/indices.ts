// Indices, as the calls that select by them take them: a tensor of whole numbers, checked by the call itself.
import * as check from '../../check/index.js';
import { isFloating, type TensorData } from '../../memory/dtype.js';
import type { After, ArrayOf } from '../../run/step.js';
import { Tensor, type IntegerArray } from '../../tensor/tensor.js';

/** Whole numbers: an int32 or int64 tensor, or an array of integers. */
export type Indices = Tensor | IntegerArray | readonly number[] | readonly bigint[];

/**
 * Indices as a tensor: the one given, or one of our own, checked and copied, where they are a list. Negative ones are
 * refused, as in PyTorch; those of a tensor when they are used, because it may still be computed beside the event loop.
 */
export function indexOf(who: string, value: Indices, size: number): Tensor {
  if (value instanceof Tensor) {
    checkInteger(who, 'indices', value);
    value.present(who, 'the index');
    return value;
  }
  const index = check.indices(who, 'indices', listed(who, 'indices', value), size);
  return Tensor.adopting(index, [index.length], 'int32');
}

/** Indices as a list that is read now: a tensor that is still computed beside the event loop is waited for. */
export function listOf(who: string, name: string, value: Indices): ArrayLike<unknown> {
  if (!(value instanceof Tensor)) return listed(who, name, value);
  checkInteger(who, name, value);
  return value.attached(who, name);
}

function checkInteger(who: string, name: string, value: Tensor): void {
  if (!isFloating(value.dtype)) return;
  throw wrongIndices(who, name, `a tensor of ${value.dtype}`);
}

function listed(who: string, name: string, value: unknown): ArrayLike<unknown> {
  if (Array.isArray(value) || check.isIntegerArray(value)) return value as ArrayLike<unknown>;
  throw wrongIndices(who, name, check.describe(value));
}

function wrongIndices(who: string, name: string, got: string): TypeError {
  return new TypeError(`${who}: expected ${name} as an integer array or tensor, got ${got}.`);
}

/** The array of an index, for the call. */
export function indicesIn(arrayOf: ArrayOf, index: Tensor): Int32Array | BigInt64Array {
  return arrayOf(index) as TensorData as Int32Array | BigInt64Array;
}

/**
 * What is left to do with a call that selects: it has found all indices below `size`, or says where one is not.
 *
 * @throws {RangeError} in that case.
 */
export function foundWithin(who: string, index: Tensor, size: number): After {
  return (arrayOf, result) => {
    if (result === -1) return;
    const at = result as number;
    const got = check.describe(indicesIn(arrayOf, index)[at]);
    throw check.wrongValue(who, `indices from 0 to ${size - 1}`, `${got} at index ${at}`);
  };
}
