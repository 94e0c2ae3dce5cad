// A whole training run in one safetensors file: the model, what the optimiser keeps, and as JSON in its metadata the
// schedule, the place in the stream of random numbers, and what the user adds.
import * as check from '../check/index.js';
import { randomState, restoreRandomState, type StreamRange } from '../tensor/random.js';
import { StateDict } from '../tensor/state-dict.js';
import { Tensor } from '../tensor/tensor.js';
import { loadSafetensors, saveSafetensors } from './safetensors/safetensors.js';

/** What can be written as JSON: finite numbers, strings, booleans, null, arrays and plain objects of them. */
export type Extra =
  null | boolean | number | string | readonly Extra[] | { readonly [name: string]: Extra };

/** A Module. */
export interface SavedModel {
  stateDict(): StateDict;
  loadStateDict(state: StateDict): unknown;
}

/** What an optimiser's state dict holds. */
interface OptimizerState {
  state: Record<number, Record<string, Tensor | number>>;
  param_groups: object[];
}

/** An optimiser of `optim`. */
export interface SavedOptimizer {
  stateDict(): OptimizerState;
  loadStateDict(state: OptimizerState): void;
}

/** A scheduler of `optim.lrScheduler`. */
export interface SavedScheduler {
  stateDict(): object;
  loadStateDict(state: object): void;
}

export interface TrainingParts {
  model: SavedModel;
  optimizer?: SavedOptimizer | undefined;
  scheduler?: SavedScheduler | undefined;
}

export interface TrainingToSave extends TrainingParts {
  /** Of your own: the epoch, the best loss, … */
  extra?: Extra | undefined;
}

const FORMAT = 'evenkeel training 1';

/** No run gets so far. At the end of the stream every draw of the process would be an error from then on. */
const MOST_OFFSET = 2 ** 52;

/** What JSON.stringify and this file's own walk get down to, in any stack. */
const MOST_DEPTH = 500;

interface Rest {
  format: string;
  counts: Record<string, Record<string, number>> | null;
  groups: object[] | null;
  scheduler: unknown;
  random: StreamRange;
  extra: Extra;
}

/**
 * Writes all that a run needs to go on with the same bits: the model with its buffers, what the optimiser keeps, the
 * schedule, the place in the stream of random numbers (dropout, shuffling), and `extra`. One safetensors file, whole or
 * not at all. Between epochs: a loader that is half through begins a new order.
 *
 * @throws {TypeError | RangeError} for parts that are none, or an extra that JSON cannot hold; nothing is touched.
 * @throws {Error} when the file cannot be written: what was there is there still.
 * @example
 * ```ts
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters());
 * await checkpoint.saveTraining('run.safetensors', { model, optimizer, extra: { epoch: 3 } });
 * const { epoch } = await checkpoint.loadTraining<{ epoch: number }>('run.safetensors', { model, optimizer });
 * epoch; // => 3
 * ```
 */
export async function saveTraining(path: string | URL, parts: TrainingToSave): Promise<void> {
  const who = 'saveTraining';
  check.options(who, parts, ['model', 'optimizer', 'scheduler', 'extra']);
  checkParts(who, parts);
  const { model, optimizer, scheduler, extra = null } = parts;
  const tensors = new StateDict();
  for (const [key, tensor] of model.stateDict()) tensors.set(`model.${key}`, tensor);
  const kept = optimizer?.stateDict() ?? null;
  const counts: Rest['counts'] = kept === null ? null : {};
  for (const [index, entries] of Object.entries(kept?.state ?? {})) {
    counts![index] = {};
    for (const [name, value] of Object.entries(entries)) {
      if (value instanceof Tensor) tensors.set(`optimizer.${index}.${name}`, value);
      else counts![index][name] = value;
    }
  }
  const rest: Rest = {
    format: FORMAT,
    counts,
    groups: kept?.param_groups ?? null,
    scheduler: scheduler?.stateDict() ?? null,
    random: randomState(),
    extra: checkedExtra(who, extra),
  };
  await saveSafetensors(path, tensors, { metadata: { training: JSON.stringify(rest) } });
}

/**
 * Reads what `saveTraining` wrote into a model, an optimiser and a scheduler that were made as those were; the stream of
 * random numbers goes on where it was. All or nothing: what does not fit changes nothing.
 *
 * @param source - A path or a file: URL, or the bytes of a file.
 * @typeParam Saved - What `extra` was. It is JSON of a file: nothing checks that it has this type.
 * @returns The extra that was saved; null for none.
 * @throws {TypeError | RangeError} for a file of another kind, or one that lacks or has more than the parts given.
 */
export async function loadTraining<Saved extends Extra = Extra>(
  source: string | URL | Uint8Array | ArrayBufferLike,
  parts: TrainingParts,
): Promise<Saved> {
  const who = 'loadTraining';
  check.options(who, parts, ['model', 'optimizer', 'scheduler']);
  checkParts(who, parts);
  const { model, optimizer, scheduler } = parts;
  const file = await loadSafetensors(source);
  const rest = restOf(who, file);
  for (const [name, part, saved] of [
    ['optimizer', optimizer, rest.groups],
    ['scheduler', scheduler, rest.scheduler],
  ] as const) {
    if ((part === undefined) === (saved === null)) continue;
    const what = saved === null ? `no ${name}: the file has none` : `the ${name} that the file has`;
    throw check.wrongValue(who, what, part === undefined ? 'none' : 'one');
  }
  const weights = new StateDict();
  const state: OptimizerState['state'] = {};
  // Entries without a prototype: a name such as `__proto__` is one like others there.
  const entriesOf = (index: string): Record<string, Tensor | number> =>
    (state[Number(index)] ??= Object.create(null) as Record<string, Tensor | number>);
  for (const [index, entries] of Object.entries(rest.counts ?? {}))
    Object.assign(entriesOf(index), entries);
  for (const [key, tensor] of file) {
    const [, index, name] = /^optimizer\.(\d+)\.(.+)$/.exec(key) ?? [];
    if (key.startsWith('model.')) weights.set(key.slice('model.'.length), tensor);
    else if (index !== undefined) entriesOf(index)[name!] = tensor;
    else throw check.wrongValue(who, 'tensors of a model and an optimizer', `'${key}'`);
  }
  const before = [
    model.stateDict().clone(),
    optimizer?.stateDict(),
    scheduler?.stateDict(),
  ] as const;
  try {
    model.loadStateDict(weights);
    optimizer?.loadStateDict({ state, param_groups: rest.groups! });
    scheduler?.loadStateDict(rest.scheduler as object);
  } catch (error) {
    model.loadStateDict(before[0]);
    if (before[1] !== undefined) optimizer!.loadStateDict(before[1]);
    if (before[2] !== undefined) scheduler!.loadStateDict(before[2]);
    throw error;
  }
  restoreRandomState(rest.random);
  return rest.extra as Saved;
}

function checkParts(who: string, parts: TrainingParts): void {
  for (const name of ['model', 'optimizer', 'scheduler'] as const) {
    const part: unknown = parts[name];
    if (part === undefined && name !== 'model') continue;
    const fits =
      typeof part === 'object' && part !== null && 'stateDict' in part && 'loadStateDict' in part;
    if (!fits) throw check.wrongKind(who, `${name} with stateDict and loadStateDict`, part);
  }
}

/** The extra, if reading it gives it back. */
function checkedExtra(who: string, extra: Extra): Extra {
  const refuse = (value: unknown, path: string): never => {
    throw check.wrongValue(who, `extra${path} to be a value of JSON`, check.describe(value));
  };
  const visit = (value: unknown, path: string, above: readonly unknown[]): void => {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return;
    if (typeof value === 'number' && Number.isFinite(value)) return;
    if (typeof value !== 'object' || above.includes(value)) refuse(value, path);
    if (above.length === MOST_DEPTH) {
      throw check.wrongValue(who, `extra of at most ${MOST_DEPTH} levels`, 'more');
    }
    const object = value as object;
    if (!Array.isArray(object) && !check.isPlainObject(object)) refuse(value, path);
    for (const [name, each] of Object.entries(object))
      visit(each, `${path}.${name}`, [...above, value]);
  };
  visit(extra, '', []);
  return extra;
}

function restOf(who: string, file: StateDict): Rest {
  const text = file.metadata.get('training');
  let rest: Partial<Rest> | null = null;
  try {
    rest = JSON.parse(text ?? 'null') as Partial<Rest> | null;
  } catch {
    // Said below.
  }
  const { key, offset } = rest?.random ?? {};
  const isWhole =
    Number.isSafeInteger(key) &&
    Number.isSafeInteger(offset) &&
    key! >= 0 &&
    offset! >= 0 &&
    offset! <= MOST_OFFSET;
  if (rest?.format !== FORMAT || !isWhole) {
    throw check.wrongValue(who, 'a file of saveTraining', 'another one');
  }
  const { counts = null, groups = null, scheduler = null, extra = null } = rest;
  if (groups !== null && !Array.isArray(groups)) throw check.wrongKind(who, 'groups', groups);
  return {
    format: FORMAT,
    counts,
    groups,
    scheduler,
    random: { key: key!, offset: offset! },
    extra,
  };
}
