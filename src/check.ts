// Every argument check, and every sentence a user reads when one fails:
// `<Who>: expected <what>, got <actual>.` TypeError for the wrong kind, RangeError for a wrong value.
// A check never changes anything, and callers run all of them before they change something.
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
    const length = 'length' in value ? ` of length ${String(value.length)}` : '';
    return `${value.constructor.name}${length}`;
  }
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`;
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** The number of elements of a shape, or of its dimensions from `first` to before `end`. */
export function numelOf(shape: readonly number[], first = 0, end = shape.length): number {
  let numel = 1;
  for (let i = first; i < end; i++) numel *= shape[i]!;
  return numel;
}

export function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
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
  if (!(value instanceof AbortSignal)) throw wrongKind(who, 'signal to be an AbortSignal', value);
  return value;
}

/** A list of sizes; returns their product. */
export function shape(who: string, value: unknown): number {
  if (!Array.isArray(value)) throw wrongKind(who, 'a shape (an array of sizes)', value);
  let product = 1;
  for (const size of value as readonly unknown[]) {
    product *= wholeNumber(who, 'every size of a shape', size, 0);
  }
  if (!Number.isSafeInteger(product)) {
    throw wrongValue(who, 'at most 2^53 - 1 elements', `shape ${shapeText(value as number[])}`);
  }
  return product;
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

/** Rank and channel count of a layer's input. Channels last is the same memory as [N · L, C]. */
export function batchNormInput(
  who: string,
  kind: keyof typeof RANKS,
  input: Described,
  channels: number,
  layout: 'NCL' | 'NLC',
): ChannelDims {
  const ranks: readonly number[] = RANKS[kind];
  const { shape: sizes } = input;
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
  return channelDims(sizes, last);
}

export function channelDims(sizes: readonly number[], channelsLast: boolean): ChannelDims {
  const last = sizes.length - 1;
  if (channelsLast) return { n: numelOf(sizes, 0, last), c: sizes[last] ?? 0, l: 1 };
  return { n: sizes[0] ?? 0, c: sizes[1] ?? 0, l: numelOf(sizes, 2) };
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
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
  if (!isList) throw wrongKind(who, 'lengths to be an array of numbers or an int32 tensor', value);
  const list = value as ArrayLike<unknown>;
  if (list.length !== n) throw wrongValue(who, `${n} lengths, one a sample`, String(list.length));
  const checked = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const length = list[i];
    if (!Number.isInteger(length) || (length as number) < 0 || (length as number) > most) {
      throw wrongValue(who, `lengths from 0 to ${most}`, `${describe(length)} at index ${i}`);
    }
    checked[i] = length as number;
  }
  return checked;
}

/** Class indices: whole numbers from 0 to classes - 1, or `ignore`. */
export function classTargets(
  who: string,
  targets: ArrayLike<number>,
  rows: number,
  classes: number,
  ignore: number,
): void {
  if (targets.length !== rows) {
    throw wrongValue(who, `${rows} class targets`, String(targets.length));
  }
  for (let i = 0; i < rows; i++) {
    const target = targets[i] ?? NaN;
    if (target === ignore) continue;
    if (!Number.isInteger(target) || target < 0 || target >= classes) {
      throw wrongValue(
        who,
        `class targets from 0 to ${classes - 1}`,
        `${describe(target)} at index ${i}`,
      );
    }
  }
}

/** What a body returned: its result, but for a promise, which would outlive what the call set up. */
export function synchronous<Result>(who: string, result: Result): Result {
  if (result instanceof Promise) {
    throw new TypeError(`${who}: expected a synchronous function, got one that returns a promise.`);
  }
  return result;
}
