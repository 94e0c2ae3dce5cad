// Sums, means or maxima over bags of rows of a table.
import * as check from '../check/index.js';
import { Tensor } from '../tensor/tensor.js';
import { embedding, paddingRow, tableOf } from './embedding.js';
import { div, mul } from './pointwise/arithmetic.js';
import { where } from './pointwise/masks.js';
import { largest as largestOfWindows } from './pooling/windows.js';
import { indexAdd, indexSelect } from './shapes/indexing.js';
import { transpose } from './shapes/permute.js';
import { reshape } from './shapes/reshape.js';
import { listOf, type Indices } from './shapes/indices.js';

export interface EmbeddingBagOptions {
  /** Where each bag begins in a list of indices: whole numbers from 0 on that do not fall. A matrix has a bag a row. */
  offsets?: Indices | undefined;
  /** What is made of the rows of a bag. Default 'mean'. */
  mode?: 'sum' | 'mean' | 'max' | undefined;
  /** A factor for each index, of its shape and the weight's dtype; only for 'sum'. */
  perSampleWeights?: Tensor | null | undefined;
  /** A row that bags leave out, and that gets no gradient; negative ones count from the end. Default none. */
  paddingIdx?: number | undefined;
  /** The last offset is the end of the last bag, not the beginning of one more. Default false. */
  includeLastOffset?: boolean | undefined;
}

export const BAG_MODES = ['sum', 'mean', 'max'] as const;

/** Entries that count, bag by bag. */
interface Bags {
  readonly count: number;
  /** Of each entry: the row of the table, its bag, and where in the index it stood. */
  readonly rows: Int32Array;
  readonly bags: Int32Array;
  readonly positions: Int32Array;
  /** How many entries each bag has. */
  readonly sizes: Int32Array;
}

/**
 * For each bag the sum, the mean or the largest values of the rows of `weight` that its indices name: `embedding` and a
 * reduction. A bag without entries is 0.
 *
 * @param index - Whole numbers from 0 to rows - 1: [bags, entries], or a list with `offsets`. An int32 or int64 tensor, or
 * an array.
 * @param weight - [rows, width], float32 or float64.
 * @returns [bags, width].
 * @throws {RangeError} with the position of an index that is out of range; for offsets that do not begin with 0, fall, or
 * are behind the end.
 * @example
 * ```ts
 * const table = tensor([[1, 2], [3, 4], [5, 6]]);
 * functional.embeddingBag([0, 2, 1], table, { offsets: [0, 2] }).toArray(); // => [[3, 4], [3, 4]]
 * functional.embeddingBag([0, 2, 1], table, { offsets: [0, 2], mode: 'sum' }).toArray(); // => [[6, 8], [3, 4]]
 * ```
 */
export function embeddingBag(
  index: Indices,
  weight: Tensor,
  options: EmbeddingBagOptions = {},
): Tensor {
  const who = 'embeddingBag';
  const [rows, width] = tableOf(who, weight);
  check.options(who, options, [
    ...['offsets', 'mode', 'perSampleWeights', 'paddingIdx', 'includeLastOffset'],
  ]);
  const mode = check.oneOf(who, 'mode', options.mode ?? 'mean', BAG_MODES);
  const padding = paddingRow(who, options.paddingIdx, rows);
  const shape = shapeOf(index);
  // Where bags begin and what they leave out depends on the values, so they are read now.
  const places = check.indices(who, 'indices', listOf(who, 'indices', index), rows);
  const factors = factorsOf(who, options.perSampleWeights ?? null, mode, weight, shape);
  const starts = startsOf(who, shape, options);
  const bags = bagsOf(places, starts, padding);

  const entries = embedding(bags.rows, weight);
  if (mode === 'max' && bags.rows.length > 0) return largest(entries, bags);
  const used = factors === null ? entries : mul(entries, chosen(factors, bags));
  const sums = indexAdd(Tensor.filled([bags.count, width], weight.dtype, 0), 0, bags.bags, used);
  return mode === 'mean' ? div(sums, divisors(bags, weight)) : sums;
}

function shapeOf(index: Indices): readonly number[] {
  return index instanceof Tensor
    ? index.shape
    : [(index as ArrayLike<unknown> | null)?.length ?? 0];
}

/** Where each bag begins, and behind them the end of the last. */
function startsOf(
  who: string,
  shape: readonly number[],
  { offsets, includeLastOffset }: EmbeddingBagOptions,
): Int32Array {
  const last = check.booleanOption(who, 'includeLastOffset', includeLastOffset);
  if (shape.length === 2) {
    if (offsets !== undefined) {
      throw check.wrongValue(
        who,
        'no offsets beside a matrix of indices (if input is 2D, then offsets has to be null)',
        'offsets',
      );
    }
    const [count, size] = shape as readonly [number, number];
    return new Int32Array(count + 1).map((_, i) => i * size);
  }
  if (shape.length !== 1) {
    throw check.wrongValue(
      who,
      'indices of 1 or 2 dimensions (input has to be 1D or 2D Tensor)',
      `shape ${check.shapeText(shape)}`,
    );
  }
  const [entries = 0] = shape;
  if (offsets === undefined) {
    throw new TypeError(
      `${who}: expected offsets beside a list of indices (offsets has to be a 1D Tensor), got none.`,
    );
  }
  const starts = check.indices(who, 'offsets', listOf(who, 'offsets', offsets), entries + 1);
  if (last && starts.length === 0) {
    throw check.wrongValue(who, 'at least one offset (include_last_offset)', 'none');
  }
  if (starts.length > 0 && starts[0] !== 0) {
    throw check.wrongValue(who, 'offsets[0] to be 0', String(starts[0]));
  }
  for (let i = 1; i < starts.length; i++) {
    if (starts[i]! >= starts[i - 1]!) continue;
    throw check.wrongValue(who, 'offsets that do not fall', `${starts[i]} at index ${i}`);
  }
  if (last) return starts;
  const all = new Int32Array(starts.length + 1);
  all.set(starts);
  all[starts.length] = entries;
  return all;
}

function bagsOf(places: Int32Array, starts: Int32Array, padding: number): Bags {
  const count = Math.max(starts.length - 1, 0);
  const sizes = new Int32Array(count);
  const rows = new Int32Array(places.length);
  const [bags, positions] = [rows.slice(), rows.slice()];
  let entries = 0;
  for (let bag = 0; bag < count; bag++) {
    for (let i = starts[bag]!; i < starts[bag + 1]!; i++) {
      if (places[i] === padding) continue;
      rows[entries] = places[i]!;
      bags[entries] = bag;
      positions[entries++] = i;
      sizes[bag]!++;
    }
  }
  const used = (each: Int32Array): Int32Array => each.subarray(0, entries);
  return { count, rows: used(rows), bags: used(bags), positions: used(positions), sizes };
}

function factorsOf(
  who: string,
  factors: Tensor | null,
  mode: string,
  weight: Tensor,
  shape: readonly number[],
): Tensor | null {
  if (factors === null) return null;
  if (!((factors as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'perSampleWeights to be a Tensor or null', factors);
  if (mode !== 'sum') {
    throw check.wrongValue(who, "perSampleWeights only with mode 'sum'", `mode '${mode}'`);
  }
  check.sameDtype(who, 'perSampleWeights', factors, weight.dtype);
  check.sameShape(who, 'perSampleWeights', factors, shape);
  factors.present(who, 'perSampleWeights');
  return factors;
}

/** The factors of the entries that count, [entries, 1]. */
function chosen(factors: Tensor, { positions }: Bags): Tensor {
  const flat = reshape(factors, [factors.numel]);
  return reshape(indexSelect(flat, 0, positions), [positions.length, 1]);
}

/** How many entries each bag has, at least 1: [bags, 1]. */
function divisors({ count, sizes }: Bags, { dtype }: Tensor): Tensor {
  const data = dtype === 'float64' ? new Float64Array(count) : new Float32Array(count);
  for (let bag = 0; bag < count; bag++) data[bag] = Math.max(sizes[bag]!, 1);
  return Tensor.adopting(data, [count, 1], dtype);
}

/** The largest of each bag, which is a window of the entries. */
function largest(entries: Tensor, { count, sizes }: Bags): Tensor {
  const bounds = new Int32Array(2 * count);
  let at = 0;
  for (const [bag, size] of sizes.entries()) bounds.set([at, (at += size)], 2 * bag);
  const windows = { bounds, dilation: 1, divisors: new Float64Array(count) };
  const values = largestOfWindows('embeddingBag', transpose(entries, 0, 1), windows);
  const isFilled = Tensor.adopting(sizes, [count, 1], 'int32');
  return where(isFilled, transpose(values, 0, 1), 0);
}
