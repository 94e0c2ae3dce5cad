// The job of an MPI launcher. How it ends:
// - a process that ends well says goodbye to the others, waits for theirs under a deadline, and calls MPI_Finalize;
// - any other end calls MPI_Abort once the process exits, after Node has printed why: it takes the others along;
// - where others have not come in time the network may be down: the launcher's process here is ended a little later.
import { spawn } from 'node:child_process';
import { isMainThread } from 'node:worker_threads';

import { addon } from '../addon/control.js';
import { ranksText, TIMEOUT_CODE } from './errors.js';
import { launchOf, loadMpi, type Launch } from './mpi-library.js';
import type { Exchange, Transport } from './transport.js';

/** Communicators and the one tag: Mpi::kData and kEnd in native/distributed/mpi.h. */
const [DATA, END] = [0, 1];
const TAG = 0;
/** A wait in the addon is as long as this: then what peers have ended is looked at. */
const MICROSECONDS = 1e3;

/** Messages under way, with the memory that MPI reads and writes: also where nobody waits for them any more. */
const underWay = new Set<MpiExchange>();

class MpiExchange implements Exchange {
  readonly #id = addon.mpiExchange();
  readonly #memory: Uint8Array[] = [];
  #missing = 1;

  constructor(readonly communicator: number) {
    underWay.add(this);
  }

  send(peer: number, bytes: Uint8Array, begin: number, end: number): void {
    this.#memory.push(bytes);
    addon.mpiSend(this.#id, this.communicator, peer, TAG, bytes, begin, end);
  }

  receive(peer: number, bytes: Uint8Array, begin: number, end: number): void {
    this.#memory.push(bytes);
    addon.mpiReceive(this.#id, this.communicator, peer, TAG, bytes, begin, end);
  }

  wait(microseconds: number): number {
    // The number is another exchange's once nothing is missing.
    if (this.#missing > 0) this.#missing = addon.mpiWait(this.#id, microseconds);
    if (this.#missing === 0) underWay.delete(this);
    return this.#missing;
  }

  silent(): number[] {
    return this.#missing > 0 ? addon.mpiSilent(this.#id) : [];
  }
}

/** @internal */
export class MpiTransport implements Transport {
  readonly backend = 'mpi';
  readonly rank = addon.mpiRank();
  readonly size = addon.mpiSize();
  readonly localRank: number;
  readonly mpi: string;
  readonly #goodbyes: Uint8Array;
  readonly #farewell: Exchange;
  #code = 0;

  constructor(
    { launcher, localRank }: Launch,
    readonly milliseconds: number,
  ) {
    this.localRank = localRank ?? this.rank;
    const [text = ''] = addon.mpiVersion().split('\n');
    this.mpi = text.includes(launcher) ? text.replace(/\0/g, '').trim() : launcher;
    this.#goodbyes = new Uint8Array(this.size);
    this.#farewell = new MpiExchange(END);
    for (const peer of this.#peers()) this.#farewell.receive(peer, this.#goodbyes, peer, peer + 1);
    process.on('exit', (code) => {
      this.#end(code);
    });
  }

  exchange(): Exchange {
    return new MpiExchange(DATA);
  }

  ended(): readonly number[] {
    if (this.#farewell.wait(0) === 0) return this.#peers();
    const silent = this.#farewell.silent();
    return this.#peers().filter((peer) => !silent.includes(peer));
  }

  fail(code: number): void {
    this.#code = code;
  }

  #peers(): number[] {
    return Array.from({ length: this.size }, (_, i) => i).filter((peer) => peer !== this.rank);
  }

  #end(code: number): void {
    const failed = this.#code === 0 ? code : this.#code;
    if (failed !== 0) {
      process.exitCode = failed;
      if (failed === TIMEOUT_CODE) endLauncherLater();
      addon.mpiAbortAtExit(failed);
      return;
    }
    const own = new MpiExchange(END);
    for (const peer of this.#peers()) own.send(peer, this.#goodbyes, this.rank, this.rank + 1);
    if (this.#waitFor([own, this.#farewell])) {
      addon.mpiFinalize();
      return;
    }
    const ranks = this.#farewell.silent();
    const seconds = this.milliseconds / 1000;
    process.stderr.write(
      `evenkeel: rank ${this.rank} has waited ${seconds} s for the end of the job; no word from ${ranksText(ranks)}\n`,
    );
    process.exitCode = TIMEOUT_CODE;
    endLauncherLater();
    addon.mpiAbortAtExit(TIMEOUT_CODE);
  }

  #waitFor(exchanges: readonly Exchange[]): boolean {
    const end = performance.now() + this.milliseconds;
    while (exchanges.some((each) => each.wait(MICROSECONDS) > 0)) {
      if (performance.now() > end) return false;
    }
    return true;
  }
}

/**
 * Five seconds after the exit of this process: whatever is left of the job on this host, which is itself, if MPI_Abort
 * waits for somebody, and the process of the launcher that has started it. By itself that one may wait for another host
 * for minutes, or for ever.
 */
const END_LAUNCHER = `sleep 5
kill -KILL "$1"
case "$(cat "/proc/$0/comm" 2>/dev/null || ps -o comm= -p "$0")" in
  *orted*|*prted*|*prterun*|*mpirun*|*mpiexec*|*hydra*) kill -KILL "$0";;
esac`;
const launcherProcess = process.ppid;

function endLauncherLater(): void {
  const ids = [launcherProcess, process.pid].map(String);
  spawn('sh', ['-c', END_LAUNCHER, ...ids], { detached: true, stdio: 'ignore' }).unref();
}

/** @internal The job that has started this process; null without a launcher. No MPI is loaded then. */
export function startMpi(milliseconds: number): MpiTransport | null {
  const launch = launchOf(process.env);
  if (launch === null) return null;
  if (!isMainThread) {
    throw new Error(
      'distributed.init: expected the main thread, which MPI belongs to, got a Worker.',
    );
  }
  loadMpi(launch, process.env);
  const why = addon.mpiStart();
  if (why !== '') throw new Error(`distributed.init: expected MPI to start, got: ${why}.`);
  const transport = new MpiTransport(launch, milliseconds);
  const { size, rank } = launch;
  if ((size ?? transport.size) !== transport.size || rank !== transport.rank) {
    transport.fail(1);
    throw new Error(
      `distributed.init: expected rank ${rank} of ${size ?? '?'}, as ${launch.launcher} has started this process, ` +
        `got rank ${transport.rank} of ${transport.size} from ${transport.mpi}: it is not the launcher's MPI.`,
    );
  }
  return transport;
}
