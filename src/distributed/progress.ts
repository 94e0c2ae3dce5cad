// The steps of one collective on their way: by a wait that blocks this thread, in turns of the event loop, or begun in
// turns and ended by one that blocks.
import type { Steps } from './collectives.js';
import type { Call } from './record.js';
import { Wait, type Waiter } from './waiting.js';

/** So many turns of the event loop in a row, and then one a millisecond. */
const QUICK_TURNS = 100;

/** @internal Whose steps they are. */
export interface Speaker {
  readonly waiter: Waiter;
  readonly call: Call;
  /** Number of the collective under way. */
  sequence(): number;
  /** Is told what the steps have thrown. */
  failed(error: unknown): void;
}

/** @internal */
export class Progress<Result> {
  #wait: Wait | null = null;
  #end: { readonly result: Result } | { readonly error: unknown } | null = null;

  constructor(
    readonly speaker: Speaker,
    readonly steps: Steps<Result>,
  ) {}

  /** What has ended it; null where nothing has. */
  get error(): unknown {
    return this.#end !== null && 'error' in this.#end ? this.#end.error : null;
  }

  /** Ends it while this thread waits. */
  block(): Result {
    for (;;) {
      if (this.#advance(true)) return this.#result();
    }
  }

  /** Ends it while the event loop turns. */
  async turns(): Promise<Result> {
    let [wait, turn] = [this.#wait, 0];
    while (!this.#advance(false)) {
      turn = wait === this.#wait ? turn + 1 : 0;
      wait = this.#wait;
      await new Promise<void>((resolve) => {
        if (turn < QUICK_TURNS) setImmediate(resolve);
        else setTimeout(resolve, 1);
      });
    }
    return this.#result();
  }

  /** Goes on as far as what has come allows. Returns whether that is to its end. */
  #advance(blocks: boolean): boolean {
    try {
      while (this.#end === null) {
        if (this.#wait !== null && !this.#wait.over(blocks ? this.#wait.slice : 0)) return false;
        const step = this.steps.next();
        if (step.done === true) {
          this.#end = { result: step.value };
        } else {
          const { waiter, call } = this.speaker;
          this.#wait = new Wait(waiter, call, this.speaker.sequence(), step.value);
        }
      }
    } catch (error) {
      this.#end = { error };
      this.speaker.failed(error);
    }
    return true;
  }

  #result(): Result {
    const end = this.#end!;
    if ('error' in end) throw end.error;
    return end.result;
  }
}
