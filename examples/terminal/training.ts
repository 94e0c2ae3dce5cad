// What the examples that train print alike: lines above a bar, and the first columns of an epoch's row.
import type { nn } from 'evenkeel';

import { progressBar } from '../../src/cli/progress.js';
import { grouped, percent, red } from './text.js';

interface Screen {
  /** Prints lines, above the bar; nothing where a program reads the output. */
  readonly print: (...lines: readonly string[]) => void;
  /** One step more is over. */
  readonly step: (loss: number) => void;
}

/** @param steps - Of the whole training, for the bar. */
export function screen(json: boolean, steps: number): Screen {
  const bar = progressBar(json ? process.stderr : process.stdout);
  let done = 0;
  return {
    print(...lines) {
      bar.clear();
      if (!json) console.log(lines.join('\n'));
    },
    step(loss) {
      bar.show(++done, steps, `loss ${loss.toFixed(4)}`);
    },
  };
}

/** '536,586 parameters'. */
export function parametersOf(model: nn.Module): string {
  const count = [...model.parameters()].reduce((sum, { numel }) => sum + numel, 0);
  return `${grouped(count)} parameters`;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

/** Of the last steps: what a bar shows. */
export const recentLoss = (losses: readonly number[]): number => mean(losses.slice(-20));

/** The columns 'epoch' and 'loss' of a row. */
export function epochColumns(epoch: number, epochs: number, losses: readonly number[]): string {
  return `${epoch}/${epochs}`.padStart(5) + mean(losses).toFixed(4).padStart(8);
}

/** The accuracy by running statistics, red where they cost more than `most` of that by exact ones. */
export function byRunning(
  { running, recalibrated }: { readonly running: number; readonly recalibrated: number },
  most: number,
  width: number,
): string {
  const text = percent(running).padStart(width);
  return recalibrated - running > most ? red(text) : text;
}
