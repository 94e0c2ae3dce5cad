// Statistics of batches that are to be known together before they go anywhere: while a layer is in
// `collecting`, its forward adds to what it finds there instead of moving its running statistics.
// Who opens and ends that: virtual-batch.ts and update-batchnorm.ts.
import { Moments } from '../../functional/batchnorm/moments.js';

/** @internal What opens and ends the collecting of several layers together, and may do so again. */
export interface Session {
  /** Ends it for all its layers. */
  close(): void;
  /** Goes on after it had ended, with the layers that are in `collecting`. */
  reopen(): void;
}

/** @internal What one layer has seen. */
export class Collected {
  readonly moments: Moments;
  /** Forwards that count as a step, and those of them that had values. */
  batches = 0;
  filled = 0;

  /**
   * @param single - Batches of one value belong to it, where the layer lets them pass at all.
   * @param session - Null: ends with the call that began it, and at no other time.
   */
  constructor(
    channels: number,
    readonly single: boolean,
    readonly session: Session | null,
  ) {
    this.moments = new Moments(channels);
  }

  add(moments: Moments): void {
    this.moments.merge(moments);
    this.batches++;
    if (moments.count > 0) this.filled++;
  }

  /** Nothing seen yet. */
  clear(): void {
    this.moments.count = this.batches = this.filled = 0;
  }

  /** The function that is returned makes it what it is now, as often as it is called. */
  remember(): () => void {
    const { moments, batches, filled } = this;
    const { count } = moments;
    const rows = moments.rows.slice();
    return () => {
      moments.rows.set(rows);
      moments.count = count;
      Object.assign(this, { batches, filled });
    };
  }
}

/** @internal The layers, and what each has seen. */
export const collecting = new WeakMap<object, Collected>();

/** @internal An asynchronous forward that has not settled yet. */
export interface UnderWay {
  /** It was begun in something that has been taken back: it moves nothing. */
  undone: boolean;
}

/** @internal Those of each layer. */
export const underWay = new WeakMap<object, Set<UnderWay>>();
