// One recorded operation, and the values that it connects: the graph.

/** What the gradient of a value is like. */
export interface Like {
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** A value the tape can carry. */
export interface Variable extends Like {
  readonly requiresGrad: boolean;
  /** The operation that made it, or null: a leaf. */
  readonly operation: Operation | null;
  /** Counts changes in place; a saved value that has changed since makes backward an error. */
  readonly version: number;
  /** Its memory has been given back; a saved value that has been makes backward an error. */
  readonly disposed: boolean;
}

/**
 * The inputs' gradients from the output's: each a new value that nobody else holds, or the output's
 * gradient itself. `needs[i]` says whether input i gets one; a part for any other input is ignored.
 */
type Backward = (gradient: never, needs: readonly boolean[]) => readonly (Variable | null)[];

/** Where a gradient goes: to the operation that made a variable, or to a leaf. */
export type Source = Operation | Variable;

interface Saved {
  readonly value: Variable;
  readonly version: number;
}

/** @internal How an operation goes back. */
export interface How {
  /** Its backward needs no value of the forward, and holds none: it can run again. */
  readonly repeats: boolean;
  /** What its backward makes beside the gradients is its own: it is disposed of. */
  readonly tidies: boolean;
}

const PLAIN: How = { repeats: false, tidies: false };

/** One recorded operation: a node of the graph. Later operations have higher `order`. */
export class Operation {
  private static made = 0;
  readonly order = Operation.made++;
  /** A backward that frees the graph has come to it, and has not ended. */
  underWay = false;
  private backward: Backward | null;
  private saved: readonly Saved[];
  /** A value that nobody but the graph can reach: disposed of with it. */
  private own: { dispose(): void } | null = null;
  /** Whether each input gets a gradient. Noted now: flags that change later change nothing, as in PyTorch. */
  private readonly needs: readonly boolean[];
  /** Where it goes, or null: noted now, because a disposed input forgets its maker. */
  sources: readonly (Source | null)[];

  constructor(
    readonly name: string,
    public inputs: readonly (Like | null)[],
    saved: readonly Variable[],
    backward: Backward,
    private readonly how: How = PLAIN,
  ) {
    this.backward = backward;
    this.sources = (inputs as readonly (Variable | null)[]).map((input) =>
      input?.requiresGrad ? (input.operation ?? input) : null,
    );
    this.needs = this.sources.map((source) => source !== null);
    this.saved = saved.map((value) => ({ value, version: value.version }));
  }

  /** The gradients of the inputs, given the output's. */
  differentiate<V extends Variable>(gradient: V): readonly (V | null)[] {
    type Now = (gradient: V, needs: readonly boolean[]) => readonly (V | null)[];
    return (this.checkedBackward() as Now)(gradient, this.needs);
  }

  /** @throws {Error} where a backward is called within another one that frees what both would read. */
  checkIdle(): void {
    if (!this.underWay) return;
    throw new Error(
      `${this.name}: Trying to backward through the graph a second time, within a backward that frees it when it ` +
        'ends. Pass { retainGraph: true } to the outer backward to keep it.',
    );
  }

  /** Whether what its backward makes beside the gradients is disposed of. */
  get tidies(): boolean {
    return this.how.tidies;
  }

  /** The function that differentiates. @throws {Error} where it, or anything it saved, is freed or has changed. */
  checkedBackward(): Backward {
    const { backward } = this;
    if (backward === null) {
      throw new Error(
        `${this.name}: Trying to backward through the graph a second time, but what it saved was freed ` +
          'by the first. Pass { retainGraph: true } to the first backward to keep it.',
      );
    }
    for (const { value, version } of this.saved) {
      if (value.disposed) {
        throw new Error(
          `${this.name}: one of the variables needed for gradient computation has been disposed of.`,
        );
      }
      if (value.version !== version) {
        throw new Error(
          `${this.name}: one of the variables needed for gradient computation has been modified by an ` +
            `inplace operation: it is at version ${value.version}; expected version ${version} instead.`,
        );
      }
    }
    return backward;
  }

  /** Disposes of `value` when the graph is freed: nobody else has it. */
  adopt(value: { dispose(): void }): void {
    this.own = value;
  }

  /**
   * Forgets what it saved, and the rest of the graph: a result that is kept keeps only itself. An operation that saved
   * nothing can go back again, as in PyTorch, and keeps the way to those before it, but no values.
   */
  free(): void {
    this.own?.dispose();
    this.own = null;
    if (this.how.repeats) {
      this.inputs = this.inputs.map((input) => input && { shape: input.shape, dtype: input.dtype });
      return;
    }
    this.backward = null;
    this.saved = this.inputs = this.sources = [];
  }
}
