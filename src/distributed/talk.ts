// What one asynchronous call exchanges. The exchanges of a call come behind those of the calls before it, all of them, so
// that every process makes them in the same order, whichever computes faster.
import type { Asks } from '../functional/batchnorm/process-group.js';
import { NONE, type Collectives, type Steps } from './collectives.js';
import { isOfPeers, messageOf } from './errors.js';
import type { Progress } from './progress.js';
import type { Call } from './record.js';
import type { Transport } from './transport.js';

/** @internal What the groups of one job share: collectives come one after the other, whichever group they are of. */
export interface Job {
  readonly transport: Transport;
  readonly milliseconds: number;
  /** Why nothing can be exchanged any more. */
  broken: unknown;
  /** Asynchronous calls whose exchanges have not ended, in their order. */
  readonly talks: Set<Talk>;
}

/** @internal Processes that a talk is with. */
export interface Partners {
  begin<Result>(call: Call, make: (steps: Collectives) => Steps<Result>): Progress<Result>;
}

/** @internal */
export class Talk {
  /** Settles when its last exchange has ended. */
  readonly over: Promise<void>;
  readonly #before: Promise<void>;
  #left = (): void => undefined;
  #agreed = false;
  /** With whom there are meetings to come, in their order. */
  #ahead: Partners[] = [];
  /** Who still waits to hear how this call ends, and where they are told. */
  readonly #open = new Map<Partners, Call>();
  #running: { readonly partners: Partners; readonly progress: Progress<unknown> } | null = null;
  #closing: Generator<Progress<void>, void, void> | null = null;
  #current: Progress<void> | null = null;

  constructor(readonly job: Job) {
    this.#before = [...job.talks].at(-1)?.over ?? Promise.resolve();
    this.over = new Promise((resolve) => (this.#left = resolve));
    job.talks.add(this);
  }

  /** That these hear of how it ends, at `end`. */
  with(partners: Partners, end: Call): void {
    if (!this.#open.has(partners)) this.#open.set(partners, end);
  }

  /** That there will be a meeting more. */
  expect(partners: Partners): void {
    this.#ahead.push(partners);
  }

  /** Makes a meeting while this thread waits. @throws {Error} where another call comes before it. */
  meetNow(partners: Partners, call: Call, asks: Asks<void>): void {
    if (!this.isFirst) {
      throw new Error(
        `${call.what}: expected a value that is there, got one that is to be computed behind another asynchronous ` +
          'call: await that one first.',
      );
    }
    this.#ahead.shift();
    this.#heard(partners, () => {
      for (let step = asks.next(); step.done !== true;) {
        const { meeting, own } = step.value;
        const progress = partners.begin(meeting as Call, (steps) =>
          steps.gather(meeting as Call, own),
        );
        step = asks.next(progress.block());
      }
    });
  }

  /** Makes a meeting while the event loop turns. */
  async meetLater(partners: Partners, body: () => Asks<void>): Promise<void> {
    await this.#before;
    this.#checkGoesOn();
    this.#ahead.shift();
    const asks = body();
    for (let step = asks.next(); step.done !== true;) {
      const { meeting, own } = step.value;
      const all = await this.#exchange(partners, meeting as Call, own);
      this.#checkGoesOn();
      step = asks.next(all);
    }
  }

  /** Has all hear that this process has done its part, and hears it of all. @throws {PeerError} where one has not. */
  async agree(): Promise<void> {
    await this.#before;
    for (const [partners, call] of this.#open) {
      this.#open.delete(partners); // what has been sent cannot be taken back
      await this.#exchange(partners, call, NONE);
      this.#agreed = true;
    }
  }

  /** Carries out steps of which the others are not told how they end. */
  async run<Result>(
    partners: Partners,
    call: Call,
    make: (steps: Collectives) => Steps<Result>,
  ): Promise<Result> {
    await this.#before;
    return partners.begin(call, make).turns();
  }

  /** After the last exchange, or where there will be no other: those that wait are told of `failure`. */
  end(failure: { readonly error: unknown } | null): void {
    // The others have continued as if this process had done its part.
    if (failure !== null && this.#agreed) this.job.broken ??= failure.error;
    if (failure === null || this.#open.size === 0 || this.job.broken !== null) {
      this.#leave();
      return;
    }
    this.#closing = this.#close(messageOf(failure.error));
    void this.#finish();
  }

  /** Ends it while this thread waits, where nothing is left of it but to tell others; false where there is more. */
  finishNow(): boolean {
    if (this.#closing === null || !this.isFirst) return false;
    if (this.#current !== null) quietly(this.#current);
    for (const progress of this.#closing) quietly(progress);
    this.#leave();
    return true;
  }

  /** Whether no other call comes before it. */
  get isFirst(): boolean {
    const [first] = this.job.talks;
    return first === this;
  }

  async #exchange(partners: Partners, call: Call, own: Uint8Array): Promise<readonly Uint8Array[]> {
    const progress = partners.begin(call, (steps) => steps.gather(call, own));
    this.#running = { partners, progress };
    try {
      return await progress.turns();
    } catch (error) {
      this.#hear(partners, error);
      throw error;
    } finally {
      this.#running = null;
    }
  }

  /** Others have failed: they wait for nothing more. */
  #hear(partners: Partners, error: unknown): void {
    if (isOfPeers(error)) this.#open.delete(partners);
  }

  #heard(partners: Partners, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#hear(partners, error);
      throw error;
    }
  }

  /** An exchange that goes on after its call has failed ends for those that get what was sent, and for nobody here. */
  #checkGoesOn(): void {
    if (this.#closing !== null) throw new Error('evenkeel: expected a call that goes on.');
  }

  /** What is under way ends; then everyone who waits is told, at the place where the next exchange would be. */
  *#close(message: string): Generator<Progress<void>, void, void> {
    const running = this.#running;
    if (running !== null) {
      const { partners, progress } = running;
      yield progress as Progress<void>;
      this.#hear(partners, progress.error);
    }
    for (const partners of new Set([...this.#ahead, ...this.#open.keys()])) {
      const call = this.#open.get(partners);
      if (call === undefined || this.job.broken !== null) continue;
      this.#open.delete(partners);
      try {
        yield partners.begin(call, (steps) => steps.fail(call, message));
      } catch {
        // A group that is not used any more.
      }
    }
  }

  async #finish(): Promise<void> {
    await this.#before;
    for (const progress of this.#closing!) {
      this.#current = progress;
      await progress.turns().catch(() => undefined);
      this.#current = null;
    }
    this.#leave();
  }

  #leave(): void {
    if (this.job.talks.delete(this)) this.#left();
  }
}

function quietly(progress: Progress<void>): void {
  try {
    progress.block();
  } catch {
    // Whoever communicates next is told that the job cannot go on.
  }
}
