// What the parallel evaluation prints: a row for each way of evaluating, then what was shared.
import type { nn } from 'evenkeel';

import { bold, grouped, headline, percent, red } from '../terminal/text.js';
import { parametersOf } from '../terminal/training.js';
import type { Settings } from './arguments.js';
import { TURNS, type Run } from './measure.js';

interface MemoryUse {
  /** Weights, running statistics, images and labels, in bytes. */
  readonly shared: number;
  /** What the Workers' models have beside that. */
  readonly own: number;
}

export interface Report {
  start(model: nn.Sequential): void;
  /** What is going on, until the next thing is: on a terminal only. */
  doing(what: string): void;
  end(runs: readonly Run[], memory: MemoryUse, seconds: number): void;
}

export function report(settings: Settings): Report {
  const { images, passes, epochs, seed, workers, json } = settings;
  const print = (...lines: string[]): void => {
    if (!json) console.log(lines.join('\n'));
  };
  const doing = (what: string): void => {
    if (json || !process.stdout.isTTY) return;
    process.stdout.cursorTo(0);
    process.stdout.clearLine(1);
    process.stdout.write(what);
  };
  return {
    doing,
    start(model) {
      const trained = `trained ${epochs === 1 ? 'once' : `${epochs} times`} through 8,000 others`;
      print(
        headline(),
        `${parametersOf(model)} · ${trained} · seed ${seed}`,
        `${grouped(images)} digits to recognise, ${grouped(passes * TURNS)} times over · medians of ${TURNS} turns`,
        '',
      );
    },
    end(runs, { shared, own }, seconds) {
      doing('');
      print(
        ...table(runs, images),
        '',
        verdict(runs),
        '',
        `${bold('Memory')}: ${megabytes(shared)} of weights, running statistics and images, once for all threads.`,
        `Of that in memory of the Workers' own: ${grouped(own)} bytes. Copies would take ${megabytes(shared * workers)} more.`,
        '',
        'The kernels of a Worker run on one thread, native.setThreads(1): the Workers keep every',
        'core busy already, and further threads would only take turns with them.',
        '',
        `${seconds.toFixed(1)} s in all, training included.`,
      );
    },
  };
}

function table(runs: readonly Run[], images: number): string[] {
  const [first] = runs;
  const head = ['images/s', 'speed-up', 'right'].map((text) => text.padStart(10)).join('');
  const rows = runs.map((run) => {
    const speedUp = run.imagesPerSecond / first!.imagesPerSecond;
    const cells = [grouped(run.imagesPerSecond), speedUp.toFixed(2), percent(run.right / images)];
    const hash = run.logits.slice(0, 24);
    return (
      nameOf(run).padEnd(28) +
      cells.map((text) => text.padStart(10)).join('') +
      `   ${run.logits === first!.logits ? hash : red(hash)}`
    );
  });
  return [bold(`${'evaluated by'.padEnd(28)}${head}   SHA-256 of the logits`), ...rows];
}

/** Whether each run computed what the first did. */
export function isSame(runs: readonly Run[]): boolean {
  const [first] = runs;
  return runs.every(({ right, logits }) => right === first!.right && logits === first!.logits);
}

function verdict(runs: readonly Run[]): string {
  return isSame(runs)
    ? 'The same digits right and the same logits, to the last bit, whoever computed them.'
    : red('Different results: this must not be.');
}

function nameOf({ workers, threads }: Run): string {
  if (workers > 0) return workers === 1 ? '1 Worker' : `${workers} Workers`;
  return threads === 1 ? 'the main thread' : `… its kernels on ${threads} threads`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
