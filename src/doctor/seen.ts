// What one BatchNorm layer sees of the data in one pass over it.
import { Moments } from '../functional/batchnorm/moments.js';
import type { MomentsSink } from '../nn/batchnorm/sink.js';

/** Mean and biased variance of one batch in each channel. */
export interface BatchMoments {
  readonly count: number;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Takes the moments of each batch, and leaves the layer's own statistics alone. */
export class Seen implements MomentsSink {
  readonly takesSingle = true;
  /** Of all batches together. */
  readonly all: Moments;
  readonly batches: BatchMoments[] = [];
  /** Calls within the present forward of the model, and the most that there were in one. */
  private calls = 0;
  mostCalls = 0;

  constructor(readonly channels: number) {
    this.all = new Moments(channels);
  }

  take(_layer: object, moments: Moments): void {
    this.calls++;
    this.mostCalls = Math.max(this.mostCalls, this.calls);
    if (moments.count === 0) return;
    this.all.merge(moments);
    const { rows, channels, count } = moments;
    this.batches.push({
      count,
      mean: rows.slice(0, channels),
      variance: rows.slice(3 * channels, 4 * channels),
    });
  }

  /** Another forward of the model begins. */
  next(): void {
    this.calls = 0;
  }

  get mean(): Float64Array {
    return this.all.rows.subarray(0, this.channels);
  }

  /** Unbiased, as the running variance is. */
  get variance(): Float64Array {
    const { count } = this.all;
    const scale = count > 1 ? count / (count - 1) : 1;
    return this.all.rows.slice(3 * this.channels).map((each) => each * scale);
  }
}
