// Parts of a whole as horizontal bars: the share of the limit that each shape reaches, and where the
// time of a training step goes.
import { percent } from '../format.js';
import { hint, label, tag } from './svg.js';

export interface Bar {
  readonly name: string;
  readonly small: string;
  /** 0 to 1, and its spread. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const WIDTH = 960;
const LEFT = 190;
const RIGHT = 60;
const ROW = 28;

/** A bar a row against a line at 100 %. */
export function shareBars(bars: readonly Bar[], axis: string): string {
  // A disturbed run can be anywhere; the axis stays where the limit can be read.
  const most = Math.min(1.25, Math.max(1, ...bars.map(({ high }) => high)));
  const x = (part: number): number => LEFT + (Math.min(part, most) / most) * (WIDTH - LEFT - RIGHT);
  const bottom = ROW * bars.length + 8;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (tick) =>
      tag('line', {
        class: tick === 1 ? 'limit' : 'grid',
        x1: x(tick),
        x2: x(tick),
        y1: 4,
        y2: bottom,
      }) + label(x(tick), bottom + 18, percent(tick), { class: 'tick middle' }),
  );
  const rows = bars.map(({ name, small, value, low, high }, i) => {
    const y = ROW * i + 8;
    const text = `${name}: ${percent(value)} of the limit (${percent(low)} to ${percent(high)})`;
    return [
      label(LEFT - 12, y + 8, name, { class: 'name end' }),
      label(LEFT - 12, y + 20, small, { class: 'small end' }),
      tag(
        'rect',
        { class: 'mark blue', x: LEFT, y: y + 2, width: x(value) - LEFT, height: 16 },
        hint(text),
      ),
      tag('line', { class: 'whisker', x1: x(low), x2: x(high), y1: y + 10, y2: y + 10 }),
      label(Math.max(x(value), x(high)) + 8, y + 15, percent(value), { class: 'direct' }),
    ].join('');
  });
  const content = [
    ...ticks,
    ...rows,
    label((LEFT + WIDTH - RIGHT) / 2, bottom + 38, axis, { class: 'axis' }),
  ];
  const size = { viewBox: `0 0 ${WIDTH} ${bottom + 46}`, role: 'img', 'aria-label': axis };
  return tag('svg', size, content.join(''));
}

export interface Stack {
  readonly name: string;
  readonly small: string;
  readonly parts: readonly { readonly name: string; readonly share: number }[];
}

const COLOURS = ['blue', 'sky', 'green', 'orange', 'red', 'purple', 'grey'];

const BACKWARD = ' backward';

/** One colour a layer: its backward is the paler part. */
function layerOf(part: string): string {
  return part.replace(/ (forward|backward)$/, '');
}

function stackRow({ name, small, parts }: Stack, y: number, kinds: readonly string[]): string {
  let left = LEFT;
  const drawn = parts.map((part) => {
    const width = part.share * (WIDTH - LEFT - RIGHT);
    const colour = COLOURS[kinds.indexOf(layerOf(part.name)) % COLOURS.length]!;
    const isPale = part.name.endsWith(BACKWARD);
    const text = `${part.name} ${percent(part.share)}`;
    const box = { class: `part ${colour}${isPale ? ' pale' : ''}`, x: left, y, width, height: 32 };
    const inside = { class: `inside on-${isPale ? 'pale' : colour}` };
    const fits = width > 7 * text.length + 12;
    const written = fits ? label(left + 6, y + 20, text, inside) : '';
    left += width;
    return tag('rect', box, hint(`${name}: ${text}`)) + written;
  });
  return [
    label(LEFT - 12, y + 14, name, { class: 'name end' }),
    label(LEFT - 12, y + 26, small, { class: 'small end' }),
    ...drawn,
  ].join('');
}

/** Whole bars cut into parts; a part wide enough carries its name. */
export function stackedBars(stacks: readonly Stack[], axis: string): string {
  const kinds = [...new Set(stacks.flatMap(({ parts }) => parts.map(({ name }) => layerOf(name))))];
  const rows = stacks.map((stack, i) => stackRow(stack, 44 * i + 8, kinds));
  const height = 44 * stacks.length + 34;
  const size = { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': axis };
  const legendItems = kinds.map((kind, i) =>
    tag('span', {}, `<i class="swatch ${COLOURS[i % COLOURS.length]!}"></i> ${kind}`),
  );
  return (
    tag('div', { class: 'legend' }, legendItems.join('')) +
    tag(
      'svg',
      size,
      [...rows, label((LEFT + WIDTH - RIGHT) / 2, height - 8, axis, { class: 'axis' })].join(''),
    )
  );
}
