// torch.save's files as state dicts: which part of the saved object is the state dict, and what has to be
// in it. The containers are read in torch-archive.ts.
import * as check from '../check.js';
import { StateDict } from '../state-dict.js';
import { placeOf, readWhole } from './file.js';
import { Dict, kindOf, type Value } from './pickle-values.js';
import { readArchive } from './torch-archive.js';
import { TensorRecord } from './torch-globals.js';
import { Materials } from './torch-tensors.js';
import { listed, quoted } from './words.js';

export interface LoadTorchOptions {
  /** Where in the file the state dict is, if it is not the whole: 'model', or 'ema.model' for nested ones. */
  key?: string;
}

/**
 * Reads a state dict out of a file of `torch.save` (`.pt`, `.pth`), of PyTorch 0.1.10 and later. Nothing of the
 * file is executed: it may hold tensors, dicts and plain data, and any other name in it is an error.
 * Element types as with `loadSafetensors`; tensors that shared memory still do. The versions of modules
 * (`_metadata`) are in the result's `modules`.
 *
 * @param path - A path or a file: URL.
 * @throws {RangeError} when the file is damaged or holds something else; the message names what.
 * @throws {Error} when it cannot be read; `cause` is what the system said.
 * @example
 * ```ts
 * const state = await checkpoint.loadTorch('model.pt'); // torch.save(model.state_dict(), 'model.pt')
 * state.get('1.running_mean').shape; // => [8]
 * state.modules.get('1'); // => { version: 2 }
 * ```
 */
export async function loadTorch(
  path: string | URL,
  options: LoadTorchOptions = {},
): Promise<StateDict> {
  const place = placeOf('loadTorch', path);
  check.options('loadTorch', options, ['key']);
  const { key } = options;
  if (key !== undefined && typeof key !== 'string') {
    throw check.wrongKind('loadTorch', 'key to be a string', key);
  }
  return decodeTorch(place.who, await readWhole(place), key);
}

/** @internal The bytes of a file as a state dict. */
export function decodeTorch(who: string, bytes: Uint8Array, key?: string): StateDict {
  const saved = readArchive(who, bytes);
  const dict = key === undefined ? whole(who, saved) : at(who, saved, key);
  const materials = new Materials(who, bytes.length);
  const state = new StateDict();
  for (const [name, value] of dict.entries) {
    if (typeof name !== 'string') {
      throw check.wrongValue(who, 'a state dict with names as keys', `${kindOf(name)} as a key`);
    }
    if (!(value instanceof TensorRecord)) throw noTensor(who, name, value);
    state.set(name, materials.tensor(quoted(name), value));
  }
  readModules(who, dict, state);
  return state;
}

/** The whole file is the state dict; if it is not, the message says where in it there may be one. */
function whole(who: string, saved: Value): Dict {
  const what = 'a state dict (a dict of tensors)';
  if (!(saved instanceof Dict)) throw check.wrongValue(who, what, kindOf(saved));
  const entries = [...saved.entries];
  if (entries.length === 0 || entries.some(([, value]) => value instanceof TensorRecord)) {
    return saved;
  }
  const dicts = entries.filter(([, value]) => value instanceof Dict).map(([key]) => key);
  const choice = dicts.includes('model') ? 'model' : dicts.find((key) => typeof key === 'string');
  const hint = choice === undefined ? '' : `; choose one: { key: ${quoted(choice)} }`;
  throw check.wrongValue(who, what, `${saved.kind} with the keys ${listed(saved.names())}${hint}`);
}

/** The dict at a key, or at a path of keys with dots between them. A key that has dots goes first. */
function at(who: string, saved: Value, key: string): Dict {
  const value = find(saved, key);
  if (value instanceof Dict) return value;
  if (value !== undefined) {
    throw check.wrongValue(who, `a state dict at key ${quoted(key)}`, kindOf(value));
  }
  const has =
    saved instanceof Dict ? `${saved.kind} with the keys ${listed(saved.names())}` : kindOf(saved);
  throw check.wrongValue(who, `key ${quoted(key)} in the file`, has);
}

function find(value: Value, key: string): Value | undefined {
  if (!(value instanceof Dict)) return undefined;
  const found = value.entries.get(key);
  if (found !== undefined) return found;
  const dot = key.indexOf('.');
  const next = dot < 0 ? undefined : value.entries.get(key.slice(0, dot));
  return next === undefined ? undefined : find(next, key.slice(dot + 1));
}

function noTensor(who: string, name: string, value: Value): RangeError {
  const isExtra = name === '_extra_state' || name.endsWith('._extra_state');
  const extra = isExtra
    ? " (PyTorch's extra state of a module, which is not read: delete the key before saving)"
    : '';
  return check.wrongValue(who, `${quoted(name)} to be a tensor`, `${kindOf(value)}${extra}`);
}

/** `_metadata`: by a module's path, a dict with its version. */
function readModules(who: string, dict: Dict, state: StateDict): void {
  const modules = dict.attributes?.entries.get('_metadata');
  if (!(modules instanceof Dict)) return;
  for (const [path, about] of modules.entries) {
    if (typeof path !== 'string' || !(about instanceof Dict)) continue;
    const version = about.entries.get('version');
    if (version === undefined || version === null) continue;
    if (typeof version !== 'number') {
      throw check.wrongValue(who, `the version of ${quoted(path)} as an int`, kindOf(version));
    }
    state.modules.set(path, { version });
  }
}
