// What the birdstrikes example prints: a row an epoch (and a bar), then the ROC curve, what it reads, and the page.
import { foundAt, rocCurves } from '../page/roc.js';
import { bars } from '../terminal/chart.js';
import { bold, grouped, headline, percent, softLines } from '../terminal/text.js';
import { epochColumns, parametersOf, recentLoss, screen } from '../terminal/training.js';
import { PATIENCE, type Settings } from './arguments.js';
import { CATEGORIES, LICENCE, NUMBERS, TEST_SIZE, TRAIN_SIZE, VALIDATION_SIZE } from './data.js';
import type { TableNet } from './model.js';
import { MISTAKES, ROC, writeStrikesPage } from './page.js';
import type { Epoch, Result } from './result.js';

export interface Report {
  start(model: TableNet, damaged: number): void;
  step(losses: readonly number[]): void;
  epoch(history: readonly Epoch[]): void;
  end(result: Result, logits: Float32Array, labels: Float32Array, seconds: number): void;
}

/** @param steps - Of the whole training, for the bar. */
export function report(settings: Settings, steps: number): Report {
  const { epochs, batchSize, lr, seed, json } = settings;
  const { print, step } = screen(json, steps);
  return {
    start(model, damaged) {
      print(
        headline(),
        `${grouped(TRAIN_SIZE)} strikes to train, ${grouped(VALIDATION_SIZE)} to choose the epoch by, ${grouped(TEST_SIZE)} to test`,
        `${CATEGORIES.length} categories, ${NUMBERS.length} numbers · ${percent(damaged)} did damage · ${parametersOf(model)}`,
        `batches of ${batchSize} · AdamW, cosine from lr ${lr} · seed ${seed}`,
        '',
        bold('epoch    loss   area under the curve       s'),
      );
    },
    step: (losses) => step(recentLoss(losses)),
    epoch(history) {
      const { losses, auc, seconds } = history.at(-1)!;
      const isBest = history.every((each) => each.auc <= auc);
      const text = auc.toFixed(4).padStart(20);
      print(
        epochColumns(history.length, epochs, losses) +
          (isBest ? bold(`${text} *`) : `${text}  `) +
          seconds.toFixed(2).padStart(9),
      );
    },
    end(result, logits, labels, seconds) {
      const { bestEpoch, auc, importance } = result;
      const since = result.epochs.length - bestEpoch;
      const most = Math.max(0.001, ...importance.map(({ lost }) => lost));
      const page = writeStrikesPage(settings.report, result, logits, labels);
      print(
        ...(since > PATIENCE ? [`Stopped: none of the last ${since} epochs was better.`] : []),
        '',
        `The weights of epoch ${bestEpoch} (*) on the test set: area under the curve ${bold(auc.toFixed(4))}.`,
        `Where it may raise a false alarm at ${percent(MISTAKES)} of the harmless strikes,`,
        `it finds ${bold(percent(foundAt(logits, labels, MISTAKES)))} of those that did damage.`,
        '',
        ...rocCurves(logits, labels, ROC),
        '',
        bold('What it reads: area lost when a column is mixed among the strikes'),
        ...bars(
          importance.map(({ column, lost }) => ({
            name: column,
            value: lost,
            label: lost.toFixed(4),
            paint: 'blue',
          })),
          most,
          36,
        ),
        '',
        `${seconds.toFixed(1)} s in all. The page with its charts: ${page}`,
        ...softLines(LICENCE),
      );
    },
  };
}
