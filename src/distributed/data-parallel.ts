// Data parallel training: each process has a replica of the model and a share of each batch, and gradients are added.
import * as check from '../check/index.js';
import { keepTotals, sumInLeaves, takeWhole, totalsOf } from '../functional/batch-totals.js';
import { defaultGroup } from '../functional/batchnorm/process-group.js';
import { isDepthwise } from '../functional/convolution/shape.js';
import { Conv1d } from '../nn/convolution.js';
import { Dropout } from '../nn/dropout.js';
import { Linear } from '../nn/linear.js';
import { SHARED_DRAWS } from '../nn/module/internals.js';
import { Module } from '../nn/module/module.js';
import { expectSummed } from '../tensor/shares.js';
import { Tensor, type Parameter } from '../tensor/tensor.js';
import { ADD, ADD_LATER, Group } from './group.js';
import type { FloatArray } from './sums.js';
import { verify } from './verify.js';

export interface DataParallelOptions {
  /** Default all processes of the job. */
  group?: Group | null | undefined;
}

/** One gradient on its way through the sum. */
interface Part {
  readonly parameter: Parameter;
  readonly array: FloatArray;
  /** Where in it; null: the array is the gradient itself. */
  readonly at: number | null;
}

const WHAT = 'gradients';

/**
 * A model of which every process has a replica. Each process computes its share of the batch; `reduceGradients()` after
 * `backward()` makes every `grad` that of the whole batch, so that equal optimisers make equal steps.
 *
 * Gradients are summed, not averaged: give the loss the rows of the whole batch, `{ of: batch.globalRows }`.
 */
export class DataParallel {
  readonly #group: Group;
  /** What each gradient was after the last call. */
  readonly #reduced = new WeakMap<Tensor, number>();
  /** Gradients that a step may use. */
  readonly #summed = new WeakSet<Tensor>();
  /** What the gradients are summed in, from call to call. */
  #doubles = new Float64Array(0);
  #singles = new Float32Array(0);

  /** @internal */
  constructor(
    readonly model: Module,
    group: Group,
  ) {
    this.#group = group;
    if (group.size === 1) return;
    for (const parameter of model.parameters()) expectSummed(parameter, this.#summed);
  }

  /**
   * Replaces the gradients of this process's share by the sums over all processes, in a fixed order: the same bits on every
   * process. It blocks until they are there. Gradients of a SyncBatchNorm are of the whole batch already. A parameter that
   * has no gradient on one process counts as 0 there; one that has none anywhere stays without.
   *
   * @throws {Error} where no backward has been since the last call.
   * @throws {PeerError | TimeoutError}
   */
  reduceGradients(): void {
    const parts = this.#parts('reduceGradients');
    this.#group[ADD](WHAT, arraysOf(parts));
    this.#write(parts);
  }

  /** The same, while the event loop turns. Until it settles no gradient is to be read or written. */
  async reduceGradientsAsync(): Promise<void> {
    const parts = this.#parts('reduceGradientsAsync');
    await this.#group[ADD_LATER](WHAT, arraysOf(parts));
    this.#write(parts);
  }

  /** What has to be summed: large gradients themselves, copies of others, sums over a batch unrounded where they are known so. */
  #parts(who: string): Part[] {
    const parameters = [...this.model.parameters()];
    const own = Uint8Array.from(parameters, (each) =>
      takeWhole(each) || each.grad === null ? 0 : 1,
    );
    for (const [i, { grad }] of parameters.entries()) {
      if (own[i] === 0 || grad === null || this.#reduced.get(grad) !== grad.version) continue;
      throw new Error(
        `DataParallel.${who}: expected new gradients, got those of the last call: zeroGrad(), forward and backward come before it.`,
      );
    }
    const all = this.#group.gatherBytes(this.#group.meeting('gradients there are'), own);
    const wanted = parameters.filter((_, i) => all.some((each) => each[i] === 1));
    const places = wanted.map((parameter) => [parameter, placeOf(parameter)] as const);
    const lengthIn = (wantedPlace: Place): number =>
      places.reduce((sum, [{ numel }, place]) => sum + (place === wantedPlace ? numel : 0), 0);
    const [doubles, singles] = [lengthIn('doubles'), lengthIn('singles')];
    if (this.#doubles.length !== doubles) this.#doubles = new Float64Array(doubles);
    if (this.#singles.length !== singles) this.#singles = new Float32Array(singles);
    const next = { doubles: 0, singles: 0 };
    return places.map(([parameter, place]) => {
      if (place === 'itself') return partItself(parameter);
      const at = next[place];
      next[place] += parameter.numel;
      const array: FloatArray = place === 'doubles' ? this.#doubles : this.#singles;
      const { grad } = parameter;
      if (grad === null) array.fill(0, at, at + parameter.numel);
      else array.set(unrounded(parameter, grad), at);
      return { parameter, array, at };
    });
  }

  #write(parts: readonly Part[]): void {
    for (const { parameter, array, at } of parts) {
      const grad = (parameter.grad ??= Tensor.uninitialized(parameter.shape, parameter.dtype));
      if (at !== null) {
        grad.attached('DataParallel').set(array.subarray(at, at + parameter.numel) as never);
      }
      grad.markChanged();
      this.#reduced.set(grad, grad.version);
    }
    // Also those of a SyncBatchNorm, which are of the whole batch already.
    for (const { gradient } of this.model.parameters())
      if (gradient !== null) this.#summed.add(gradient);
  }
}

/**
 * A replica of `model` for this process. Checks that all replicas are equal, to the bit (`verify`), and has Dropout layers
 * take their random numbers by the place in the whole batch.
 *
 * The bits are those of one process, on any number of processes, where every process has its `distributed.share` of the
 * batch and the model learns in Linear and SyncBatchNorm layers, each once a backward; of other layers they depend on
 * how many processes there are, and on nothing else. See `docs/distributed.md`.
 *
 * @throws {PeerError} where a replica differs.
 * @example
 * ```ts
 * const world = await distributed.init();
 * const model = new nn.Linear(2, 1);
 * const replica = distributed.dataParallel(model, { group: world });
 * const x = tensor([[1, 2], [3, 4]]);
 * new nn.MSELoss().forward(model.forward(x), tensor([[0], [1]]), { of: 2 }).backward();
 * replica.reduceGradients();
 * model.weight.grad?.shape; // => [1, 2]
 * ```
 */
export function dataParallel(model: Module, options: DataParallelOptions = {}): DataParallel {
  const who = 'distributed.dataParallel';
  if (!((model as unknown) instanceof Module)) throw check.wrongKind(who, 'a Module', model);
  check.options(who, options, ['group']);
  const group = options.group ?? defaultGroup();
  if (!(group instanceof Group)) {
    throw new Error(
      `${who}: expected a group, or distributed.init() to have been awaited, got neither.`,
    );
  }
  verify(model, group);
  for (const module of model.modules()) {
    if (module instanceof Linear) sumInLeaves(module.weight);
    if (!(module instanceof Linear || module instanceof Conv1d)) continue;
    // A convolution's weight gradient is summed in leaves anyway; a depthwise one's in double.
    if (module instanceof Conv1d && isDepthwise(module)) keepTotals(module.weight);
    if (module.bias !== null) keepTotals(module.bias);
  }
  const meeting = group.meeting('Dropout');
  for (const module of model.modules()) {
    if (!(module instanceof Dropout)) continue;
    module[SHARED_DRAWS] = (words) => {
      const all = group.gatherBytes(meeting, new Uint8Array(Float64Array.of(words).buffer));
      return {
        words: all.map((bytes) => new Float64Array(bytes.slice().buffer)[0]!),
        rank: group.rank,
      };
    };
  }
  return new DataParallel(model, group);
}

/** Where a gradient is summed: the same on every process. */
type Place = 'doubles' | 'singles' | 'itself';

/** A gradient of at least so many values is not copied. */
const LARGE = 1 << 14;

function placeOf(parameter: Parameter): Place {
  const { dtype, numel } = parameter;
  if (totalsOf(parameter) !== null && dtype !== 'float64') return 'doubles';
  if (numel >= LARGE) return 'itself';
  return dtype === 'float64' ? 'doubles' : 'singles';
}

function partItself(parameter: Parameter): Part {
  const isNew = parameter.grad === null;
  const grad = (parameter.grad ??= Tensor.uninitialized(parameter.shape, parameter.dtype));
  const array = grad.attached('DataParallel') as FloatArray;
  if (isNew) array.fill(0);
  return { parameter, array, at: null };
}

const arraysOf = (parts: readonly Part[]): FloatArray[] => [
  ...new Set(parts.map(({ array }) => array)),
];

/** The gradient before it was rounded, where the last backward has left it, and nobody has changed it since. */
function unrounded(parameter: Parameter, grad: Tensor): ArrayLike<number> {
  const rounded = grad.attached('DataParallel') as FloatArray;
  const totals = totalsOf(parameter);
  if (totals === null || parameter.dtype === 'float64') return rounded;
  const isOf = totals.every((each, i) => Object.is(Math.fround(each), rounded[i]));
  return isOf ? totals : rounded;
}
