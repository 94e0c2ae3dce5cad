// Which job this process belongs to, found out once.
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

import * as check from '../check/index.js';
import { setDefaultGroup } from '../functional/batchnorm/process-group.js';
import { collectInThisThread } from '../memory/collector.js';
import { alone } from './alone.js';
import { Group } from './group.js';
import { startMpi } from './mpi.js';
import { WORKER_KEY, type WorkerPlace } from './spawn.js';
import type { Job } from './talk.js';
import type { Transport } from './transport.js';
import { WorkersTransport } from './workers.js';

export interface InitOptions {
  /**
   * 'auto' (default): Workers of `spawn`, or the job of an MPI launcher, or else a world of one. 'mpi' or 'workers' where
   * anything else is to be an error.
   */
  backend?: 'auto' | 'mpi' | 'workers' | undefined;
  /**
   * Milliseconds, above 0, that a process waits for the others before it gives up, with a TimeoutError. Default 300,000,
   * five minutes; 30,000 where the environment has EVENKEEL_DISTRIBUTED_DEBUG.
   */
  timeout?: number | undefined;
}

let world: Group | null = null;

/**
 * Joins the job that has started this process, or, without a launcher, makes a world of one, in which every call has the
 * same results and nothing is loaded. Called again, it returns the same group.
 *
 * @throws {Error} where a launcher has started this process but its MPI cannot be used.
 * @example
 * ```ts
 * const world = await distributed.init();
 * [world.rank, world.size, world.backend]; // => [0, 1, 'none']
 * ```
 */
export async function init(options: InitOptions = {}): Promise<Group> {
  const who = 'distributed.init';
  check.options(who, options, ['backend', 'timeout']);
  const { backend = 'auto' } = options;
  check.oneOf(who, 'backend', backend, ['auto', 'mpi', 'workers']);
  const standard = process.env['EVENKEEL_DISTRIBUTED_DEBUG'] === undefined ? 300_000 : 30_000;
  const { timeout = standard } = options;
  check.numberBetween(who, 'timeout', timeout, 1, 2 ** 31 - 1);
  if (world !== null) return world;
  const transport = transportOf(who, backend, timeout);
  const members = Array.from({ length: transport.size }, (_, rank) => rank);
  const job: Job = { transport, milliseconds: timeout, broken: null, talks: new Set() };
  world = new Group(job, members, transport.rank, 'world');
  setDefaultGroup(world);
  if (world.size > 1) collectInThisThread();
  // Nobody goes on before all are there: one that failed to start is found here.
  world.barrier();
  return await Promise.resolve(world);
}

function transportOf(
  who: string,
  backend: 'auto' | 'mpi' | 'workers',
  milliseconds: number,
): Transport {
  const place = isMainThread
    ? undefined
    : (getEnvironmentData(WORKER_KEY) as WorkerPlace | undefined);
  if (backend !== 'mpi' && place !== undefined) {
    setEnvironmentData(WORKER_KEY, undefined); // Workers of this one are no ranks
    return new WorkersTransport(place.job, place.rank);
  }
  if (backend === 'workers') {
    throw new Error(`${who}: expected a Worker that distributed.spawn has started, got none.`);
  }
  const mpi = startMpi(milliseconds);
  if (mpi !== null) return mpi;
  if (backend === 'mpi') {
    throw new Error(
      `${who}: expected an MPI launcher, got none: npx evenkeel run -n 4 train.mjs, or mpirun -n 4 node train.mjs.`,
    );
  }
  return alone;
}
