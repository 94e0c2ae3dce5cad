// `evenkeel doctor` as a user runs it: checkpoints, module files, every output, every exit code.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpoint, data, manualSeed, nn, noGrad, tensor } from 'evenkeel';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'dist', 'cjs', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-doctor-'));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function doctor(...args: string[]): Ended {
  const env: NodeJS.ProcessEnv = { ...process.env, EVENKEEL_THREADS: '1' };
  delete env['FORCE_COLOR'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'doctor', ...args], {
    ...{ cwd: folder, encoding: 'utf8', env },
  });
  return { code: status, stdout, stderr };
}

function trained(): nn.Sequential {
  manualSeed(1);
  const model = new nn.Sequential(new nn.Linear(4, 8, { bias: false }), new nn.BatchNorm1d(8));
  noGrad(() => {
    for (const [x] of loader()) model.forward(x);
  });
  return model.eval();
}

function loader(): data.DataLoader<[x: ReturnType<typeof tensor>]> {
  const values = Float32Array.from({ length: 512 * 4 }, (_, i) => Math.sin(i * i) + (i % 4));
  return new data.DataLoader(new data.TensorDataset(tensor(values, [512, 4])), { batchSize: 8 });
}

/** A module file whose model has never seen a batch. */
const MODULE = `
import { nn, tensor, manualSeed, data } from ${JSON.stringify(pathToFileURL(join(root, 'dist', 'index.mjs')).href)};
export async function model() {
  manualSeed(1);
  return new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8)).eval();
}
const values = Float32Array.from({ length: 512 * 4 }, (_, i) => Math.sin(i * i) + (i % 4));
export const loader = () =>
  new data.DataLoader(new data.TensorDataset(tensor(values, [512, 4])), { batchSize: 64 });
`;

beforeAll(async () => {
  const model = trained();
  await checkpoint.saveSafetensors(join(folder, 'healthy.safetensors'), model.stateDict());
  (model.at(1) as nn.BatchNorm1d).runningVar!.data[3] = NaN;
  await checkpoint.saveSafetensors(join(folder, 'sick.safetensors'), model.stateDict());
  writeFileSync(join(folder, 'model.mjs'), MODULE);
  writeFileSync(join(folder, 'no-model.mjs'), 'export const net = 1;');
  writeFileSync(join(folder, 'throws.mjs'), 'throw new Error("no data here");');
  writeFileSync(join(folder, 'mistake.mjs'), 'export const model = () => undefined.layers;');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a checkpoint', () => {
  it('without findings ends with 0', () => {
    const { code, stdout, stderr } = doctor('healthy.safetensors');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^healthy\.safetensors, 1 BatchNorm layer\nHealthy: nothing found\.\n/);
  });

  it('with findings ends with 1, plain and in 80 columns in a pipe', () => {
    const { code, stdout, stderr } = doctor('sick.safetensors');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/\nerror {4}non-finite-statistics +layer 1\n/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
  });

  it('prints one object with --json, and the rest beside it', () => {
    const { code, stdout, stderr } = doctor('sick.safetensors', '--json', '--html', 'page.html');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'written: page.html\n' });
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      source: 'checkpoint',
      healthy: false,
      findings: [{ id: 'non-finite-statistics', layer: '1' }],
    });
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });

  it('prints annotations of GitHub with --github', () => {
    const { stdout } = doctor('sick.safetensors', '--github');
    expect(stdout).toMatch(
      /^::error file=sick\.safetensors,title=non-finite-statistics in 1::Running .* Mend: /m,
    );
  });

  it.each([
    ['error', 1],
    ['note', 1],
    ['never', 0],
  ])('--fail-on %s ends with %i', (level, code) => {
    expect(doctor('sick.safetensors', '--fail-on', level).code).toBe(code);
  });

  it('is not what data could go through', () => {
    const { code, stderr } = doctor('sick.safetensors', '--data', 'model.mjs');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^evenkeel doctor: expected a module file that makes the model/);
  });
});

describe('a module file', () => {
  it('is run, and its model goes through its data', () => {
    const { code, stdout, stderr } = doctor('model.mjs');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^Sequential, 1 BatchNorm layer, 512 samples in 8 batches\n/);
    expect(stdout).toContain('never-tracked');
  });

  it('is mended into a new file, and into an old one only when told', () => {
    const first = doctor('model.mjs', '--mend', 'mended.safetensors');
    expect(first.stdout).toContain('written: mended.safetensors\n  mended: never-tracked\n');
    expect(doctor('mended.safetensors').code).toBe(0);
    const second = doctor('model.mjs', '--mend', 'mended.safetensors');
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('or --overwrite, got mended.safetensors, which is there.');
    expect(doctor('model.mjs', '--mend', 'mended.safetensors', '--overwrite').code).toBe(1);
  });

  it('takes data from a file of tensors', async () => {
    const x = tensor(Float32Array.from({ length: 256 * 4 }, Math.sin), [256, 4]);
    await checkpoint.saveSafetensors(join(folder, 'x.safetensors'), new Map([['x', x]]));
    const { stdout } = doctor('model.mjs', '--data', 'x.safetensors');
    expect(stdout).toMatch(/^Sequential, 1 BatchNorm layer, 256 samples in 4 batches\n/);
  });

  it.each([
    ['no-model.mjs', "evenkeel doctor: expected no-model.mjs to export 'model', got net.\n"],
    ['throws.mjs', /^evenkeel doctor: Error: no data here\n {4}at .*throws\.mjs/],
    ['mistake.mjs', /^evenkeel doctor: TypeError: Cannot read .*\n {4}at .*mistake\.mjs.*\n$/],
    ['none.pt', /^evenkeel doctor: .*, got 'none\.pt'\.\n {2}because: ENOENT: .*\n$/],
  ])('%s ends with 2', (file, message) => {
    const { code, stderr } = doctor(file);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('the command', () => {
  it('has help with examples and exit codes', () => {
    const { code, stdout } = doctor('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: evenkeel doctor \[checkpoint \| module file\] \[options\]\n/);
    expect(stdout).toMatch(/\nExamples:\n {2}npx evenkeel doctor [^]*\nExit code: 0 healthy, 1 /);
  });

  it('explains a finding', () => {
    const { code, stdout } = doctor('--explain', 'stale-statistics');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^stale-statistics \(warning\)\n\n {2}what {2}The running/);
    expect(doctor('--explain', 'staleness')).toMatchObject({ code: 2, stdout: '' });
  });

  it.each([
    [[], 'expected a checkpoint or a module file, got none.'],
    [['a.pt', 'b.pt'], "got 'b.pt'."],
    [
      ['a.pt', '--fail-on', 'all'],
      "expected --fail-on to be one of error, warning, note, never, got 'all'.",
    ],
    [['--jsno', 'a.pt'], "got '--jsno'."],
    [['a.pt', '--html'], 'expected --html <file>, got nothing.'],
    [['no-such.pt'], 'expected a file that can be read'],
  ])('%j ends with 2', (args, sentence) => {
    const { code, stdout, stderr } = doctor(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^evenkeel doctor: /);
    expect(stderr).toContain(sentence);
  });

  it('writes nothing where it cannot examine', () => {
    expect(doctor('no-such.pt', '--html', 'none.html').code).toBe(2);
    expect(existsSync(join(folder, 'none.html'))).toBe(false);
  });
});
