// safetensors files as state dicts. The bytes are read in safetensors-read.ts and made in
// safetensors-write.ts.
import * as check from '../check.js';
import type { StateDict } from '../state-dict.js';
import type { Tensor } from '../tensor.js';
import { placeOf, readWhole, replace } from './file.js';
import { decodeSafetensors } from './safetensors-read.js';
import { encodeSafetensors } from './safetensors-write.js';

export interface SaveSafetensorsOptions {
  /** Text beside the tensors (`__metadata__`). Default: what the state dict's own file said. */
  metadata?: ReadonlyMap<string, string> | Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file. float16 and bfloat16 become float32; bool, int8, uint8, int16 and uint16
 * become int32; uint32 and uint64 become int64: every value exactly. The file's `__metadata__` is in
 * the result's `metadata`.
 *
 * @param path - A path or a file: URL. A regular file that the machine can hold in memory twice.
 * @throws {RangeError} when the file is not safetensors to the letter, or has elements of another type.
 * @throws {Error} when it cannot be read; `cause` is what the system said.
 * @example
 * ```ts
 * const model = new nn.BatchNorm1d(2);
 * await checkpoint.saveSafetensors('model.safetensors', model.stateDict());
 * const state = await checkpoint.loadSafetensors('model.safetensors');
 * state.get('running_var').toArray(); // => [1, 1]
 * ```
 */
export async function loadSafetensors(path: string | URL): Promise<StateDict> {
  const place = placeOf('loadSafetensors', path);
  return decodeSafetensors(place.who, await readWhole(place));
}

/**
 * Writes a state dict: whole, or not at all. The values are those at the time of the call; training may
 * go on. The bytes are those of the reference implementation: a file that Python wrote (with at most
 * one entry of metadata) and that was loaded is written again to the last bit.
 *
 * @throws {TypeError | RangeError} for what is no state dict, or cannot be written; nothing is touched.
 * @throws {Error} when the file cannot be written: the one that was there is there still, and `cause` is
 * what the system said.
 * @example
 * ```ts
 * const state = new Map([['w', tensor([1, 2])]]);
 * await checkpoint.saveSafetensors('w.safetensors', state, { metadata: { epoch: '3' } });
 * (await checkpoint.loadSafetensors('w.safetensors')).metadata.get('epoch'); // => '3'
 * ```
 */
export async function saveSafetensors(
  path: string | URL,
  state: ReadonlyMap<string, Tensor>,
  options: SaveSafetensorsOptions = {},
): Promise<void> {
  const place = placeOf('saveSafetensors', path);
  check.options('saveSafetensors', options, ['metadata']);
  await replace(place, encodeSafetensors(place.who, state, options.metadata));
}
