// The addon's exports, typed. binding/exports.inc lists them, and says where each argument is explained;
// test/unit/exports.test.ts compares the two.

import type { BatchNormCalls } from './calls/batchnorm.js';
import type { ConvolutionCalls } from './calls/convolution.js';
import type { ElementwiseCalls } from './calls/elementwise.js';
import type { Floats } from './calls/floats.js';
import type { LinearCalls } from './calls/linear.js';
import type { LossCalls } from './calls/losses.js';
import type { OptimizerCalls } from './calls/optimizers.js';
import type { RandomCalls } from './calls/random.js';
import type { ReductionCalls } from './calls/reductions.js';
import type { StridedCalls } from './calls/strided.js';

/**
 * The same call as a job: beside the event loop, on a thread of the addon's own. `ticket` names it to `cancelJob`. The
 * promise is never rejected. Its value is the call's result, 'done' where it has none, or how it ended otherwise: what
 * it was to write is garbage then. Arguments are checked at once, and throw at once.
 */
type Job<Call extends (...args: never) => unknown> = (
  ...args: [...Parameters<Call>, ticket: number]
) => Promise<JobEnd<ReturnType<Call>>>;

type JobEnd<Result> =
  (Result extends number | boolean ? Result : 'done') | 'cancelled' | 'out of memory';

/** The calls of the kernels, each of which can also be a job. */
export interface Calls
  extends
    BatchNormCalls,
    LinearCalls,
    ConvolutionCalls,
    ElementwiseCalls,
    ReductionCalls,
    StridedCalls,
    RandomCalls,
    LossCalls,
    OptimizerCalls {}

export interface Addon extends Calls {
  readonly jobs: { readonly [Name in keyof Calls]: Job<Calls[Name]> };
  cancelJob(ticket: number): void;
  prepareLarge(data: Floats, n: number): number;
  gatherPages(data: Floats, n: number): void;
  weakWatch(slot: number, object: object): void;
  weakForget(slot: number): void;
  weakAlive(slot: number): boolean;
  freeBuffer(buffer: ArrayBuffer): void;
  returnMemory(): void;
  isa(): string;
  availableIsas(): string[];
  selectIsa(name: string): boolean;
  threads(): number;
  holdThreads(microseconds: number): void;
  setThreads(n: number): void;
  configure(isa: string, threads: number): void;
  mpiOpen(library: string, abi: number): string;
  mpiStart(): string;
  mpiVersion(): string;
  mpiRank(): number;
  mpiSize(): number;
  mpiExchange(): number;
  mpiSend(
    exchange: number,
    communicator: number,
    peer: number,
    tag: number,
    bytes: Uint8Array,
    begin: number,
    end: number,
  ): void;
  mpiReceive(
    exchange: number,
    communicator: number,
    peer: number,
    tag: number,
    bytes: Uint8Array,
    begin: number,
    end: number,
  ): void;
  mpiWait(exchange: number, microseconds: number): number;
  mpiSilent(exchange: number): number[];
  mpiFinalize(): void;
  mpiAbortAtExit(code: number): void;
  bareCopy(source: Float32Array, target: Float32Array, n: number): void;
  bareRead(source: Float32Array, n: number): number;
}
