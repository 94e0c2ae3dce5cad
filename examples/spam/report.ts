// What the spam example prints: a row an epoch (and a bar), then its curves, what it lets through, and the page.
import { accuracyCurves, byEpoch } from '../page/accuracy.js';
import { foundAt } from '../page/roc.js';
import { bold, grouped, headline, percent, softLines } from '../terminal/text.js';
import { byRunning, epochColumns, parametersOf, recentLoss, screen } from '../terminal/training.js';
import type { Settings } from './arguments.js';
import { BYTES, LICENCE, type Mails } from './data.js';
import type { Epoch } from './examine.js';
import { logitsOf, type SpamNet } from './model.js';
import { writeSpamPage } from './page.js';

export interface Report {
  start(model: SpamNet, train: number, test: number): void;
  step(losses: readonly number[]): void;
  epoch(history: readonly Epoch[]): void;
  end(model: SpamNet, test: Mails, history: readonly Epoch[], seconds: number): void;
}

/** Running statistics that cost more than this are red. */
const COSTS = 0.01;

/** @param steps - Of the whole training, for the bar. */
export function report(settings: Settings, steps: number): Report {
  const { epochs, batchSize, lr, seed, json } = settings;
  const { print, step } = screen(json, steps);
  return {
    start(model, train, test) {
      print(
        headline(),
        `${grouped(train)} mails to train, ${grouped(test)} to test, ${grouped(BYTES)} bytes of each · ${parametersOf(model)}`,
        `batches of ${batchSize} · AdamW, OneCycle to lr ${lr} · seed ${seed}`,
        '',
        bold('                  test accuracy by statistics    area under'),
        bold('epoch    loss      running   recalibrated        the curve        s'),
      );
    },
    step: (losses) => step(recentLoss(losses)),
    epoch(history) {
      const { losses, auc, seconds, ...examined } = history.at(-1)!;
      print(
        epochColumns(history.length, epochs, losses) +
          byRunning(examined, COSTS, 13) +
          percent(examined.recalibrated).padStart(15) +
          auc.toFixed(4).padStart(17) +
          seconds.toFixed(1).padStart(9),
      );
    },
    end(model, test, history, seconds) {
      const spam = test.tensors[1]!.data as Float32Array;
      const logits = logitsOf(model, test);
      const page = writeSpamPage(settings.report, history, logits, spam);
      print(
        '',
        ...accuracyCurves(byEpoch(history)),
        '',
        `Where it may lose 1 of 200 wanted mails, it catches ${bold(percent(foundAt(logits, spam, LOST)))} of the spam.`,
        `${seconds.toFixed(1)} s in all. The page with its charts: ${page}`,
        ...softLines(LICENCE),
      );
    },
  };
}

/** Of the wanted mails, the part that may be taken for spam. */
const LOST = 1 / 200;
