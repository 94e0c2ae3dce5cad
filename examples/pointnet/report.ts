// What the PointNet example prints: a row an epoch (and a bar), then the curve, digits as points, the doctor's words.
import { labelled } from '../../src/report/text.js';
import { accuracyCurves } from '../page/accuracy.js';
import { bold, grouped, headline, percent, red, softLines } from '../terminal/text.js';
import { byRunning, epochColumns, parametersOf, recentLoss, screen } from '../terminal/training.js';
import { SLOWER_FROM, testSize, type Settings } from './arguments.js';
import type { Epoch, Examined, Test } from './examine.js';
import type { PointNet } from './model.js';
import { LICENCE, writePointsPage } from './page.js';
import { POINTS, type PointSets } from './points.js';
import { sketch, SKETCH } from './sketch.js';

export interface Report {
  start(model: PointNet): void;
  step(losses: readonly number[]): void;
  epoch(history: readonly Epoch[]): void;
  end(test: PointSets, history: readonly Epoch[], curve: readonly Test[], seconds: number): void;
}

/** Running statistics that cost more than this are red. */
const COSTS = 0.02;

/** @param steps - Of the whole training, for the bar. */
export function report(settings: Settings, steps: number): Report {
  const { epochs, batchSize, lr, digits, seed, json } = settings;
  const { print, step } = screen(json, steps);
  return {
    start(model) {
      print(
        headline(),
        `${grouped(digits)} digits to train, ${grouped(testSize(digits))} to test, as ${POINTS} points · ${parametersOf(model)}`,
        `batches of ${batchSize} · Adam, lr ${lr}, from epoch ${SLOWER_FROM + 1} on a tenth · seed ${seed}`,
        '',
        bold('                 test accuracy by statistics'),
        bold('epoch    loss     running  recalibrated       s   the doctor finds'),
      );
    },
    step: (losses) => step(recentLoss(losses)),
    epoch(history) {
      const { losses, seconds, findings, ...examined } = history.at(-1)!;
      print(
        epochColumns(history.length, epochs, losses) +
          byRunning(examined, COSTS, 12) +
          percent(examined.recalibrated).padStart(14) +
          seconds.toFixed(1).padStart(8) +
          `   ${findings.length === 0 ? 'nothing' : [...new Set(findings.map(({ id }) => id))].join(', ')}`,
      );
    },
    end(test, history, curve, seconds) {
      const page = writePointsPage(settings.report, test, history, curve);
      print(
        '',
        ...accuracyCurves(curve),
        '',
        ...firstDigits(test, history[0]!),
        '',
        ...doctorsWords(history),
        `${seconds.toFixed(1)} s in all. The page with its charts: ${page}`,
        ...softLines(LICENCE),
      );
    },
  };
}

const SHOWN = 5;

/** The first test digits as points, and what they are taken for after an epoch. */
function firstDigits(test: PointSets, { taken }: Examined): string[] {
  const count = Math.min(SHOWN, test.length);
  const labels = test.tensors[1]!.data as Int32Array;
  const sketches = Array.from({ length: count }, (_, i) => sketch(test, i));
  const row = (name: string, digits: readonly number[]): string =>
    sketches
      .map((_, i) => {
        const text = `${name} ${digits[i]!}`.padEnd(SKETCH.columns);
        return digits[i] === labels[i] ? text : red(text);
      })
      .join(' ');
  return [
    bold('Test digits as points, and what they are taken for after epoch 1'),
    ...Array.from({ length: SKETCH.lines }, (_, i) => sketches.map((lines) => lines[i]!).join(' ')),
    row('running', taken.running),
    row('recalibrated', taken.recalibrated),
  ];
}

function doctorsWords(history: readonly Epoch[]): string[] {
  const found = history.find(({ findings }) => findings.length > 0);
  const finding = found?.findings[0];
  if (finding === undefined) return [];
  return [
    `${bold(`Of epoch ${history.indexOf(found!) + 1} the doctor says`)} ${red(finding.id)}, in layer ${finding.layer}:`,
    ...labelled('  seen   ', finding.evidence),
    ...labelled('  cause  ', finding.cause),
    ...labelled('  mend   ', finding.mend),
    '',
  ];
}
