// Trains at once and beside the event loop, evaluates, saves and loads, starts and ends Workers, and collects garbage,
// for as long as asked; every minute (every tenth of a short run) one line. Fails where outputs change or anything grows.
//
//   node --expose-gc --import tsx bench/alone/soak.ts [--minutes N]     (npm run soak -- --minutes 5)
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import { checkpoint, native, nn } from 'evenkeel';

import { collectGarbage, MEASURES, slopeOf } from './growth.js';
import { round } from './round.mjs';

/** Whether a state comes back from a file as it went. */
async function throughFile(path: string): Promise<boolean> {
  const state = new nn.BatchNorm1d(64).stateDict();
  await checkpoint.saveSafetensors(path, state);
  const loaded = await checkpoint.loadSafetensors(path);
  return [...state].every(([key, each]) => each.data.join() === loaded.get(key)?.data.join());
}

function inWorker(): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const worker = new Worker(new URL('round.mjs', import.meta.url), { execArgv: [] });
    worker.once('message', (hash: string) => (answer = hash));
    worker.once('error', reject);
    worker.once('exit', () => resolve(answer));
  });
}

function count(folder: string): number {
  return process.platform === 'linux' ? readdirSync(folder).length : 0;
}

async function soak(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new RangeError(`expected minutes above 0, got ${values.minutes}.`);
  const period = Math.min(60, (minutes * 60) / 10) * 1000;
  const expected = await round();
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-soak-'));
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const samples: { t: number; memory: NodeJS.MemoryUsage }[] = [];
  const periods: { fds: number; threads: number }[] = [];
  const problems: string[] = [];
  let [rounds, workers] = [0, 0];
  for (let next = period; seconds() < minutes * 60 && problems.length === 0; next += period) {
    const times: number[] = [];
    while (seconds() * 1000 < next) {
      const before = performance.now();
      const hash = await round();
      times.push(performance.now() - before);
      if (hash !== expected) problems.push(`round ${rounds} gave ${hash}`);
      if (++rounds % 20 === 0) {
        workers++;
        const theirs = await inWorker();
        if (theirs !== expected) problems.push(`Worker ${workers} gave ${theirs}`);
        if (!(await throughFile(join(folder, 'state.safetensors'))))
          problems.push('a file differs');
      }
      if (rounds % 10 !== 0) continue;
      collectGarbage();
      samples.push({ t: seconds(), memory: process.memoryUsage() });
    }
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
    const state = { fds: count('/proc/self/fd'), threads: count('/proc/self/task') };
    periods.push(state);
    console.log(
      `${seconds().toFixed(0).padStart(6)} s  hash ${expected}  ${rounds} rounds  ` +
        `rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB  fds ${state.fds}  threads ${state.threads}  ` +
        `p99 ${p99.toFixed(1)} ms`,
    );
  }
  rmSync(folder, { recursive: true });
  // The first part warms up: code, the pools, V8's heap.
  const warm = samples.filter(({ t }) => t > minutes * 60 * 0.3);
  for (const name of MEASURES) {
    const { slope, half } = slopeOf(warm.map(({ t, memory }) => [t, memory[name]]));
    // Growth: even the lowest slope has come to more than the 4 MB by which allocators' steps go up and down, and to
    // more than the 0.3 kB/s that Node keeps of Workers that have ended.
    const [low, high] = [slope - half, slope + half];
    const grown = low * minutes * 60 * 0.7;
    const [middle, from, to] = [slope, low, high].map((each) => (each / 1e3).toFixed(2));
    console.log(`${name.padEnd(12)} ${middle} kB/s, 95 %: ${from} to ${to}`);
    if (low > 1e3 && grown > 4e6) problems.push(`${name} grew by ${(grown / 1e6).toFixed(1)} MB`);
  }
  const [first, last] = [periods[1] ?? periods[0], periods.at(-1)];
  for (const name of ['fds', 'threads'] as const) {
    if (last![name] > first![name]) problems.push(`${name}: ${first![name]}, then ${last![name]}`);
  }
  for (const problem of problems) console.error(`soak: ${problem}`);
  const verdict = problems.length === 0 ? 'no drift' : `${problems.length} problems`;
  console.log(
    `soak: ${rounds} rounds, ${workers} Workers, ${minutes} minutes on ${native.isa}: ${verdict}`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}

await soak();
