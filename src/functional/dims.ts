// Dimensions by number, as PyTorch counts them: -1 is the last.
import * as check from '../check/index.js';
import type { Tensor } from '../tensor/tensor.js';

/** A dimension of a tensor of `rank` dimensions, as one from 0 on. A scalar has one to name: 0 or -1. */
export function dimOf(who: string, name: string, value: unknown, rank: number): number {
  const most = Math.max(rank, 1);
  if (typeof value !== 'number') throw check.wrongKind(who, `${name} to be a whole number`, value);
  if (!Number.isInteger(value) || value < -most || value >= most) {
    throw check.wrongValue(
      who,
      `${name} from ${-most} to ${most - 1} (Dimension out of range)`,
      check.describe(value),
    );
  }
  return value < 0 ? value + most : value;
}

/** One dimension or a list of them, ascending; all where none is given or the list is empty. */
export function dimsOf(who: string, value: unknown, rank: number): number[] {
  const all = Array.from({ length: rank }, (_, i) => i);
  if (value === undefined) return all;
  if (typeof value === 'number') {
    const dim = dimOf(who, 'dim', value, rank);
    return rank === 0 ? [] : [dim];
  }
  if (!Array.isArray(value)) {
    throw check.wrongKind(who, 'dim to be a whole number or an array of such', value);
  }
  const dims = value.map((each) => dimOf(who, 'each of dim', each, rank));
  if (new Set(dims).size !== dims.length) {
    throw check.wrongValue(
      who,
      'each dim once (dim appears multiple times)',
      `[${value.join(', ')}]`,
    );
  }
  if (rank === 0 || dims.length === 0) return all;
  return dims.sort((a, b) => a - b);
}

/** A dimension or several in the place of options, as PyTorch's programs have it: `x.mean(1)`, `x.sum([0, 2])`. */
export type DimList = number | readonly number[];

/** What may follow a dimension: the other options, or the flag that PyTorch has there: `x.sum(1, true)`. */
export type AfterDim<Options, Flag = boolean> = [rest?: Omit<Options, 'dim'> | Flag];

/**
 * What is given in the place of options, as options.
 *
 * @param rest - What follows it: behind a dimension further options, or the one named `flag`; else nothing.
 * @param expected - How many arguments the function has.
 */
export function optionsOf<Options extends object>(
  who: string,
  given: Options | DimList,
  rest: readonly unknown[],
  flag: string | null = null,
  expected = 2,
): Options {
  const isDim = typeof given === 'number' || Array.isArray(given);
  if (rest.length > 0 && (!isDim || rest.length > 1)) check.noMore(who, expected, rest);
  if (!isDim) return given as Options;
  const after = rest[0];
  if (after === undefined) return { dim: given } as Options;
  if (flag !== null && typeof after === 'boolean') return { dim: given, [flag]: after } as Options;
  if (!check.isPlainObject(after) || 'dim' in after) check.noMore(who, expected, rest);
  return { dim: given, ...(after as object) } as Options;
}

/** A tensor's sizes around one dimension: before it, of it, behind it. */
export function around(
  { shape }: Tensor,
  dim: number,
): [outer: number, size: number, inner: number] {
  if (shape.length === 0) return [1, 1, 1];
  return [check.numelOf(shape, 0, dim), shape[dim]!, check.numelOf(shape, dim + 1)];
}
