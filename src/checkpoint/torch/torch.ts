// torch.save's files as state dicts. The containers are read in archive.ts; which part of the saved
// object is the state dict is decided in state.ts.
import * as check from '../../check/index.js';
import { StateDict } from '../../tensor/state-dict.js';
import { Tensor } from '../../tensor/tensor.js';
import { Budget, COST } from '../budget.js';
import { inputOf, readFrom } from '../file.js';
import { Dict, kindOf, type Caller, type Value } from '../pickle/values.js';
import { atOnce, BytesSource, type Source, type Steps } from '../source.js';
import { warnOfStatistics } from '../statistics.js';
import { readArchive } from './archive.js';
import { PickledTensor } from './globals.js';
import { entryOf, stateDictIn } from './state.js';
import { TensorReader } from './tensors.js';
import { quoted } from '../sentences.js';

export interface LoadTorchOptions {
  /** Where in the file the state dict is, if it is not the whole: 'model', or 'ema.model' for nested ones. */
  key?: string | undefined;
  /** Stops the reading; the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Reads a state dict out of a file of `torch.save` (`.pt`, `.pth`), or its bytes, of PyTorch 0.1.10 and later. Nothing of the
 * file is executed: of a name that is not on a short list only the name is kept.
 * Element types as with `loadSafetensors`; tensors that shared memory still do. The versions of modules
 * (`_metadata`) are in the result's `modules`. The event loop goes on meanwhile; only what the state dict's
 * tensors lie in is read, straight into its own memory. Running statistics that are not finite are a
 * warning (`EVENKEEL_NON_FINITE_STATISTICS`).
 *
 * @param source - A path or a file: URL; or bytes, which have to stay as they are until the promise settles.
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
  source: string | URL | Uint8Array | ArrayBufferLike,
  options: LoadTorchOptions = {},
): Promise<StateDict> {
  const input = inputOf('loadTorch', source);
  check.options('loadTorch', options, ['key', 'signal']);
  const { key } = options;
  if (key !== undefined && typeof key !== 'string') {
    throw check.wrongKind('loadTorch', 'key to be a string', key);
  }
  const signal = check.signal('loadTorch', options.signal);
  return readFrom(input, signal, (who, bytes) => readTorch(who, bytes, key));
}

/** @internal The bytes of a file as a state dict, at once. */
export function decodeTorch(who: string, bytes: Uint8Array, key?: string): StateDict {
  return atOnce(readTorch(who, new BytesSource(who, bytes), key));
}

function* readTorch(who: string, source: Source, key?: string): Steps<StateDict> {
  const caller: Caller = { who, budget: new Budget(who, source.size) };
  const dict = stateDictIn(caller, yield* readArchive(caller, source), key);
  const reader = new TensorReader(who, source, caller.budget);
  const state = new StateDict();
  for (const [name, value] of namedValues(caller, dict)) {
    const entry = entryOf(caller, name, value);
    if (entry instanceof PickledTensor) {
      state.set(name, yield* reader.tensor(quoted(name), entry));
      yield;
    } else if (typeof entry === 'bigint') state.set(name, scalar(entry));
    else state.others.set(name, entry);
  }
  readModules(caller, dict, state);
  yield* warnOfStatistics(who, state, caller.budget);
  return state;
}

/** By name: where one was set twice, the last value of it. */
function namedValues({ who, budget }: Caller, dict: Dict): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [name, value] of dict.entries()) {
    if (typeof name !== 'string') {
      throw check.wrongValue(who, 'a state dict with names as keys', `${kindOf(name)} as a key`);
    }
    budget.spend(COST.object + name.length);
    values.set(name, value);
  }
  return values;
}

function scalar(value: bigint): Tensor {
  return Tensor.adopting(BigInt64Array.of(value), [], 'int64');
}

/** `_metadata`: by a module's path, a dict with its version. */
function readModules({ who, budget }: Caller, dict: Dict, state: StateDict): void {
  const modules = dict.attributes?.get('_metadata');
  if (!(modules instanceof Dict)) return;
  for (const [path, about] of modules.entries()) {
    if (typeof path !== 'string' || !(about instanceof Dict)) continue;
    budget.spend(2 * COST.object + path.length + 16 * about.size);
    const version = about.get('version');
    if (version === undefined || version === null) continue;
    if (typeof version !== 'number') {
      throw check.wrongValue(who, `the version of ${quoted(path)} as an int`, kindOf(version));
    }
    state.modules.set(path, { version });
  }
}
