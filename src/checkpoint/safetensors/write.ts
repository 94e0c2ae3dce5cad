// The safetensors format, written byte for byte as the reference implementation does.
import { isMap } from 'node:util/types';

import * as check from '../../check/index.js';
import { revived, StateDict } from '../../tensor/state-dict.js';
import type { DType } from '../../memory/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { MAX_ENTRIES, MAX_HEADER_BYTES } from './read.js';
import { allocate } from '../source.js';
import { isWellFormed, quoted } from '../sentences.js';

/** Widest elements first, so that each is aligned when the header is; as the reference sorts them. */
const SAVED: readonly (readonly [DType, string])[] = [
  ['int64', 'I64'],
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['int32', 'I32'],
];

interface Named {
  readonly key: string;
  readonly tensor: Tensor;
}

/** @internal What a file is: its length and header, then these tensors. */
export function layOut(
  who: string,
  state: ReadonlyMap<string, Tensor>,
  metadata?: unknown,
): { header: Uint8Array; tensors: Named[] } {
  const given = checked(who, state);
  const texts = metadataOf(who, state, metadata);
  const header: string[] = texts.length > 0 ? [`"__metadata__":{${texts.join()}}`] : [];
  const tensors: Named[] = [];
  let size = 0;
  for (const [dtype, name] of SAVED) {
    for (const { key, tensor } of given.filter((each) => each.tensor.dtype === dtype)) {
      const { byteLength: length } = tensor.attached(who, quoted(key));
      const span = `[${size},${size + length}]`;
      header.push(
        `${JSON.stringify(key)}:{"dtype":"${name}","shape":[${tensor.shape.join()}],"data_offsets":${span}}`,
      );
      tensors.push({ key, tensor });
      size += length;
    }
  }
  const text = Buffer.from(`{${header.join()}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw check.wrongValue(who, `a header of at most ${MAX_HEADER_BYTES} bytes`, String(padded));
  }
  const bytes = new Uint8Array(8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8).set(text, 8);
  return { header: bytes, tensors };
}

/** @internal A state dict as the bytes of a file: a copy of its values. */
export function encodeSafetensors(
  who: string,
  state: ReadonlyMap<string, Tensor>,
  metadata?: unknown,
): Uint8Array {
  const { header, tensors } = layOut(who, state, metadata);
  const chunks = [
    header,
    ...tensors.map(({ key, tensor }) => {
      const { buffer, byteOffset, byteLength } = tensor.attached(who, quoted(key));
      return new Uint8Array(buffer, byteOffset, byteLength);
    }),
  ];
  const bytes = allocate(
    who,
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  );
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Names and tensors that can be written, in the order of the names' UTF-8 bytes. */
function checked(who: string, state: ReadonlyMap<string, Tensor>): Named[] {
  if (!isMap(state)) {
    throw check.wrongKind(who, 'a state dict (a Map of tensors)', state);
  }
  if (state.size > MAX_ENTRIES) {
    throw check.wrongValue(who, `at most ${MAX_ENTRIES} tensors`, String(state.size));
  }
  const tensors: { key: string; bytes: Buffer; tensor: Tensor }[] = [];
  for (const [key, value] of state as ReadonlyMap<unknown, unknown>) {
    const name = wellFormed(who, 'a name', key);
    if (name === '__metadata__') {
      throw check.wrongValue(who, 'names of tensors', "'__metadata__', which is the file's own");
    }
    const tensor = revived(value);
    if (tensor === null) throw check.wrongKind(who, `${quoted(name)} to be a Tensor`, value);
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
