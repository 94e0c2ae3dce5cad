// The native calls as an operation makes them: at once, or as jobs beside the event loop. Both have the same names and
// arguments, so that one function of an operation drives either.
import { addon } from '../addon/control.js';
import type { Calls } from '../addon/types.js';
import * as check from '../check/index.js';
import { onAbort } from './aborts.js';

/** @internal Each returns what the call gives now, or a promise of how its job ended. */
export type Native = {
  readonly [Name in keyof Calls]: (...args: Parameters<Calls[Name]>) => unknown;
};

/** @internal */
export const now: Native = addon;

let tickets = 0;
let ticket = 0;
let jobs: Native | null = null;

type Starts = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** The calls as jobs that have the ticket of now. */
function asJobs(): Native {
  jobs ??= Object.fromEntries(
    Object.keys(addon.jobs).map((name) => [
      name,
      // Looked up at each call, as the calls at once are: the tests exchange them.
      (...args: unknown[]) => (addon.jobs as unknown as Starts)[name]!(...args, ticket),
    ]),
  ) as unknown as Native;
  return jobs;
}

/**
 * @internal Makes the call of `body` as a job.
 *
 * @returns What the call gives.
 * @throws The signal's reason when it is aborted by the time the job has ended; what the job was to
 * write is garbage then.
 */
export async function runJob(
  who: string,
  signal: AbortSignal | null,
  body: (native: Native) => unknown,
): Promise<unknown> {
  const own = tickets++;
  const stopListening =
    signal === null
      ? null
      : onAbort(signal, () => {
          addon.cancelJob(own);
        });
  try {
    ticket = own;
    const ended = await body(asJobs());
    check.notAborted(signal);
    if (ended === 'cancelled' || ended === 'out of memory') throw outOfMemory(who);
    return ended === 'done' ? undefined : ended;
  } finally {
    stopListening?.();
  }
}

/** @internal That a call was made: the addon makes none that writes into memory of another operand, and names it. */
export function checkMade(who: string, result: unknown): void {
  if (typeof result !== 'string') return;
  throw check.wrongValue(
    who,
    `${result} to have memory of its own`,
    'some that overlaps another operand',
  );
}

function outOfMemory(who: string): Error {
  const error = new Error(`${who}: expected memory for the statistics of a call, got none.`);
  return Object.assign(error, { code: 'ERR_EVENKEEL_OUT_OF_MEMORY' });
}
