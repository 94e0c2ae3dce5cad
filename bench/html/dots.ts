// Time by shape: a row a shape, a mark a contender on a logarithmic axis, a line from the 10th to the
// 90th percentile behind it.
import { bytesText, micros, percent } from '../format.js';
import { shapeText } from '../cases.js';
import type { CaseResult, Entry } from '../result.js';
import { inOrder, legend, mark, seriesOf, type Series } from './series.js';
import { hint, label, logBounds, logScale, logTicks, tag, timeTick, type Scale } from './svg.js';

const WIDTH = 960;
const LEFT = 190;
const RIGHT = 24;
const TOP = 8;
const ROW = 30;
const BOTTOM = 44;

export function dotPlot(cases: readonly CaseResult[], axis: string): string {
  const drawn = cases.flatMap(({ entries }) => entries.filter((each) => seriesOf(each)));
  const bounds = logBounds(drawn.flatMap(({ p10, p90 }) => [p10, p90]));
  const x = logScale(...bounds, LEFT, WIDTH - RIGHT);
  const height = TOP + ROW * cases.length + BOTTOM;
  const rows = cases.map((each, i) => row(each, TOP + ROW * (i + 0.5), x));
  const series = inOrder(drawn.map((each) => seriesOf(each)!));
  const image = tag(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': axis },
    [
      ...grid(x, height - BOTTOM),
      ...rows,
      label((LEFT + WIDTH) / 2, height - 6, axis, { class: 'axis' }),
    ].join(''),
  );
  return legend(series) + image;
}

function grid(x: Scale, bottom: number): string[] {
  return logTicks(x).map(
    (tick) =>
      tag('line', { class: 'grid', x1: x(tick), x2: x(tick), y1: TOP, y2: bottom }) +
      label(x(tick), bottom + 18, timeTick(tick), { class: 'tick middle' }),
  );
}

function row(result: CaseResult, y: number, x: Scale): string {
  const text = shapeText(result.shape);
  const parts = [
    tag('line', { class: 'row', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
    label(LEFT - 12, y, text, { class: 'name end' }),
    label(LEFT - 12, y + 12, bytesText(result.bytes), { class: 'small end' }),
  ];
  // The limit first: it is the widest mark, and nothing should hide behind it.
  for (const entry of result.entries) {
    const series = seriesOf(entry);
    if (series !== undefined) parts.push(dot(entry, series, y, x, text));
  }
  return parts.join('');
}

function dot(entry: Entry, series: Series, y: number, x: Scale, shape: string): string {
  const spread = tag('line', {
    class: `spread ${series.colour}`,
    x1: x(entry.p10),
    x2: x(entry.p90),
    y1: y,
    y2: y,
  });
  return spread + mark(series, x(entry.median), y, hint(describe(entry, series, shape)));
}

function describe(entry: Entry, { name }: Series, shape: string): string {
  const { median, p10, p90, shareOfLimit, turns, calls } = entry;
  const share = shareOfLimit === null ? '' : `, ${percent(shareOfLimit)} of the limit`;
  return (
    `${shape}, ${name}: ${micros(median)} µs (${micros(p10)} to ${micros(p90)})${share}; ` +
    `${turns} turns of ${calls}`
  );
}
