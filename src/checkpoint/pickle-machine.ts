// The stack, the memo and the reading of operands, for pickle.ts. The work and the memory are linear in
// the pickle's size.
import * as check from '../check.js';
import { Callable, Dict, Inert, kindOf, List, Tuple, type Value } from './pickle-values.js';
import { quoted } from './words.js';

export interface World {
  /** What `module.name` stands for; throws for what is not on the list. */
  global(module: string, name: string): Value;
  /** What a persistent id stands for: a storage. */
  persistent(id: Value): Value;
}

/** No int of a checkpoint needs more; as decimal text, a longer one would take quadratic time. */
const MAX_INT_BYTES = 256;

export class Machine {
  private stack: Value[] = [];
  private readonly below: Value[][] = [];
  private readonly memo = new Map<number, Value>();
  private readonly view: DataView;

  /** @param at - Where in `bytes` it reads. */
  constructor(
    private readonly who: string,
    private readonly bytes: Uint8Array,
    private readonly world: World,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  push(value: Value): void {
    this.stack.push(value);
  }

  pop(): Value {
    const value = this.stack.pop();
    if (value === undefined) throw this.problem('a value on the stack', 'none');
    return value;
  }

  mark(): void {
    this.below.push(this.stack);
    this.stack = [];
  }

  popMark(): Value[] {
    const items = this.stack;
    const under = this.below.pop();
    if (under === undefined) throw this.problem('a mark on the stack', 'none');
    this.stack = under;
    return items;
  }

  /** The last `count` values, as a tuple. */
  tuple(count: number): void {
    if (this.stack.length < count) throw this.problem(`${count} values on the stack`, 'fewer');
    this.push(new Tuple(this.stack.splice(-count, count)));
  }

  /** The top of the stack, which has to be of a kind. */
  top<Kind extends Value>(kind: abstract new (...args: never) => Kind, what: string): Kind {
    const value = this.stack.at(-1);
    if (!(value instanceof kind)) throw this.problem(what, kindOf(value));
    return value;
  }

  extend(items: readonly Value[]): void {
    const { items: into } = this.top(List, 'a list to append to');
    for (const item of items) into.push(item);
  }

  setItems(items: readonly Value[]): void {
    const { entries } = this.top(Dict, 'a dict to set items of');
    if (items.length % 2 !== 0) throw this.problem('a value for every key', 'a key without one');
    for (let i = 0; i < items.length; i += 2) entries.set(items[i]!, items[i + 1]!);
  }

  /** A set's items are of no use here. */
  addItems(): void {
    this.popMark();
    this.top(Inert, 'a set to add to');
  }

  frozenSet(): void {
    this.popMark();
    this.push(new Inert('a frozenset'));
  }

  remember(index: number): void {
    if (this.stack.length === 0) throw this.problem('a value to remember', 'none');
    this.memo.set(index, this.last());
  }

  memoize(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.problem(`a remembered value ${index}`, 'none');
    this.push(value);
  }

  reduce(): void {
    const args = this.pop();
    if (!(args instanceof Tuple)) throw this.problem('arguments as a tuple', kindOf(args));
    const { call } = this.top(Callable, 'a function to call');
    this.pop();
    this.push(call(this.who, args.items));
  }

  /** The state of an object: only an OrderedDict has one. */
  build(): void {
    const state = this.pop();
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

  /** A float's value is of no use here, so only its 8 bytes are read. */
  float(): void {
    this.take(8);
    this.push(new Inert('a float'));
  }

  skip(length: number): void {
    this.take(length);
  }

  text(length: number): string {
    const at = this.take(length);
    return this.decoded(this.bytes.subarray(at, at + length));
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.problem('a line that ends', 'the end of the pickle');
    const text = this.decoded(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  /** Two's complement of any length, the least byte first. */
  long(length: number): number | bigint {
    if (length > MAX_INT_BYTES) {
      throw this.problem(`an int of at most ${MAX_INT_BYTES} bytes`, String(length));
    }
    const at = this.take(length);
    const hex = Buffer.from(this.bytes.subarray(at, at + length))
      .reverse()
      .toString('hex');
    return small(BigInt.asIntN(8 * length, BigInt(`0x${hex || '0'}`)));
  }

  /** Python 2 writes what does not fit 32 bits as a line of digits, and bools of protocol 1 too. */
  decimal(): number | bigint | boolean {
    const digits = this.line();
    if (digits === '00' || digits === '01') return digits === '01';
    if (!/^-?\d{1,20}$/.test(digits)) throw this.problem('an int', quoted(digits));
    return small(BigInt(digits));
  }

  stackGlobal(): void {
    const name = this.pop();
    this.global(this.pop(), name);
  }

  last(): Value {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  /** Moves past `length` bytes; returns where they begin. */
  private take(length: number): number {
    const { at } = this;
    if (length > this.bytes.length - at) {
      throw this.problem(`${length} more bytes`, `${this.bytes.length - at}`);
    }
    this.at = at + length;
    return at;
  }

  private decoded(bytes: Uint8Array): string {
    try {
      return UTF8.decode(bytes);
    } catch {
      throw this.problem('text in UTF-8', 'other bytes');
    }
  }

  refused(code: number): RangeError {
    const letter = code > 0x20 && code < 0x7f ? ` '${String.fromCharCode(code)}'` : '';
    return this.problem(
      'a pickle of plain data',
      `opcode 0x${code.toString(16).padStart(2, '0')}${letter}, which is not for such`,
    );
  }

  private problem(what: string, got: string): RangeError {
    return check.wrongValue(this.who, `${what} at byte ${this.at} of a pickle`, got);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
