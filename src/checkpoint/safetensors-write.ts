// The safetensors format, written byte for byte as the reference implementation does.
import { isMap } from 'node:util/types';

import * as check from '../check.js';
import { StateDict } from '../state-dict.js';
import type { DType } from '../storage.js';
import { Tensor } from '../tensor.js';
import { allocate } from './file.js';
import { MAX_ENTRIES, MAX_HEADER_BYTES, MAX_RANK } from './safetensors-read.js';
import { isWellFormed, quoted } from './words.js';

/** Widest elements first, so that each is aligned when the header is; as the reference sorts them. */
const SAVED: readonly (readonly [DType, string])[] = [
  ['int64', 'I64'],
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['int32', 'I32'],
];

/** @internal A state dict as the bytes of a file: a copy of its values. */
export function encodeSafetensors(
  who: string,
  state: ReadonlyMap<string, Tensor>,
  metadata?: unknown,
): Uint8Array {
  const tensors = checked(who, state);
  const texts = metadataOf(who, state, metadata);
  const header: string[] = texts.length > 0 ? [`"__metadata__":{${texts.join()}}`] : [];
  const chunks: [number, Uint8Array][] = [];
  let size = 0;
  for (const [dtype, name] of SAVED) {
    for (const { key, tensor } of tensors.filter((each) => each.tensor.dtype === dtype)) {
      const { buffer, byteOffset, byteLength: length } = tensor.attached(who, quoted(key));
      const span = `[${size},${size + length}]`;
      header.push(
        `${JSON.stringify(key)}:{"dtype":"${name}","shape":[${tensor.shape.join()}],"data_offsets":${span}}`,
      );
      chunks.push([size, new Uint8Array(buffer, byteOffset, length)]);
      size += length;
    }
  }
  const text = Buffer.from(`{${header.join()}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw check.wrongValue(who, `a header of at most ${MAX_HEADER_BYTES} bytes`, String(padded));
  }
  const bytes = allocate(who, 8 + padded + size);
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded).set(text, 8);
  for (const [at, chunk] of chunks) bytes.set(chunk, 8 + padded + at);
  return bytes;
}

/** Names and tensors that can be written, in the order of the names' UTF-8 bytes. */
function checked(
  who: string,
  state: ReadonlyMap<string, Tensor>,
): { key: string; tensor: Tensor }[] {
  if (!isMap(state)) {
    throw check.wrongKind(who, 'a state dict (a Map of tensors)', state);
  }
  if (state.size > MAX_ENTRIES) {
    throw check.wrongValue(who, `at most ${MAX_ENTRIES} tensors`, String(state.size));
  }
  const tensors: { key: string; bytes: Buffer; tensor: Tensor }[] = [];
  for (const [key, tensor] of state as ReadonlyMap<unknown, unknown>) {
    const name = wellFormed(who, 'a name', key);
    if (name === '__metadata__') {
      throw check.wrongValue(who, 'names of tensors', "'__metadata__', which is the file's own");
    }
    if (!(tensor instanceof Tensor)) {
      throw check.wrongKind(who, `${quoted(name)} to be a Tensor`, tensor);
    }
    if (tensor.shape.length > MAX_RANK) {
      throw check.wrongValue(
        who,
        `at most ${MAX_RANK} dimensions of ${quoted(name)}`,
        String(tensor.shape.length),
      );
    }
    tensor.attached(who, quoted(name));
    tensors.push({ key: name, bytes: Buffer.from(name), tensor });
  }
  return tensors.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}

/** `"key":"text"` for each entry, in the order given. */
function metadataOf(who: string, state: ReadonlyMap<string, Tensor>, given: unknown): string[] {
  const saved = state instanceof StateDict ? state.metadata : {};
  const metadata = given === undefined ? saved : given;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw check.wrongKind(who, 'metadata to be an object or a Map of strings', metadata);
  }
  const entries: [unknown, unknown][] = isMap(metadata) ? [...metadata] : Object.entries(metadata);
  return entries.map(([key, text]) => {
    const name = wellFormed(who, 'a key of metadata', key);
    const value = wellFormed(who, `metadata ${quoted(name)}`, text);
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
}

function wellFormed(who: string, what: string, text: unknown): string {
  if (typeof text !== 'string') throw check.wrongKind(who, `${what} to be a string`, text);
  if (!isWellFormed(text)) {
    throw check.wrongValue(who, `${what} in well-formed Unicode`, quoted(text));
  }
  return text;
}
