// A group of processes, and what they do together.
// Longer than 250 lines because all that a group promises its user is documented here; the steps are in collectives.ts.
import * as check from '../check/index.js';
import type { Asks, ProcessGroup } from '../functional/batchnorm/process-group.js';
import { deferring, type Arrival, type Deferral } from '../run/deferral.js';
import { Tensor, type TensorData } from '../tensor/tensor.js';
import { bytesOf, Collectives, NONE, type Steps } from './collectives.js';
import { isOfPeers, messageOf } from './errors.js';
import { Progress, type Speaker } from './progress.js';
import { Call, type Kind } from './record.js';
import type { FloatArray } from './sums.js';
import { Talk, type Job, type Partners } from './talk.js';
import type { Backend, Exchange } from './transport.js';
import { waitNow, type Waiter } from './waiting.js';

/** @internal */
export const ADD = Symbol('add');
/** @internal */
export const ADD_LATER = Symbol('addLater');
const JOB = Symbol('job');

/** The exchanges of calls beside the event loop. */
const talks = new WeakMap<Deferral, Talk>();
/** Errors that the other processes hear of already. */
const told = new WeakSet();
const BARRIER = new Call('barrier', 'barrier');
const END_OF_CALL = new Call('barrier', 'end of a call beside the event loop');

/**
 * The processes of a job, or a part of them. Every process of the group makes the same calls in the same order; whatever one
 * of them does otherwise, the others are told of, by an error.
 */
export class Group implements ProcessGroup, Partners {
  readonly #collectives: Collectives;
  readonly #waiter: Waiter;
  readonly #wait = (exchange: Exchange, call: Call, sequence: number): void => {
    waitNow(this.#waiter, exchange, call, sequence);
  };
  #splits = 0;
  #open = true;
  /** @internal */
  readonly [JOB]: Job;

  /** @internal */
  constructor(job: Job, members: readonly number[], rank: number, name: string) {
    this[JOB] = job;
    this.#collectives = new Collectives(job.transport, members, rank, name);
    this.#waiter = { transport: job.transport, members, rank, milliseconds: job.milliseconds };
  }

  /** Of this process in the group: 0 to size - 1. */
  get rank(): number {
    return this.#waiter.rank;
  }

  /** How many processes. */
  get size(): number {
    return this.#waiter.members.length;
  }

  /** Rank among the processes of this machine, as the launcher counts. */
  get localRank(): number {
    return this[JOB].transport.localRank;
  }

  /** 'mpi', 'workers', or 'none': a world of one. */
  get backend(): Backend {
    return this[JOB].transport.backend;
  }

  /** Which MPI, with its version; null without one. */
  get mpi(): string | null {
    return this[JOB].transport.mpi;
  }

  /**
   * Waits until every process of the group has come here.
   *
   * @throws {PeerError | TimeoutError} as every call here: see the page `docs/distributed.md`.
   */
  barrier(): void {
    this.gatherBytes(BARRIER, NONE);
  }

  /**
   * Writes the values of `root`'s tensor into those of the others.
   *
   * @param tensor - Of the same shape and dtype on every process. It is written in place.
   * @param root - A rank of the group. Default 0.
   */
  broadcast(tensor: Tensor, root = 0): Tensor {
    const who = 'broadcast';
    const data = dataOf(who, tensor);
    check.wholeNumber(who, 'root', root, 0, this.size - 1);
    this.#run('broadcast', `broadcast of ${kindOf(tensor)}`, (steps, call) =>
      steps.broadcast(call, bytesOf(data), root),
    );
    if (this.rank !== root) tensor.markChanged();
    return tensor;
  }

  /**
   * Everyone's tensor, by rank: copies.
   *
   * @param tensor - Of the same shape and dtype on every process.
   */
  allGather(tensor: Tensor): Tensor[] {
    const who = 'allGather';
    const data = dataOf(who, tensor);
    const call = new Call('all-gather', `all-gather of ${kindOf(tensor)}`);
    const all = this.gatherBytes(call, bytesOf(data));
    return all.map((bytes) => {
      const copy = Tensor.uninitialized(tensor.shape, tensor.dtype);
      bytesOf(copy.attached(who)).set(bytes);
      return copy;
    });
  }

  /**
   * The sum of everyone's tensor, element by element, in place. In the tensor's dtype and in the order of a balanced tree
   * over the ranks: the same bits on every process, whatever the MPI, the network and who comes first.
   *
   * @param tensor - float32 or float64, of the same shape and dtype on every process; it does not require grad.
   */
  allReduce(tensor: Tensor, operation: 'sum' = 'sum'): Tensor {
    const who = 'allReduce';
    check.oneOf(who, 'operation', operation, ['sum']);
    const data = dataOf(who, tensor);
    check.floating(who, 'a tensor', tensor);
    this.#run('all-reduce', `all-reduce of ${kindOf(tensor)}`, (steps, call) =>
      steps.allReduce(call, [data as FloatArray]),
    );
    tensor.markChanged();
    return tensor;
  }

  /**
   * The processes of this group that give the same color, as a group of their own, in the order of their ranks. Every
   * process of this group has to call it.
   *
   * @param color - A whole number of at least 0.
   */
  split(color: number): Group {
    check.wholeNumber('split', 'color', color, 0, 2 ** 31 - 1);
    const own = new Uint8Array(Int32Array.of(color).buffer);
    const all = this.gatherBytes(new Call('all-gather', 'split'), own);
    const colors = all.map((bytes) => new Int32Array(bytes.slice().buffer)[0]!);
    const { members, rank } = this.#waiter;
    const ours = members.filter((_, each) => colors[each] === color);
    const name = `split ${++this.#splits} of ${members.join(',')} by ${color}`;
    return new Group(this[JOB], ours, ours.indexOf(members[rank]!), name);
  }

  /** Ends the use of the group: later calls are refused. The job itself ends with the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await [...this[JOB].talks].at(-1)?.over;
    this.#open = false;
  }

  /** @internal */
  meeting(what: string): Call {
    return new Call('all-gather', what);
  }

  /** @internal */
  gatherBytes(meeting: Call, own: Uint8Array): readonly Uint8Array[] {
    this.#checkMayBlock(meeting);
    this.#checkUsable(meeting);
    try {
      return this.#collectives.gatherNow(meeting, own, this.#wait);
    } catch (error) {
      this.#break(error);
      throw error;
    }
  }

  /** @internal */
  refuse(meeting: Call, error: unknown): void {
    const job = this[JOB];
    if (job.broken !== null || isOfPeers(error) || told.has(error as object)) return;
    if (!this.#mayBlock()) this.#refuseLater(meeting, error);
    else this.#block(meeting, (steps) => steps.fail(meeting, messageOf(error)));
  }

  /** @internal */
  take(deferral: Deferral): void {
    const talk = this.#talkOf(deferral);
    deferral.agreeFirst(async () => talk.agree());
  }

  /** @internal */
  expect(deferral: Deferral, meeting: Call, body: () => Asks<void>): Arrival {
    const talk = this.#talkOf(deferral);
    talk.expect(this);
    return {
      now: () => {
        talk.meetNow(this, meeting, body());
      },
      later: async () => talk.meetLater(this, body),
    };
  }

  #talkOf(deferral: Deferral): Talk {
    let talk = talks.get(deferral);
    if (talk === undefined) {
      const made = new Talk(this[JOB]);
      deferral.afterwards((failure) => {
        made.end(failure);
      });
      talks.set(deferral, made);
      talk = made;
    }
    talk.with(this, END_OF_CALL);
    return talk;
  }

  /** @internal Sums over the processes, in place. */
  [ADD](what: string, arrays: readonly FloatArray[]): void {
    this.#run('all-reduce', what, (steps, call) => steps.allReduce(call, arrays));
  }

  /** @internal The same, while the event loop turns. */
  async [ADD_LATER](what: string, arrays: readonly FloatArray[]): Promise<void> {
    const call = new Call('all-reduce', what);
    const talk = new Talk(this[JOB]);
    try {
      await talk.run(this, call, (steps) => steps.allReduce(call, arrays));
    } finally {
      talk.end(null);
    }
  }

  /** @internal The steps of a collective, to be carried out. @throws {Error} where the group cannot be used. */
  begin<Result>(call: Call, make: (steps: Collectives) => Steps<Result>): Progress<Result> {
    this.#checkUsable(call);
    const speaker: Speaker = {
      waiter: this.#waiter,
      call,
      sequence: () => this.#collectives.sequence,
      failed: (error) => {
        this.#break(error);
      },
    };
    return new Progress(speaker, make(this.#collectives));
  }

  #run<Result>(
    kind: Kind,
    what: string,
    make: (steps: Collectives, call: Call) => Steps<Result>,
  ): Result {
    const call = new Call(kind, what);
    return this.#block(call, (steps) => make(steps, call));
  }

  /** Carries out steps now. */
  #block<Result>(call: Call, make: (steps: Collectives) => Steps<Result>): Result {
    this.#checkMayBlock(call);
    return this.begin(call, make).block();
  }

  /** @throws {Error} where the exchanges of a call before this one have not ended; the other processes hear of it. */
  #checkMayBlock(call: Call): void {
    if (this.#mayBlock()) return;
    const error = new Error(
      `${call.what}: expected no asynchronous call under way, got one: await it first, so that every process ` +
        'communicates in the same order.',
    );
    this.#refuseLater(call, error);
    throw error;
  }

  /** Whether the exchanges of all calls before this one have ended, or end now. */
  #mayBlock(): boolean {
    if (this[JOB].talks.size === 0) return true;
    // A call whose exchanges come later, because it is being made: that of which this one is a part.
    const deferral = deferring();
    const own = deferral === null ? undefined : talks.get(deferral);
    return [...this[JOB].talks].every((talk) => talk === own || talk.finishNow());
  }

  /** Tells the others, behind the calls before this one. */
  #refuseLater(call: Call, error: unknown): void {
    const talk = new Talk(this[JOB]);
    talk.with(this, call);
    talk.end({ error });
    if (typeof error === 'object' && error !== null) told.add(error);
  }

  /** Where processes have not met, or messages are under way still, nobody knows what comes next. */
  #break(error: unknown): void {
    if (isOfPeers(error) && 'fatal' in error && !error.fatal) return;
    this[JOB].broken ??= error;
  }

  #checkUsable(call: Call): void {
    if (!this.#open) throw new Error(`${call.what}: expected an open group, got a disposed one.`);
    const { broken } = this[JOB];
    if (broken === null) return;
    const why = messageOf(broken);
    throw new Error(`${call.what}: expected a job that can go on, got one that cannot: ${why}`);
  }
}

function dataOf(who: string, tensor: Tensor): TensorData {
  if (!((tensor as unknown) instanceof Tensor)) throw check.wrongKind(who, 'a Tensor', tensor);
  return tensor.attached(who);
}

const kindOf = ({ shape, dtype }: Tensor): string => `${dtype} ${check.shapeText(shape)}`;
