// How long the event loop lets a timer of 1 ms wait.
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** Milliseconds; an idle loop has about 1.1. */
export interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Of this process, from now on. */
export function watchDelay(): IntervalHistogram {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  return delay;
}

export function delayOf(delay: IntervalHistogram): Delay {
  const ms = (nanoseconds: number): number => nanoseconds / 1e6;
  return {
    p50: ms(delay.percentile(50)),
    p99: ms(delay.percentile(99)),
    max: ms(delay.max),
  };
}
