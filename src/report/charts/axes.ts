// What all charts share: fonts, quiet axes, and numbers as axes say them.
import type { Option } from '../echarts.js';
import { visible } from '../markup.js';
import { paint } from '../style.js';

/** A position on an axis, and what an axis says there. */
export interface Axis {
  readonly title: string;
  readonly scale: 'linear' | 'logarithmic';
  /** Of a logarithmic axis: 10. */
  readonly base?: 2 | 10;
  readonly tick: (value: number) => string;
  readonly min?: number;
  readonly max?: number;
  /** Ticks, where round numbers will not do; of a linear axis only. */
  readonly interval?: number;
}

/** The font is the page's. */
export const TEXT: Pick<Option, 'textStyle'> = {
  textStyle: { fontFamily: 'inherit', fontSize: 12, color: paint('ink') },
};

const QUIET = {
  axisLine: { show: false },
  axisTick: { show: false },
  splitLine: { show: true, lineStyle: { color: paint('rule'), width: 1 } },
};

/** Of x and of y alike. */
type AxisOption = Shared<Exclude<NonNullable<Option['xAxis']>, readonly unknown[]>>;
type Shared<Each> = Each extends unknown ? Omit<Each, 'mainType'> : never;

/** @param gap - pixels between the axis and its title */
export function valueAxis(axis: Axis, gap: number): AxisOption {
  const { title, scale, base = 10, tick, min, max, interval } = axis;
  return {
    ...(scale === 'linear' ? { type: 'value' } : { type: 'log', logBase: base }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(interval === undefined ? {} : { interval }),
    name: title,
    nameLocation: 'middle',
    nameGap: gap,
    nameTextStyle: { color: paint('soft') },
    axisLabel: { color: paint('soft'), formatter: tick, hideOverlap: true },
    ...QUIET,
  };
}

/** Rows from top to bottom: a name, and smaller words below it. */
export function rowAxis(
  rows: readonly { name: string; small: string }[],
  room: number,
): AxisOption {
  const style = { align: 'right' } as const;
  return {
    type: 'category',
    inverse: true,
    data: rows.map((_, i) => String(i)),
    axisLabel: {
      interval: 0,
      margin: 10,
      formatter: (_: string, i: number) => {
        const { name, small } = rows[i]!;
        const first = `{name|${plain(name, room / 6.3)}}`;
        return small === '' ? first : `${first}\n{small|${plain(small, room / 5.6)}}`;
      },
      rich: {
        name: { ...style, fontSize: 12, lineHeight: 14, color: paint('ink') },
        small: { ...style, fontSize: 10, lineHeight: 12, color: paint('soft') },
      },
    },
    ...QUIET,
  };
}

/** Without what would be the library's own style marks; of a long text the end, which tells one path from another. */
function plain(text: string, most: number): string {
  const safe = visible(text).replaceAll('{', '(').replaceAll('}', ')').replaceAll('|', '/');
  return safe.length <= most ? safe : `…${safe.slice(safe.length - Math.floor(most) + 1)}`;
}

/** The smallest and largest of whole powers of ten around all values, or of 1, 2 and 5 of each where `fine`. */
export function logBounds(values: readonly number[], fine = false): [low: number, high: number] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [1, 10];
  const least = positive.reduce((a, b) => Math.min(a, b));
  const most = positive.reduce((a, b) => Math.max(a, b));
  const steps = fine ? [1, 2, 5] : [1];
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most) + 2; power++) {
    marks.push(...steps.map((step) => Number((step * 10 ** power).toPrecision(3))));
  }
  const low = marks.filter((mark) => mark <= least * 1.0001).at(-1)!;
  const high = marks.find((mark) => mark >= most * 0.9999 && mark > low)!;
  return [low, high];
}
