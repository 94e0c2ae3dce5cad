import * as check from '../check/index.js';
import type { StateDict } from '../tensor/state-dict.js';
import { outsideScopes, Tensor } from '../tensor/tensor.js';

/** What is watched: a Module is one. */
export interface Restorable {
  stateDict(): StateDict;
  loadStateDict(state: StateDict): unknown;
}

export interface EarlyStoppingOptions {
  /** Epochs without an improvement that are still borne. Default 10. */
  patience?: number | undefined;
  /** How much better is better, at least 0. Default 0. */
  minDelta?: number | undefined;
  /** Whether the metric should fall or rise. Default 'min'. */
  mode?: 'min' | 'max' | undefined;
  /** Whether the model gets its best state back when it stops. Default true. */
  restoreBest?: boolean | undefined;
}

/**
 * Stops a training that no longer improves, and gives the model its best state back: a deep copy, with buffers. (A state
 * dict alone shares the memory of the model, and running statistics and weights move on in it.)
 *
 * @throws {RangeError | TypeError} for an option that is none.
 * @example
 * ```ts
 * const model = new nn.Linear(1, 1);
 * const stopping = new optim.EarlyStopping({ patience: 1 });
 * const losses = [3, 2, 2.5, 2.25, 1];
 * losses.findIndex((loss) => stopping.step(loss, model)); // => 3
 * [stopping.best, stopping.bestEpoch]; // => [2, 1]
 * ```
 */
export class EarlyStopping {
  readonly #patience: number;
  readonly #minDelta: number;
  readonly #sign: 1 | -1;
  readonly #restoreBest: boolean;
  #best: number | null = null;
  #bestEpoch = -1;
  #epoch = -1;
  #stopped = false;
  #state: StateDict | null = null;

  constructor(options: EarlyStoppingOptions = {}) {
    const who = 'EarlyStopping';
    check.options(who, options, ['patience', 'minDelta', 'mode', 'restoreBest']);
    const { patience = 10, minDelta = 0, mode = 'min', restoreBest = true } = options;
    this.#patience = check.wholeNumber(who, 'patience', patience, 0);
    this.#minDelta = check.numberBetween(who, 'minDelta', minDelta, 0, Infinity);
    this.#sign = check.oneOf(who, 'mode', mode, ['min', 'max']) === 'min' ? 1 : -1;
    this.#restoreBest = check.boolean(who, 'restoreBest', restoreBest);
  }

  /** The best metric so far; null before the first that is a number. */
  get best(): number | null {
    return this.#best;
  }

  /** The epoch of the best metric, from 0; -1 before. */
  get bestEpoch(): number {
    return this.#bestEpoch;
  }

  /** Whether training is to end: the patience is used up. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Once an epoch, after the evaluation.
   *
   * @param metric - A number, or a tensor of one. NaN is no improvement.
   * @returns Whether to stop: the best epoch lies more than patience epochs back. The model has its best state again then.
   */
  step(metric: number | Tensor, model: Restorable): boolean {
    const who = 'EarlyStopping.step';
    const value: unknown = metric instanceof Tensor ? metric.item() : metric;
    if (typeof value !== 'number') throw check.wrongKind(who, 'a metric: a number', metric);
    checkModel(who, model);
    const gain =
      this.#best === null ? Infinity : this.#sign * (this.#best - value) - this.#minDelta;
    const isBetter = !Number.isNaN(value) && gain > 0;
    if (isBetter && this.#restoreBest) this.#keep(model);
    this.#epoch++;
    if (isBetter) {
      this.#best = value;
      this.#bestEpoch = this.#epoch;
      return (this.#stopped = false);
    }
    this.#stopped = this.#epoch - this.#bestEpoch > this.#patience;
    if (this.#stopped && this.#state !== null) model.loadStateDict(this.#state);
    return this.#stopped;
  }

  /**
   * Gives the model its best state, also before it has stopped.
   *
   * @throws {Error} where there is none: nothing has improved yet, or `restoreBest` is false.
   */
  restore(model: Restorable): void {
    const who = 'EarlyStopping.restore';
    checkModel(who, model);
    if (this.#state === null) throw new Error(`${who}: expected a best state, got none yet.`);
    model.loadStateDict(this.#state);
  }

  #keep(model: Restorable): void {
    const before = this.#state;
    this.#state = outsideScopes(() => model.stateDict().clone());
    for (const each of before?.values() ?? []) each.dispose();
  }
}

function checkModel(who: string, model: unknown): void {
  const isModel =
    typeof model === 'object' && model !== null && 'stateDict' in model && 'loadStateDict' in model;
  if (!isModel) throw check.wrongKind(who, 'a Module', model);
}
