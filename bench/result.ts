// What a run leaves behind: the object that `--json` prints, and that the tables, the targets and the
// charts are made from. `schema` changes when a field does.
import type { Case } from './cases.js';
import type { Pass } from './passes.js';
import type { Machine, Versions } from './machine.js';
import type { Timing } from './measure.js';
import type { Share } from './step.js';

/** One contender's times in a case, µs a call. */
export interface Entry extends Timing {
  /** `evenkeel`, `limit`, `copy`, or the peer. */
  readonly who: string;
  readonly how: string;
  /** The bytes that the limit moves, over this time; null for a step. */
  readonly gigabytesPerSecond: number | null;
  /** The limit's time over this one, 1 at the limit. */
  readonly shareOfLimit: number | null;
  /** Of its output against float64, in units of bench/reference.ts; null where there is no output. */
  readonly error: number | null;
}

export interface CaseResult extends Pick<
  Case,
  'group' | 'mode' | 'operation' | 'shape' | 'dtype' | 'layout' | 'sumGradient'
> {
  /** Of x. */
  readonly bytes: number;
  readonly passes: readonly Pass[];
  readonly entries: readonly Entry[];
  /** Of a step: where evenkeel's time goes. */
  readonly shares: readonly Share[] | null;
  /** Peers that could not do this case, in words. */
  readonly notes: readonly string[];
}

/** What the project wants of itself, and what a run showed. */
export interface Target {
  readonly name: string;
  /** As `>= 1.3`: at least, or at most, so many times. */
  readonly wanted: string;
  readonly value: number | null;
  readonly met: boolean | null;
  /** The case that decides, or why there is no figure. */
  readonly detail: string;
}

export interface Run {
  readonly schema: 1;
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly versions: Versions;
  readonly settings: { readonly quick: boolean; readonly filter: string | null };
  readonly skippedPeers: readonly { readonly name: string; readonly reason: string }[];
  /** Of the minute before the run: other programs' work, which a good run has none of. */
  readonly loadBefore: number;
  readonly seconds: number;
  readonly cases: readonly CaseResult[];
  readonly targets: readonly Target[];
}

export function entryOf(result: CaseResult, who: string, how?: string): Entry | undefined {
  return result.entries.find((each) => each.who === who && (how === undefined || each.how === how));
}
