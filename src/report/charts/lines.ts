// Lines over an axis, each with its spread as a band and its name at its end: cost against size, speed over threads,
// drift over the steps of a training.
import type { Chart } from '../chart.js';
import type { Series } from '../echarts.js';
import type { Table } from '../page.js';
import { paint, type Colour } from '../style.js';
import { TEXT, valueAxis, type Axis } from './axes.js';

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Its spread; none where it is one number. */
  readonly low?: number;
  readonly high?: number;
  readonly hint: string;
}

export interface Line {
  readonly name: string;
  readonly colour: Colour;
  readonly dashed?: boolean;
  /** A line of many points has no mark at each. */
  readonly marked?: boolean;
  readonly points: readonly Point[];
}

export interface Lines {
  readonly title: string;
  readonly summary: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** Vertical lines with a name at the top, such as sizes of caches. */
  readonly uprights?: readonly { readonly x: number; readonly name: string }[];
  /** A dashed line between two points that needs no name, such as "twice the threads, twice the speed". */
  readonly guide?: readonly (readonly [x: number, y: number])[];
  readonly table?: Table;
}

export function lines({ lines, x, y, uprights = [], guide, ...words }: Lines): Chart {
  // Series: the bands, the lines, the guide.
  const longest = Math.max(...lines.map(({ name }) => name.length));
  /** Room for the names at the ends; on a phone a long one is broken into lines. */
  const roomAt = (width: number): number => Math.min(Math.max(130, width / 4), 18 + 7 * longest);
  return {
    ...words,
    height: (width) => Math.round(width * 0.72),
    option: (width) => ({
      ...TEXT,
      grid: {
        left: y.title === '' ? 58 : 66,
        right: roomAt(width),
        top: 24,
        bottom: 46,
        outerBoundsMode: 'none',
      },
      xAxis: valueAxis(x, 28),
      yAxis: valueAxis(y, 46),
      series: [
        ...lines.map(band),
        ...lines.map((line, i) => lineSeries(line, i === 0 ? uprights : [], roomAt(width))),
        ...(guide === undefined ? [] : [guideSeries(guide)]),
      ],
    }),
    hint: (series, datum) => lines[series - lines.length]?.points[datum]?.hint,
  };
}

function band({ colour, points }: Line): Series {
  const edge = [
    ...points.map(({ x, y, high = y }) => [x, high]),
    ...points.map(({ x, y, low = y }) => [x, low]).reverse(),
  ];
  return {
    type: 'custom',
    silent: true,
    // One polygon, drawn with the first datum; all of them count for the axes.
    data: edge,
    renderItem({ dataIndex }, api) {
      if (dataIndex > 0) return null;
      return {
        type: 'polygon',
        shape: { points: edge.map((each) => api.coord(each)) },
        style: { fill: paint(colour), opacity: 0.14 },
      };
    },
  };
}

function lineSeries(line: Line, uprights: NonNullable<Lines['uprights']>, room: number): Series {
  const { name, colour, dashed = false, marked = true, points } = line;
  return {
    type: 'line',
    silent: true,
    data: points.map(({ x, y }) => [x, y]),
    symbol: marked ? 'circle' : 'none',
    symbolSize: 6,
    showAllSymbol: true,
    color: paint(colour),
    lineStyle: { color: paint(colour), width: 2, type: dashed ? [6, 4] : 'solid' },
    endLabel: {
      show: name !== '',
      formatter: name.replaceAll('{', '('),
      color: paint(colour),
      fontWeight: 600,
      distance: 6,
      width: room - 8,
      overflow: 'break',
    },
    labelLayout: { moveOverlap: 'shiftY' },
    ...(uprights.length === 0 ? {} : { markLine: uprightLines(uprights) }),
  };
}

function uprightLines(uprights: NonNullable<Lines['uprights']>): object {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: paint('soft'), width: 1, type: [2, 3] },
    label: { color: paint('soft'), fontSize: 10, distance: 4, formatter: '{b}' },
    data: uprights.map(({ x, name }) => ({ xAxis: x, name })),
  };
}

function guideSeries(points: NonNullable<Lines['guide']>): Series {
  return {
    type: 'line',
    silent: true,
    data: points.map(([x, y]) => [x, y]),
    symbol: 'none',
    lineStyle: { color: paint('soft'), width: 1, type: [4, 4] },
  };
}
