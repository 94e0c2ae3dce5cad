// The stack, the memo and the reading of operands, for pickle.ts. Every opcode takes time in proportion to
// its bytes or is paid for out of the budget, and so is every object.
// Longer than 250 lines because the opcodes of pickle are methods of one machine, and share its stack and budget.
import { isUtf8 } from 'node:buffer';

import * as check from '../../check/index.js';
import { COST } from '../budget.js';
import {
  Callable,
  Dict,
  Float,
  Foreign,
  ForeignObject,
  OpaqueValue,
  kindOf,
  List,
  Tuple,
  type Caller,
  type Value,
} from './values.js';
import { quoted } from '../sentences.js';

export interface World {
  /** What `module.name` stands for. */
  global(module: string, name: string): Value;
  /** What a persistent id stands for: a storage. */
  persistent(id: Value): Value;
}

/** The bytes end before the pickle does: where they are the first of a file, there may be more. */
export class CutShort extends RangeError {}

/** No int of a checkpoint needs more; as decimal text, a longer one would take quadratic time. */
const MAX_INT_BYTES = 256;
/** Picklers number what they remember 0, 1, 2, …; more room than that would be memory for nothing. */
const SPARE_PLACES = 1024;
/** Shorter texts are quicker without the decoder. */
const SHORT_TEXT = 24;

const EMPTY_TUPLE = new Tuple([]);
const BYTES = new OpaqueValue('bytes');
const FROZENSET = new OpaqueValue('a frozenset');

export class Machine {
  private readonly stack: Value[] = [];
  /** Where on the stack the marks are; what is below the last one is out of reach. */
  private readonly marks: number[] = [];
  private floor = 0;
  private readonly memo: Value[] = [];
  private remembered = 0;
  private readonly view: DataView;
  private readonly buffer: Buffer;

  /** @param at - Where in `bytes` it reads. */
  constructor(
    private readonly caller: Caller,
    private readonly bytes: Uint8Array,
    private readonly world: World,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  push(value: Value): void {
    this.spend(COST.slot);
    this.stack.push(value);
  }

  pop(): Value {
    if (this.stack.length <= this.floor) throw this.problem('a value on the stack', 'none');
    this.caller.budget.restore(COST.slot);
    return this.stack.pop()!;
  }

  mark(): void {
    this.spend(COST.slot);
    this.marks.push(this.floor);
    this.floor = this.stack.length;
  }

  popMark(): Value[] {
    const { stack, floor } = this;
    const under = this.marks.pop();
    if (under === undefined) throw this.problem('a mark on the stack', 'none');
    const items = stack.slice(floor);
    stack.length = floor;
    this.floor = under;
    this.caller.budget.restore(COST.slot * (items.length + 1));
    return items;
  }

  /** The values above the last mark, as a tuple. */
  markedTuple(): void {
    this.pushTuple(this.popMark());
  }

  /** The last `count` values, as a tuple. */
  tuple(count: number): void {
    const { stack } = this;
    if (stack.length - this.floor < count)
      throw this.problem(`${count} values on the stack`, 'fewer');
    const items = stack.slice(-count);
    stack.length -= count;
    this.caller.budget.restore(COST.slot * count);
    this.pushTuple(items);
  }

  private pushTuple(items: Value[]): void {
    this.spend(2 * COST.object + 8 * items.length);
    this.push(items.length === 0 ? EMPTY_TUPLE : new Tuple(items));
  }

  emptyTuple(): void {
    this.push(EMPTY_TUPLE);
  }

  list(): void {
    this.spend(COST.object);
    this.push(new List());
  }

  dict(): void {
    this.spend(COST.object);
    this.push(new Dict(false));
  }

  set(): void {
    this.spend(COST.object);
    this.push(new OpaqueValue('a set'));
  }

  /** The top of the stack, which has to be of a kind. */
  private top<Kind extends Value>(kind: abstract new (...args: never) => Kind, what: string): Kind {
    const value = this.last();
    if (!(value instanceof kind)) throw this.problem(what, kindOf(value));
    return value;
  }

  extend(items: Value[]): void {
    if (isOpaque(this.last())) return;
    const into = this.top(List, 'a list to append to');
    if (items.length === 0) return;
    this.spend((into.items.length === 0 ? COST.array : 0) + COST.slot * items.length);
    into.extend(items);
  }

  setItems(items: Value[]): void {
    if (items.length % 2 !== 0) throw this.problem('a value for every key', 'a key without one');
    if (isOpaque(this.last())) return;
    const into = this.top(Dict, 'a dict to set items of');
    if (items.length === 0) return;
    this.spend((into.size === 0 ? COST.array : 0) + COST.slot * items.length);
    into.set(items);
  }

  setItem(): void {
    const value = this.pop();
    this.setItems([this.pop(), value]);
  }

  /** A set's items are of no use here. */
  addItems(): void {
    this.popMark();
    if (!isOpaque(this.last())) throw this.problem('a set to add to', kindOf(this.last()));
  }

  frozenSet(): void {
    this.popMark();
    this.push(FROZENSET);
  }

  remember(index: number): void {
    const value = this.last('a value to remember');
    const most = 2 * this.remembered + SPARE_PLACES;
    if (index > most) {
      throw this.problem(`places to remember from 0 to ${most}`, String(index));
    }
    this.spend(COST.slot);
    if (this.memo[index] === undefined) this.remembered++;
    this.memo[index] = value;
  }

  memoize(): void {
    this.remember(this.remembered);
  }

  recall(index: number): void {
    const value = this.memo[index];
    if (value === undefined) throw this.problem(`a remembered value ${index}`, 'none');
    this.push(value);
  }

  /** REDUCE and NEWOBJ: a call of one of our functions, or an object of which only its class is known. */
  reduce(): void {
    const args = this.pop();
    if (!(args instanceof Tuple)) throw this.problem('arguments as a tuple', kindOf(args));
    const callee = this.pop();
    if (callee instanceof Callable) this.push(callee.call(this.caller, args.items));
    else if (callee instanceof Foreign) this.pushForeign(callee);
    else if (isOpaque(callee)) this.push(callee);
    else throw this.problem('a function to call', kindOf(callee));
  }

  /** NEWOBJ_EX: with arguments by name too. */
  reduceNamed(): void {
    this.pop();
    this.reduce();
  }

  private pushForeign(foreign: Foreign): void {
    this.spend(COST.object);
    this.push(foreign.object);
  }

  /** The state of an object: only an OrderedDict has one that is of use here. */
  build(): void {
    const state = this.pop();
    if (isOpaque(this.last())) return;
    const target = this.top(Dict, 'an OrderedDict whose attributes are set');
    if (!target.ordered || !(state instanceof Dict)) {
      throw this.problem('attributes of an OrderedDict', `${kindOf(state)} for ${target.kind}`);
    }
    target.attributes = state;
  }

  global(module: Value, name: Value): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.problem('the name of a global as text', kindOf(name));
    }
    this.push(this.world.global(module, name));
  }

  persistent(): void {
    this.push(this.world.persistent(this.pop()));
  }

  protocol(): void {
    const version = this.unsigned(1);
    if (version < 2 || version > 5) {
      throw this.problem('a pickle of protocol 2 to 5', String(version));
    }
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes; a length beyond the file is refused where it is used. */
  unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.take(size);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at, true);
    if (size === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  /** Eight bytes, the first one first. */
  float(): void {
    this.spend(COST.object);
    this.push(new Float(this.view.getFloat64(this.take(8), false)));
  }

  bytesOf(length: number): void {
    this.take(length);
    this.push(BYTES);
  }

  skip(length: number): void {
    this.take(length);
  }

  text(length: number): string {
    const at = this.take(length);
    const text = this.decoded(at, at + length);
    if (text === null) throw this.problem('text in UTF-8', 'other bytes');
    return text;
  }

  /** A str of Python 2: text, or bytes where it is none. */
  byteString(length: number): void {
    const at = this.take(length);
    this.push(this.decoded(at, at + length) ?? BYTES);
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.cutShort('a line that ends', 'the end of the pickle');
    const text = this.decoded(this.at, end);
    if (text === null) throw this.problem('text in UTF-8', 'other bytes');
    this.at = end + 1;
    return text;
  }

  /** Two's complement of any length, the least byte first. */
  long(length: number): number | bigint {
    if (length > MAX_INT_BYTES) {
      throw this.problem(`an int of at most ${MAX_INT_BYTES} bytes`, String(length));
    }
    const at = this.take(length);
    if (length <= 4) return this.short(at, length);
    this.spend(length <= 8 ? COST.object : COST.longInt);
    // The highest 1 to 4 bytes have the sign; below them come whole words.
    const words = 4 * Math.ceil(length / 4) - 4;
    let value = BigInt(this.short(at + words, length - words));
    for (let i = words - 4; i >= 0; i -= 4) {
      value = (value << 32n) | BigInt(this.view.getUint32(at + i, true));
    }
    return small(value);
  }

  private short(at: number, length: number): number {
    if (length === 0) return 0;
    let value = 0;
    for (let i = 0; i < length; i++) value |= this.bytes[at + i]! << (8 * i);
    const unused = 32 - 8 * length;
    return (value << unused) >> unused;
  }

  /** Python 2 writes what does not fit 32 bits as a line of digits, and bools of protocol 1 too. */
  decimal(): number | bigint | boolean {
    const digits = this.line();
    if (digits === '00' || digits === '01') return digits === '01';
    if (!/^-?\d{1,20}$/.test(digits)) throw this.problem('an int', quoted(digits));
    this.spend(COST.object);
    return small(BigInt(digits));
  }

  stackGlobal(): void {
    const name = this.pop();
    this.global(this.pop(), name);
  }

  last(what = 'a value on the stack'): Value {
    if (this.stack.length <= this.floor) throw this.problem(what, 'none');
    return this.stack.at(-1)!;
  }

  private spend(bytes: number): void {
    this.caller.budget.spend(bytes);
  }

  /** Moves past `length` bytes; returns where they begin. */
  private take(length: number): number {
    const { at } = this;
    if (length > this.bytes.length - at) {
      throw this.cutShort(`${length} more bytes`, `${this.bytes.length - at}`);
    }
    this.at = at + length;
    return at;
  }

  /** Text in UTF-8, or null where it is none. */
  private decoded(start: number, end: number): string | null {
    this.spend(COST.object + 2 * (end - start));
    if (end - start <= SHORT_TEXT) {
      let at = start;
      while (at < end && this.bytes[at]! < 0x80) at++;
      if (at === end) return this.buffer.toString('latin1', start, end);
    }
    // Asked first: an exception for each of millions of short texts would take seconds.
    if (!isUtf8(this.bytes.subarray(start, end))) return null;
    return this.buffer.toString('utf8', start, end);
  }

  refused(code: number): RangeError {
    const letter = code > 0x20 && code < 0x7f ? ` '${String.fromCharCode(code)}'` : '';
    return this.problem(
      'a pickle of plain data',
      `opcode 0x${code.toString(16).padStart(2, '0')}${letter}, which is not for such`,
    );
  }

  private cutShort(what: string, got: string): CutShort {
    return new CutShort(this.problem(what, got).message);
  }

  private problem(what: string, got: string): RangeError {
    return check.wrongValue(this.caller.who, `${what} at byte ${this.at} of a pickle`, got);
  }
}

/** Whether only its kind is known: then what is put into it or set on it is of no use. */
function isOpaque(value: Value): boolean {
  return value instanceof OpaqueValue || value instanceof Foreign || value instanceof ForeignObject;
}

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
