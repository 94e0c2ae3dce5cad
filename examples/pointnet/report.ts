// What the PointNet example prints: a row an epoch (and a bar), then the doctor's words.
import { progressBar } from '../../src/cli/progress.js';
import { labelled } from '../../src/report/text.js';
import { bold, grouped, headline, percent, red } from '../terminal/text.js';
import { testSize, type Settings } from './arguments.js';
import type { Examined } from './examine.js';
import type { PointNet } from './model.js';
import { POINTS } from './points.js';

export interface Epoch extends Examined {
  readonly loss: number;
}

export interface Report {
  start(model: PointNet): void;
  step(loss: number): void;
  epoch(history: readonly Epoch[]): void;
  end(history: readonly Epoch[], seconds: number): void;
}

/** Running statistics that cost more than this are red. */
const COSTS = 0.02;

/** @param steps - Of the whole training, for the bar. */
export function report(settings: Settings, steps: number): Report {
  const { epochs, batchSize, lr, digits, seed, json } = settings;
  const bar = progressBar(json ? process.stderr : process.stdout);
  let done = 0;
  const print = (...lines: string[]): void => {
    bar.clear();
    if (!json) console.log(lines.join('\n'));
  };
  return {
    start(model) {
      const parameters = [...model.parameters()].reduce((sum, { numel }) => sum + numel, 0);
      print(
        headline(),
        `${grouped(digits)} digits to train, ${grouped(testSize(digits))} to test, as ${POINTS} points · ${grouped(parameters)} parameters`,
        `batches of ${batchSize} · Adam, lr ${lr} · seed ${seed}`,
        '',
        bold('                 test accuracy by statistics'),
        bold('epoch    loss     running  recalibrated   the doctor finds'),
      );
    },
    step(loss) {
      bar.show(++done, steps, `loss ${loss.toFixed(4)}`);
    },
    epoch(history) {
      const { loss, running, recalibrated, findings } = history.at(-1)!;
      const by = percent(running).padStart(12);
      print(
        `${history.length}/${epochs}`.padStart(5) +
          loss.toFixed(4).padStart(8) +
          (recalibrated - running > COSTS ? red(by) : by) +
          percent(recalibrated).padStart(14) +
          `   ${findings.length === 0 ? 'nothing' : [...new Set(findings.map(({ id }) => id))].join(', ')}`,
      );
    },
    end(history, seconds) {
      const found = history.find(({ findings }) => findings.length > 0);
      const finding = found?.findings[0];
      const words =
        finding === undefined
          ? []
          : [
              `${bold(`Of epoch ${history.indexOf(found!) + 1} it says`)} ${red(finding.id)}, in layer ${finding.layer}:`,
              ...labelled('  seen   ', finding.evidence),
              ...labelled('  cause  ', finding.cause),
              ...labelled('  mend   ', finding.mend),
            ];
      print('', ...words, `${seconds.toFixed(1)} s in all.`);
    },
  };
}
