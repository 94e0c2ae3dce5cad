// Horizontal bars: shares against a line that marks the aim, and wholes that are cut into parts.
import type { Chart } from '../chart.js';
import type { Series } from '../echarts.js';
import type { Mark } from '../marks.js';
import type { Table } from '../page.js';
import { paint, type Colour } from '../style.js';
import { rowAxis, TEXT, valueAxis, type Axis } from './axes.js';

export interface Bar {
  readonly name: string;
  readonly small: string;
  readonly value: number;
  /** Its spread, as a thin line; none where it is one number. */
  readonly low?: number;
  readonly high?: number;
  readonly colour: Colour;
  /** Written at the end of the bar. */
  readonly label: string;
  readonly hint: string;
}

export interface Bars {
  readonly title: string;
  readonly summary: string;
  readonly axis: Axis;
  /** Where the line stands that the bars are measured against. */
  readonly aim?: number;
  readonly bars: readonly Bar[];
  readonly table?: Table;
}

const ROW = 28;
const FOOT = 48;

export function bars({ bars, axis, aim, ...words }: Bars): Chart {
  return {
    ...words,
    height: () => 8 + ROW * bars.length + FOOT,
    option(width) {
      const room = width < 600 ? 104 : 178;
      return {
        ...TEXT,
        grid: { left: room + 12, right: 60, top: 8, bottom: FOOT, outerBoundsMode: 'none' },
        xAxis: valueAxis(axis, 30),
        yAxis: rowAxis(bars, room),
        series: [barSeries(bars, aim), spreadSeries(bars)],
      };
    },
    hint: (series, datum) => (series === 0 ? bars[datum]?.hint : undefined),
  };
}

function barSeries(bars: readonly Bar[], aim: number | undefined): Series {
  const line = { color: paint('ink'), width: 2, type: 'solid' } as const;
  return {
    type: 'bar',
    silent: true,
    barWidth: 16,
    data: bars.map(({ value, colour }) => ({ value, itemStyle: { color: paint(colour) } })),
    ...(aim === undefined
      ? {}
      : {
          markLine: {
            silent: true,
            symbol: 'none',
            label: { show: false },
            lineStyle: line,
            data: [{ xAxis: aim }],
          },
        }),
  };
}

/** The spread as a thin line, and past its end what the bar says. */
function spreadSeries(bars: readonly Bar[]): Series {
  return {
    type: 'custom',
    silent: true,
    z: 3,
    clip: false,
    data: bars.map(({ value, low = value, high = value }, row) => [low, row, high]),
    encode: { x: [0, 2], y: 1 },
    renderItem({ dataIndex }, api) {
      const { value, label } = bars[dataIndex]!;
      const [x1, y1] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [x2] = api.coord([api.value(2), api.value(1)]) as [number];
      const [end] = api.coord([value, api.value(1)]) as [number];
      const style = { stroke: paint('ink'), lineWidth: 1, fill: 'none' };
      return {
        type: 'group',
        children: [
          ...(x1 === x2 ? [] : [{ type: 'line' as const, shape: { x1, y1, x2, y2: y1 }, style }]),
          {
            type: 'text',
            x: Math.max(x2, end) + 8,
            y: y1,
            style: {
              text: label,
              fill: paint('ink'),
              fontSize: 12,
              fontWeight: 600,
              fontFamily: 'inherit',
              verticalAlign: 'middle',
            },
          },
        ],
      };
    },
  };
}

export interface Stack {
  readonly name: string;
  readonly small: string;
  readonly parts: readonly Part[];
}

interface Part {
  readonly name: string;
  /** 0 to 1. */
  readonly share: number;
  readonly colour: Colour;
  /** A second part of the same kind: drawn paler. */
  readonly isPale: boolean;
}

/** Whole bars cut into parts; a part that is wide enough carries its name. */
export function stacks(
  rows: readonly Stack[],
  words: Pick<Chart, 'title' | 'summary' | 'table'>,
  legend: readonly Mark[],
): Chart {
  const parts = rows.flatMap(({ parts }, row) => {
    let start = 0;
    return parts.map((part) => {
      const from = start;
      start += part.share;
      return { ...part, row, from, to: start, text: `${part.name} ${percent(part.share)}` };
    });
  });
  const axis = { title: words.title, scale: 'linear', tick: percent, min: 0, max: 1 } as const;
  return {
    ...words,
    legend,
    height: () => 8 + 44 * rows.length + FOOT,
    option(width) {
      const room = width < 600 ? 104 : 178;
      const pixels = width - room - 40;
      return {
        ...TEXT,
        grid: { left: room + 12, right: 28, top: 8, bottom: FOOT, outerBoundsMode: 'none' },
        xAxis: valueAxis(axis, 30),
        yAxis: rowAxis(rows, room),
        series: [stackSeries(parts, pixels)],
      };
    },
    hint: (_, datum) => {
      const part = parts[datum];
      return part && `${rows[part.row]!.name}: ${part.text}`;
    },
  };
}

interface Placed extends Part {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

function stackSeries(parts: readonly Placed[], pixels: number): Series {
  return {
    type: 'custom',
    silent: true,
    data: parts.map(({ from, row, to }) => [from, row, to]),
    encode: { x: [0, 2], y: 1 },
    renderItem({ dataIndex }, api) {
      const { colour, isPale, text, share } = parts[dataIndex]!;
      const [x, y] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [end] = api.coord([api.value(2), api.value(1)]) as [number];
      const dark = ['sky', 'orange', 'purple'].includes(colour) ? '#14171b' : paint('inside');
      const fits = share * pixels > 6.6 * text.length + 12;
      return {
        type: 'rect',
        shape: { x, y: y - 16, width: end - x, height: 32 },
        style: {
          fill: paint(colour),
          stroke: paint('ground'),
          lineWidth: 1,
          opacity: isPale ? 0.62 : 1,
        },
        textContent: {
          type: 'text',
          style: {
            text: fits ? text : '',
            fill: isPale ? paint('ink') : dark,
            fontSize: 11,
            fontWeight: 600,
            fontFamily: 'inherit',
          },
        },
        textConfig: { position: 'insideLeft', distance: 6 },
      };
    },
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
