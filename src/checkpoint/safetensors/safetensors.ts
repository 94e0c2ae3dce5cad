// safetensors files and bytes as state dicts. They are read in read.ts and made in write.ts.
import * as check from '../../check/index.js';
import type { StateDict } from '../../tensor/state-dict.js';
import type { Tensor } from '../../tensor/tensor.js';
import { inputOf, placeOf, readFrom, replace } from '../file.js';
import { Live, piecesOf } from '../live.js';
import { readSafetensors } from './read.js';
import { encodeSafetensors as encode, layOut } from './write.js';
import { quoted } from '../sentences.js';

export interface LoadSafetensorsOptions {
  /** Stops the reading; the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface EncodeSafetensorsOptions {
  /** Text beside the tensors (`__metadata__`). Default: what the state dict's own file said. */
  metadata?: ReadonlyMap<string, string> | Readonly<Record<string, string>> | undefined;
}

export interface SaveSafetensorsOptions extends EncodeSafetensorsOptions {
  /** Stops the writing: the file that was there is there still, and the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Reads a safetensors file, or its bytes. float16 and bfloat16 become float32; bool, int8, uint8, int16 and
 * uint16 become int32; uint32 and uint64 become int64: every value exactly. The file's `__metadata__` is in
 * the result's `metadata`. The event loop goes on meanwhile, and each tensor is read straight into its own
 * memory. Running statistics that are not finite are a warning (`EVENKEEL_NON_FINITE_STATISTICS`).
 *
 * @param source - A path or a file: URL of a regular file; or the bytes of one, which have to stay as they
 * are until the promise settles.
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
export async function loadSafetensors(
  source: string | URL | Uint8Array | ArrayBufferLike,
  options: LoadSafetensorsOptions = {},
): Promise<StateDict> {
  const input = inputOf('loadSafetensors', source);
  check.options('loadSafetensors', options, ['signal']);
  const signal = check.signal('loadSafetensors', options.signal);
  return readFrom(input, signal, readSafetensors);
}

/**
 * Writes a state dict: whole, or not at all. The bytes are those of the reference implementation: a file
 * that Python wrote (with at most one entry of metadata) and that was loaded is written again to the last
 * bit.
 *
 * The tensors are written from where they are, without a copy of all: they have to stay as they are until the
 * promise settles. Await it before you train on, or save `stateDict().clone()`. An operation that writes into
 * one of them meanwhile (an optimiser's step, a forward that moves running statistics) makes the promise
 * fail; what you write through `data` yourself is not noticed, and may be in the file or not. A tensor that
 * is disposed of meanwhile is written with the values it had.
 *
 * @throws {TypeError | RangeError} for what is no state dict, or cannot be written; nothing is touched.
 * @throws {Error} when a tensor has changed, or the file cannot be written (`cause` is what the system said):
 * the file that was there is there still.
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
  check.options('saveSafetensors', options, ['metadata', 'signal']);
  const signal = check.signal('saveSafetensors', options.signal);
  check.notAborted(signal);
  const { header, tensors } = layOut(place.who, state, options.metadata);
  const live: Live[] = [];
  try {
    for (const { key, tensor } of tensors) live.push(new Live(place.who, quoted(key), tensor));
    await replace(place, piecesOf(header, live, signal));
  } finally {
    for (const each of live) each.release();
  }
}

/**
 * The bytes that `saveSafetensors` would write: a copy of the values, made at once. For a database, a
 * request, or a Worker; `loadSafetensors` takes them.
 *
 * @throws {TypeError | RangeError} for what is no state dict, or cannot be written.
 * @example
 * ```ts
 * const bytes = checkpoint.encodeSafetensors(new nn.BatchNorm1d(2).stateDict());
 * (await checkpoint.loadSafetensors(bytes)).get('weight').toArray(); // => [1, 1]
 * ```
 */
export function encodeSafetensors(
  state: ReadonlyMap<string, Tensor>,
  options: EncodeSafetensorsOptions = {},
): Uint8Array {
  check.options('encodeSafetensors', options, ['metadata']);
  return encode('encodeSafetensors', state, options.metadata);
}
