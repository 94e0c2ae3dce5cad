// Timing: contenders of one case take turns, so that a noisy neighbour or a slower clock meets all of
// them; medians of many turns are compared.

export interface Timing {
  /** Median of the turns, µs a call. */
  readonly median: number;
  /** 10th and 90th percentile, µs a call. */
  readonly low: number;
  readonly high: number;
}

export type Contenders<Name extends string> = Record<Name, () => void>;

export interface Budget {
  /** Turns of each contender. */
  readonly turns: number;
  /** A turn repeats its call until it has lasted this long, µs. */
  readonly turnLength: number;
}

const now = (): number => Number(process.hrtime.bigint()) / 1000;

/** Runs `call` `count` times; µs a call. */
function turn(call: () => void, count: number): number {
  const start = now();
  for (let i = 0; i < count; i++) call();
  return (now() - start) / count;
}

/** How many calls fill a turn, found by doubling; warms the code up on the way. */
function callsPerTurn(call: () => void, turnLength: number): number {
  let count = 1;
  while (turn(call, count) * count < turnLength && count < 1e6) count *= 2;
  return count;
}

export function measure<Name extends string>(
  contenders: Contenders<Name>,
  budget: Budget,
): Record<Name, Timing> {
  const names = Object.keys(contenders) as Name[];
  const counts = names.map((name) => callsPerTurn(contenders[name], budget.turnLength));
  const samples = names.map(() => new Float64Array(budget.turns));
  for (let i = 0; i < budget.turns; i++) {
    names.forEach((name, j) => {
      samples[j]![i] = turn(contenders[name], counts[j] ?? 1);
    });
  }
  const timings = samples.map((each): Timing => {
    const sorted = each.sort();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
    return { median: at(0.5), low: at(0.1), high: at(0.9) };
  });
  return Object.fromEntries(names.map((name, j) => [name, timings[j]])) as Record<Name, Timing>;
}
