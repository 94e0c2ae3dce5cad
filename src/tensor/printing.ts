// How a tensor reads: PyTorch's body (edges of 3 past 1000 elements, aligned columns, 4 digits, scientific
// where the values need it), and what JSON gets. It knows an interface, not Tensor.
import { shapeText } from '../check/index.js';
import type { DType, TensorData } from '../memory/dtype.js';

/** What is printed of a tensor. */
interface Printable {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly numel: number;
  /** Null where there are none: disposed of, or the buffer was taken away. */
  readonly elements: TensorData | null;
  readonly disposed: boolean;
  readonly requiresGrad: boolean;
  /** The operation that made it, or null for a leaf. */
  readonly madeBy: string | null;
  readonly parameter: boolean;
}

/** What util.inspect hands over: only the part that is used. */
export interface InspectOptions {
  readonly depth?: number | null | undefined;
  readonly colors?: boolean | undefined;
  stylize?(text: string, styleType: 'number' | 'special'): string;
}

/** Nested arrays; what JSON has no number for is a string. */
type JSONValues = number | string | readonly JSONValues[];

/** What `JSON.stringify(tensor)` writes. */
export interface TensorJSON {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: JSONValues;
}

const DIGITS = 4;
const THRESHOLD = 1000;
const EDGE = 3;
const LINE_WIDTH = 80;
const PREFIX = 'tensor(';

type Element = number | bigint;
type Format = (value: Element) => string;

/** Shape, dtype and flags, in one line: for tensors inside of other values. */
function shortText(tensor: Printable): string {
  const { shape, dtype, requiresGrad, disposed, elements, parameter } = tensor;
  const words = [shapeText(shape), dtype];
  if (requiresGrad) words.push('requiresGrad');
  if (disposed) words.push('disposed');
  else if (elements === null) words.push('detached');
  return `${parameter ? 'Parameter' : 'Tensor'}(${words.join(', ')})`;
}

/**
 * @internal The values as PyTorch prints them, with shape, dtype and gradient where they are not the
 * usual ones. Never throws: a tensor without memory has the short form, which says so.
 */
export function printed(
  tensor: Printable,
  paint: (text: string) => string = (text) => text,
): string {
  const { shape, dtype, numel, elements, requiresGrad, madeBy, parameter } = tensor;
  if (elements === null) return shortText(tensor);
  const summarized = numel > THRESHOLD;
  const suffixes: string[] = [];
  if (summarized || (numel === 0 && shape.length !== 1)) suffixes.push(`shape=${shapeText(shape)}`);
  if (dtype !== 'float32') suffixes.push(`dtype=${dtype}`);
  if (madeBy !== null) suffixes.push(`gradFn=<${madeBy}>`);
  else if (requiresGrad) suffixes.push('requiresGrad=true');
  const { plain, text } = body(elements, shape, summarized, dtype.startsWith('float'), paint);
  const head = parameter ? 'Parameter containing:\n' : '';
  return head + withSuffixes(PREFIX + plain, PREFIX + text, suffixes);
}

/** @internal For util.inspect: whole at the top, inside other values in one line. */
export function inspected(
  tensor: Printable,
  depth: number | null | undefined,
  options: InspectOptions = {},
): string {
  const { colors = false } = options;
  const style = (kind: 'number' | 'special') => (text: string) =>
    colors ? (options.stylize?.(text, kind) ?? text) : text;
  const top = depth === undefined || depth === null || depth === options.depth;
  if (top) return printed(tensor, style('number'));
  if (!tensor.parameter && tensor.numel <= EDGE * 2 && depth >= 0) {
    const plain = printed(tensor);
    if (!plain.includes('\n')) return printed(tensor, style('number'));
  }
  return style('special')(shortText(tensor));
}

/** @internal Nested values for JSON, which has no NaN, no infinity and no whole numbers past 2^53 - 1. */
export function jsonOf(elements: TensorData, shape: readonly number[], dtype: DType): TensorJSON {
  const build = (axis: number, start: number, size: number): JSONValues => {
    if (axis === shape.length) return jsonNumber(elements[start]!);
    const count = shape[axis]!;
    const step = count === 0 ? 0 : size / count;
    return Array.from({ length: count }, (_, i) => build(axis + 1, start + i * step, step));
  };
  return { shape, dtype, data: build(0, 0, elements.length) };
}

function jsonNumber(value: Element): number | string {
  const number = Number(value);
  const exact = typeof value === 'bigint' ? Number.isSafeInteger(number) : Number.isFinite(number);
  return exact ? number : String(value);
}

/** The elements as nested lists; `plain` is without colours, to count columns by. */
function body(
  elements: TensorData,
  shape: readonly number[],
  summarized: boolean,
  floating: boolean,
  paint: (text: string) => string,
): { plain: string; text: string } {
  if (elements.length === 0) return { plain: '[]', text: '[]' };
  const shown: Element[] = [];
  visit(elements, shape, summarized, 0, 0, elements.length, shown);
  const { format, width } = floating ? floatFormat(shown as number[]) : wholeFormat(shown);
  const layout = { elements, shape, summarized, width };
  const plain = block({ ...layout, format }, PREFIX.length, 0, 0, elements.length);
  const painted: Format = (value) => format(value).replace(/\S+/, paint);
  return {
    plain,
    text: block({ ...layout, format: painted }, PREFIX.length, 0, 0, elements.length),
  };
}

/** Indices along a dimension; null is the gap of those that are left out. */
function indices(count: number, summarized: boolean): (number | null)[] {
  if (!summarized || count <= 2 * EDGE) return Array.from({ length: count }, (_, i) => i);
  const ends = Array.from({ length: EDGE }, (_, i) => i);
  return [...ends, null, ...ends.map((i) => count - EDGE + i)];
}

/** The elements that will be shown. */
function visit(
  elements: TensorData,
  shape: readonly number[],
  summarized: boolean,
  axis: number,
  start: number,
  size: number,
  into: Element[],
): void {
  if (axis === shape.length) {
    into.push(elements[start]!);
    return;
  }
  const step = size / shape[axis]!;
  for (const i of indices(shape[axis]!, summarized)) {
    if (i !== null) visit(elements, shape, summarized, axis + 1, start + i * step, step, into);
  }
}

interface Layout {
  readonly elements: TensorData;
  readonly shape: readonly number[];
  readonly summarized: boolean;
  readonly format: Format;
  readonly width: number;
}

function block(layout: Layout, indent: number, axis: number, start: number, size: number): string {
  const { elements, shape, summarized, format, width } = layout;
  const left = shape.length - axis;
  if (left === 0) return format(elements[start]!);
  const count = shape[axis]!;
  const step = size / count;
  const places = indices(count, summarized);
  const margin = ' '.repeat(indent + 1);
  if (left === 1) {
    const words = places.map((i) => (i === null ? ' ...' : format(elements[start + i]!)));
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < words.length; i += perLine) {
      lines.push(words.slice(i, i + perLine).join(', '));
    }
    return `[${lines.join(`,\n${margin}`)}]`;
  }
  const parts = places.map((i) =>
    i === null ? '...' : block(layout, indent + 1, axis + 1, start + i * step, step),
  );
  return `[${parts.join(`,${'\n'.repeat(left - 1)}${margin}`)}]`;
}

function wholeFormat(shown: readonly Element[]): { format: Format; width: number } {
  const width = shown.reduce((most: number, value) => Math.max(most, String(value).length), 1);
  return { format: (value) => String(value).padStart(width), width };
}

/** PyTorch's choice between `1.`, `1.0000` and `1.0000e+00`, by the finite values that are not 0. */
function floatFormat(shown: readonly number[]): { format: Format; width: number } {
  const finite = shown.filter((value) => Number.isFinite(value) && value !== 0);
  let [least, most] = [Infinity, 0];
  for (const value of finite) {
    least = Math.min(least, Math.abs(value));
    most = Math.max(most, Math.abs(value));
  }
  const whole = finite.every(Number.isInteger);
  const scientific =
    finite.length > 0 && (most / least > 1000 || most > 1e8 || (!whole && least < 1e-4));
  const text = (value: number): string => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
    const sign = value < 0 || Object.is(value, -0) ? '-' : '';
    const size = Math.abs(value);
    if (scientific) return sign + exponential(size);
    return sign + (whole ? `${size.toFixed(0)}.` : fixed(size));
  };
  const width = finite.reduce((longest, value) => Math.max(longest, text(value).length), 1);
  return { format: (value) => text(Number(value)).padStart(width), width };
}

/** A number that lies in the middle between two of 4 digits goes to the even one, as in C and Python. */
const MIDDLE = new RegExp(`^(\\d+\\.\\d{${DIGITS - 1}}[02468])50*(e.*)?$`);

function fixed(size: number): string {
  return MIDDLE.exec(size.toFixed(45))?.[1] ?? size.toFixed(DIGITS);
}

function exponential(size: number): string {
  const middle = MIDDLE.exec(size.toExponential(45));
  const text = middle === null ? size.toExponential(DIGITS) : `${middle[1]!}${middle[2]!}`;
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Behind the values, on a new line where the last one is full. */
function withSuffixes(plain: string, text: string, suffixes: readonly string[]): string {
  let length = plain.length - plain.lastIndexOf('\n');
  let result = text;
  for (const suffix of suffixes) {
    if (length + suffix.length + 2 > LINE_WIDTH) {
      result += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      length = PREFIX.length + suffix.length;
    } else {
      result += `, ${suffix}`;
      length += suffix.length + 2;
    }
  }
  return `${result})`;
}
