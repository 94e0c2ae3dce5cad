// Timing: contenders of one case take turns, so that a noisy neighbour or a slower clock meets all of
// them; medians of many turns are compared, with the 10th and 90th percentile as their spread.

export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export interface Timing extends Spread {
  /** Of all turns: what few calls pay for many, as a collection, is in it. Runs of older days have none. */
  readonly mean?: number;
  /** µs a call are the unit of the spread; so many turns of so many calls were taken. */
  readonly turns: number;
  readonly calls: number;
}

export interface Turns {
  readonly name: string;
  /** Calls `calls` times after one untimed call, which brings its memory back; µs a call. */
  turn(calls: number): number | Promise<number>;
  /** ms to wait afterwards: another runtime's threads spin for a while before they sleep. */
  readonly settle?: number;
}

export interface Budget {
  /** A turn repeats its call until it lasts this long, µs. */
  readonly turnLength: number;
  /** Calls go on for so long before their number in a turn is chosen, µs: the first ones fill caches and pools. */
  readonly warmUp: number;
  /** A case takes about this long, ms, within the bounds on its rounds. */
  readonly caseLength: number;
  readonly minRounds: number;
  readonly maxRounds: number;
}

export type Clock = () => number;

/** µs, from the clock with the finest step there is. */
export const clock: Clock = () => Number(process.hrtime.bigint()) / 1000;

/** The turns of something that is called, with nothing between the calls. */
export function turnsOf(call: () => void, now: Clock = clock): Turns['turn'] {
  return (calls) => {
    call();
    const start = now();
    for (let i = 0; i < calls; i++) call();
    return (now() - start) / calls;
  };
}

/** The 10th percentile, median and 90th percentile; `values` is sorted in place. */
export function spreadOf(values: Float64Array): Spread {
  values.sort();
  const at = (part: number): number => {
    const place = part * (values.length - 1);
    const [below, above] = [values[Math.floor(place)] ?? NaN, values[Math.ceil(place)] ?? NaN];
    return below + (place - Math.floor(place)) * (above - below);
  };
  return { p10: at(0.1), median: at(0.5), p90: at(0.9) };
}

/** Between so many rounds that agree and the most there may be, a case ends. */
const ENOUGH_ROUNDS = 11;
const NARROW = 0.01;

/** Whether the 95 % interval of the median, from order statistics, is within 1 % of it. */
function isNarrow(values: Float64Array): boolean {
  const sorted = values.slice().sort();
  const [middle, half] = [(sorted.length - 1) / 2, 0.98 * Math.sqrt(sorted.length)];
  const low = sorted[Math.max(0, Math.floor(middle - half))]!;
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(middle + half))]!;
  return high - low <= 2 * NARROW * sorted[Math.floor(middle)]!;
}

/** Where a call is far below the clock's step. */
const MOST_CALLS = 2 ** 16;

/** How many calls fill a turn, found by doubling until they are warm, and what one costs. */
async function calibrate(each: Turns, budget: Budget): Promise<{ calls: number; us: number }> {
  const { turnLength, warmUp } = budget;
  for (let calls = 1, spent = 0; ; calls *= 2) {
    const us = await each.turn(calls);
    await wait(each.settle);
    spent += us * calls;
    const isFull = us * calls >= turnLength && spent >= warmUp;
    if (isFull || calls >= MOST_CALLS) {
      return { calls: Math.min(calls, Math.max(1, Math.ceil(turnLength / us))), us };
    }
  }
}

/**
 * Untimed turns before a timed one. Between its turns a contender's memory leaves the caches, and whoever has several
 * arrays in circulation has more to bring back than one call does: a loop of a user's pays that once.
 */
function leadOf(calls: number): number {
  return calls > 1 ? 1 : 0;
}

/** One timing a contender, in their order. */
export async function measure(
  contenders: readonly Turns[],
  budget: Budget,
  now: Clock = clock,
): Promise<Timing[]> {
  const plans: { calls: number; us: number }[] = [];
  for (const each of contenders) plans.push(await calibrate(each, budget));
  const round = contenders.reduce((sum, { settle = 0 }, i) => {
    const { calls, us } = plans[i]!;
    return sum + (1 + leadOf(calls)) * (calls + 1) * us + settle * 1000;
  }, 0);
  const affordable = Math.floor((budget.caseLength * 1000) / round);
  const rounds = Math.min(budget.maxRounds, Math.max(budget.minRounds, affordable));
  const samples = contenders.map(() => new Float64Array(rounds));
  // Twice the estimate ends a case that a busy machine has slowed down; three rounds it gets anyway.
  const deadline = now() + 2000 * budget.caseLength;
  let done = 0;
  const agree = (): boolean =>
    done >= ENOUGH_ROUNDS && samples.every((values) => isNarrow(values.subarray(0, done)));
  for (; done < rounds && (done < 3 || now() < deadline) && !agree(); done++) {
    for (let i = 0; i < contenders.length; i++) {
      // Each round begins one further on: nobody always comes after the same neighbour's cache.
      const j = (i + done) % contenders.length;
      const { calls } = plans[j]!;
      for (let lead = leadOf(calls); lead > 0; lead--) await contenders[j]!.turn(calls);
      samples[j]![done] = await contenders[j]!.turn(calls);
      await wait(contenders[j]!.settle);
    }
  }
  return samples.map((values, i) => ({
    ...spreadOf(values.subarray(0, done)),
    mean: values.subarray(0, done).reduce((sum, value) => sum + value, 0) / done,
    turns: done,
    calls: plans[i]!.calls,
  }));
}

async function wait(ms = 0): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
