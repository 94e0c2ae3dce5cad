// Python's pickles, protocol 2, of plain data and of what a caller adds: what torch.load(weights_only=True) takes.
import * as check from '../../check/index.js';

/** What a pickle is of, beside numbers, texts, lists and dicts: bytes of opcodes. */
export class Opcodes {
  constructor(readonly bytes: Uint8Array) {}
}

/** Numbers, texts, booleans, null; arrays become lists, Maps and pairs dicts. */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Opcodes
  | readonly Plain[]
  | ReadonlyMap<number | string, Plain>;

const OP = {
  proto: 0x80,
  stop: 0x2e,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
  float: 0x47,
  int32: 0x4a,
  long1: 0x8a,
  text: 0x58,
  emptyList: 0x5d,
  emptyDict: 0x7d,
  emptyTuple: 0x29,
  mark: 0x28,
  appends: 0x65,
  setItems: 0x75,
  tuple: 0x74,
  global: 0x63,
  reduce: 0x52,
  build: 0x62,
  persistent: 0x51,
} as const;

/** A whole pickle. */
export function pickled(who: string, value: Plain): Uint8Array {
  return joined(Uint8Array.of(OP.proto, 2), opcodes(who, value), Uint8Array.of(OP.stop));
}

/** A tuple of values. */
export function tupled(who: string, items: readonly Plain[]): Opcodes {
  const parts = items.map((each) => opcodes(who, each));
  return new Opcodes(joined(Uint8Array.of(OP.mark), ...parts, Uint8Array.of(OP.tuple)));
}

/** The name `module.name`. */
export function named(module: string, name: string): Opcodes {
  const text = Buffer.from(`${module}\n${name}\n`, 'latin1');
  return new Opcodes(joined(Uint8Array.of(OP.global), text));
}

/** A call of a function with a tuple of arguments. */
export function called(who: string, callee: Opcodes, args: readonly Plain[]): Opcodes {
  return new Opcodes(joined(callee.bytes, tupled(who, args).bytes, Uint8Array.of(OP.reduce)));
}

/** What a persistent id stands for. */
export function persistent(id: Opcodes): Opcodes {
  return new Opcodes(joined(id.bytes, Uint8Array.of(OP.persistent)));
}

/** An OrderedDict; `attributes` go into its `__dict__`. */
export function orderedDict(
  who: string,
  entries: ReadonlyMap<number | string, Plain>,
  attributes?: ReadonlyMap<string, Plain>,
): Opcodes {
  const made = called(who, named('collections', 'OrderedDict'), []);
  const parts = [made.bytes, items(who, entries)];
  if (attributes !== undefined) parts.push(opcodes(who, attributes), Uint8Array.of(OP.build));
  return new Opcodes(joined(...parts));
}

function opcodes(who: string, value: Plain): Uint8Array {
  if (value === null) return Uint8Array.of(OP.none);
  if (typeof value === 'boolean') return Uint8Array.of(value ? OP.true : OP.false);
  if (typeof value === 'number') return number(value);
  if (typeof value === 'bigint') return long(who, value);
  if (typeof value === 'string') return text(value);
  if (value instanceof Opcodes) return value.bytes;
  if (Array.isArray(value)) {
    const parts = (value as readonly Plain[]).map((each) => opcodes(who, each));
    const ends = [Uint8Array.of(OP.emptyList, OP.mark), Uint8Array.of(OP.appends)] as const;
    return joined(ends[0], ...parts, ends[1]);
  }
  const entries = value as ReadonlyMap<number | string, Plain>;
  return joined(Uint8Array.of(OP.emptyDict), items(who, entries));
}

function items(who: string, entries: ReadonlyMap<number | string, Plain>): Uint8Array {
  const parts = [...entries].flatMap(([key, value]) => [opcodes(who, key), opcodes(who, value)]);
  return joined(Uint8Array.of(OP.mark), ...parts, Uint8Array.of(OP.setItems));
}

/** Whole numbers are ints, as they are where Python wrote them; -0 is a float. */
function number(value: number): Uint8Array {
  const isInt = Number.isSafeInteger(value) && !Object.is(value, -0);
  if (isInt && Math.abs(value) >= 2 ** 31) return long('', BigInt(value));
  const bytes = new Uint8Array(isInt ? 5 : 9);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, isInt ? OP.int32 : OP.float);
  if (isInt) view.setInt32(1, value, true);
  else view.setFloat64(1, value, false);
  return bytes;
}

/** Two's complement of 8 bytes. */
function long(who: string, value: bigint): Uint8Array {
  if (BigInt.asIntN(64, value) !== value) {
    throw check.wrongValue(who, 'whole numbers from -2^63 to 2^63 - 1', `${value}`);
  }
  const bytes = new Uint8Array(10);
  bytes.set([OP.long1, 8]);
  new DataView(bytes.buffer).setBigInt64(2, value, true);
  return bytes;
}

function text(value: string): Uint8Array {
  const content = Buffer.from(value, 'utf8');
  const head = new Uint8Array(5);
  head[0] = OP.text;
  new DataView(head.buffer).setUint32(1, content.length, true);
  return joined(head, content);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
