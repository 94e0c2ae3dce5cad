// Who has which colour and mark, in every chart alike.
import type { Mark } from '#report';

import { DISPOSED, INTO, PLAIN, US } from '../contenders.js';
import { LIMIT } from '../passes.js';
import type { Entry } from '../result.js';

interface Series {
  readonly mark: Mark;
  readonly who: string;
  /** One way of calling; every way where it is not said. */
  readonly how?: string;
}

const KNOWN: readonly Series[] = [
  // The limit first: it is the largest mark, and nothing should hide behind it.
  { who: LIMIT, mark: { name: 'limit', colour: 'ink', form: 'bar' } },
  { who: US, how: INTO, mark: { name: 'evenkeel, into out', colour: 'blue', form: 'circle' } },
  { who: US, how: DISPOSED, mark: { name: 'evenkeel, disposed', colour: 'blue', form: 'ring' } },
  { who: US, how: PLAIN, mark: { name: 'evenkeel, plain', colour: 'sky', form: 'ring' } },
  { who: US, mark: { name: 'evenkeel', colour: 'blue', form: 'circle' } },
  {
    who: 'PyTorch',
    how: '1 thread',
    mark: { name: 'PyTorch, 1 thread', colour: 'orange', form: 'diamond' },
  },
  { who: 'PyTorch', mark: { name: 'PyTorch, all threads', colour: 'red', form: 'diamond' } },
  {
    who: 'onnxruntime-node',
    mark: { name: 'onnxruntime-node', colour: 'green', form: 'square' },
  },
  {
    who: 'TensorFlow.js',
    how: 'wasm',
    mark: { name: 'TensorFlow.js, wasm', colour: 'purple', form: 'triangle' },
  },
  { who: 'TensorFlow.js', mark: { name: 'TensorFlow.js, cpu', colour: 'grey', form: 'triangle' } },
  { who: 'deepbox', mark: { name: 'deepbox', colour: 'grey', form: 'square' } },
];

/** All of them, in their fixed order. */
export const MARKS: readonly Mark[] = KNOWN.map(({ mark }) => mark);

/** The mark of an entry; undefined for one that is not drawn (the plain copy). */
export function markOf({ who, how }: Pick<Entry, 'who' | 'how'>): Mark | undefined {
  return KNOWN.find((each) => each.who === who && (each.how ?? how) === how)?.mark;
}
