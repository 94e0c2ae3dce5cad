// torch.save(optimizer.state_dict()), read for optimizer.loadStateDict: plain data and tensors, nothing else.
import * as check from '../../check/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Budget, COST } from '../budget.js';
import { inputOf, readFrom } from '../file.js';
import { Dict, Float, kindOf, List, Tuple, type Caller, type Value } from '../pickle/values.js';
import type { Source, Steps } from '../source.js';
import { quoted } from '../sentences.js';
import { readArchive } from './archive.js';
import { PickledTensor } from './globals.js';
import { keysOf, unread, valueAt } from './state.js';
import { TensorReader } from './tensors.js';
import type { LoadTorchOptions } from './torch.js';

/** A value of a parameter group. */
export type TorchSetting = null | boolean | number | string | Tensor | readonly TorchSetting[];

/** What `optimizer.state_dict()` of PyTorch is: what is kept of a parameter by its index, and the groups. */
export interface TorchOptimizerState {
  state: Record<number, Record<string, TorchSetting>>;
  param_groups: Record<string, TorchSetting>[];
}

const WHAT = "an optimizer's state dict (with state and param_groups)";
/** (betas) is a list in a group; nothing that PyTorch writes has lists in lists. */
const MOST_DEPTH = 2;

/**
 * Reads the state of an optimiser out of a file of `torch.save`, or its bytes, for `optimizer.loadStateDict`: the run goes
 * on as PyTorch's would. Like `loadTorch` it executes nothing of the file.
 *
 * @param source - A path or a file: URL; or bytes, which have to stay as they are until the promise settles.
 * @param options - `key`: where in the file it is, if it is not the whole: 'optimizer'.
 * @throws {RangeError} when the file is damaged or holds something else; the message names what.
 * @throws {Error} when it cannot be read; `cause` is what the system said.
 * @example
 * ```ts
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters(), { lr: 0.25 });
 * await checkpoint.saveTorch('run.pt', { epoch: 3, optimizer: optimizer.stateDict() });
 * const state = await checkpoint.loadTorchOptimizer('run.pt', { key: 'optimizer' });
 * new optim.Adam(model.parameters()).loadStateDict(state);
 * state.param_groups[0].lr; // => 0.25
 * ```
 */
export async function loadTorchOptimizer(
  source: string | URL | Uint8Array | ArrayBufferLike,
  options: LoadTorchOptions = {},
): Promise<TorchOptimizerState> {
  const name = 'loadTorchOptimizer';
  const input = inputOf(name, source);
  check.options(name, options, ['key', 'signal']);
  const { key } = options;
  if (key !== undefined && typeof key !== 'string') {
    throw check.wrongKind(name, 'key to be a string', key);
  }
  const signal = check.signal(name, options.signal);
  return readFrom(input, signal, (who, bytes) => readOptimizer(who, bytes, key));
}

function* readOptimizer(
  who: string,
  source: Source,
  key: string | undefined,
): Steps<TorchOptimizerState> {
  const caller: Caller = { who, budget: new Budget(who, source.size) };
  const saved = yield* readArchive(caller, source);
  const dict = key === undefined ? saved : valueAt(caller, saved, key);
  if (!(dict instanceof Dict)) throw refused(who, WHAT, dict);
  const [state, groups] = [dict.get('state'), dict.get('param_groups')];
  if (!(state instanceof Dict) || !(groups instanceof List)) {
    throw check.wrongValue(who, WHAT, `${keysOf(dict)}${choice(dict, key)}`);
  }
  const values = new Settings(caller, new TensorReader(who, source, caller.budget));
  const kept: [string, Record<string, TorchSetting>][] = [];
  for (const [index, each] of state.entries()) {
    if (typeof index !== 'number') {
      throw refused(who, "indices of parameters as the keys of 'state'", index);
    }
    kept.push([String(index), yield* values.record(`state[${index}]`, each)]);
  }
  const groupsHere: Record<string, TorchSetting>[] = [];
  for (const [i, each] of groups.items.entries()) {
    groupsHere.push(yield* values.record(`param_groups[${i}]`, each));
  }
  return { state: Object.fromEntries(kept), param_groups: groupsHere };
}

/** Which key was probably meant. */
function choice(dict: Dict, key: string | undefined): string {
  for (const [name, value] of dict.entries()) {
    const isOne = value instanceof Dict && value.get('param_groups') instanceof List;
    if (!isOne || typeof name !== 'string') continue;
    return `; choose one: { key: ${quoted(key === undefined ? name : `${key}.${name}`)} }`;
  }
  return '';
}

function refused(who: string, what: string, value: Value): RangeError {
  return check.wrongValue(who, what, `${kindOf(value)}${unread(value)}`);
}

/** Reads the values of dicts whose keys are names. */
class Settings {
  constructor(
    private readonly caller: Caller,
    private readonly tensors: TensorReader,
  ) {}

  *record(where: string, value: Value): Steps<Record<string, TorchSetting>> {
    const { who, budget } = this.caller;
    if (!(value instanceof Dict)) throw refused(who, `${where} to be a dict`, value);
    const entries: [string, TorchSetting][] = [];
    for (const [name, each] of value.entries()) {
      if (typeof name !== 'string') throw refused(who, `names as the keys of ${where}`, name);
      budget.spend(COST.object + name.length);
      entries.push([name, yield* this.setting(`${where}.${quoted(name).slice(1, -1)}`, each, 0)]);
      yield;
    }
    // Own properties whatever they are called: no name reaches a prototype.
    return Object.fromEntries(entries);
  }

  private *setting(where: string, value: Value, depth: number): Steps<TorchSetting> {
    const { who, budget } = this.caller;
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') return value;
    if (value instanceof Float) return value.value;
    if (value instanceof PickledTensor) return yield* this.tensors.tensor(where, value);
    const isList = value instanceof List || value instanceof Tuple;
    if (!isList || depth === MOST_DEPTH) {
      throw refused(who, `${where} to be a number, a text, a tensor or a list of these`, value);
    }
    const list: TorchSetting[] = [];
    for (const [i, each] of value.items.entries()) {
      budget.spend(COST.slot);
      list.push(yield* this.setting(`${where}[${i}]`, each, depth + 1));
    }
    return list;
  }
}
