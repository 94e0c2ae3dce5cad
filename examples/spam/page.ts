// The page of the spam example: accuracy by epoch, and the scores of the mails.
import type { Chart, Line, Markup } from '#report';

import { accuracyChart, byEpoch } from '../page/accuracy.js';
import { figure, lines, section, table } from '../page/room.js';
import { writePage } from '../page/write.js';
import { grouped, percent, plainHeadline } from '../terminal/text.js';
import { LICENCE } from './data.js';
import type { Epoch } from './examine.js';

/** Writes it. @returns Where it is. */
export function writeSpamPage(
  path: string,
  history: readonly Epoch[],
  logits: Float32Array,
  spam: Float32Array,
): string {
  const last = history.at(-1)!;
  return writePage(
    path,
    'Spam, read byte by byte',
    [
      plainHeadline(),
      `${grouped(logits.length)} test mails: ${percent(last.running)} told apart, area under the ROC curve ${last.auc.toFixed(4)}.`,
      LICENCE,
    ],
    [
      section(
        'Statistics against weights',
        'While the rate is high, weights move faster than the running statistics follow: the same weights test better with statistics recomputed from the training set.',
        figure(accuracyChart(byEpoch(history))),
      ),
      section(
        'How sure it is',
        'Mails by their score; above 0 a mail is called spam.',
        figure(scoreChart(logits, spam)),
      ),
      section('Every epoch', '', epochTable(history)),
    ],
  );
}

const RANGE = 12;

/** How many mails of each kind have which score: logits from -12 to 12, those beyond at the ends. */
function scoreChart(logits: Float32Array, spam: Float32Array): Chart {
  const line = (label: number, name: string, colour: Line['colour']): Line => {
    const counts = new Array<number>(2 * RANGE + 1).fill(0);
    logits.forEach((logit, i) => {
      if (spam[i] === label)
        counts[RANGE + Math.max(-RANGE, Math.min(RANGE, Math.round(logit)))]!++;
    });
    const points = counts.map((y, i) => ({
      x: i - RANGE,
      y,
      hint: `${name} with a score about ${i - RANGE}: ${y}`,
    }));
    return { name, colour, points };
  };
  const chart = lines({
    title: 'Mails by score',
    summary: 'Wanted mails lie on the left, spam on the right; what overlaps is mistaken.',
    x: {
      title: 'score (logit)',
      scale: 'linear',
      tick: String,
      min: -RANGE,
      max: RANGE,
      interval: 4,
    },
    y: { title: 'mails', scale: 'linear', tick: String, min: 0 },
    lines: [line(0, 'wanted', 'blue'), line(1, 'spam', 'orange')],
    uprights: [{ x: 0, name: 'spam from here on' }],
  });
  return { ...chart, height: (width) => Math.round(Math.min(0.72 * width, 420)) };
}

function epochTable(history: readonly Epoch[]): Markup {
  return table({
    columns: ['epoch', 'loss', 'running', 'recalibrated', 'area under the curve', 'seconds'],
    rows: history.map(({ losses, running, recalibrated, auc, seconds }, i) => ({
      cells: [
        String(i + 1),
        (losses.reduce((sum, each) => sum + each, 0) / losses.length).toFixed(4),
        percent(running),
        percent(recalibrated),
        auc.toFixed(4),
        seconds.toFixed(1),
      ],
    })),
  });
}
