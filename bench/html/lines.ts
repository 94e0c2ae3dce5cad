// Cost against size on logarithmic axes, and speed against threads on even ones: lines with their
// spread as a band, each labelled at its end.
import { hint, label, logBounds, logScale, logTicks, tag, type Scale } from './svg.js';

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
}

export interface Frame {
  readonly xAxis: string;
  readonly yAxis: string;
  readonly xTick: (value: number) => string;
  readonly yTick: (value: number) => string;
  /** Vertical marks, as cache sizes. */
  readonly marks?: readonly { readonly x: number; readonly name: string }[];
  /** Ticks of x, where powers of ten will not do. */
  readonly xTicks?: readonly number[];
  /** The line y = x / (first x): twice the threads, twice the speed. */
  readonly diagonal?: boolean;
}

const [WIDTH, HEIGHT] = [460, 340];
const BOX = { left: 76, right: WIDTH - 96, top: 22, bottom: HEIGHT - 52 };

export function linePlot(lines: readonly Line[], frame: Frame): string {
  const points = lines.flatMap((each) => each.points);
  const xs = points.map((point) => point.x);
  const x = logScale(Math.min(...xs), Math.max(...xs), BOX.left, BOX.right);
  const y = logScale(
    ...logBounds(
      points.flatMap((p) => [p.low, p.high]),
      true,
    ),
    BOX.bottom,
    BOX.top,
  );
  const marks = (frame.marks ?? []).filter((each) => each.x > x.low && each.x < x.high);
  const content = [
    ...axes(x, y, frame),
    ...marks.map((each) => cacheMark(x(each.x), each.name)),
    ...(frame.diagonal === true ? [diagonal(x, y)] : []),
    ...lines.map((each) => draw(each, x, y)),
    ...endLabels(lines, y),
  ];
  const size = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': frame.yAxis };
  return tag('svg', size, content.join(''));
}

function axes(x: Scale, y: Scale, { xAxis, yAxis, xTick, yTick, xTicks }: Frame): string[] {
  const { left, right, top, bottom } = BOX;
  const middle = (top + bottom) / 2;
  return [
    ...logTicks(y).map(
      (tick) =>
        tag('line', { class: 'grid', x1: left, x2: right, y1: y(tick), y2: y(tick) }) +
        label(left - 8, y(tick) + 4, yTick(tick), { class: 'tick end' }),
    ),
    ...(xTicks ?? logTicks(x)).map(
      (tick) =>
        tag('line', { class: 'grid', x1: x(tick), x2: x(tick), y1: top, y2: bottom }) +
        label(x(tick), bottom + 18, xTick(tick), { class: 'tick middle' }),
    ),
    label((left + right) / 2, HEIGHT - 10, xAxis, { class: 'axis' }),
    label(10, middle, yAxis, { class: 'axis', transform: `rotate(-90 10 ${middle})` }),
  ];
}

function cacheMark(x: number, name: string): string {
  const { top, bottom } = BOX;
  const line = tag('line', { class: 'cache', x1: x, x2: x, y1: top, y2: bottom });
  return line + label(x, top - 8, name, { class: 'small middle' });
}

function diagonal(x: Scale, y: Scale): string {
  const [from, to] = [x.low, Math.min(x.high, x.low * y.high)];
  const ends = { x1: x(from), y1: y(1), x2: x(to), y2: y(to / from) };
  return tag('line', { class: 'ideal', ...ends }, hint('twice the threads, twice the speed'));
}

function draw({ name, colour, dashed = false, points }: Line, x: Scale, y: Scale): string {
  const at = (px: number, py: number): string => `${x(px).toFixed(1)},${y(py).toFixed(1)}`;
  const band = [
    ...points.map((p) => at(p.x, p.high)),
    ...[...points].reverse().map((p) => at(p.x, p.low)),
  ];
  return [
    tag('polygon', { class: `band ${colour}`, points: band.join(' ') }),
    tag('polyline', {
      class: `line ${colour}${dashed ? ' dashed' : ''}`,
      points: points.map((p) => at(p.x, p.y)).join(' '),
    }),
    ...points.map((p) =>
      tag(
        'circle',
        { class: `mark ${colour}`, cx: x(p.x), cy: y(p.y), r: 3 },
        hint(`${name}: ${p.text}`),
      ),
    ),
  ].join('');
}

/** Names at the ends of the lines, pushed apart where they would overlap. */
function endLabels(lines: readonly Line[], y: Scale): string[] {
  const ends = lines
    .map(({ name, colour, points }) => ({ name, colour, at: y(points.at(-1)!.y) + 4 }))
    .sort((a, b) => a.at - b.at);
  ends.forEach((each, i) => {
    if (i > 0) each.at = Math.max(each.at, ends[i - 1]!.at + 13);
  });
  return ends.map(({ name, colour, at }) =>
    label(BOX.right + 8, at, name, { class: `direct ${colour}` }),
  );
}
