// How long the event loop waits while large checkpoints are saved and loaded, and the most memory that takes:
// `npx tsx bench/alone/checkpoints.ts [--mb 200] [--rounds 5] [--folder DIR]` after a build. Each figure is the median
// of processes of their own, since a peak belongs to a process. A .pt is made by the Python that EVENKEEL_PYTHON
// names, if it has torch.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { checkpoint, functional, tensor } from 'evenkeel';

import { spreadOf } from '../measure.js';
import { longestTurn, table } from './turns.js';

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    // for the processes that measure
    work: { type: 'string' },
    file: { type: 'string', default: '' },
  },
});
const MB = 2 ** 20;
/** Tensors of 8 MB each. */
const tensors = Math.max(1, Math.round(Number(values.mb) / 8));
/** What a process measures: ms, and at last MB. */
const TITLES = ['longest turn ms', 'idle ms', 'its CPU ms', 'all ms', 'peak MB'];

if (values.work === undefined) report();
else console.log(JSON.stringify(await figures(values.work, values.file)));

function report(): void {
  const folder = mkdtempSync(join(values.folder, 'evenkeel-checkpoints-'));
  try {
    const safetensors = join(folder, 'm.safetensors');
    const torch = join(folder, 'm.pt');
    child('make', safetensors);
    const hasTorch = makeTorch(torch);
    console.log(`${tensors} tensors of 8 MB, ${values.rounds} processes each, medians`);
    const print = table(18, ['file MB', ...TITLES, 'of the file']);
    const row = (name: string, work: string, file: string): void => {
      const all = Array.from({ length: Number(values.rounds) }, () => child(work, file));
      const medians = TITLES.map(
        (_, i) => spreadOf(Float64Array.from(all, (each) => each[i]!)).median,
      );
      const size = statSync(file).size / MB;
      print(name, [size, ...medians, medians.at(-1)! / size]);
    };
    row('save .safetensors', 'save', safetensors);
    row('load .safetensors', 'load', safetensors);
    row('  its bytes', 'bytes', safetensors);
    if (hasTorch) row('load .pt', 'load', torch);
    else console.log('no .pt: EVENKEEL_PYTHON names no Python that has torch');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeTorch(path: string): boolean {
  const python = process.env['EVENKEEL_PYTHON'];
  if (python === undefined) return false;
  const program = `import sys, torch
torch.save({f"w{i}": torch.rand(2 * 1024 * 1024) for i in range(${tensors})}, sys.argv[1])`;
  return spawnSync(python, ['-c', program, path], { stdio: 'inherit' }).status === 0;
}

function child(work: string, file: string): number[] {
  const args = [fileURLToPath(import.meta.url), '--mb', values.mb, '--work', work, '--file', file];
  const { status, stdout } = spawnSync(process.execPath, [...process.execArgv, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${work} ended with ${status}`);
  return JSON.parse(stdout) as number[];
}

async function figures(work: string, file: string): Promise<number[]> {
  const isSave = work === 'make' || work === 'save';
  const state = isSave ? made() : new Map<string, never>();
  const bytes = work === 'bytes' ? readFileSync(file) : file;
  const load = file.endsWith('.pt') ? checkpoint.loadTorch : checkpoint.loadSafetensors;
  const idle = await longestTurn(() => wait(500));
  const before = peak();
  const { longest, cpu, all } = await longestTurn((): Promise<unknown> =>
    isSave ? checkpoint.saveSafetensors(work === 'make' ? file : `${file}.2`, state) : load(bytes),
  );
  return [longest, idle.longest, cpu, all, peak() - before];
}

function made(): Map<string, ReturnType<typeof functional.relu>> {
  const ones = tensor(new Float32Array(2 * MB).fill(1.5));
  return new Map(Array.from({ length: tensors }, (_, i) => [`w${i}`, functional.relu(ones)]));
}

/** The most resident memory so far, in MB; maxRSS would count the parent's, which this was forked from, too. */
function peak(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}
