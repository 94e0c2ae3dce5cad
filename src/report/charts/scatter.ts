// Two numbers of each channel against each other: on the dashed line both are the same.
import type { Chart } from '../chart.js';
import type { Series } from '../echarts.js';
import { symbolOf, type Mark } from '../marks.js';
import type { Table } from '../page.js';
import { paint } from '../style.js';
import { TEXT, valueAxis, type Axis } from './axes.js';

export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly mark: Mark;
  readonly hint: string;
}

export interface Scatter {
  readonly title: string;
  readonly summary: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly spots: readonly Spot[];
  /** The first lies lowest. */
  readonly marks: readonly Mark[];
  /** The ends of a dashed line. */
  readonly guide: readonly (readonly [x: number, y: number])[];
  readonly table?: Table;
}

export function scatter({ x, y, spots, marks, guide, ...words }: Scatter): Chart {
  const groups = marks
    .map((mark) => ({ mark, found: spots.filter((spot) => spot.mark === mark) }))
    .filter(({ found }) => found.length > 0);
  return {
    ...words,
    legend: groups.map(({ mark }) => mark),
    height: (width) => Math.round(width * 0.78),
    option: () => ({
      ...TEXT,
      grid: { left: 58, right: 18, top: 12, bottom: 46, outerBoundsMode: 'none' },
      xAxis: valueAxis(x, 28),
      yAxis: valueAxis(y, 44),
      series: [
        ...groups.map(({ mark, found }): Series => ({
          type: 'scatter',
          silent: true,
          ...symbolOf(mark),
          symbolSize: 6,
          data: found.map((spot) => [spot.x, spot.y]),
        })),
        {
          type: 'line',
          silent: true,
          data: guide.map(([a, b]) => [a, b]),
          symbol: 'none',
          z: 1,
          lineStyle: { color: paint('soft'), width: 1, type: [4, 4] },
        },
      ],
    }),
    hint: (series, datum) => groups[series]?.found[datum]?.hint,
  };
}
