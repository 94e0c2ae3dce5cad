// The built `evenkeel` command as a user runs it: help, version, mistakes, and one benchmark in JSON.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  bin: { evenkeel: string };
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function evenkeel(...args: string[]): Ended {
  const env = { ...process.env, EVENKEEL_PYTHON: join(root, 'no-python'), EVENKEEL_THREADS: '1' };
  const program = join(root, manifest.bin.evenkeel);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: tmpdir(),
    encoding: 'utf8',
    env,
  });
  return { code: status, stdout, stderr };
}

describe('evenkeel', () => {
  it('can be run by its name', () => {
    expect(readFileSync(join(root, manifest.bin.evenkeel), 'utf8')).toMatch(
      /^#!\/usr\/bin\/env node\n/,
    );
  });

  it.each([[[]], [['--help']], [['-h']], [['help']]])('%j prints its commands', (args) => {
    const { code, stdout, stderr } = evenkeel(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: evenkeel <command> [options]');
    expect(stdout).toMatch(/^ {2}bench {7}/m);
  });

  it.each(['help', '--help'])('%s prints the help of a command', (word) => {
    expect(evenkeel(word, 'info')).toEqual(evenkeel('info', '--help'));
    expect(evenkeel(word, 'info').stdout).toMatch(/^Usage: evenkeel info /);
  });

  it.each(['bench', 'build', 'doctor', 'info', 'run'])('%s --help fits a terminal', (name) => {
    const lines = evenkeel(name, '--help')
      .stdout.split('\n')
      .filter((line) => !line.startsWith('  npx ') && !line.startsWith('  /'));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('--version prints the version', () => {
    expect(evenkeel('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it.each(['train', '--verison', 'toString'])('refuses %j in one sentence', (name) => {
    const stderr = `evenkeel: expected one of bench, build, doctor, info, run, --help, --version, got '${name}'.\n`;
    expect(evenkeel(name, 'more')).toEqual({ code: 2, stdout: '', stderr });
  });
});

describe('evenkeel info', () => {
  it('says which addon is loaded, why, and what it can do', () => {
    const { code, stdout, stderr } = evenkeel('info');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(
        `^evenkeel ${manifest.version}\\n {2}Node {10}${process.version}, Node-API \\d+\\n`,
      ),
    );
    for (const name of ['platform', 'addon', 'why this one', 'built from', 'kernels', 'threads']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name.padEnd(14)}\\S`, 'm'));
    }
  });

  it('prints one object with --json', () => {
    const { code, stdout } = evenkeel('info', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: manifest.version,
      node: process.version,
      platform: expect.stringContaining(process.arch),
      addon: {
        path: expect.stringMatching(/evenkeel\.node$/),
        builtFrom: { version: manifest.version, sources: expect.stringMatching(/^[0-9a-f]{64}$/) },
        availableIsas: expect.arrayContaining(['scalar']),
        threads: 1,
      },
      error: null,
    });
  });

  it('ends with 1 where no addon loads, and says why', () => {
    const env = { ...process.env, EVENKEEL_NATIVE: join(root, 'no-such.node') };
    const program = join(root, manifest.bin.evenkeel);
    const { status, stdout } = spawnSync(process.execPath, [program, 'info'], {
      encoding: 'utf8',
      env,
    });
    expect(status).toBe(1);
    expect(stdout).toContain('got none that loads.\nTried:\n  EVENKEEL_NATIVE: ');
  });
});

describe.each([
  ['info', '--json'],
  ['build', '--out, --json'],
])('evenkeel %s', (name, options) => {
  it('prints its options, examples and exit codes with --help', () => {
    const { code, stdout } = evenkeel(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: evenkeel ${name} \\[options\\]\\n`));
    expect(stdout).toMatch(/\nExamples:\n {2}\S[^]*\nExit code: 0 /);
  });

  it.each([['--jsno'], ['more']])('refuses %j in one sentence', (word) => {
    const stderr = `evenkeel ${name}: expected one of ${options}, --help, got '${word}'.\n`;
    expect(evenkeel(name, word)).toEqual({ code: 2, stdout: '', stderr });
  });
});

describe('evenkeel bench', () => {
  it('prints its options with --help', () => {
    const { code, stdout } = evenkeel('bench', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: evenkeel bench [options]');
  });

  it('lists cases without measuring them', () => {
    const { stdout } = evenkeel('bench', '--list', '--filter', 'step, forward 32x64');
    expect(stdout).toBe(
      [
        'forward 32x64 float32',
        'step 32x64x64x10 float32',
        'step 128x784x256x10 float32',
        'step 256x128x128x2 float32',
        'step 1024x784x512x10 float32\n',
      ].join('\n'),
    );
  });

  it.each([
    [
      ['--filter', 'fast'],
      /^evenkeel bench: expected --filter to name a group \(.*got 'fast'\.\n$/,
    ],
    [['--verbose'], /^evenkeel bench: expected one of --filter, .*, got '--verbose'\.\n$/],
  ])('refuses %j in one sentence', (args, sentence) => {
    const { code, stdout, stderr } = evenkeel('bench', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
  });

  it('prints one object with --json, and writes what it is told to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-cli-'));
    try {
      const args = ['--quick', '--json', '--peers', 'pytorch', '--save', folder];
      const { code, stdout, stderr } = evenkeel('bench', '--filter', 'forward 32x64', ...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const run = JSON.parse(stdout) as Record<string, unknown> & { cases: unknown[] };
      expect(run).toMatchObject({
        schema: 1,
        date: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        machine: { threads: 1, isa: expect.any(String), caches: expect.any(Array) },
        versions: { evenkeel: manifest.version, Node: process.version },
        settings: { quick: true, filter: 'forward 32x64' },
        skippedPeers: [{ name: 'pytorch', reason: expect.stringContaining('ENOENT') }],
        targets: expect.arrayContaining([expect.objectContaining({ met: null })]),
      });
      expect(run.cases).toEqual([
        expect.objectContaining({ group: 'forward', shape: [32, 64], bytes: 8192, notes: [] }),
      ]);
      const { entries } = run.cases[0] as { entries: Record<string, unknown>[] };
      expect(entries.map(({ who, how }) => `${String(who)} ${String(how)}`)).toEqual([
        'limit read x, x to out',
        'copy read, write',
        'evenkeel plain',
        'evenkeel disposed',
        'evenkeel out',
      ]);
      for (const { median, p10, p90, turns, calls } of entries) {
        for (const each of [median, p10, p90, turns, calls]) expect(each).toBeGreaterThan(0);
      }
      expect(entries.map(({ error }) => error === null)).toEqual([true, true, false, false, false]);
      const [html, json] = readdirSync(folder).sort();
      expect(json).toMatch(/^\d{4}-\d\d-\d\d-[a-z0-9-]+\.json$/);
      expect(JSON.parse(readFileSync(join(folder, json!), 'utf8'))).toEqual(run);
      expect(readFileSync(join(folder, html!), 'utf8')).toMatch(/^<!doctype html>/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('prints a plain table where there is no terminal', () => {
    const report = join(tmpdir(), `evenkeel-${process.pid}`, 'page.html');
    const args = ['--quick', '--peers', 'none', '--filter', 'forward 32x64', '--report', report];
    const { code, stdout, stderr } = evenkeel('bench', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/^ {2}evenkeel, out +[\d.]+ +[\d.]+–[\d.]+ +[\d.]+ +\d+ % +\d\.\d$/m);
    expect(stdout).toContain('\nTargets\n');
    expect(existsSync(report)).toBe(true);
    rmSync(join(report, '..'), { recursive: true });
  });
});
