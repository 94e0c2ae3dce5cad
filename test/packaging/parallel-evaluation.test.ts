// The example behind `npm run example:workers`, in its short form.
import { native } from 'evenkeel';
import { beforeAll, describe, expect, it } from 'vitest';

import { runExample, type ExampleEnded } from '../helpers/example.js';

interface Run {
  readonly workers: number;
  readonly threads: number;
  readonly imagesPerSecond: number;
  readonly right: number;
  readonly logits: string;
}

interface Summary {
  readonly images: number;
  readonly runs: Run[];
  readonly memory: { shared: number; own: number };
  readonly seconds: number;
}

const IMAGES = 250; // the last of three batches is half full

const evaluation = (args: string[], env?: Record<string, string>): Promise<ExampleEnded> =>
  runExample('parallel-evaluation.ts', [...args, '--passes', '1', '--epochs', '1'], env);

async function summaryOf(workers: number, env: Record<string, string>): Promise<Summary> {
  const args = ['--json', '--images', String(IMAGES), '--workers', String(workers)];
  const { code, stdout, stderr } = await evaluation(args, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Summary;
}

const results = ({ runs }: Summary): unknown[] => runs.map(({ right, logits }) => [right, logits]);

describe('examples/parallel-evaluation.ts', () => {
  let summary: Summary;
  beforeAll(async () => {
    summary = await summaryOf(3, { EVENKEEL_THREADS: '2', EVENKEEL_ISA: '' });
  });

  it('evaluates in the main thread, on one thread and two, and in 1, 2 and 3 Workers', () => {
    expect(Object.keys(summary)).toEqual(['images', 'runs', 'memory', 'seconds']);
    expect(summary.runs.map(({ workers, threads }) => [workers, threads])).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    expect(summary.runs.every(({ imagesPerSecond }) => imagesPerSecond > 0)).toBe(true);
  });

  it('gives one accuracy and one hash of the logits, whoever computes them', () => {
    const [alone] = summary.runs;
    expect(alone!.logits).toMatch(/^[0-9a-f]{64}$/);
    expect(alone!.right / IMAGES).toBeGreaterThan(0.8);
    expect(alone!.right).toBeLessThan(IMAGES);
    expect(results(summary)).toEqual(summary.runs.map(() => [alone!.right, alone!.logits]));
  });

  it('has weights, statistics and images once, and none in memory of a Worker', () => {
    const weights = 784 * 512 + 512 * 256 + 256 * 10 + 10 + 4 * (512 + 256);
    const [counters, images] = [2 * 8, IMAGES * (784 + 1)];
    expect(summary.memory).toEqual({ shared: 4 * (weights + images) + counters, own: 0 });
  });

  it('gives the same bits on another instruction set, on one thread', async () => {
    const isa = native.availableIsas[1] ?? native.isa;
    const other = await summaryOf(1, { EVENKEEL_THREADS: '1', EVENKEEL_ISA: isa });
    expect(other.runs.map(({ workers, threads }) => [workers, threads])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(results(other)).toEqual(results(summary).slice(0, 2));
  });

  it('prints a plain table where there is no terminal, and ends by itself', async () => {
    const { code, stdout, stderr } = await evaluation(['--images', '100', '--workers', '2'], {
      EVENKEEL_THREADS: '2',
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    const rows = [...stdout.matchAll(/^(.{28}) *[\d,]+ +\d+\.\d\d +(\d+\.\d\d %) {3}(\w{24})$/gm)];
    expect(rows.map(([, name]) => name!.trim())).toEqual([
      'the main thread',
      '… its kernels on 2 threads',
      '1 Worker',
      '2 Workers',
    ]);
    expect(new Set(rows.map(([, , right, logits]) => `${right} ${logits}`)).size).toBe(1);
    expect(stdout).toContain(
      '\nThe same digits right and the same logits, to the last bit, whoever computed them.\n',
    );
    expect(stdout).toMatch(
      /\nOf that in memory of the Workers' own: 0 bytes\. Copies would take \d+\.\d MB more\.\n/,
    );
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('shares its command line with the digits', async () => {
    const { code, stdout } = await evaluation(['--help']);
    expect(code).toBe(0);
    for (const option of ['workers', 'images', 'passes', 'epochs', 'seed', 'json', 'help']) {
      expect(stdout).toContain(`--${option} `);
    }
    expect(stdout).toContain('Usage: npm run example:workers -- [options]\n');
    expect(await runExample('parallel-evaluation.ts', ['--workers', '65'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        "parallel-evaluation: expected --workers to be a whole number from 1 to 64, got '65'.\n",
    });
  });
});
