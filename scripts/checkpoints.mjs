// How long the event loop waits while large checkpoints are saved and loaded, and the most memory that takes.
// `node scripts/checkpoints.mjs [--mb 200] [--rounds 5] [--folder DIR]` after a build. Each figure is the median
// of processes of their own, since a peak belongs to a process. A .pt is made by the Python that
// EVENKEEL_PYTHON names, if it has torch.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { checkpoint, functional, tensor } from 'evenkeel';

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
const megabytes = Number(values.mb);
/** Tensors of 8 MB each, in layers of two. */
const tensors = Math.max(1, Math.round(megabytes / 8));

/** What a process measures: ms and MB. @typedef {{ idle: number, longest: number, cpu: number, all: number, peak: number }} Figures */

if (values.work === undefined) report();
else await measure(values.work, values.file);

function report() {
  const folder = mkdtempSync(join(values.folder, 'evenkeel-checkpoints-'));
  try {
    const safetensors = join(folder, 'm.safetensors');
    const torch = join(folder, 'm.pt');
    child('make', safetensors);
    const hasTorch = makeTorch(torch);
    console.log(`${tensors} tensors of 8 MB, ${values.rounds} processes each, medians`);
    console.log(
      '                   file MB  longest turn ms  idle ms  its CPU ms  all ms  peak MB  of the file',
    );
    row('save .safetensors', 'save', safetensors);
    row('load .safetensors', 'load', safetensors);
    row('  its bytes', 'bytes', safetensors);
    if (hasTorch) row('load .pt', 'load', torch);
    else console.log('no .pt: EVENKEEL_PYTHON names no Python that has torch');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} path */
function makeTorch(path) {
  const python = process.env['EVENKEEL_PYTHON'];
  if (python === undefined) return false;
  const program = `import sys, torch
torch.save({f"w{i}": torch.rand(2 * 1024 * 1024) for i in range(${tensors})}, sys.argv[1])`;
  return spawnSync(python, ['-c', program, path], { stdio: 'inherit' }).status === 0;
}

/**
 * @param {string} name
 * @param {string} work
 * @param {string} file
 */
function row(name, work, file) {
  const all = Array.from({ length: Number(values.rounds) }, () => child(work, file));
  const median = (/** @type {keyof Figures} */ key) =>
    all.map((each) => each[key]).sort((a, b) => a - b)[all.length >> 1] ?? 0;
  const size = statSync(file).size / MB;
  const column = (/** @type {number} */ value, /** @type {number} */ width, digits = 1) =>
    value.toFixed(digits).padStart(width);
  console.log(
    name.padEnd(18) +
      column(size, 8) +
      column(median('longest'), 17) +
      column(median('idle'), 9) +
      column(median('cpu'), 12, 2) +
      column(median('all'), 8, 0) +
      column(median('peak'), 9) +
      column(median('peak') / size, 13, 2),
  );
}

/**
 * @param {string} work
 * @param {string} file
 * @returns {Figures}
 */
function child(work, file) {
  const args = [fileURLToPath(import.meta.url), '--mb', values.mb, '--work', work, '--file', file];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${work} ended with ${String(status)}`);
  /** @type {unknown} */
  const figures = JSON.parse(stdout);
  return /** @type {Figures} */ (figures);
}

/**
 * @param {string} work
 * @param {string} file
 */
async function measure(work, file) {
  const state = work === 'make' || work === 'save' ? made() : new Map();
  const bytes = work === 'bytes' ? readFileSync(file) : file;
  const load = file.endsWith('.pt') ? checkpoint.loadTorch : checkpoint.loadSafetensors;
  const isSave = work === 'make' || work === 'save';
  const run = () =>
    isSave ? checkpoint.saveSafetensors(work === 'make' ? file : `${file}.2`, state) : load(bytes);
  const { most: idle } = await longest(() => wait(500));
  const before = peak();
  const start = performance.now();
  const { most: turn, mostCpu } = await longest(run);
  const all = performance.now() - start;
  console.log(JSON.stringify({ idle, longest: turn, cpu: mostCpu, all, peak: peak() - before }));
}

function made() {
  const ones = tensor(new Float32Array(2 * MB).fill(1.5));
  return new Map(Array.from({ length: tensors }, (_, i) => [`w${i}`, functional.relu(ones)]));
}

/** The most resident memory so far, in MB; maxRSS would count the parent's, which this was forked from, too. */
function peak() {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}

/** The CPU time of this thread in ms, where Linux says it. */
function cpu() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return NaN;
  }
}

/**
 * The longest turn of the event loop while `run` goes on, by the clock and in CPU time of this thread: what other
 * processes take is in the first only.
 * @param {() => Promise<unknown>} run
 */
async function longest(run) {
  let [most, mostCpu] = [0, 0];
  let [last, lastCpu] = [performance.now(), cpu()];
  let on = true;
  const turn = () => {
    const [now, nowCpu] = [performance.now(), cpu()];
    most = Math.max(most, now - last);
    mostCpu = Math.max(mostCpu, nowCpu - lastCpu);
    [last, lastCpu] = [now, nowCpu];
    if (on) setImmediate(turn);
  };
  setImmediate(turn);
  await run();
  on = false;
  turn();
  return { most, mostCpu };
}
