// What the digits example prints: a line an epoch (and a bar), the table of cases, the last words.
import type { nn } from 'evenkeel';

import { bold, grouped, headline, percent, red } from '../terminal/text.js';
import { parametersOf, screen } from '../terminal/training.js';
import type { Settings } from './arguments.js';
import { BATCH_SIZES, type Case } from './cases.js';
import type { Diagnosis } from './doctor.js';
import type { TimeShares } from './profile.js';

export interface Epoch {
  readonly loss: number;
  /** 0 to 1. */
  readonly testAccuracy: number;
  readonly samplesPerSecond: number;
}

export interface Report {
  start(model: nn.Sequential): void;
  step(loss: number): void;
  epoch(history: readonly Epoch[]): void;
  cases(cases: readonly Case[]): void;
  end(seconds: number, time: TimeShares): void;
  doctor(diagnosis: Diagnosis): void;
}

/** @param steps - Of the whole training, for the bar. */
export function report(settings: Settings, steps: number): Report {
  const { epochs, batchSize, lr, momentum, seed, json } = settings;
  const { print, step } = screen(json, steps);
  return {
    start(model) {
      print(
        headline(),
        `8,000 digits to train, 2,000 to test · ${parametersOf(model)}`,
        `batches of ${batchSize} · lr ${lr} · momentum ${momentum} · seed ${seed}`,
        '',
      );
    },
    step,
    epoch(history) {
      const { loss, testAccuracy, samplesPerSecond } = history.at(-1)!;
      const count = String(history.length).padStart(String(epochs).length);
      print(
        `epoch ${count}/${epochs}   loss ${loss.toFixed(4)}   ` +
          `test accuracy ${percent(testAccuracy)}   ${grouped(samplesPerSecond)} samples/s`,
      );
    },
    cases(cases) {
      print('', ...table(cases), '', ...trap(cases), '');
    },
    end(seconds, { steps: timed, milliseconds, batchNorm, matrixMultiply }) {
      const [bn, mm] = [Math.round(100 * batchNorm), Math.round(100 * matrixMultiply)];
      print(
        `${seconds.toFixed(1)} s in all. Then ${timed} more steps of ${milliseconds.toFixed(1)} ms, timed layer by layer;`,
        'the rest is Dropout, ReLU, the loss, the optimiser and the loader.',
        bold('time of a step: ') +
          `${bn} % BatchNorm, ${mm} % matrix multiply, ${100 - bn - mm} % the rest`,
      );
    },
    doctor({ finding, mended }) {
      const { id, layer, alsoIn, cause } = finding;
      const layers = [layer, ...alsoIn].join(' and ');
      const size = BATCH_SIZES.at(-1)!;
      print(
        '',
        `${bold('The doctor calls the last row')} ${red(id)}, in layers ${layers}:`,
        cause,
        `Mended as it says, by recalibrate(model, trainLoader), the same weights give`,
        `${percent(mended)} at batch size ${size}. Your model: npx evenkeel doctor model.mjs`,
      );
    },
  };
}

/** One row a case; what differs from evaluation done right is red. */
function table(cases: readonly Case[]): string[] {
  const right = find(cases, false, true, BATCH_SIZES[0]!);
  const sizes = BATCH_SIZES.map((size) => String(size).padStart(9)).join('');
  const rows = [true, false].flatMap((training) =>
    [true, false].map((tracked) => {
      const accuracies = BATCH_SIZES.map((size) => {
        const accuracy = find(cases, training, tracked, size);
        const text = percent(accuracy).padStart(9);
        return right - accuracy > 0.02 ? red(text) : text;
      });
      const by = !training && tracked ? 'running statistics' : 'the batch';
      return `${String(training).padEnd(10)}${String(tracked).padEnd(19)}${by.padEnd(20)}${accuracies.join('')}`;
    }),
  );
  return [
    `${bold('The same weights in four cases'.padEnd(49))}test accuracy at batch size`,
    bold(
      `${'training'.padEnd(10)}${'trackRunningStats'.padEnd(19)}${'normalised by'.padEnd(20)}${sizes}`,
    ),
    ...rows,
  ];
}

/** The last row in words. */
function trap(cases: readonly Case[]): string[] {
  const small = BATCH_SIZES.at(-1)!;
  const right = find(cases, false, true, small);
  const wrong = find(cases, false, false, small);
  const points = `${Math.abs(100 * (right - wrong)).toFixed(2)} points ${wrong < right ? 'lost' : 'won'}`;
  return [
    'Every row is a copy of the trained model in which only BatchNorm was switched;',
    'Dropout is off. The trap is the last row: eval() was called, but without running',
    'statistics what a digit is taken for depends on who shares its batch. At batch',
    `size ${small} the same weights go from ${percent(right)} to ${percent(wrong)}: ${points}.`,
  ];
}

function find(cases: readonly Case[], training: boolean, tracked: boolean, size: number): number {
  return cases.find(
    (each) =>
      each.training === training && each.trackRunningStats === tracked && each.batchSize === size,
  )!.testAccuracy;
}
