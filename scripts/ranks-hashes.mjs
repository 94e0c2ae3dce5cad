// `node scripts/ranks-hashes.mjs` after a build: what the same training ends with on 1, 2, 3, 4 and 8 processes, by evenkeel, also
// with processes of other instruction sets and threads side by side, and by PyTorch's DistributedDataParallel
// (EVENKEEL_PYTHON: a python with torch; without it that part is left out), and a run that stops on four processes and goes
// on with two. --write: into docs/distributed-hashes.json, for docs/distributed.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { native } from 'evenkeel';

import { must, parseJson, root } from './tools.mjs';

/** @typedef {{ hash: string, torch?: string, parameters: Float32Array }} Found */

const { EVENKEEL_PYTHON: PYTHON = '' } = process.env;
const PROCESSES = [1, 2, 3, 4, 8];
const MODELS = ['MLP', 'MLP, two BatchNorms', 'Conv1d, two BatchNorms'];
const PLAN = {
  ...{ rows: 1536, features: 64, hidden: 96, classes: 10 },
  ...{
    batch: 384,
    steps: 20,
    lr: 0.1,
    momentum: 0.9,
    model: 'MLP, two BatchNorms',
    shuffle: false,
  },
};
/** Batches of 300 of 2000 rows: an epoch of 7 steps with a short last one, in an order of its own. */
const RESUMED = { ...PLAN, rows: 2000, batch: 300, steps: 1000, shuffle: true };
const HALF = 500;

const LAUNCHERS = /** @type {const} */ ({
  workers: ['--backend', 'workers'],
  'Open MPI': ['--allow-run-as-root'],
  MPICH: [],
});
const MPIRUN = { workers: '', 'Open MPI': 'mpirun.openmpi', MPICH: 'mpirun.mpich' };
/** Null: PyTorch was left out. @type {string | null} */
let torchVersion = null;
const program = join(root, 'scripts', 'ranks', 'hashes-program.mjs');

/** What rank 0 of a job ends with. @returns {Found} */
function trained(
  /** @type {keyof typeof LAUNCHERS} */ by,
  /** @type {number} */ processes,
  /** @type {object} */ plan,
  mixed = false,
) {
  const cli = join(root, 'dist', 'cjs', 'cli', 'main.js');
  const how = ['run', '-n', String(processes), '--threads', '1', ...LAUNCHERS[by], program];
  const isas = mixed ? { EVENKEEL_MIXED_ISAS: native.availableIsas.join() } : {};
  const env = { ...process.env, EVENKEEL_MPIRUN: MPIRUN[by], ...isas };
  return found([process.execPath, cli, ...how], { ...plan, mixed }, env);
}

/** The same of PyTorch. */
function torch(/** @type {number} */ processes, /** @type {string} */ model) {
  const script = join(root, 'scripts', 'ranks', 'hashes.py');
  const ended = found([PYTHON, script], { ...PLAN, processes, model }, process.env);
  torchVersion = ended.torch ?? null;
  return ended;
}

/** @returns {Found} */
function found(
  /** @type {string[]} */ [command = '', ...args],
  /** @type {object} */ plan,
  /** @type {NodeJS.ProcessEnv} */ env,
) {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-hashes-'));
  try {
    const out = join(folder, 'parameters');
    const printed = must(command, [...args, JSON.stringify({ ...plan, out })], { cwd: root, env });
    const line = printed.split('\n').find((each) => each.includes('{"')) ?? '';
    const parameters = new Float32Array(Uint8Array.from(readFileSync(out)).buffer);
    const said = /** @type {{ hash: string, torch?: string }} */ (
      parseJson(line.replace(/^[^{]*/, ''))
    );
    return { ...said, parameters };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The largest difference of two sets of parameters. */
function difference(/** @type {Found} */ one, /** @type {Found} */ other) {
  return one.parameters.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (other.parameters[i] ?? NaN))),
    0,
  );
}

/** Of each number of processes the hash, and how far it is from what one process has. */
function row(/** @type {(processes: number) => Found} */ train) {
  const all = PROCESSES.map(train);
  return all.map((each, i) => ({
    processes: PROCESSES[i],
    hash: each.hash.slice(0, 16),
    difference: Number(difference(/** @type {Found} */ (all[0]), each).toPrecision(2)),
  }));
}

function resumed(/** @type {keyof typeof LAUNCHERS} */ by) {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-resumed-'));
  try {
    const file = join(folder, 'run.safetensors');
    trained(by, 4, { ...RESUMED, steps: HALF, save: file });
    return trained(by, 2, { ...RESUMED, load: file, from: HALF }).hash.slice(0, 16);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const there = /** @type {(keyof typeof LAUNCHERS)[]} */ (Object.keys(LAUNCHERS)).filter(
  (by) => by === 'workers' || spawnSync(MPIRUN[by], ['--version']).error === undefined,
);
/** @type {{ who: string, model: string, found: ReturnType<typeof row> }[]} */
const hashes = [];
for (const model of MODELS) {
  for (const by of there) {
    hashes.push({ who: by, model, found: row((n) => trained(by, n, { ...PLAN, model })) });
    if (by === 'workers') continue; // are of one process, with one instruction set
    const mixed = row((n) => trained(by, n, { ...PLAN, model }, true));
    const isas = `${native.availableIsas.join(', ')}; 1 and 2 threads`;
    hashes.push({ who: `${by} (${isas})`, model, found: mixed });
  }
  if (PYTHON === '') console.log('PyTorch: left out, EVENKEEL_PYTHON names no python');
  else hashes.push({ who: 'PyTorch', model, found: row((n) => torch(n, model)) });
}
const unbroken = trained('workers', 1, RESUMED).hash.slice(0, 16);
const stopped = there.map((by) => ({ who: by, hash: resumed(by) }));
const all = {
  torch: torchVersion,
  steps: PLAN.steps,
  hashes,
  resume: { steps: RESUMED.steps, at: HALF, unbroken, stopped },
};
console.log(JSON.stringify(all, null, 2));
if (process.argv.includes('--write')) {
  writeFileSync(join(root, 'docs', 'distributed-hashes.json'), `${JSON.stringify(all, null, 2)}\n`);
}
const wrong =
  stopped.some(({ hash }) => hash !== unbroken) ||
  hashes.some(
    ({ who, model, found: each }) =>
      who !== 'PyTorch' &&
      each.some(
        ({ hash }) => hash !== hashes.find((other) => other.model === model)?.found[0]?.hash,
      ),
  );
if (wrong) {
  console.error('not one hash');
  process.exitCode = 1;
}
