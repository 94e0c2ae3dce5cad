// The page of the birdstrikes example: the ROC curve, and which columns the network reads.
import type { Chart, Markup } from '#report';

import { bars, figure, section, table } from '../page/room.js';
import { foundAt, rocChart, type RocWords } from '../page/roc.js';
import { writePage } from '../page/write.js';
import { grouped, percent, plainHeadline } from '../terminal/text.js';
import { LICENCE } from './data.js';
import type { Importance } from './importance.js';
import type { Result } from './result.js';

export const ROC: RocWords = {
  title: 'Strikes that did damage',
  falsePositives: 'false alarms',
  truePositives: 'damage found',
};

/** Of the harmless strikes, the part at which there may be an alarm. */
export const MISTAKES = 0.1;

/** Writes it. @returns Where it is. */
export function writeStrikesPage(
  path: string,
  result: Result,
  logits: Float32Array,
  labels: Float32Array,
): string {
  const found = percent(foundAt(logits, labels, MISTAKES));
  return writePage(
    path,
    'Did the bird damage the aircraft?',
    [
      plainHeadline(),
      `${grouped(logits.length)} test strikes: area under the ROC curve ${result.auc.toFixed(4)}; ${found} of the damage found at false alarms for ${percent(MISTAKES)} of the others.`,
      LICENCE,
    ],
    [
      section('How well it tells them apart', '', figure(rocChart(logits, labels, ROC))),
      section(
        'What it reads',
        'What the area under the curve loses when one column is mixed among the test strikes.',
        figure(importanceChart(result.importance)),
      ),
      section('Every epoch', '', epochTable(result)),
    ],
  );
}

export function importanceChart(importance: readonly Importance[]): Chart {
  return bars({
    title: 'What it reads',
    summary: 'Area under the ROC curve that is lost without a column, the most important first.',
    axis: {
      title: 'area lost',
      scale: 'linear',
      tick: (value) => value.toFixed(2),
      min: 0,
    },
    bars: importance.map(({ column, lost }) => ({
      name: column,
      small: '',
      value: Math.max(0, lost),
      colour: 'blue',
      label: lost.toFixed(3),
      hint: `${column}: ${lost.toFixed(4)}`,
    })),
  });
}

function epochTable({ epochs, bestEpoch }: Result): Markup {
  return table({
    columns: ['epoch', 'loss', 'area under the curve (validation)', 'seconds'],
    rows: epochs.map(({ losses, auc, seconds }, i) => ({
      cells: [
        String(i + 1),
        (losses.reduce((sum, each) => sum + each, 0) / losses.length).toFixed(4),
        auc.toFixed(4),
        seconds.toFixed(2),
      ],
      ...(i + 1 === bestEpoch && { kind: 'strong' as const }),
    })),
  });
}
