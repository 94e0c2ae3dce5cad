// The data that a model is examined on: read once, so that every pass sees the same.
import * as check from '../check/index.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';

/** How a batch is taken apart. */
export interface BatchOptions<Batch> {
  /** What of a batch goes into the model. Default: the batch itself, or the first of an array. */
  input?: ((batch: Batch) => TensorLike) | undefined;
  /** The class of each sample. Default: the second of an array, where that is one whole number a sample. */
  labels?: ((batch: Batch) => ArrayLike<number | bigint> | TensorLike | null) | undefined;
  /** The options of the model's forward for a batch, such as `{ lengths }` or `{ mask }`. Default none. */
  forwardOptions?: ((batch: Batch) => object | undefined) | undefined;
  /** At most about so many samples are read. Default 10,000. */
  samples?: number | undefined;
}

export const BATCH_OPTIONS = ['input', 'labels', 'forwardOptions', 'samples'] as const;

/** One batch: what forward is given, and what it should say. */
export interface GivenBatch {
  readonly input: Tensor;
  readonly options: object | undefined;
  readonly labels: readonly number[] | null;
  readonly samples: number;
}

export function checkBatchOptions<Batch>(who: string, options: BatchOptions<Batch>): void {
  for (const name of ['input', 'labels', 'forwardOptions'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'function') continue;
    throw check.wrongKind(who, `${name} to be a function`, value);
  }
  check.wholeNumber(who, 'samples', options.samples ?? 10_000, 1);
}

export function isAsync<Batch>(loader: unknown): loader is AsyncIterable<Batch> {
  if (typeof loader !== 'object' || loader === null || Symbol.iterator in loader) return false;
  return Symbol.asyncIterator in loader;
}

export function readBatches<Batch>(
  who: string,
  loader: Iterable<Batch>,
  options: BatchOptions<Batch>,
): GivenBatch[] {
  check.iterable(who, 'the loader', loader);
  const batches: GivenBatch[] = [];
  let samples = 0;
  for (const batch of loader) {
    batches.push(givenOf(batch, options));
    samples += batches.at(-1)!.samples;
    if (samples >= (options.samples ?? 10_000)) break;
  }
  return notEmpty(who, batches);
}

export async function readBatchesLater<Batch>(
  who: string,
  loader: AsyncIterable<Batch>,
  options: BatchOptions<Batch>,
): Promise<GivenBatch[]> {
  const batches: GivenBatch[] = [];
  let samples = 0;
  for await (const batch of loader) {
    batches.push(givenOf(batch, options));
    samples += batches.at(-1)!.samples;
    if (samples >= (options.samples ?? 10_000)) break;
  }
  return notEmpty(who, batches);
}

function notEmpty(who: string, batches: GivenBatch[]): GivenBatch[] {
  if (batches.length === 0) throw check.wrongValue(who, 'a loader of at least one batch', 'none');
  return batches;
}

function givenOf<Batch>(batch: Batch, options: BatchOptions<Batch>): GivenBatch {
  const parts = check.isList(batch) && check.arrayKind(batch) === undefined ? batch : null;
  const given = options.input?.(batch) ?? parts?.[0] ?? batch;
  const input = Tensor.from(given as TensorLike);
  const samples = input.shape[0] ?? 1;
  const labelled = options.labels === undefined ? parts?.[1] : options.labels(batch);
  return {
    input,
    options: options.forwardOptions?.(batch),
    labels: labelsOf(labelled, samples),
    samples,
  };
}

/** Whole numbers, one a sample; null for anything else. */
function labelsOf(value: unknown, samples: number): readonly number[] | null {
  if (value === null || value === undefined) return null;
  const data: unknown = typeof value === 'object' && 'data' in value ? value.data : value;
  if (!check.isList(data)) return null;
  const numbers = Array.from(data, Number);
  return numbers.length === samples && numbers.every(Number.isInteger) ? numbers : null;
}

/** The same samples in batches of `size`; null where batches cannot be cut. */
export function regrouped(
  batches: readonly GivenBatch[],
  size: number,
  most: number,
): GivenBatch[] | null {
  const cut: GivenBatch[] = [];
  let samples = 0;
  for (const { input, options, labels, samples: rows } of batches) {
    if (options !== undefined) return null;
    const row = input.numel / rows;
    const data = input.attached('diagnose');
    for (let start = 0; start < rows && samples < most; start += size) {
      const end = Math.min(rows, start + size);
      cut.push({
        input: Tensor.from({
          data: data.subarray(start * row, end * row),
          shape: [end - start, ...input.shape.slice(1)],
        }),
        options: undefined,
        labels: labels?.slice(start, end) ?? null,
        samples: end - start,
      });
      samples += end - start;
    }
  }
  return cut;
}
