// The safetensors format, read strictly: 8 bytes of length, a JSON header, the elements of all tensors one
// after another (https://github.com/huggingface/safetensors, "Format"; the bounds of its tensor.rs).
import * as check from '../../check/index.js';
import { StateDict } from '../../tensor/state-dict.js';
import { Budget, COST } from '../budget.js';
import { readElements, roomFor, SAFETENSORS_DTYPES, type Element } from '../elements.js';
import { JsonReader } from './json.js';
import { atOnce, BytesSource, readBytes, type Source, type Steps } from '../source.js';
import { warnOfStatistics } from '../statistics.js';
import { quoted } from '../sentences.js';

/** The reference implementation's limit of a header. */
export const MAX_HEADER_BYTES = 100_000_000;
/** What a header of 100 MB may not use up: a tensor costs some 500 bytes here before its elements. */
export const MAX_ENTRIES = 100_000;

interface Entry {
  readonly name: string;
  readonly element: Element;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

interface Header {
  readonly entries: Entry[];
  readonly metadata: Map<string, string>;
  /** Where the elements begin. */
  readonly end: number;
}

/** @internal The bytes of a file as a state dict, at once. */
export function decodeSafetensors(who: string, bytes: Uint8Array): StateDict {
  return atOnce(readSafetensors(who, new BytesSource(who, bytes)));
}

/** @internal A file as a state dict: everything is checked before memory is taken, then each tensor read into its own. */
export function* readSafetensors(who: string, source: Source): Steps<StateDict> {
  const budget = new Budget(who, source.size);
  const header = yield* readHeader(who, source, budget);
  const inOrder = checkLayout(who, header.entries, source.size - header.end);
  const state = new StateDict();
  for (const { name, element, shape } of header.entries) {
    state.set(name, roomFor(who, quoted(name), shape, element.dtype));
    yield;
  }
  for (const { name, element, start, end } of inOrder) {
    const to = state.get(name)!.attached(who);
    const extent = { position: header.end + start, length: end - start };
    yield* readElements(who, quoted(name), element, source, extent, to);
    yield;
  }
  for (const [key, text] of header.metadata) state.metadata.set(key, text);
  yield* warnOfStatistics(who, state, budget);
  return state;
}

function* readHeader(who: string, source: Source, budget: Budget): Steps<Header> {
  const { size } = source;
  const most = Math.min(MAX_HEADER_BYTES, size - 8);
  if (most < 0) {
    throw check.wrongValue(who, 'at least the 8 bytes of a header length', `${size} bytes`);
  }
  const first = yield* readBytes(who, source, 0, Math.min(9, size));
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > BigInt(most)) {
    const zip = first[0] === 0x50 && first[1] === 0x4b;
    const hint = zip ? ' (a zip archive: for PyTorch files there is loadTorch)' : '';
    throw check.wrongValue(who, `a header of at most ${most} bytes`, `${length}${hint}`);
  }
  if (first[8] !== 0x7b || length === 0n) {
    const got = length === 0n ? 'no header' : `byte 0x${first[8]!.toString(16)}`;
    throw check.wrongValue(who, "a header that begins with '{'", got);
  }
  const text = decodeText(who, yield* readBytes(who, source, 8, Number(length)));
  return { ...(yield* parseHeader(who, text, budget)), end: 8 + Number(length) };
}

function decodeText(who: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw check.wrongValue(who, 'a header in UTF-8', 'other bytes');
  }
}

function* parseHeader(who: string, text: string, budget: Budget): Steps<Omit<Header, 'end'>> {
  const reader = new JsonReader(who, text, budget);
  const entries: Entry[] = [];
  const metadata = new Map<string, string>();
  const bounded = (count: number, what: string): void => {
    if (count >= MAX_ENTRIES) throw check.wrongValue(who, `at most ${MAX_ENTRIES} ${what}`, 'more');
  };
  for (const name of reader.members("a header that begins with '{'")) {
    if (name !== '__metadata__') {
      bounded(entries.length, 'tensors');
      budget.spend(COST.tensor);
      entries.push(parseEntry(who, name, reader));
    } else if (!reader.null()) {
      for (const key of reader.members('__metadata__ to be an object')) {
        bounded(metadata.size, 'entries of metadata');
        metadata.set(key, reader.string(`the metadata ${quoted(key)} to be a string`));
        yield;
      }
    }
    yield;
  }
  reader.end();
  return { entries, metadata };
}

function parseEntry(who: string, name: string, reader: JsonReader): Entry {
  const called = quoted(name);
  let element: Element | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const sizes = (what: string, most: number): number[] => {
    const list: number[] = [];
    reader.array(`${what} to be an array`, () => {
      if (list.length === most) {
        throw check.wrongValue(who, `at most ${most} numbers in ${what}`, 'more');
      }
      list.push(reader.size(what));
    });
    return list;
  };
  reader.object(`${called} to be an object`, (key) => {
    if (key === 'dtype') {
      element = elementOf(who, called, reader.string(`the dtype of ${called} as a string`));
    } else if (key === 'shape') {
      shape = sizes(`the shape of ${called}`, check.MOST_DIMENSIONS);
    } else if (key === 'data_offsets') {
      offsets = sizes(`the data_offsets of ${called}`, 2);
    } else {
      reader.skip();
    }
  });
  const missing = [...(element ? [] : ['dtype']), ...(shape ? [] : ['shape'])];
  const [start, end] = offsets ?? [];
  if (!element || !shape || start === undefined || end === undefined) {
    if (!offsets) missing.push('data_offsets');
    const got = missing.length === 0 ? 'too few offsets' : `no ${missing.join(' and no ')}`;
    throw check.wrongValue(who, `${called} to have dtype, shape and two data_offsets`, got);
  }
  return { name, element, shape, start, end };
}

function elementOf(who: string, called: string, dtype: string): Element {
  const element = SAFETENSORS_DTYPES.get(dtype);
  if (element !== undefined) return element;
  const known = [...SAFETENSORS_DTYPES.keys()].join(', ');
  throw check.wrongValue(who, `the dtype of ${called} to be one of ${known}`, quoted(dtype));
}

/** Every tensor has its bytes, and every byte its tensor. Returns them in the order of their bytes. */
function checkLayout(who: string, entries: readonly Entry[], size: number): Entry[] {
  const inOrder = [...entries].sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const entry of inOrder) {
    const called = quoted(entry.name);
    if (entry.start !== end) {
      throw check.wrongValue(
        who,
        `${called} to begin where the tensor before it ends, at ${end} (no holes, no overlaps)`,
        String(entry.start),
      );
    }
    const need = byteLength(entry);
    if (need === null) {
      const got = `shape ${check.shapeText(entry.shape)}`;
      throw check.wrongValue(who, `${called} to have less than 2^64 bytes`, got);
    }
    if (BigInt(entry.end) - BigInt(entry.start) !== need) {
      throw check.wrongValue(
        who,
        `data_offsets of ${called} that span the ${need} bytes of shape ${check.shapeText(entry.shape)}`,
        `[${entry.start}, ${entry.end}]`,
      );
    }
    end = entry.end;
  }
  if (end !== size) throw check.wrongValue(who, `${end} bytes after the header`, String(size));
  return inOrder;
}

/** Exact; null past 64 bits, also where a 0 comes later. */
function byteLength({ shape, element }: Entry): bigint | null {
  let bytes = 1n;
  for (const size of [...shape, element.bytes]) {
    bytes *= BigInt(size);
    if (bytes >= 2n ** 64n) return null;
  }
  return bytes;
}
