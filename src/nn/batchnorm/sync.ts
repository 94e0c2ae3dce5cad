// SyncBatchNorm: batch normalisation by the statistics of the samples of all processes. The passes are
// functional/batchnorm/shared-batch.ts, how processes talk to each other src/distributed/.
import * as check from '../../check/index.js';
import { defaultGroup, type ProcessGroup } from '../../functional/batchnorm/process-group.js';
import { checkOperands } from '../../functional/batchnorm/plan.js';
import { meetingsOf, type Meetings } from '../../functional/batchnorm/shares.js';
import { activate } from '../../functional/pointwise/activations.js';
import { deferring } from '../../run/deferral.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { NORMALIZES_BY_RUNNING, UPDATES, WHO } from '../module/internals.js';
import { Module } from '../module/module.js';
import { tellPlaces } from '../module/place.js';
import { BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d, PLAN } from './layer.js';
import { LazyBatchNorm1d } from './lazy.js';
import { FORWARD_OPTIONS, type BatchNormForwardOptions, type BatchNormOptions } from './options.js';
import { failLater, forwardLater, forwardShared, isLocal } from './shared-forward.js';

export interface SyncBatchNormOptions extends BatchNormOptions {
  /** Whose samples make the batch: a group of `distributed`. Default all processes of the job, as of `distributed.init`. */
  group?: SharingGroup | null | undefined;
}

/** A group of processes: `await distributed.init()`, or a part of it. */
export interface SharingGroup {
  readonly rank: number;
  readonly size: number;
}

const GROUP = Symbol('group');
const PLACE = Symbol('place');
const MEETS = Symbol('meets');
/** Names of layers that become one of these. */
const CONVERTIBLE: ReadonlySet<string> = new Set(['BatchNorm1d', 'BatchNorm2d', 'BatchNorm3d']);

/** Where the processes meet for a layer; not in the layer, so that a copy of it has none. */
const meetings = new WeakMap<
  SyncBatchNorm,
  { readonly group: ProcessGroup; readonly of: Meetings }
>();

/**
 * BatchNorm whose batch is that of all processes: they see the same statistics, move their running statistics by the same
 * step, and get the gradients of the whole, weight's and bias's too. Only where the batch normalises or is learned from:
 * `eval()`, a frozen layer, `normalizeBy: 'running'` and a world of one exchange nothing.
 *
 * | | of all processes together |
 * |---|---|
 * | mean, variance, `running_var`'s correction | by the count of all values |
 * | `num_batches_tracked`, `momentum: null` | one batch |
 * | `singleValue`, "more than 1 value per channel" | of all; a process may have one sample, or none |
 * | `nonFinite`, `virtualBatch` | of all |
 *
 * Its state dict is BatchNorm1d's. Each process has to come to each forward and backward. See `docs/distributed.md`.
 *
 * @example
 * ```ts
 * const bn = new nn.SyncBatchNorm(2);
 * bn.forward(tensor([[1, 0], [3, 0]])).shape; // => [2, 2]
 * [...bn.stateDict().keys()][0]; // => 'weight'
 * ```
 */
export class SyncBatchNorm extends BatchNorm1d {
  static override readonly forwardOptions: readonly string[] = BatchNorm1d.forwardOptions;

  /** @internal Whose samples make the batch: a function, which a copy of the layer has in common with it. */
  [GROUP]: () => ProcessGroup | null;
  /** @internal Where it is in its model, for errors of other processes. */
  [PLACE]: string;

  constructor(numFeatures: number, options: SyncBatchNormOptions = {}) {
    const { group = null, ...rest } = options;
    super(numFeatures, rest);
    this[GROUP] = groupOf('SyncBatchNorm', group);
    this[PLACE] = '';
  }

  /** @internal Of a layer that was converted, too. */
  override get [WHO](): string {
    const name = super[WHO];
    return CONVERTIBLE.has(name) ? 'SyncBatchNorm' : name;
  }

  override forward(x: TensorLike, options?: BatchNormForwardOptions, ...rest: never[]): Tensor {
    const group = this[GROUP]();
    if (group === null || group.size === 1 || !this[MEETS]()) {
      return super.forward(x, options, ...rest);
    }
    const who = this[WHO];
    let known: Meetings | null = null;
    try {
      if (rest.length > 0) check.noMore(`${who}.forward`, 2, rest);
      if (options !== undefined) check.options(`${who}.forward`, options, FORWARD_OPTIONS);
      // What this process has may be one value: only that of all counts.
      const input = Tensor.operand(who, 'the input', x);
      const planned = this[PLAN](input, options, options?.out ?? null, Infinity);
      const { activation } = planned;
      if (activation !== null && options?.out !== undefined) {
        throw new TypeError(`${who}.forward: expected activation or out, got both.`);
      }
      // Before the others are met.
      if (activation !== null && activation.slopes !== null) checkOperands(input, planned);
      const plan = activation === null ? planned : { ...planned, activation: null };
      known = meetingsIn(this, group);
      const y =
        plan.deferral === null
          ? forwardShared(this, input, plan, group, known)
          : forwardLater(this, input, plan, group, known, plan.deferral);
      if (activation === null) return y;
      return activate(y, activation, this.layout === 'NLC' ? input.shape.length - 1 : 1);
    } catch (error) {
      const deferral = deferring();
      if (deferral !== null) failLater(who, group, deferral, error);
      else if (isLocal(error)) group.refuse((known ?? meetingsIn(this, group)).shares, error);
      throw error;
    }
  }

  /** Whether the batch normalises, or is learned from. */
  [MEETS](): boolean {
    return !this[NORMALIZES_BY_RUNNING](this.training) || this[UPDATES](this.training);
  }
}

/**
 * Makes every BatchNorm1d, 2d and 3d of a model a SyncBatchNorm, in place: the same objects with their parameters, statistics,
 * hooks, modes and `freeze()`, so an optimiser made before goes on. FrozenBatchNorm1d, which has no batch statistics, stays.
 *
 * @param options.group - As of SyncBatchNorm.
 * @returns The model.
 * @throws {Error} for a layer that waits for its first input, {TypeError} for a class of one's own that extends one of them.
 * @example
 * ```ts
 * const model = nn.convertSyncBatchNorm(new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3)));
 * `${model}`.includes('SyncBatchNorm(3'); // => true
 * ```
 */
export function convertSyncBatchNorm<Model extends Module>(
  model: Model,
  options: Pick<SyncBatchNormOptions, 'group'> = {},
): Model {
  const who = 'convertSyncBatchNorm';
  if (!((model as unknown) instanceof Module)) throw check.wrongKind(who, 'a Module', model);
  check.options(who, options, ['group']);
  const group = groupOf(who, options.group);
  const found = [...model.namedModules()].flatMap(([path, each]) =>
    each instanceof BatchNorm ? [[path, each] as const] : [],
  );
  for (const [path, layer] of found) checkConvertible(who, path, layer);
  tellPlaces(SyncBatchNorm.prototype);
  for (const [path, layer] of found) {
    if (!(layer instanceof SyncBatchNorm)) Object.setPrototypeOf(layer, SyncBatchNorm.prototype);
    Object.assign(layer, { [GROUP]: group, [PLACE]: path });
  }
  return model;
}

function checkConvertible(who: string, path: string, layer: BatchNorm): void {
  const where = path === '' ? layer[WHO] : `'${path}' (${layer[WHO]})`;
  if (layer.numFeatures === 0) {
    throw new Error(
      `${who}: Attempted to use an uninitialized parameter of ${where}; run a first forward to initialize it.`,
    );
  }
  const prototype = Object.getPrototypeOf(layer) as object;
  const known = [BatchNorm1d, BatchNorm2d, BatchNorm3d, LazyBatchNorm1d, SyncBatchNorm];
  if (known.some((each) => each.prototype === prototype)) return;
  throw new TypeError(
    `${who}: expected BatchNorm1d, 2d or 3d, got a class of its own, ${where}: extend SyncBatchNorm instead.`,
  );
}

function meetingsIn(layer: SyncBatchNorm, group: ProcessGroup): Meetings {
  const known = meetings.get(layer);
  if (known?.group === group) return known.of;
  const place = layer[PLACE] === '' ? 'SyncBatchNorm' : `${layer[PLACE]}, SyncBatchNorm`;
  const of = meetingsOf(group, place);
  meetings.set(layer, { group, of });
  return of;
}

function groupOf(who: string, group: unknown): () => ProcessGroup | null {
  if (group === null || group === undefined) return defaultGroup;
  if (typeof group === 'object' && 'gatherBytes' in group) return () => group as ProcessGroup;
  throw check.wrongKind(who, 'group to be a group of distributed, or null', group);
}
