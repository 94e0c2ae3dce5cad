// The ROC curve: what is found against what is called so by mistake.
import type { Chart, Line } from '#report';

import { rocCurve, type Threshold } from '../measures/binary.js';
import { curves } from '../terminal/chart.js';
import { lines } from './room.js';

const part = (value: number): string => `${Math.round(100 * value)} %`;
/** More points than a chart is wide show nothing more. */
const POINTS = 400;

/** Both axes in words: "wanted mails taken for spam", "spam found". */
export interface RocWords {
  readonly title: string;
  readonly falsePositives: string;
  readonly truePositives: string;
}

/** Corners of the curve, those of long straight parts left out. */
function thinned(curve: readonly Threshold[]): Threshold[] {
  const every = Math.max(1, Math.ceil(curve.length / POINTS));
  return curve.filter((_, i) => i % every === 0 || i === curve.length - 1);
}

export function rocChart(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  words: RocWords,
): Chart {
  const curve = thinned(rocCurve(scores, labels));
  const line: Line = {
    name: 'network',
    colour: 'blue',
    marked: false,
    points: curve.map(({ falsePositives: x, truePositives: y }) => ({ x, y, hint: '' })),
  };
  const chart = lines({
    title: words.title,
    summary: `${words.truePositives} against ${words.falsePositives}; the dashed line is chance.`,
    x: { title: words.falsePositives, scale: 'linear', tick: part, min: 0, max: 1 },
    y: { title: words.truePositives, scale: 'linear', tick: part, min: 0, max: 1 },
    lines: [line],
    guide: [
      [0, 0],
      [1, 1],
    ],
  });
  return { ...chart, height: (width) => Math.round(Math.min(0.72 * width, 480)) };
}

/** The same in characters. */
export function rocCurves(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  words: RocWords,
): string[] {
  const points = rocCurve(scores, labels).map(
    ({ falsePositives, truePositives }) => [falsePositives, truePositives] as const,
  );
  return curves({
    title: words.title,
    x: { title: words.falsePositives, min: 0, max: 1, tick: part },
    y: { title: '', min: 0, max: 1, tick: part },
    curves: [
      {
        name: 'chance',
        paint: 'soft',
        dashed: true,
        points: [
          [0, 0],
          [1, 1],
        ],
      },
      { name: words.truePositives, paint: 'blue', points },
    ],
    lines: 14,
  });
}

/** The most that is found where at most this part of the others is called so by mistake, 0 to 1. */
export function foundAt(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  mistakes: number,
): number {
  return rocCurve(scores, labels)
    .filter(({ falsePositives }) => falsePositives <= mistakes)
    .at(-1)!.truePositives;
}
