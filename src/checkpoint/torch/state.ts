// Which part of a saved object is the state dict, and what is in it. People save `{ epoch, state_dict,
// optimizer, best_acc1 }` as often as a bare state dict, and anything may stand beside the tensors.
import * as check from '../../check/index.js';
import type { OtherValue } from '../../tensor/state-dict.js';
import { COST, type Budget } from '../budget.js';
import {
  Dict,
  Float,
  Foreign,
  ForeignObject,
  kindOf,
  List,
  Tuple,
  type Caller,
  type Value,
} from '../pickle/values.js';
import { PickledTensor } from './globals.js';
import { listed, quoted } from '../sentences.js';

/** What a state dict is called where there are several dicts of tensors; else the largest is suggested. */
const USUAL_KEYS = ['state_dict', 'model_state_dict', 'model', 'net', 'module', 'network'];
const WHAT = 'a state dict (a dict of tensors)';
const EXTRA_STATE = '_extra_state';
const COUNTER = 'num_batches_tracked';
/** A caller's key; longer ones are a mistake, and each dot is another dict to look into. */
const MAX_KEY = 1000;
/** So many dicts deep a state dict is looked for: `{ ema: { model: … } }` has it in the second. */
const SUGGESTED_DEPTH = 3;

/** The state dict in a saved object: the whole, or what is at the key. */
export function stateDictIn(caller: Caller, saved: Value, key: string | undefined): Dict {
  const what = key === undefined ? WHAT : `a state dict at key ${quoted(key)}`;
  const value = key === undefined ? saved : valueAt(caller, saved, key);
  if (!(value instanceof Dict)) {
    throw check.wrongValue(caller.who, what, `${kindOf(value)}${unread(value)}`);
  }
  if (isStateDict(caller, value)) return value;
  throw check.wrongValue(caller.who, what, withKeys(caller, value, key));
}

/** One entry of a state dict: a tensor, a number of ours for a counter, or a value that is no tensor. */
export function entryOf(
  { who, budget }: Caller,
  name: string,
  value: Value,
): PickledTensor | bigint | OtherValue {
  if (value instanceof PickledTensor) return value;
  const foreign = find(budget, [value], isForeign);
  if (foreign !== undefined) {
    const kind = foreign === value ? kindOf(value) : `${kindOf(value)} with ${kindOf(foreign)}`;
    throw check.wrongValue(who, `${quoted(name)} to be a tensor`, `${kind}${unread(foreign)}`);
  }
  const isTensors = find(budget, [value], isTensor) !== undefined;
  if (isTensors && !isNamed(name, EXTRA_STATE)) {
    throw check.wrongValue(who, `${quoted(name)} to be a tensor`, `${kindOf(value)} of tensors`);
  }
  if (typeof value === 'number' && isNamed(name, COUNTER)) return BigInt(value);
  const kind = kindOf(value);
  if (value instanceof Float) return { kind, value: value.value };
  return typeof value === 'object' && value !== null ? { kind } : { kind, value };
}

const isNamed = (name: string, last: string): boolean => name === last || name.endsWith(`.${last}`);
const isTensor = (value: Value): boolean => value instanceof PickledTensor;
const isForeign = (value: Value): boolean =>
  value instanceof Foreign || value instanceof ForeignObject;

/** It has tensors of its own, and no dict that has some: then that one is meant. */
function isStateDict({ budget }: Caller, dict: Dict): boolean {
  const dicts: Value[] = [];
  let [hasTensors, hasOthers] = [false, false];
  for (const [key, value] of dict.entries()) {
    if (value instanceof PickledTensor) hasTensors = true;
    else if (typeof key === 'string' && isNamed(key, EXTRA_STATE)) continue;
    else if (value instanceof Dict) dicts.push(value);
    else hasOthers = true;
  }
  if (!hasTensors && (hasOthers || dicts.length > 0)) return false;
  return find(budget, dicts, isTensor) === undefined;
}

/** The first of these values, or of what is in them, that is so. Each container is looked into once. */
function find(
  budget: Budget,
  values: readonly Value[],
  isSo: (value: Value) => boolean,
): Value | undefined {
  const seen = new Set<Value>();
  const left = [...values];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (isSo(value)) return value;
    if (seen.has(value)) continue;
    const inside = itemsOf(value);
    if (inside.length === 0) continue;
    seen.add(value);
    budget.spend(COST.object + COST.slot * inside.length);
    for (const item of inside) left.push(item);
  }
  return undefined;
}

function itemsOf(value: Value): readonly Value[] {
  if (value instanceof Dict) return [...value.entries()].map(([, item]) => item);
  return value instanceof List || value instanceof Tuple ? value.items : [];
}

/** The value at a key, or at a path of keys with dots between them. A key that has dots goes first. */
export function valueAt({ who, budget }: Caller, saved: Value, key: string): Value {
  if (key.length > MAX_KEY) {
    throw check.wrongValue(who, `a key of at most ${MAX_KEY} characters`, String(key.length));
  }
  let [value, rest] = [saved, key];
  for (;;) {
    if (!(value instanceof Dict)) break;
    budget.spend(16 * value.size);
    const found = value.get(rest);
    if (found !== undefined) return found;
    const dot = rest.indexOf('.');
    const next = dot < 0 ? undefined : value.get(rest.slice(0, dot));
    if (next === undefined) break;
    [value, rest] = [next, rest.slice(dot + 1)];
  }
  const got = saved instanceof Dict ? keysOf(saved) : `${kindOf(saved)}${unread(saved)}`;
  throw check.wrongValue(who, `key ${quoted(key)} in the file`, got);
}

/** How a dict reads in a message: with its keys. */
export function keysOf(dict: Dict): string {
  const names = [...dict.entries()].flatMap(([key]) => (typeof key === 'string' ? [key] : []));
  if (names.length === 0)
    return `${dict.kind} ${dict.size === 0 ? 'of nothing' : 'without names as keys'}`;
  return `${dict.kind} with the keys ${listed(names)}`;
}

/** The keys, and which of them to choose; where there is none, why. */
function withKeys(caller: Caller, dict: Dict, key: string | undefined): string {
  if (dict.get('param_groups') instanceof List) {
    return `${keysOf(dict)} (the state of an optimizer, not of a model: loadTorchOptimizer reads it)`;
  }
  const path = suggested(caller, dict);
  if (path !== undefined) {
    const choice = key === undefined ? path : `${key}.${path}`;
    return `${keysOf(dict)}; choose one: { key: ${quoted(choice)} }`;
  }
  const foreign: [name: string, value: Value][] = [];
  for (const [name, value] of dict.entries()) {
    if (typeof name === 'string' && isForeign(value)) foreign.push([name, value]);
  }
  // A whole model is meant sooner than a NumPy number beside it.
  const [name, value] = foreign.find(([each]) => USUAL_KEYS.includes(each)) ?? foreign[0] ?? [];
  if (name === undefined || value === undefined) return keysOf(dict);
  return `${keysOf(dict)}; ${quoted(name)} is ${kindOf(value)}${unread(value)}`;
}

/** What some names of PyTorch's and NumPy's make, and what to do about it before saving. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^torch\._utils\._rebuild_sparse/, 'a sparse tensor: save its to_dense()'],
  [
    /^torch\.(?:_utils\._rebuild_qtensor$|q?u?int\d+$|per_)/,
    'quantised: save the model before that',
  ],
  [/^torch\._utils\._rebuild_meta_/, 'a tensor of the meta device, which has no values'],
  [/^torch\._utils\._rebuild_nested_/, 'a nested tensor: save its to_padded_tensor()'],
  [/^torch\.nn\.parameter\.Uninitialized/, 'without values yet: run the model once, then save it'],
  [/^numpy\.(?:_?core\.)?multiarray\./, 'of NumPy: save torch.as_tensor(…) of it'],
];

/** Why a value is not read, where it is of a class that only the file knows. */
export function unread(value: Value): string {
  if (!(value instanceof Foreign || value instanceof ForeignObject)) return '';
  const { path } = value instanceof Foreign ? value : value.of;
  const known = KNOWN.find(([pattern]) => pattern.test(path))?.[1];
  if (known !== undefined) return ` (${known})`;
  return ' (nothing of a file is executed; save it again with torch.save(model.state_dict(), path))';
}

/** The path of the state dict that is probably meant. */
function suggested({ budget }: Caller, dict: Dict): string | undefined {
  const seen = new Set<Dict>([dict]);
  let best: { path: string; tensors: number; rank: number } | undefined;
  let level: [path: string, dict: Dict][] = [['', dict]];
  for (let depth = 0; depth < SUGGESTED_DEPTH; depth++) {
    const next: [path: string, dict: Dict][] = [];
    for (const [path, holder] of level) {
      for (const [name, value] of holder.entries()) {
        if (typeof name !== 'string' || name.length > 60 || !(value instanceof Dict)) continue;
        if (seen.has(value)) continue;
        seen.add(value);
        budget.spend(2 * COST.object + path.length + 16 * value.size);
        const inside = itemsOf(value);
        const tensors = inside.filter(isTensor).length;
        const rank = USUAL_KEYS.includes(name) ? USUAL_KEYS.length - USUAL_KEYS.indexOf(name) : 0;
        next.push([`${path}${name}.`, value]);
        if (tensors === 0 && inside.length > 0) continue;
        const isBetter =
          best === undefined ||
          (best.tensors === 0 && tensors > 0) ||
          (tensors > 0 && (rank > best.rank || (rank === best.rank && tensors > best.tensors)));
        if (isBetter) best = { path: `${path}${name}`, tensors, rank };
      }
    }
    if (best !== undefined && best.tensors > 0) break;
    level = next;
  }
  return best?.path;
}
