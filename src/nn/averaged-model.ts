// Averages of a model's weights over its training. Buffers, such as running statistics, are copied: an average of the
// weights alone would be evaluated with the statistics of its first day.
import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { StateDict } from '../tensor/state-dict.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { floats } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

export interface AveragedModelOptions {
  /**
   * The part of the average that stays, 0 to 1: an exponential moving average. Left out, the plain average of all updates
   * (stochastic weight averaging).
   */
  decay?: number | undefined;
}

/** A module whose forward is that of its average. */
interface Forward {
  forward(...args: never[]): unknown;
}

/**
 * The average of a model's parameters, in a copy of it (EMA; SWA: Izmailov et al. 2018). The first update copies them; each
 * one after moves them by average + (parameter - average) · (1 - decay), or · 1 / (updates + 1). Buffers become the model's.
 *
 * After a plain average the statistics are not those of its weights: `nn.updateBatchNorm(average, loader)`.
 *
 * @example
 * ```ts
 * const model = new nn.Linear(1, 1, { bias: false });
 * const average = new nn.AveragedModel(model, { decay: 0.5 });
 * for (const value of [2, 4]) {
 *   noGrad(() => model.weight.fill_(value));
 *   average.update(model);
 * }
 * average.module.weight.item(); // => 3
 * ```
 */
export class AveragedModel<M extends Module & Forward> extends Module {
  readonly module: M;
  readonly #decay: number | null;

  constructor(model: M, options: AveragedModelOptions = {}) {
    super();
    const who = this[WHO];
    if (!((model as unknown) instanceof Module)) throw check.wrongKind(who, 'a Module', model);
    check.options(who, options, ['decay']);
    const { decay } = options;
    this.#decay = decay === undefined ? null : check.numberBetween(who, 'decay', decay, 0, 1);
    this.registerBuffer('n_averaged', tensor(BigInt64Array.of(0n), []));
    this.module = model.clone().requiresGrad_(false);
  }

  /** How many updates it is the average of. */
  get averaged(): number {
    return Number((this.getBuffer('n_averaged')!.data as BigInt64Array)[0]);
  }

  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module.forward as (...each: unknown[]) => unknown)(...args) as ReturnType<
      M['forward']
    >;
  }

  /**
   * Takes the model's parameters into the average, after `optimizer.step()`.
   *
   * @throws {RangeError | TypeError} for a model of other parameters. Nothing has changed then.
   */
  update(model: M): void {
    const count = this.averaged;
    const weight = count === 0 ? 1 : this.#decay === null ? 1 / (count + 1) : 1 - this.#decay;
    move(`${this[WHO]}.update`, this.module, model, weight);
    (this.getBuffer('n_averaged')!.data as BigInt64Array)[0] = BigInt(count + 1);
    this.getBuffer('n_averaged')!.markChanged();
  }

  override clone(): this {
    throw new Error(`${this[WHO]}.clone: make another AveragedModel, or clone its module.`);
  }
}

/**
 * Moves a target network toward its source (Lillicrap et al. 2016): target + (source - target) · tau of each parameter.
 * Buffers, running statistics among them, become the source's.
 *
 * @param tau - 0 to 1.
 * @throws {RangeError | TypeError} for models of other parameters. Nothing has changed then.
 * @example
 * ```ts
 * const [target, source] = [new nn.BatchNorm1d(1), new nn.BatchNorm1d(1)];
 * noGrad(() => source.weight.fill_(3));
 * source.forward(tensor([[1], [3]]));
 * nn.softUpdate(target, source, 0.25);
 * [target.weight.item(), target.runningMean.toArray()[0].toFixed(1)]; // => [1.5, '0.2']
 * ```
 */
export function softUpdate(
  target: Module,
  source: Module,
  tau: number,
  ...rest: undefined[]
): void {
  if (rest.length > 0) check.noMore('softUpdate', 3, rest);
  const who = 'softUpdate';
  for (const each of [target, source] as unknown[]) {
    if (!(each instanceof Module)) throw check.wrongKind(who, 'two Modules', each);
  }
  move(who, target, source, check.numberBetween(who, 'tau', tau, 0, 1));
}

/** Everything is checked before anything moves. */
function move(who: string, to: Module, from: Module, weight: number): void {
  if (!((from as unknown) instanceof Module)) throw check.wrongKind(who, 'a Module', from);
  const sources = new Map(from.namedParameters());
  const targets = [...to.namedParameters()];
  for (const [name, target] of targets) {
    const source = sources.get(name);
    if (source === undefined) throw check.wrongValue(who, `a model with '${name}'`, 'none');
    check.sameShape(who, `'${name}'`, source, target.shape);
    check.sameDtype(who, `'${name}'`, source, target.dtype);
    source.attached(who, `'${name}'`);
    target.attached(who, `'${name}'`);
  }
  if (sources.size !== targets.length) {
    throw check.wrongValue(who, `a model of ${targets.length} parameters`, String(sources.size));
  }
  const buffers = new StateDict();
  for (const [key, value] of from.stateDict()) if (!sources.has(key)) buffers.set(key, value);
  const own = buffersOf(to);
  const others = [...buffersOf(from)].filter(([key]) => !buffers.has(key));
  for (const [key, value] of others) {
    const mine = own.get(key);
    if (mine === undefined) throw check.wrongValue(who, `a model with '${key}'`, 'none');
    check.sameShape(who, `'${key}'`, value, mine.shape);
  }
  const { unexpectedKeys } = to.loadStateDict(buffers, { strict: false });
  if (unexpectedKeys.length > 0) {
    throw check.wrongValue(who, `a model with '${unexpectedKeys[0]!}'`, 'none');
  }
  for (const [key, value] of others) own.get(key)!.copy_(value);
  for (const [name, target] of targets) {
    const source = sources.get(name)!;
    addon.lerp(floats(target), floats(source), weight, floats(target), target.numel);
    target.markChanged();
  }
}

/** Those of a module and its children, which may be in no state dict. */
function buffersOf(module: Module): Map<string, Tensor> {
  return new Map(module.namedBuffers());
}
