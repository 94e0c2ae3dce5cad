// Statistics of batches that are to be known together before they go anywhere: while a layer is in
// `collecting`, its forward adds to what it finds there instead of moving its running statistics.
// Who opens and ends that: virtual-batch.ts and update-batchnorm.ts.
import { Moments } from '../functional/moments.js';

/** @internal What one layer has seen. */
export class Collected {
  readonly moments: Moments;
  /** Forwards that count as a step, and those of them that had values. */
  batches = 0;
  filled = 0;

  /**
   * @param single - Batches of one value belong to it, where the layer lets them pass at all.
   */
  constructor(
    channels: number,
    readonly single: boolean,
  ) {
    this.moments = new Moments(channels);
  }

  add(moments: Moments): void {
    this.moments.merge(moments);
    this.batches++;
    if (moments.count > 0) this.filled++;
  }
}

/** @internal The layers, and what each has seen. */
export const collecting = new WeakMap<object, Collected>();
