// Test accuracy over a training, by running statistics and by exact ones: the chart of a page, and of a terminal.
import type { Chart, Line } from '#report';

import { curves } from '../terminal/chart.js';
import { lines } from './room.js';
import { percent } from '../terminal/text.js';

export interface Tested {
  /** Epochs of training before it. */
  readonly epoch: number;
  /** Test accuracy by the running statistics, 0 to 1. */
  readonly running: number;
  /** Of the same weights, with statistics recomputed from the training set. */
  readonly recalibrated: number;
}

const TITLE = 'Test accuracy';
const SERIES = [
  { key: 'recalibrated', name: 'recalibrated', colour: 'blue', dashed: true },
  { key: 'running', name: 'running statistics', colour: 'orange', dashed: false },
] as const;

const part = (value: number): string => `${Math.round(100 * value)} %`;

/** A round number below all of them. */
function floorOf(tested: readonly Tested[]): number {
  return (
    Math.floor(5 * Math.min(...tested.flatMap((each) => [each.running, each.recalibrated]))) / 5
  );
}

const lastOf = (tested: readonly Tested[]): number => Math.ceil(tested.at(-1)!.epoch);

export function accuracyChart(tested: readonly Tested[]): Chart {
  const line = ({ key, name, colour, dashed }: (typeof SERIES)[number]): Line => ({
    name,
    colour,
    dashed,
    points: tested.map((each) => ({
      x: each.epoch,
      y: each[key],
      hint: `after ${Number(each.epoch.toFixed(2))} epochs, ${name}: ${percent(each[key])}`,
    })),
  });
  const wide = lines({
    title: TITLE,
    summary:
      'The same weights, tested twice: by the running statistics that training left, and by statistics recomputed from the training set.',
    x: {
      title: 'epochs',
      scale: 'linear',
      tick: String,
      min: 0,
      max: lastOf(tested),
      interval: 1,
    },
    y: { title: '', scale: 'linear', tick: part, min: floorOf(tested), max: 1 },
    lines: SERIES.map(line),
  });
  return { ...wide, height: (width) => Math.round(Math.min(0.72 * width, 420)) };
}

/** The same in characters. */
export function accuracyCurves(tested: readonly Tested[]): string[] {
  return curves({
    title: TITLE,
    x: { title: 'epochs', min: 0, max: lastOf(tested), tick: String },
    y: { title: '', min: floorOf(tested), max: 1, tick: part },
    curves: SERIES.map(({ key, name, colour, dashed }) => ({
      name,
      paint: colour,
      dashed,
      points: tested.map((each) => [each.epoch, each[key]] as const),
    })),
  });
}

/** Tests that were made at the end of each epoch. */
export function byEpoch(history: readonly Omit<Tested, 'epoch'>[]): Tested[] {
  return history.map(({ running, recalibrated }, i) => ({ epoch: i + 1, running, recalibrated }));
}
