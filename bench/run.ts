// Runs the cases one after another: arrays, contenders, truth, turns. What is measured is in cases.ts,
// how in measure.ts, what it means in targets.ts.
import { allCases, bytesOf, type Case } from './cases.js';
import type { Contender, Peer } from './contender.js';
import { ourContenders } from './contenders.js';
import { makeJob, type Job } from './data.js';
import { select } from './filter.js';
import { limitContenders } from './limits.js';
import { LIMIT, passesOf, touches } from './passes.js';
import { cacheBytes, type Machine } from './machine.js';
import { measure, type Budget, type Timing } from './measure.js';
import { TORCH } from './peers/pytorch.js';
import { operationErrorOf } from './operation-contenders.js';
import { referenceOf } from './reference.js';
import type { CaseResult, Entry } from './result.js';
import { sharesOf } from './step.js';

const FULL: Budget = {
  ...{ turnLength: 10_000, warmUp: 50_000, caseLength: 3000 },
  ...{ minRounds: 7, maxRounds: 41 },
};
const QUICK: Budget = {
  ...{ turnLength: 500, warmUp: 10_000, caseLength: 500 },
  ...{ minRounds: 5, maxRounds: 15 },
};

/** Steps cut into layers; the medians of so many are steady to a few per cent. */
const CUT_STEPS = { full: 100, quick: 20 };

export function planCases(machine: Machine, filter: string | null, quick: boolean): Case[] {
  const all = allCases(beyond(machine));
  const chosen = filter === null ? all : select(all, filter);
  return quick ? chosen.filter((each) => each.quick) : chosen;
}

/** Bytes that no cache holds: a power of two, between 128 MB and 512 MB, and no sixth of the memory. */
function beyond(machine: Machine): number {
  const last = cacheBytes(machine, 'last');
  const wanted = Number.isFinite(last) ? 2 ** Math.ceil(Math.log2(last)) : 2 ** 27;
  const affordable = 2 ** Math.floor(Math.log2(machine.memoryBytes / 6));
  return Math.min(Math.max(wanted, 2 ** 27), 2 ** 29, affordable);
}

/** Two contenders alone need less time than ten, and operations are many. */
function budgetOf({ peers, operation }: Case, quick: boolean): Budget {
  const budget = quick ? QUICK : FULL;
  if (operation !== null) return { ...budget, caseLength: 800, minRounds: 5 };
  return peers === 'none' ? { ...budget, caseLength: budget.caseLength / 2 } : budget;
}

export async function runCase(
  each: Case,
  peers: readonly Peer[],
  quick: boolean,
): Promise<CaseResult> {
  (globalThis as { gc?: () => void }).gc?.(); // the last case's arrays are this one's noise
  const job = makeJob(each);
  const { contenders, errors, notes } = await contendersOf(job, peers);
  const timings = await measure(contenders, budgetOf(each, quick));
  for (const peer of peers) await peer.release();
  const { group, mode, operation, shape, dtype, layout, sumGradient } = each;
  return {
    ...{ group, mode, operation, shape, dtype, layout, sumGradient },
    bytes: bytesOf(each),
    passes: passesOf(each),
    entries: entriesOf(each, contenders, timings, errors),
    shares: mode === 'step' ? sharesOf(job, quick ? CUT_STEPS.quick : CUT_STEPS.full) : null,
    notes,
  };
}

interface Field {
  readonly contenders: Contender[];
  readonly errors: (number | null)[];
  /** What kept a peer away from this case. */
  readonly notes: string[];
}

/** Everyone who can do the case, with the error of what they compute. */
async function contendersOf(job: Job, peers: readonly Peer[]): Promise<Field> {
  const { peers: wanted } = job.case;
  const errorOf = job.case.operation === null ? referenceOf(job) : operationErrorOf(job);
  const field: Field = { contenders: [], errors: [], notes: [] };
  const admit = async (contenders: readonly Contender[]): Promise<void> => {
    for (const each of contenders) {
      const isKnown = each.output !== undefined && errorOf !== null;
      const error = isKnown ? errorOf(await each.output()) : null;
      field.contenders.push(each);
      field.errors.push(error);
    }
  };
  await admit([...limitContenders(job), ...ourContenders(job)]);
  for (const peer of peers) {
    if (wanted === 'none' || (wanted === 'torch' && peer.name !== TORCH)) continue;
    try {
      await admit(await peer.contenders(job));
    } catch (error) {
      field.notes.push(`${peer.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return field;
}

function entriesOf(
  each: Case,
  contenders: readonly Contender[],
  timings: readonly Timing[],
  errors: readonly (number | null)[],
): Entry[] {
  const moved = touches(passesOf(each)) * bytesOf(each);
  const limit = timings[contenders.findIndex(({ who }) => who === LIMIT)]?.median;
  return contenders.map(({ who, how }, i) => {
    const timing = timings[i]!;
    // The plain copy moves less than the limit does.
    const own = who === 'copy' ? 2 * bytesOf(each) : moved;
    return {
      who,
      how,
      ...timing,
      gigabytesPerSecond: moved === 0 ? null : own / timing.median / 1e3,
      shareOfLimit: limit === undefined || who === 'copy' ? null : limit / timing.median,
      error: errors[i] ?? null,
    };
  });
}
