// What all threads have in common. postMessage hands a SharedArrayBuffer over as it is, so a Worker has
// the weights and the images when it has started, and nothing was copied.
import type { nn, Tensor } from 'evenkeel';

import type { Digits } from '../digits/data.js';

/** A tensor as postMessage can carry it; `Tensor.from` makes one of it again. */
interface Sent {
  readonly data: Tensor['data'];
  readonly shape: readonly number[];
}

export interface Shared {
  /** The state dict of the trained model: weights and running statistics. */
  readonly state: ReadonlyMap<string, Sent>;
  /** [N, 784]. */
  readonly pictures: Sent;
  /** [N]. */
  readonly labels: Sent;
  /** [N, 10]: every row has its place, whoever computes it. */
  readonly logits: Float32Array;
  /** How many of each batch were right. */
  readonly right: Int32Array;
  /** [1]: the number of the first batch that nobody has taken. */
  readonly next: Int32Array;
}

export const BATCH_SIZE = 100;
export const CLASSES = 10;

const sent = ({ data, shape }: Tensor): Sent => ({ data, shape });

/** Moves what the model has and the first `images` digits into shared memory, once. */
export function share(model: nn.Sequential, digits: Digits, images: number): Shared {
  model.shareMemory();
  const rows = digits.rows(Array.from({ length: images }, (_, i) => i));
  const [pictures, labels] = rows.map((each) => sent(each.shareMemory_()));
  const batches = Math.ceil(images / BATCH_SIZE);
  return {
    state: new Map([...model.stateDict()].map(([key, each]) => [key, sent(each)])),
    pictures: pictures!,
    labels: labels!,
    logits: new Float32Array(new SharedArrayBuffer(4 * images * CLASSES)),
    right: new Int32Array(new SharedArrayBuffer(4 * batches)),
    next: new Int32Array(new SharedArrayBuffer(4)),
  };
}

/** What would have to be copied for each Worker, were it not shared. */
export function inputBytes({ state, pictures, labels }: Shared): number {
  return [...state.values(), pictures, labels].reduce((sum, { data }) => sum + data.byteLength, 0);
}
