// Nested arrays as contents of a tensor: of numbers, of booleans, of typed arrays as rows, of tensors; always copied.
import type { Contents } from './interop.js';
import * as check from '../check/index.js';
import { convertInto, elementOf } from '../memory/convert.js';
import { dtypeOf, zeros, type DType, type NumberArray, type TensorData } from '../memory/dtype.js';

/** Nested arrays, as deep as the tensor has dimensions. */
export type Nested<Leaf> = Leaf | readonly Nested<Leaf>[];

/** A tensor in nested arrays, as this file sees it. */
export interface Block {
  readonly data: TensorData;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/**
 * The contents of nested arrays.
 *
 * @param wanted - What all elements become; undefined: they are of one kind, which says it.
 * @param blockOf - A value as a block, or null: it knows what a tensor is.
 * @throws {TypeError | RangeError} where they are ragged, or hold something else, or a value that `wanted`
 * does not have.
 */
export function fromNested(
  who: string,
  nested: unknown,
  wanted: DType | undefined,
  blockOf: (value: unknown) => Block | null,
): Contents {
  const { shape, first } = shapeOf(who, nested, blockOf);
  const dtype = dtypeOfValue(who, first, blockOf, wanted);
  const data = zeros(dtype, check.numelOf(shape));
  const numbers = data as { [index: number]: number | bigint };
  let next = 0;

  // Numbers as they are, without asking what each of them is.
  const isPlain = (wanted ?? 'float32').startsWith('float') && dtype.startsWith('float');

  const put = (value: unknown, axis: number): void => {
    const block = sizesOf(value, blockOf);
    const rest = shape.slice(axis);
    if (!check.equalShapes(block?.shape ?? [], rest)) {
      const isKind = block === null;
      const got = isKind
        ? check.describe(value)
        : `a part of shape ${check.shapeText(block.shape)}`;
      throw ragged(who, shape, got, isKind);
    }
    const own = dtypeOfValue(who, value, blockOf, wanted);
    if (own !== dtype) {
      throw check.wrongKind(
        who,
        `${dtype} throughout nested arrays (or ${dtypeOption(who)})`,
        value,
      );
    }
    if (block !== null) {
      convertInto(who, block.data, data, dtype, next);
      next += check.numelOf(block.shape);
      return;
    }
    const isWhole = typeof value !== 'number' || Number.isInteger(value);
    numbers[next] = elementOf(who, value as number, dtype, isWhole ? ` at index ${next}` : '');
    next++;
  };

  const write = (level: unknown, axis: number): void => {
    if (isPlain && typeof level === 'number' && axis === shape.length) {
      numbers[next++] = level;
      return;
    }
    if (!Array.isArray(level)) {
      put(level, axis);
      return;
    }
    const length = shape[axis];
    if (length === undefined) throw check.wrongKind(who, 'numbers in nested arrays', level);
    if (level.length !== length) {
      throw ragged(who, shape, `${level.length} elements where ${length} were expected`);
    }
    for (let i = 0; i < length; i++) write(level[i], axis + 1);
  };
  write(nested, 0);
  return { data, shape, dtype };
}

function ragged(who: string, shape: readonly number[], got: string, isKind = false): Error {
  const what = `${who}: expected nested arrays of shape ${check.shapeText(shape)}, got ${got}.`;
  return isKind ? new TypeError(what) : new RangeError(what);
}

/** The shape, by the first elements of all, and what is behind them. */
function shapeOf(
  who: string,
  nested: unknown,
  blockOf: (value: unknown) => Block | null,
): { shape: number[]; first: unknown } {
  const shape: number[] = [];
  let first = nested;
  for (; Array.isArray(first); first = (first as unknown[])[0]) {
    if (shape.length === check.MOST_DIMENSIONS) {
      throw check.wrongValue(who, `at most ${check.MOST_DIMENSIONS} dimensions`, 'more');
    }
    shape.push(first.length);
    if (first.length === 0) return { shape, first: 0 };
  }
  return { shape: [...shape, ...(sizesOf(first, blockOf)?.shape ?? [])], first };
}

/** The elements and the shape of a row or a block; null for a number. */
function sizesOf(
  value: unknown,
  blockOf: (value: unknown) => Block | null,
): { data: NumberArray; shape: readonly number[] } | null {
  if (check.arrayKind(value) === undefined) return blockOf(value);
  const data = value as NumberArray;
  return { data, shape: [check.arrayLength(data)] };
}

/** How a dtype is said: a data set has no option for it. */
function dtypeOption(who: string): string {
  return who === 'tensor' ? 'a { dtype }' : 'tensor(…, { dtype })';
}

/** What a value's elements become: `wanted`, or else the dtype it has by itself. */
function dtypeOfValue(
  who: string,
  value: unknown,
  blockOf: (value: unknown) => Block | null,
  wanted: DType | undefined,
): DType {
  if (typeof value === 'number') return wanted ?? 'float32';
  if (typeof value === 'bigint') return wanted ?? 'int64';
  if (typeof value === 'boolean') return wanted ?? 'int32'; // a comparison's
  const isNumber = check.arrayKind(value) !== undefined;
  const own = dtypeOf(value) ?? blockOf(value)?.dtype;
  if (own !== undefined || (wanted !== undefined && isNumber)) return wanted ?? own!;
  const hint = isNumber ? ` (or ${dtypeOption(who)} to convert to)` : '';
  throw check.wrongKind(who, `numbers in nested arrays${hint}`, value);
}
