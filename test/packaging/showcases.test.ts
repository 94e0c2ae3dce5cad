// The showcases on mails and on bird strikes in a short form, and the page about all three.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { runExample } from '../helpers/example.js';

interface Run {
  readonly epochs: readonly { readonly losses: readonly number[]; readonly auc: number }[];
  readonly auc?: number;
}

/** Mails are read in three seconds; the training goes on for a few steps. */
const PATIENCE = 300_000;

async function run(file: string, args: readonly string[]): Promise<Run> {
  const { code, stdout, stderr } = await runExample(file, [...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Run;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

/** What an example prints where there is no terminal, and the page that it leaves. */
async function shown(
  file: string,
  args: readonly string[],
): Promise<[lines: string[], page: string]> {
  const path = join(tmpdir(), `evenkeel-${file}-${process.pid}.html`);
  const { code, stdout, stderr } = await runExample(file, [...args, '--report', path]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('\u001b');
  const page = readFileSync(path, 'utf8');
  rmSync(path);
  return [stdout.split('\n').map((line) => line.replace(path, 'page')), page];
}

describe('examples/spam.ts, 25 steps', () => {
  const few = ['--steps', '25'];

  it(
    'learns: the loss falls, and mails are told apart',
    async () => {
      const { epochs } = await run('spam.ts', few);
      const { losses, auc } = epochs[0]!;
      expect(losses).toHaveLength(25);
      expect(mean(losses.slice(-5))).toBeLessThan(0.95 * mean(losses.slice(0, 5)));
      expect(auc).toBeGreaterThan(0.6); // 0.5 by chance; the statistics trail so early
    },
    PATIENCE,
  );

  it(
    'prints its licence and a curve of at most 80 columns, and leaves a page with two charts',
    async () => {
      const [lines, page] = await shown('spam.ts', ['--steps', '2']);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      expect(lines.join(' ')).toMatch(/PDDL 1\.0, contents CC0 1\.0/);
      expect(lines.some((line) => line.includes('┤'))).toBe(true);
      expect(page).toMatch(/PDDL 1\.0, contents CC0 1\.0/);
      expect(page.match(/<svg class="chart wide"/g)).toHaveLength(2);
    },
    PATIENCE,
  );
});

describe('examples/birdstrikes.ts, two epochs', () => {
  it(
    'learns: the loss falls, and damage is told from none',
    async () => {
      const { epochs, auc } = await run('birdstrikes.ts', ['--epochs', '2']);
      expect(mean(epochs[1]!.losses)).toBeLessThan(mean(epochs[0]!.losses));
      expect(auc).toBeGreaterThan(0.75); // 0.5 by chance
    },
    PATIENCE,
  );

  it(
    'prints its licence and charts of at most 80 columns, and leaves a page with two charts',
    async () => {
      const [lines, page] = await shown('birdstrikes.ts', ['--epochs', '1']);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      expect(lines.join(' ')).toContain('vega-datasets (BSD-3-Clause)');
      expect(lines.filter((line) => /^(Wildlife Species|Speed|Season) /.test(line))).toHaveLength(
        3,
      );
      expect(page).toContain('vega-datasets (BSD-3-Clause)');
      expect(page.match(/<svg class="chart wide"/g)).toHaveLength(2);
    },
    PATIENCE,
  );
});

describe('docs/showcases.md, server.md and performance.md', () => {
  it('say what the committed runs gave', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'bench/page-figures.ts', '--check'],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('a showcase', () => {
  it.each(['pointnet', 'spam', 'birdstrikes'])('%s has options, and --help', async (name) => {
    const { code, stdout } = await runExample(`${name}.ts`, ['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`npm run example:${name} --`);
    expect(stdout).toMatch(/--steps .*stop after so many/);
  });
});
