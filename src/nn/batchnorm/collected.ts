// The sink that merges the moments of many batches, so that they make one step of the running statistics together.
// A virtual batch (virtual-batch.ts) and a pass over a data set (update-batchnorm.ts) put it in and take it out.
import { Moments } from '../../functional/batchnorm/moments.js';
import type { Learner, MomentsSink } from './sink.js';

/** @internal What opens and ends the collecting of several layers together, and may do so again. */
export interface Session {
  /** Ends it for all its layers. */
  close(): void;
  /** Goes on after it had ended, with the layers that have it as their sink. */
  reopen(): void;
}

/** @internal What one layer has seen. */
export class Collected implements MomentsSink {
  readonly moments: Moments;
  /** Forwards that count as a step, and how many of them had values. */
  batches = 0;
  nonEmpty = 0;

  /**
   * @param session - Null: ends with the call that began it, and at no other time.
   */
  constructor(
    channels: number,
    readonly takesSingle: boolean,
    readonly session: Session | null,
  ) {
    this.moments = new Moments(channels);
  }

  take(_layer: Learner, moments: Moments): void {
    this.moments.merge(moments);
    this.batches++;
    if (moments.count > 0) this.nonEmpty++;
  }

  /** Nothing seen yet. */
  clear(): void {
    this.moments.count = this.batches = this.nonEmpty = 0;
  }

  /** The function that is returned makes it what it is now, as often as it is called. */
  remember(): () => void {
    const { moments, batches, nonEmpty } = this;
    const { count } = moments;
    const rows = moments.rows.slice();
    return () => {
      moments.rows.set(rows);
      moments.count = count;
      Object.assign(this, { batches, nonEmpty });
    };
  }
}

/** @internal An asynchronous forward that has not settled yet. */
export interface UnderWay {
  /** It was begun in something that has been taken back: it moves nothing. */
  undone: boolean;
}
