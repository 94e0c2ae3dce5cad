// Starts a job of Workers: the same program, with shared memory instead of MPI.
import { setEnvironmentData, Worker, type WorkerOptions } from 'node:worker_threads';

import * as check from '../check/index.js';
import { endRank, sharedJob, type SharedJob } from './workers.js';

export interface SpawnOptions extends Pick<
  WorkerOptions,
  'argv' | 'env' | 'execArgv' | 'workerData'
> {
  /** How many, at least 1. */
  workers: number;
}

/** @internal Under which name a Worker finds its place. */
export const WORKER_KEY = 'evenkeel distributed';

/** @internal */
export interface WorkerPlace {
  readonly job: SharedJob;
  readonly rank: number;
}

/** What is left of a job when one of it has failed has so long, in milliseconds, to say what it has to say. */
const GRACE = 3000;

/**
 * Runs a program in `workers` Workers of this process, which are the ranks of one job: `distributed.init()` in it gives
 * their group. For tests, and for machines without MPI; the program sees no difference but `world.backend`.
 *
 * @param program - As for `new Worker`.
 * @returns A promise that is fulfilled when all of them have ended well. Rejected with the error of the first that has
 * not; its property `rank` says which. The others have been ended then.
 */
export async function spawn(program: string | URL, options: SpawnOptions): Promise<void> {
  return spawnWith(program, options, null);
}

/** @internal What a rank prints; without one it goes to the output of this process. */
export type Output = (rank: number, stream: 'stdout' | 'stderr', text: Buffer) => void;

/** @internal */
export async function spawnWith(
  program: string | URL,
  options: SpawnOptions,
  output: Output | null,
): Promise<void> {
  const who = 'distributed.spawn';
  check.options(who, options, ['workers', 'argv', 'env', 'execArgv', 'workerData']);
  const { workers, ...rest } = options;
  const size = check.wholeNumber(who, 'workers', workers, 1, 256);
  const job = sharedJob(size);
  const piped = { stdout: output !== null, stderr: output !== null };
  const all: Worker[] = [];
  try {
    for (let rank = 0; rank < size; rank++) {
      all.push(start(program, { ...rest, ...piped }, { job, rank }));
    }
  } catch (error) {
    for (const worker of all) void worker.terminate();
    throw error;
  }
  if (output !== null) {
    for (const [rank, worker] of all.entries()) {
      worker.stdout.on('data', (text: Buffer) => {
        output(rank, 'stdout', text);
      });
      worker.stderr.on('data', (text: Buffer) => {
        output(rank, 'stderr', text);
      });
    }
  }
  const ends = all.map((worker, rank) => ended(worker, job, rank));
  const first = await Promise.race([Promise.all(ends), firstFailure(ends)]);
  if (Array.isArray(first)) return;
  // Those that wait for it are told so by their next call.
  const timer = setTimeout(() => {
    for (const worker of all) void worker.terminate();
  }, GRACE);
  await Promise.allSettled(ends);
  clearTimeout(timer);
  throw first as Error;
}

function start(program: string | URL, options: WorkerOptions, place: WorkerPlace): Worker {
  setEnvironmentData(WORKER_KEY, place);
  try {
    return new Worker(program, options);
  } finally {
    setEnvironmentData(WORKER_KEY, undefined);
  }
}

async function ended(worker: Worker, job: SharedJob, rank: number): Promise<void> {
  let failure: unknown = null;
  worker.on('error', (error) => {
    failure = error;
  });
  const code = await new Promise<number>((resolve) => {
    worker.on('exit', resolve);
  });
  endRank(job, rank);
  if (failure === null && code === 0) return;
  const error =
    failure === null ? new Error(`expected exit code 0, got ${code}.`) : errorOf(failure);
  throw Object.assign(error, { rank, exitCode: code });
}

/** What a Worker has thrown comes as a copy: it has the name and the message of an Error, and is none to the engine. */
function errorOf(thrown: unknown): Error {
  const isError = typeof thrown === 'object' && thrown !== null && 'message' in thrown;
  return isError ? (thrown as Error) : new Error(check.describe(thrown));
}

/** Fulfilled with the first failure; never where there is none. */
async function firstFailure(ends: readonly Promise<void>[]): Promise<unknown> {
  return new Promise((resolve) => {
    for (const each of ends) each.catch(resolve);
  });
}
