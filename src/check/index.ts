// Every argument check, and every sentence a user reads when one fails:
// `<Who>: expected <what>, got <actual>.` TypeError for the wrong kind, RangeError for a wrong value.
// A check never changes anything, and callers run all of them before they change something.
// What a value is, is asked of the engine or of its members, never by `instanceof`: the classes of another
// realm (a `vm` context, a test runner's) are not ours.
import { isPromise } from 'node:util/types';

import { foreignError } from './copies.js';

/** What a check needs to know of a tensor. */
export interface Described {
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** How a value reads in an error message: its kind and size, never its contents. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (ArrayBuffer.isView(value)) {
    const kind = arrayKind(value);
    const name = (value as { constructor?: { name?: string } }).constructor?.name ?? kind;
    return kind === undefined ? (name ?? 'a view') : `${name} of length ${arrayLength(value)}`;
  }
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`;
}

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;
interface Getter<Value> {
  call(value: unknown): Value;
}
const getter = (name: string | symbol): unknown =>
  Reflect.get(Object.getOwnPropertyDescriptor(TYPED_ARRAY, name)!, 'get');
const kindGetter = getter(Symbol.toStringTag) as Getter<string | undefined>;
const bytesGetter = getter('byteLength') as Getter<number>;
const bufferGetter = getter('buffer') as Getter<ArrayBufferLike>;
const offsetGetter = getter('byteOffset') as Getter<number>;

/** 'Float32Array', 'Uint8Array', … of a typed array, of any realm and of a subclass too; else undefined. */
export function arrayKind(value: unknown): string | undefined {
  return kindGetter.call(value);
}

/** How many elements a typed array has, whatever a subclass says; none once its buffer is gone. */
export function arrayLength(array: ArrayBufferView): number {
  const bits = Number(/\d+/.exec(arrayKind(array) ?? '8')?.[0]); // of an element: 'Uint8ClampedArray'
  return (8 * bytesGetter.call(array)) / bits;
}

/** Where a typed array lies, whatever a subclass says: its buffer, the first byte there, how many elements. */
export function placeOfArray(array: ArrayBufferView): [ArrayBufferLike, number, number] {
  return [bufferGetter.call(array), offsetGetter.call(array), arrayLength(array)];
}

/** Whether a value is a typed array of integers. */
export function isIntegerArray(value: unknown): boolean {
  return arrayKind(value)?.startsWith('Float') === false;
}

/** An array or a typed array; anything else with a length could keep a loop busy for hours. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || arrayKind(value) !== undefined;
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** The number of elements of a shape, or of its dimensions from `first` to before `end`. */
export function numelOf(shape: readonly number[], first = 0, end = shape.length): number {
  let numel = 1;
  for (let i = first; i < end; i++) {
    if (shape[i] === 0) return 0; // the other sizes' product may be infinite, and 0 times that is NaN
    numel *= shape[i]!;
  }
  return numel;
}

export function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  // A loop: `every` of a frozen array, as shapes are, takes V8 0.1 µs longer.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A value of another copy of this package looks right, so the sentence for it says what is wrong. */
export function wrongKind(who: string, what: string, got: unknown): TypeError {
  const foreign = foreignError(who, what, got);
  return foreign ?? new TypeError(`${who}: expected ${what}, got ${describe(got)}.`);
}

export function wrongValue(who: string, what: string, got: string): RangeError {
  return new RangeError(`${who}: expected ${what}, got ${got}.`);
}

export function boolean(who: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongKind(who, `${name} to be a boolean`, value);
  return value;
}

/** A boolean option that is false unless it is given. */
export function booleanOption(who: string, name: string, value: unknown): boolean {
  return value === undefined ? false : boolean(who, name, value);
}

export function iterable(who: string, name: string, value: unknown): Iterable<unknown> {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
    throw wrongKind(who, `${name} to be iterable`, value);
  }
  return value as Iterable<unknown>;
}

/** A whole number from `least` to `most`, 2^53 - 1 unless given. */
export function wholeNumber(
  who: string,
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const range =
    most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`;
  const what =
    least === 1 ? `${name} to be a positive integer` : `${name} to be a whole number ${range}`;
  if (typeof value !== 'number') throw wrongKind(who, what, value);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw wrongValue(who, what, describe(value));
  }
  return value;
}

/** A finite number from `least` to `most`, both allowed. */
export function numberBetween(
  who: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
): number {
  const what =
    most === Infinity
      ? `${name} to be a finite number of at least ${least}`
      : `${name} to be a number from ${least} to ${most}`;
  if (typeof value !== 'number') throw wrongKind(who, what, value);
  if (!Number.isFinite(value) || value < least || value > most) {
    throw wrongValue(who, what, describe(value));
  }
  return value;
}

export function oneOf<Name extends string>(
  who: string,
  name: string,
  value: unknown,
  names: readonly Name[],
): Name {
  const what = `${name} to be ${names.map((each) => `'${each}'`).join(' or ')}`;
  if (typeof value !== 'string') throw wrongKind(who, what, value);
  if (!(names as readonly string[]).includes(value)) throw wrongValue(who, what, describe(value));
  return value as Name;
}

/** An options object with no name but the known ones; a near miss gets the name it was meant for. */
export function options(who: string, value: unknown, known: readonly string[]): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongKind(who, `an options object { ${known.join(', ')} }`, value);
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new TypeError(
      `${who}: expected options among ${known.join(', ')}, got '${name}'` +
        `${near === null ? '' : ` (did you mean '${near}'?)`}.`,
    );
  }
}

/** That a call got no argument beyond those it has: what nobody reads would be ignored without a word. */
export function noMore(who: string, expected: number, rest: readonly unknown[]): void {
  const extra = rest.find((each) => each !== undefined);
  if (extra === undefined) return;
  const names = isPlain(extra) ? Object.keys(extra) : [];
  const what = names.length > 0 ? `an object with ${names.join(', ')}` : describe(extra);
  throw new TypeError(
    `${who}: expected ${expected} argument${expected === 1 ? '' : 's'}, got ${expected + rest.length} (${what}).`,
  );
}

function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** The known name within a third of its length in edits, or the same name written_like_this. */
function nearest(name: string, known: readonly string[]): string | null {
  const plain = (text: string): string => text.replaceAll('_', '').toLowerCase();
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < least && distance <= Math.ceil(candidate.length / 3)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** An AbortSignal, or null where none is given. */
export function signal(who: string, value: unknown): AbortSignal | null {
  if (value === undefined) return null;
  if (!isSignal(value)) throw wrongKind(who, 'signal to be an AbortSignal', value);
  return value;
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  );
}

/** Throws the signal's reason once it is aborted. Signals of other libraries may lack their own method. */
export function notAborted(signal: AbortSignal | null): void {
  if (signal?.aborted !== true) return;
  const reason = signal.reason as Error | undefined; // whatever the user gave
  throw reason ?? new DOMException('This operation was aborted', 'AbortError');
}

/** A list of sizes, copied: what is checked is what is used. */
export function shape(who: string, value: unknown): number[] {
  if (!isList(value)) throw wrongKind(who, 'a shape (an array of sizes)', value);
  const sizes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const size = value[i];
    const number = typeof size === 'bigint' ? Number(size) : size;
    sizes.push(wholeNumber(who, 'every size of a shape', number, 0));
  }
  if (!Number.isSafeInteger(numelOf(sizes))) {
    throw wrongValue(who, 'at most 2^53 - 1 elements', `shape ${shapeText(sizes)}`);
  }
  return sizes;
}

/** That the memory behind a tensor is still there: a transferred or shrunk buffer is not. */
export function attached(
  who: string,
  name: string,
  length: number,
  sizes: readonly number[],
  numel: number,
): void {
  if (length !== numel) {
    throw new TypeError(
      `${who}: expected ${name} to hold the ${numel} elements of shape ${shapeText(sizes)}, ` +
        `got ${length} (its buffer was detached, shrunk or disposed of).`,
    );
  }
}

export function floating(who: string, name: string, tensor: Described): void {
  if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') {
    throw new TypeError(`${who}: expected ${name} to be float32 or float64, got ${tensor.dtype}.`);
  }
}

/** `what`: where the expected dtype comes from, for the message. */
export function dtype(
  who: string,
  name: string,
  tensor: Described,
  expected: string,
  what = '',
): void {
  if (tensor.dtype !== expected) {
    throw new TypeError(
      `${who}: expected ${name} to be ${expected}${what}, got ${tensor.dtype} ` +
        '(all inputs must share same datatype).',
    );
  }
}

export function sameDtype(who: string, name: string, tensor: Described, expected: string): void {
  dtype(who, name, tensor, expected, ' like the input');
}

export function sameShape(
  who: string,
  name: string,
  tensor: Described,
  expected: readonly number[],
): void {
  if (!equalShapes(tensor.shape, expected)) {
    throw wrongValue(
      who,
      `${name} of shape ${shapeText(expected)}`,
      `shape ${shapeText(tensor.shape)}`,
    );
  }
}

/** How an input of one BatchNorm layer is to be read: M = n * l values in each of c channels. */
export interface ChannelDims {
  readonly n: number;
  readonly c: number;
  readonly l: number;
}

const RANKS = {
  BatchNorm1d: [2, 3],
  BatchNorm2d: [4],
  BatchNorm3d: [5],
} as const;

/**
 * Rank and channel count of a layer's input. Channels last is the same memory as [N · L, C].
 *
 * @param sizes - Its shape, or the same in an array that is read faster.
 */
export function batchNormInput(
  who: string,
  kind: keyof typeof RANKS,
  input: Described,
  channels: number,
  layout: 'NCL' | 'NLC',
  sizes = input.shape,
): ChannelDims {
  const ranks: readonly number[] = RANKS[kind];
  if (!ranks.includes(sizes.length)) {
    const want = ranks.map((rank) => `${rank}D`).join(' or ');
    throw wrongValue(
      who,
      `${want} input (got ${sizes.length}D input)`,
      `shape ${shapeText(sizes)}`,
    );
  }
  const last = layout === 'NLC' && sizes.length > 2;
  const c = sizes[last ? sizes.length - 1 : 1] ?? 0;
  if (c !== channels) {
    throw wrongValue(
      who,
      `input with ${channels} channels`,
      `shape ${shapeText(sizes)} (running_mean should contain ${c} elements not ${channels})`,
    );
  }
  return channelDims(sizes, last, c);
}

/** `c` where the caller has read it: a frozen array costs V8 some 5 ns an element. */
export function channelDims(
  sizes: readonly number[],
  channelsLast: boolean,
  c = sizes[channelsLast ? sizes.length - 1 : 1] ?? 0,
): ChannelDims {
  if (channelsLast) return { n: numelOf(sizes, 0, sizes.length - 1), c, l: 1 };
  return { n: sizes[0] ?? 0, c, l: numelOf(sizes, 2) };
}

/** A batch's statistics need more than one value per channel (an empty batch has none to need). */
export function enoughForStatistics(who: string, dims: ChannelDims, input: Described): void {
  if (dims.n * dims.l === 1) {
    throw wrongValue(
      who,
      'more than 1 value per channel when training',
      `input of shape ${shapeText(input.shape)}`,
    );
  }
}

/** eps keeps the division finite; a running variance may stand without it, a batch's may be 0. */
export function trainingEps(who: string, eps: number): void {
  if (!(eps > 0)) {
    throw wrongValue(
      who,
      'eps to be positive (batch_norm eps must be positive during training)',
      describe(eps),
    );
  }
}

/** Running statistics come in pairs. */
export function bothOrNeither(who: string, mean: unknown, variance: unknown): void {
  if ((mean === null) === (variance === null)) return;
  throw new TypeError(
    `${who}: expected running_mean and running_var to either both be None or neither be None, ` +
      `got ${mean === null ? 'only running_var' : 'only running_mean'}.`,
  );
}

/** Lengths of `n` padded sequences: whole numbers from 0 to `most`; copied. */
export function lengths(who: string, value: unknown, n: number, most: number): Int32Array {
  if (!isList(value)) {
    throw wrongKind(who, 'lengths to be an array of whole numbers or an integer tensor', value);
  }
  if (value.length !== n) throw wrongValue(who, `${n} lengths, one a sample`, String(value.length));
  return wholeNumbers(who, 'lengths', value, most, null);
}

/**
 * Which of n · l positions count, 1 or 0 each: `n` rows of `l` flags, or all of them in one list; copied. `l` is null
 * where a sample has one position: then it is a list of `n`.
 */
export function mask(who: string, value: unknown, n: number, l: number | null): Int32Array {
  const what = 'mask to be an array of booleans (or 1 and 0), rows of such, or an integer tensor';
  if (!isList(value)) throw wrongKind(who, what, value);
  const flags = new Int32Array(n * (l ?? 1));
  const sizes = shapeText(l === null ? [n] : [n, l]);
  const copyRow = (row: ArrayLike<unknown>, start: number, count: number): void => {
    if (row.length !== count) {
      const got = `${count === flags.length ? '' : 'a row of '}${row.length}`;
      throw wrongValue(who, `a mask of shape ${sizes}`, got);
    }
    for (let i = 0; i < count; i++) flags[start + i] = flag(who, row[i], start + i);
  };
  const first = value.length === 0 ? undefined : value[0];
  if (l === null || !isList(first)) {
    copyRow(value, 0, flags.length);
    return flags;
  }
  if (value.length !== n) {
    throw wrongValue(who, `a mask of shape ${sizes}`, `${value.length} rows`);
  }
  for (let row = 0; row < n; row++) {
    const flagsOfRow = row === 0 ? first : value[row];
    if (!isList(flagsOfRow)) throw wrongKind(who, what, flagsOfRow);
    copyRow(flagsOfRow, row * l, l);
  }
  return flags;
}

function flag(who: string, value: unknown, index: number): number {
  if (value === true || value === 1 || value === 1n) return 1;
  if (value === false || value === 0 || value === 0n) return 0;
  throw wrongValue(
    who,
    'a mask of true and false, or 1 and 0',
    `${describe(value)} at index ${index}`,
  );
}

/** Class indices: whole numbers from 0 to classes - 1, or `ignore`; copied. */
export function classTargets(
  who: string,
  targets: ArrayLike<unknown>,
  rows: number,
  classes: number,
  ignore: number,
): Int32Array {
  if (targets.length !== rows) {
    throw wrongValue(who, `${rows} class targets`, String(targets.length));
  }
  return wholeNumbers(who, 'class targets', targets, classes - 1, ignore);
}

/**
 * Whole numbers from 0 to `most`, or `other`, as numbers or BigInts. Each is read once, and the copy of it
 * checked: another thread may write into shared memory in between.
 */
function wholeNumbers(
  who: string,
  name: string,
  list: ArrayLike<unknown>,
  most: number,
  other: number | null,
): Int32Array {
  const copy = new Int32Array(list.length);
  for (let i = 0; i < copy.length; i++) {
    const each = list[i];
    // Those that lose digits as a number are far outside of the range.
    const number = typeof each === 'bigint' ? Number(each) : each;
    const inRange =
      Number.isInteger(number) && (number as number) >= 0 && (number as number) <= most;
    if (!inRange && (number !== other || other === null)) {
      throw wrongValue(who, `${name} from 0 to ${most}`, `${describe(each)} at index ${i}`);
    }
    copy[i] = number as number;
  }
  return copy;
}

/**
 * Makes an assignment to these getters of a class an error in our words: the engine's sentence names neither the
 * layer nor a way out, and code that is not strict hears nothing.
 *
 * @param hint - What to do instead, by name.
 */
export function refuseAssignment(
  constructor: { readonly prototype: object },
  hints: Readonly<Record<string, string>>,
): void {
  for (const [name, hint] of Object.entries(hints)) {
    const property = Object.getOwnPropertyDescriptor(constructor.prototype, name)!;
    Object.defineProperty(constructor.prototype, name, {
      ...property,
      set(this: object, value: unknown) {
        throw wrongKind(this.constructor.name, `${name} to be left as it is (${hint})`, value);
      },
    });
  }
}

/** Whether an object is of no class: a literal, of any realm, or without a prototype. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || isObjectPrototype(prototype);
}

/** Whether this is some realm's Object.prototype: it has no prototype, and methods of its own. */
function isObjectPrototype(value: object): boolean {
  return Object.getPrototypeOf(value) === null && Object.hasOwn(value, 'hasOwnProperty');
}

/** Whether an object is an instance of a class that the language has: of Map, but not of a subclass. */
export function isBuiltIn(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const above = prototype === null ? null : (Object.getPrototypeOf(prototype) as object | null);
  return above !== null && isObjectPrototype(above);
}

/** Whether a value is a promise, or passes for one with `await`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (isPromise(value)) return true;
  const canHave = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return canHave && typeof (value as { then?: unknown }).then === 'function';
}

/** What a body returned: its result, but for a promise, which would outlive what the call set up. */
export function synchronous<Result>(who: string, result: Result): Result {
  if (isThenable(result)) {
    // Nobody waits for it any more, and a rejection that nobody takes ends the process.
    if (isPromise(result)) result.catch(() => undefined);
    throw new TypeError(`${who}: expected a synchronous function, got one that returns a promise.`);
  }
  return result;
}
