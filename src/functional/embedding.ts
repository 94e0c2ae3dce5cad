// Rows of a table chosen by integers.
import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { record, Tensor } from '../tensor/tensor.js';
import { indexOf, type Indices } from './shapes/indices.js';
import { select, summed } from './shapes/select.js';

export interface EmbeddingOptions {
  /** A row that gets no gradient; negative ones count from the end. Default none. */
  paddingIdx?: number | undefined;
}

/** A row by number, from 0 on; -1 where there is none. */
export function paddingRow(who: string, value: unknown, rows: number): number {
  if (value === undefined) return -1;
  const row = check.wholeNumber(who, 'paddingIdx', value, -rows, rows - 1);
  return row < 0 ? row + rows : row;
}

/** The rows and the width of a table. */
export function tableOf(who: string, weight: Tensor): readonly [rows: number, width: number] {
  if (!((weight as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a weight Tensor', weight);
  check.floating(who, 'weight', weight);
  if (weight.shape.length !== 2) {
    throw check.wrongValue(
      who,
      'a weight of shape [rows, width]',
      `shape ${check.shapeText(weight.shape)}`,
    );
  }
  weight.present(who, 'weight');
  return weight.shape as readonly [number, number];
}

/**
 * The row of `weight` for each index. The gradient of a row that comes several times is added up in the order of the
 * indices.
 *
 * @param index - Whole numbers from 0 to rows - 1, of any shape: an int32 or int64 tensor, or an array.
 * @param weight - [rows, width], float32 or float64.
 * @returns The shape of the index, with `width` behind it.
 * @throws {RangeError} with the position of an index that is out of range.
 * @example
 * ```ts
 * functional.embedding([1, 0, 1], tensor([[1, 2], [3, 4]])).toArray(); // => [[3, 4], [1, 2], [3, 4]]
 * ```
 */
export function embedding(index: Indices, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  const who = 'embedding';
  const [rows, width] = tableOf(who, weight);
  check.options(who, options, ['paddingIdx']);
  const padding = paddingRow(who, options.paddingIdx, rows);
  const places = indexOf(who, index, rows);
  const selection = { who, index: places, outer: 1, size: rows, count: places.numel, inner: width };
  const y = select('indexSelect', weight, [...places.shape, width], selection);
  return record(who, y, [weight], [places], (dy) => {
    const dweight = summed(weight.shape, dy, selection);
    if (padding >= 0) clearRow(who, dweight, padding);
    return [dweight];
  });
}

function clearRow(who: string, dweight: Tensor, row: number): void {
  const [, width = 0] = dweight.shape;
  perform({ who, work: width, reads: {}, writes: [dweight] }, (_native, arrayOf) => {
    arrayOf(dweight).fill(0, row * width, (row + 1) * width);
  });
}
