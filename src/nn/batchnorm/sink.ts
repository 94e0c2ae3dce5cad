// What becomes of a batch's moments (mean and variance): a layer has one sink, which takes them, and any number of
// observers, which are told of each forward. The running statistics are the sink of a layer that has no other.
import type { Moments } from '../../functional/batchnorm/moments.js';
import { MOVE_STATISTICS } from '../module/internals.js';

/** @internal The part of a layer that a sink writes to. */
export interface Learner {
  [MOVE_STATISTICS](moments: Moments, momentum: number): void;
}

/** @internal Takes the moments of the batches that a layer learns from. */
export interface MomentsSink {
  /** Whether a batch of one value per channel is learned from too, where `singleValue` lets it pass. */
  readonly takesSingle: boolean;
  /**
   * Takes the moments of one batch. Everything has been checked: it must not throw.
   *
   * @param momentum - The weight of this batch in the running statistics, 0 to 1.
   */
  take(layer: Learner, moments: Moments, momentum: number): void;
}

/** @internal One step of the running statistics for each batch. */
export const runningStatistics: MomentsSink = {
  takesSingle: false,
  take(layer, moments, momentum) {
    layer[MOVE_STATISTICS](moments, momentum);
  },
};

/** @internal What an observer is told of one forward, after it. */
export interface SeenForward<Layer> {
  readonly layer: Layer;
  /** The layer's mode at the call. */
  readonly training: boolean;
  /** Which statistics have normalised the batch. */
  readonly normalizedBy: 'batch' | 'running';
  /** Whether the running statistics have moved: not when the batch was kept out, or was collected by another sink. */
  readonly moved: boolean;
  /** Values per channel, without padding. */
  readonly count: number;
  /**
   * Mean and biased variance of each channel of the batch; null where the running statistics normalised and did not
   * move. They are only to be read: backward reads them too.
   */
  readonly moments: Moments | null;
  /** What of the moments is NaN or infinite, in words; null where nothing is, or there are none. */
  readonly nonFinite: string | null;
}

/** @internal Must not throw. */
export type ForwardObserver<Layer> = (seen: SeenForward<Layer>) => void;
