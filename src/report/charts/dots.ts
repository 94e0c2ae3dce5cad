// Rows of marks on one axis, each with its spread as a line behind it: times of a call, or statistics by channel.
import type { Chart } from '../chart.js';
import type { Series } from '../echarts.js';
import { symbolOf, type Mark } from '../marks.js';
import type { Table } from '../page.js';
import { paint } from '../style.js';
import { rowAxis, TEXT, valueAxis, type Axis } from './axes.js';

interface Dot {
  readonly mark: Mark;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly hint: string;
}

export interface DotRow {
  readonly name: string;
  readonly small: string;
  readonly dots: readonly Dot[];
}

export interface Dots {
  readonly title: string;
  readonly summary: string;
  readonly axis: Axis;
  readonly rows: readonly DotRow[];
  /** All that may occur, in their order: the first lies lowest. */
  readonly marks: readonly Mark[];
  readonly table?: Table;
}

const ROW = 30;
const FOOT = 48;

export function dots({ rows, axis, marks, ...words }: Dots): Chart {
  const used = marks.flatMap((mark) => {
    const found = rows.flatMap(({ dots }, row) =>
      dots.filter((dot) => dot.mark === mark).map((dot) => ({ ...dot, row })),
    );
    return found.length === 0 ? [] : [{ mark, found }];
  });
  return {
    ...words,
    legend: used.map(({ mark }) => mark),
    height: () => 8 + ROW * rows.length + FOOT,
    option(width) {
      const room = width < 600 ? 92 : 178;
      return {
        ...TEXT,
        grid: { left: room + 12, right: 26, top: 8, bottom: FOOT, outerBoundsMode: 'none' },
        xAxis: valueAxis(axis, 30),
        yAxis: rowAxis(rows, room),
        series: used.flatMap(({ mark, found }): Series[] => [
          spread(mark, found),
          {
            type: 'scatter',
            silent: true,
            ...symbolOf(mark),
            data: found.map(({ value, row }) => [value, row]),
          },
        ]),
      };
    },
    // Two series a mark: its lines, then its dots.
    hint: (series, datum) =>
      series % 2 === 1 ? used[Math.floor(series / 2)]?.found[datum]?.hint : undefined,
  };
}

function spread({ colour }: Mark, found: readonly (Dot & { readonly row: number })[]): Series {
  return {
    type: 'custom',
    silent: true,
    data: found.map(({ low, high, row }) => [low, row, high]),
    encode: { x: [0, 2], y: 1 },
    renderItem(_, api) {
      const [x1, y1] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [x2] = api.coord([api.value(2), api.value(1)]) as [number];
      return {
        type: 'line',
        shape: { x1, y1, x2, y2: y1 },
        style: { stroke: paint(colour), lineWidth: 2, opacity: 0.45, fill: 'none' },
      };
    },
  };
}
