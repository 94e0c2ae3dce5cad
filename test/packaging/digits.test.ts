// The example behind `npm start`, as a user runs it: a child process on the built package.
import { readFileSync } from 'node:fs';

import { native } from 'evenkeel';
import { beforeAll, describe, expect, it } from 'vitest';

import { runExample, type ExampleEnded } from '../helpers/example.js';

interface Summary {
  readonly epochs: { loss: number; testAccuracy: number; samplesPerSecond: number }[];
  readonly testAccuracy: number;
  readonly cases: {
    training: boolean;
    trackRunningStats: boolean;
    batchSize: number;
    testAccuracy: number;
  }[];
  readonly doctor: { finding: { id: string; layer: string; alsoIn: string[] }; mended: number };
  readonly seconds: number;
}

const digits = (args: readonly string[], env?: Record<string, string>): Promise<ExampleEnded> =>
  runExample('digits.ts', args, env);

async function summaryOf(
  env: Record<string, string>,
  epochs: readonly string[] = ['--epochs', '1'],
): Promise<Summary> {
  const { code, stdout, stderr } = await digits([...epochs, '--json'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Summary;
}

/** The JSON without what a clock wrote. */
function numbers({ epochs, testAccuracy, cases, doctor }: Summary): unknown {
  return {
    epochs: epochs.map(({ loss, testAccuracy: accuracy }) => ({ loss, accuracy })),
    testAccuracy,
    cases,
    doctor,
  };
}

/** docs/trap.md, the picture in it, and the run they are made from. */
function showsTheTrap(cases: Summary['cases'], mended: number): void {
  const read = (file: string): string =>
    readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
  expect(JSON.parse(read('trap.json'))).toEqual({ cases, mended });
  const page = read('trap.md');
  const drawn = [...read('pictures/trap.svg').matchAll(/>(\d+\.\d\d %)</g)].map(([, text]) => text);
  const percents = cases.map(({ testAccuracy }) => `${(100 * testAccuracy).toFixed(2)} %`);
  expect(drawn).toEqual(percents);
  for (let i = 0; i < cases.length; i += 3) {
    const { training, trackRunningStats } = cases[i]!;
    const row = new RegExp(
      `^\\| \`${training}\` +\\| \`${trackRunningStats}\` +\\| +(\\d.*?) +\\|$`,
      'm',
    );
    expect(row.exec(page)?.[1]?.split(/ +\| +/)).toEqual(percents.slice(i, i + 3));
  }
  expect(page).toContain(`the same weights then give ${(100 * mended).toFixed(2)} % in`);
}

describe('examples/digits.ts', () => {
  let summary: Summary;
  beforeAll(async () => {
    summary = await summaryOf({ EVENKEEL_THREADS: '2', EVENKEEL_ISA: '' });
  });

  it('prints one JSON object with --json', () => {
    expect(Object.keys(summary)).toEqual(['epochs', 'testAccuracy', 'cases', 'doctor', 'seconds']);
    expect(summary.epochs).toEqual([
      {
        loss: expect.any(Number),
        testAccuracy: summary.testAccuracy,
        samplesPerSecond: expect.any(Number),
      },
    ]);
    expect(summary.testAccuracy).toBeGreaterThan(0.9);
    expect(summary.testAccuracy).toBeLessThan(1);
    expect(summary.seconds).toBeGreaterThan(0);
  });

  it('gives the same numbers at another thread count and on another instruction set', async () => {
    // The next best one: scalar multiplies 20 times slower (decision 2), minutes of training.
    const isa = native.availableIsas[1] ?? native.isa;
    const other = await summaryOf({ EVENKEEL_THREADS: '1', EVENKEEL_ISA: isa });
    expect(numbers(other)).toEqual(numbers(summary));
  });

  it('ends where README.md says that it ends', async () => {
    const { cases, doctor } = await summaryOf({}, []);
    const evaluated = (trackRunningStats: boolean): string => {
      const found = cases.find(
        (each) =>
          !each.training && each.trackRunningStats === trackRunningStats && each.batchSize === 2,
      );
      return (100 * found!.testAccuracy).toFixed(2);
    };
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, before, after] = /accuracy\s+falls from (\S+) % to (\S+) %/.exec(readme) ?? [];
    expect({ before, after }).toEqual({ before: evaluated(true), after: evaluated(false) });
    const [, id, mended] =
      /The doctor calls that `(\S+)`, and its mend gives (\S+) %/.exec(readme) ?? [];
    expect({ id, mended }).toEqual({
      id: doctor.finding.id,
      mended: (100 * doctor.mended).toFixed(2),
    });
    showsTheTrap(cases, doctor.mended);
    // Within 0.2 points of the right setting.
    expect(Math.abs(100 * doctor.mended - Number(before))).toBeLessThanOrEqual(0.2);
  });

  it('shows the trap: only (false, true) keeps its accuracy when the batch is small', () => {
    const { cases, testAccuracy } = summary;
    const accuracies = (training: boolean, trackRunningStats: boolean): number[] =>
      [256, 8, 2].map(
        (batchSize) =>
          cases.find(
            (each) =>
              each.training === training &&
              each.trackRunningStats === trackRunningStats &&
              each.batchSize === batchSize,
          )!.testAccuracy,
      );
    expect(cases).toHaveLength(12);
    expect(accuracies(false, true)).toEqual([testAccuracy, testAccuracy, testAccuracy]);
    const byTheBatch = accuracies(false, false);
    expect(byTheBatch[0]).toBeGreaterThan(testAccuracy - 0.05);
    expect(byTheBatch[2]).toBeLessThan(testAccuracy - 0.2);
    expect(accuracies(true, true)).toEqual(byTheBatch);
    expect(accuracies(true, false)).toEqual(byTheBatch);
  });

  it('prints plain lines where there is no terminal, and ends with the time of a step and the doctor', async () => {
    const { code, stdout, stderr } = await digits(['--epochs', '1', '--batch-size', '7999']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(
      /^epoch 1\/1 {3}loss \d\.\d{4} {3}test accuracy \d+\.\d\d % {3}[\d,]+ samples\/s$/m,
    );
    expect(stdout).toMatch(
      /\ntime of a step: \d+ % BatchNorm, \d+ % matrix multiply, \d+ % the rest\n\nThe doctor calls the last row small-batch-statistics, in layers 2 and 6:\n/,
    );
  });

  it('prints its options and their defaults with --help', async () => {
    const { code, stdout } = await digits(['--help']);
    expect(code).toBe(0);
    for (const option of ['epochs', 'batch-size', 'lr', 'momentum', 'seed', 'json', 'help']) {
      expect(stdout).toContain(`--${option} `);
    }
    expect(stdout).toContain('(default 128)');
  });

  it.each([
    [['--batch-size', '1'], "expected --batch-size to be a whole number from 2 to 8000, got '1'."],
    [['--lr', 'fast'], "expected --lr to be a number from 0.000001 to 10, got 'fast'."],
    [['--epochs', '-3'], "expected --epochs to be a whole number from 1 to 1000, got '-3'."],
    [['--seed'], 'expected --seed to be a whole number from 0 to 9007199254740991, got nothing.'],
    [['--json=1'], "expected --json without a value, got '1'."],
    [
      ['three'],
      "expected one of --epochs, --batch-size, --lr, --momentum, --seed, --json, --help, got 'three'.",
    ],
    [
      ['--epoch', '3'],
      'expected one of --epochs, --batch-size, --lr, --momentum, --seed, --json, --help, ' +
        "got '--epoch'.",
    ],
  ])('refuses %j in one sentence, with exit code 2', async (args, sentence) => {
    expect(await digits(args)).toEqual({ code: 2, stdout: '', stderr: `digits: ${sentence}\n` });
  });
});
