// What the operations of this folder are given: tensors, and a dimension to work along.
import * as check from '../../check/index.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { dimOf, optionsOf } from '../dims.js';

export function inputOf(who: string, x: TensorLike, name = 'the input'): Tensor {
  const input = Tensor.operand(who, name, x);
  input.present(who, name);
  return input;
}

export function listOf(who: string, tensors: readonly TensorLike[]): Tensor[] {
  if (!Array.isArray(tensors)) throw check.wrongKind(who, 'an array of tensors', tensors);
  if (tensors.length === 0) throw check.wrongValue(who, 'a non-empty list of tensors', '[]');
  const list = tensors.map((each, i) => inputOf(who, each as TensorLike, `tensor ${i}`));
  for (const [i, each] of list.entries())
    check.dtype(who, `tensor ${i}`, each, list[0]!.dtype, ' like the first');
  return list;
}

export interface AlongOptions {
  /** The dimension; negative ones count from the end. Default 0. */
  dim?: number | undefined;
}

/** The dimension of a call, from its options or in their place. */
export function alongOf(who: string, given: AlongOptions | number, rank: number): number {
  const options = optionsOf(who, given, []);
  check.options(who, options, ['dim']);
  return dimOf(who, 'dim', options.dim === undefined ? 0 : options.dim, rank);
}
