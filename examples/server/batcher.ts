// Many requests in one forward: those that come while another one runs, or within `maxWait` of each other.

export interface BatcherOptions {
  /** Inputs in a batch, at most. */
  readonly maxBatch: number;
  /** Milliseconds that the first input waits for others where nothing runs. */
  readonly maxWait: number;
  /** Inputs that may wait; one more is refused. */
  readonly maxQueue: number;
}

/** There are `maxQueue` inputs in front. */
export class Overloaded extends Error {}

interface Waiting<Input, Output> {
  readonly input: Input;
  readonly signal: AbortSignal;
  readonly resolve: (output: Output) => void;
  readonly reject: (reason: unknown) => void;
}

/** One output for each input, in their order; the signal is aborted when nobody waits for any of them. */
export type Run<Input, Output> = (
  inputs: readonly Input[],
  signal: AbortSignal,
) => Promise<readonly Output[]>;

export class Batcher<Input, Output> {
  readonly #run: Run<Input, Output>;
  readonly #options: BatcherOptions;
  #queue: Waiting<Input, Output>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  #batches = 0;
  #inputs = 0;

  constructor(run: Run<Input, Output>, options: BatcherOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Batches so far, and inputs in them. */
  get counts(): { readonly batches: number; readonly inputs: number; readonly waiting: number } {
    return { batches: this.#batches, inputs: this.#inputs, waiting: this.#queue.length };
  }

  /**
   * Rejected with `signal.reason` where the signal is aborted first: the input leaves the queue, and no batch has it.
   *
   * @throws {Overloaded} where too many wait.
   */
  submit(input: Input, signal: AbortSignal): Promise<Output> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const { maxQueue, maxBatch, maxWait } = this.#options;
      if (this.#queue.length >= maxQueue) throw new Overloaded(`${maxQueue} requests are waiting`);
      const waiting: Waiting<Input, Output> = { input, signal, resolve, reject };
      signal.addEventListener('abort', () => this.#drop(waiting), { once: true });
      this.#queue.push(waiting);
      if (this.#isRunning) return;
      if (this.#queue.length >= maxBatch) this.#start();
      else this.#timer ??= setTimeout(() => this.#start(), maxWait);
    });
  }

  /** What waits goes now. */
  flush(): void {
    this.#start();
  }

  #drop(waiting: Waiting<Input, Output>): void {
    this.#queue = this.#queue.filter((each) => each !== waiting);
    waiting.reject(waiting.signal.reason);
  }

  /** Runs what waits, until nothing does. */
  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isRunning || this.#queue.length === 0) return;
    this.#isRunning = true;
    const batch = this.#queue.splice(0, this.#options.maxBatch);
    void this.#answer(batch).then(() => {
      this.#isRunning = false;
      this.#start();
    });
  }

  async #answer(batch: readonly Waiting<Input, Output>[]): Promise<void> {
    this.#batches++;
    this.#inputs += batch.length;
    const nobody = new AbortController();
    const leave = (): void => {
      if (batch.every(({ signal }) => signal.aborted)) nobody.abort();
    };
    for (const { signal } of batch) signal.addEventListener('abort', leave, { once: true });
    try {
      const outputs = await this.#run(
        batch.map(({ input }) => input),
        nobody.signal,
      );
      batch.forEach(({ resolve }, i) => resolve(outputs[i]!));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
