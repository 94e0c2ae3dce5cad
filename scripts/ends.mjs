// How jobs of two processes end, each way many times, after a build:
// `node scripts/ends.mjs [--times 20] [--only network] [--mpi MPICH] [--save]`. --save adds what was found to
// docs/distributed-ends.json, so that it can be made in pieces. After each end it is looked whether the sentence and the
// exit code are there, in time, and whether a process is left anywhere. Network needs root and network namespaces;
// without, a line says so.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { makeHosts } from '../test/helpers/hosts.mjs';
import { parseJson, root, table } from './tools.mjs';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    mpi: { type: 'string', default: '' },
    save: { type: 'boolean', default: false },
  },
});

/** The deadline of the processes, ms; what the launcher may take beyond it, and to start. */
const [DEADLINE, MORE, START] = [3000, 12_000, 20_000];
const PROGRAM = fileURLToPath(new URL('ranks/program.mjs', import.meta.url));
const COMMAND = join(root, 'dist', 'cjs', 'cli', 'main.js');

/**
 * What is said, and the exit code: that of the process, or, null, any but 0 that the launcher makes of a signal.
 * @type {Record<string, { says: RegExp, codes: number[] | null }>}
 */
const ENDS = {
  kill: { says: /signal 9 has ended (rank 1 on \S+|one of them)/, codes: null },
  term: { says: /signal 15 has ended (rank 1 on \S+|one of them)/, codes: null },
  throw: { says: /rank 1 of 2 ended with code 1: Error: no such file: labels\.csv/, codes: [1] },
  early: { says: /PeerError: rank 1 of 2: ended before all-gather \d+ \(/, codes: [1] },
  layer: {
    says: /PeerError: the processes are at different places of the program: rank 0 in all-gather \d+ \(1, SyncBatchNorm forward\); rank 1 in all-gather \d+ \(gradients there are\)/,
    codes: [1],
  },
  silent: {
    says: /TimeoutError: rank 0 has waited 3 s in all-gather \d+ \(1, SyncBatchNorm forward\); no word from rank 1/,
    codes: [70],
  },
  network: {
    says: /TimeoutError: rank 0 has waited 3 s in (all-gather|all-reduce) \d+ \(.*\); (no word from rank 1|what it has sent has not arrived)/,
    codes: [70],
  },
};

const launchers = { 'Open MPI': 'mpirun.openmpi', MPICH: 'mpirun.mpich' };
/** @typedef {{ mpi: string, end: string, times: number, right: number, codes: number[], seconds: number[] }} Ended */
const DATA = join(root, 'docs', 'distributed-ends.json');
/** @type {Ended[]} */
const all = [];
let wrong = 0;
for (const [mpi, launcher] of Object.entries(launchers)) {
  if (!mpi.includes(values.mpi)) continue;
  if (spawnSync(launcher, ['--version']).error !== undefined) {
    console.log(`${mpi}: no ${launcher} here`);
    continue;
  }
  for (const end of Object.keys(ENDS)) {
    if (!end.includes(values.only)) continue;
    const found = [];
    for (let i = 0; i < Number(values.times); i++) found.push(await once(launcher, end));
    const skipped = found.find((each) => each.skipped !== undefined)?.skipped;
    if (skipped !== undefined) {
      console.log(`${mpi}, ${end}: skipped, ${skipped}`);
      continue;
    }
    const bad = found.filter((each) => each.problem !== '');
    wrong += bad.length;
    for (const { problem } of bad.slice(0, 2)) console.error(`${mpi}, ${end}: ${problem}`);
    all.push({
      mpi,
      end,
      times: found.length,
      right: found.length - bad.length,
      codes: [...new Set(found.map(({ code }) => code ?? NaN))],
      seconds: found.map((each) => Number(each.seconds.toFixed(1))).sort((a, b) => a - b),
    });
  }
}
const rows = all.map(({ mpi, end, times, right, codes, seconds }) => [
  ...[mpi, end, `${right} of ${times}`, codes.join(' ')],
  ...[seconds[seconds.length >> 1], seconds.at(-1)].map((each) => `${each?.toFixed(1)} s`),
]);
console.log(table([['MPI', 'end', 'right', 'code', 'takes', 'longest'], ...rows]));
if (values.save) save();
console.log(`ends: ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

/** Adds what was found to what was found before. */
function save() {
  const saved = /** @type {{ ends: Ended[] }} */ (
    existsSync(DATA) ? parseJson(readFileSync(DATA, 'utf8')) : { ends: [] }
  ).ends;
  for (const each of all) {
    const before = saved.find(({ mpi, end }) => mpi === each.mpi && end === each.end);
    if (before === undefined) {
      saved.push(each);
      continue;
    }
    before.times += each.times;
    before.right += each.right;
    before.codes = [...new Set([...before.codes, ...each.codes])];
    before.seconds = [...before.seconds, ...each.seconds].sort((a, b) => a - b);
  }
  writeFileSync(DATA, `${JSON.stringify({ ends: saved }, null, 2)}\n`);
}

/**
 * @param {string} launcher
 * @param {string} end
 * @returns {Promise<{ problem: string, seconds: number, code: number | null, skipped?: string }>}
 */
async function once(launcher, end) {
  const hosts = end === 'network' ? makeHosts() : null;
  if (typeof hosts === 'string') return { problem: '', seconds: 0, code: null, skipped: hosts };
  try {
    return await job(launcher, end, hosts);
  } finally {
    hosts?.remove();
  }
}

/**
 * @param {string} launcher
 * @param {string} end
 * @param {import('../test/helpers/hosts.mjs').Hosts | null} hosts
 */
async function job(launcher, end, hosts) {
  const mark = `${process.pid}-${Date.now()}`;
  const where = hosts === null ? [] : ['--hosts', hosts.names.join(',')];
  const asRoot = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  const call = [process.execPath, COMMAND, 'run', '-n', '2', '--threads', '1', ...asRoot, ...where];
  const command = [...call, PROGRAM, end, String(DEADLINE)];
  const [program = '', ...args] = hosts === null ? command : hosts.on(command);
  const child = spawn(program, args, {
    env: { ...process.env, ...hosts?.env, EVENKEEL_MPIRUN: launcher, EVENKEEL_ENDS: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let begun = 0;
  const read = (/** @type {Buffer} */ part) => {
    text += part.toString();
    if (begun > 0 || !text.includes('training')) return;
    begun = performance.now();
    if (end === 'network') setTimeout(() => hosts?.cable(false), 100);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const tooLong = setTimeout(() => child.kill('SIGKILL'), START + DEADLINE + MORE);
  /** @type {number | null} */
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(tooLong);
  const seconds = (performance.now() - begun) / 1000;
  const late = begun === 0 || seconds > (DEADLINE + MORE) / 1000;
  // The other host finds out by itself.
  for (let i = 0; i < 80 && left(mark).length > 0; i++) await wait(200);
  const still = left(mark);
  for (const pid of still) process.kill(pid, 'SIGKILL');
  const { says, codes } = /** @type {typeof ENDS[string]} */ (ENDS[end]);
  const problem = [
    says.test(text) ? '' : 'no sentence',
    code !== null && (codes === null ? code !== 0 : codes.includes(code))
      ? ''
      : `code ${String(code)}`,
    late ? `it took ${seconds.toFixed(1)} s` : '',
    still.length > 0 ? `${still.length} processes are left` : '',
  ]
    .filter((each) => each !== '')
    .join(', ');
  return { problem: problem === '' ? '' : `${problem}\n${text.slice(-3000)}`, seconds, code };
}

/** Processes of the job, by what is in their environment. */
function left(/** @type {string} */ mark) {
  return readdirSync('/proc')
    .filter((each) => {
      if (!/^\d+$/.test(each)) return false;
      try {
        return readFileSync(`/proc/${each}/environ`, 'latin1').includes(`EVENKEEL_ENDS=${mark}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
