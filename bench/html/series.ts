// Who has which colour and mark, in every chart alike. Colours are Okabe and Ito's, which people with
// any kind of colour vision tell apart; the mark's form says the same again.
import { DISPOSED, INTO, PLAIN, US } from '../contenders.js';
import { LIMIT } from '../limits.js';
import type { Entry } from '../result.js';
import { tag } from './svg.js';

type Form = 'bar' | 'circle' | 'ring' | 'diamond' | 'square' | 'triangle';

export interface Series {
  readonly key: string;
  readonly name: string;
  /** The class of its colour in style.ts. */
  readonly colour: string;
  readonly form: Form;
}

const KNOWN: readonly (Series & { readonly who: string; readonly how?: RegExp })[] = [
  { key: 'limit', name: 'limit', colour: 'ink', form: 'bar', who: LIMIT },
  {
    key: 'out',
    name: 'evenkeel, into out',
    colour: 'blue',
    form: 'circle',
    who: US,
    how: exactly(INTO),
  },
  {
    key: 'disposed',
    name: 'evenkeel, disposed',
    colour: 'blue',
    form: 'ring',
    who: US,
    how: exactly(DISPOSED),
  },
  {
    key: 'plain',
    name: 'evenkeel, plain',
    colour: 'sky',
    form: 'ring',
    who: US,
    how: exactly(PLAIN),
  },
  { key: 'ours', name: 'evenkeel', colour: 'blue', form: 'circle', who: US },
  {
    key: 'torch-1',
    name: 'PyTorch, 1 thread',
    colour: 'orange',
    form: 'diamond',
    who: 'PyTorch',
    how: exactly('1 thread'),
  },
  { key: 'torch', name: 'PyTorch, all threads', colour: 'red', form: 'diamond', who: 'PyTorch' },
  {
    key: 'onnx',
    name: 'onnxruntime-node',
    colour: 'green',
    form: 'square',
    who: 'onnxruntime-node',
  },
  {
    key: 'wasm',
    name: 'TensorFlow.js, wasm',
    colour: 'purple',
    form: 'triangle',
    who: 'TensorFlow.js',
    how: exactly('wasm'),
  },
  {
    key: 'cpu',
    name: 'TensorFlow.js, cpu',
    colour: 'grey',
    form: 'triangle',
    who: 'TensorFlow.js',
  },
  { key: 'deepbox', name: 'deepbox', colour: 'grey', form: 'square', who: 'deepbox' },
];

function exactly(text: string): RegExp {
  return new RegExp(`^${text}$`);
}

/** The series of an entry; undefined for one that is not drawn (the plain copy). */
export function seriesOf({ who, how }: Pick<Entry, 'who' | 'how'>): Series | undefined {
  return KNOWN.find((each) => each.who === who && (each.how?.test(how) ?? true));
}

/** Those of `used` in their fixed order. */
export function inOrder(used: Iterable<Series>): Series[] {
  const keys = new Set([...used].map(({ key }) => key));
  return KNOWN.filter(({ key }) => keys.has(key));
}

const SIZE = 4.5;

/** A mark around (x, y). */
export function mark({ form, colour }: Series, x: number, y: number, inside = ''): string {
  const filled = { class: `mark ${colour}` };
  const path = (points: readonly (readonly [number, number])[]): string =>
    tag(
      'polygon',
      { ...filled, points: points.map(([a, b]) => `${round(a)},${round(b)}`).join(' ') },
      inside,
    );
  switch (form) {
    case 'circle':
      return tag('circle', { ...filled, cx: x, cy: y, r: SIZE }, inside);
    case 'ring':
      return tag('circle', { class: `ring ${colour}`, cx: x, cy: y, r: SIZE }, inside);
    case 'square':
      return tag('rect', { ...filled, x: x - 4, y: y - 4, width: 8, height: 8 }, inside);
    case 'bar':
      return tag('rect', { ...filled, x: x - 1.5, y: y - 9, width: 3, height: 18 }, inside);
    case 'diamond':
      return path([
        [x, y - 6],
        [x + 5, y],
        [x, y + 6],
        [x - 5, y],
      ]);
    case 'triangle':
      return path([
        [x, y - 5.5],
        [x + 5.5, y + 4.5],
        [x - 5.5, y + 4.5],
      ]);
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A legend in HTML: it wraps, which SVG does not. */
export function legend(series: readonly Series[]): string {
  const items = series.map((each) => {
    const drawn = tag('svg', { width: 16, height: 20, 'aria-hidden': 'true' }, mark(each, 8, 10));
    return tag('span', {}, `${drawn} ${each.name}`);
  });
  return tag('div', { class: 'legend' }, items.join(''));
}
