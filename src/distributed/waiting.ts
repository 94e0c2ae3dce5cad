// Waiting for messages: for so long, and what is said where they do not come.
import { PeerError, ranksText, TIMEOUT_CODE, TimeoutError } from './errors.js';
import type { Call } from './record.js';
import type { Exchange, Transport } from './transport.js';

/** One wait of the transport in microseconds, after which it is looked for who has ended. */
const SLICE = 20_000;
/** What a process has sent before it ended has this long to arrive, in milliseconds. */
const GRACE = 1000;

/** @internal Who waits, where in the program, and for how long. */
export interface Waiter {
  readonly transport: Transport;
  /** The ranks of the transport that make the group, in the order of its own ranks. */
  readonly members: readonly number[];
  readonly rank: number;
  readonly milliseconds: number;
}

/** @internal Blocks until nothing is missing. @throws {PeerError | TimeoutError} */
export function waitNow(waiter: Waiter, exchange: Exchange, call: Call, sequence: number): void {
  // Most waits end here, and need no clock.
  const first = Math.min(SLICE, waiter.milliseconds * 1e3);
  if (exchange.wait(first) === 0) return;
  const wait = new Wait(waiter, call, sequence, exchange, first);
  while (!wait.over(wait.slice));
}

/** @internal A wait that goes on: `over` throws where it has to end without the messages. */
export class Wait {
  readonly #begun: number;
  #endedSince: number | null = null;

  constructor(
    readonly waiter: Waiter,
    readonly call: Call,
    readonly sequence: number,
    readonly exchange: Exchange,
    /** Microseconds before it was made. */
    waited = 0,
  ) {
    this.#begun = performance.now() - waited / 1e3;
  }

  /** Whether nothing is missing. @throws {PeerError | TimeoutError} */
  over(microseconds: number): boolean {
    if (this.exchange.wait(microseconds) === 0) return true;
    const now = performance.now();
    this.#checkEnded(now);
    const { milliseconds } = this.waiter;
    if (now - this.#begun > milliseconds) throw this.#tooLate();
    return false;
  }

  /** For how many microseconds a wait that blocks may last before it is looked again who is there. */
  get slice(): number {
    const left = this.waiter.milliseconds - (performance.now() - this.#begun);
    return Math.max(0, Math.min(SLICE, left * 1e3));
  }

  get #place(): string {
    return `${this.call.kind} ${this.sequence} (${this.call.what})`;
  }

  #silent(): number[] {
    const { members } = this.waiter;
    const silent = this.exchange.silent();
    return members.flatMap((member, rank) => (silent.includes(member) ? [rank] : []));
  }

  #checkEnded(now: number): void {
    const { transport, members } = this.waiter;
    const ended = transport.ended();
    const left = this.#silent().filter((rank) => ended.includes(members[rank]!));
    if (left.length === 0) return;
    this.#endedSince ??= now;
    if (now - this.#endedSince < GRACE) return;
    const who = `${ranksText(left)} of ${members.length}`;
    throw new PeerError(`${who}: ended before ${this.#place}`, left, true);
  }

  #tooLate(): TimeoutError {
    const { rank, milliseconds, transport } = this.waiter;
    const silent = this.#silent();
    transport.fail(TIMEOUT_CODE);
    return new TimeoutError(
      `rank ${rank} has waited ${milliseconds / 1000} s in ${this.#place}; ` +
        (silent.length > 0
          ? `no word from ${ranksText(silent)}`
          : 'what it has sent has not arrived'),
      silent,
    );
  }
}
