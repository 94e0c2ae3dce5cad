// The pieces that every chart is made of: elements as text, a logarithmic scale, its ticks.

export type Attributes = Readonly<Record<string, string | number>>;

/** Text that may stand in markup. */
export function escape(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (each) => names[each]!);
}

/** An element; `content` is markup already. Coordinates are rounded to a tenth of a pixel. */
export function tag(name: string, attributes: Attributes, content = ''): string {
  const pairs = Object.entries(attributes).map(
    ([key, value]) =>
      ` ${key}="${typeof value === 'number' ? Math.round(value * 10) / 10 : escape(value)}"`,
  );
  return `<${name}${pairs.join('')}>${content}</${name}>`;
}

export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return tag('text', { x, y, ...attributes }, escape(text));
}

/** What a pointer that rests on the mark is told. */
export function hint(text: string): string {
  return tag('title', {}, escape(text));
}

export interface Scale {
  (value: number): number;
  readonly low: number;
  readonly high: number;
}

/** Maps [low, high] onto [from, to] by logarithm. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log(high / low) || 1;
  const map = (value: number): number => from + (Math.log(value / low) / span) * (to - from);
  return Object.assign(map, { low, high });
}

/** The smallest [low, high] of whole powers of ten around all values, or of 1, 2 and 5 if `fine`. */
export function logBounds(values: readonly number[], fine = false): [low: number, high: number] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [1, 10];
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const steps = fine ? [1, 2, 5] : [1];
  const marks: number[] = [];
  for (
    let power = Math.floor(Math.log10(least));
    power <= Math.ceil(Math.log10(most)) + 1;
    power++
  ) {
    marks.push(...steps.map((step) => step * 10 ** power));
  }
  const low = marks.filter((mark) => mark <= least * 1.0001).at(-1)!;
  const high = marks.find((mark) => mark >= most * 0.9999 && mark > low)!;
  return [low, high];
}

/** Powers of ten inside a scale; 1, 2 and 5 of each where that leaves room for less than three. */
export function logTicks({ low, high }: Scale): number[] {
  const decades = Math.log10(high / low);
  const steps = decades < 2.5 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    ticks.push(...steps.map((step) => Number((step * 10 ** power).toPrecision(3))));
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** µs as an axis says it. */
export function timeTick(us: number): string {
  if (us >= 1e6) return `${us / 1e6} s`;
  return us >= 1e3 ? `${us / 1e3} ms` : `${us} µs`;
}
