// What several processes cost: one SyncBatchNorm over one BatchNorm, 2 MB of gradients, a training step of two processes
// of one thread over one process of two. `npx tsx bench/alone/ranks.ts [--json] [--rounds 21] [--calls 100] [--only TCP]` after a
// build, on two cores, for Workers and each MPI that is there. --save writes what was measured into
// docs/distributed-costs.json and leaves the other ways in it as they are; from it `node scripts/distributed-page.mjs` makes the table of docs/distributed.md. Beside each
// figure is what it cannot be below here: layers whose processes only meet, bytes that are only sent, processes apart.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { distributed } from 'evenkeel/distributed';

import { table } from './turns.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '21' },
    calls: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
    // for the process that starts Workers
    workers: { type: 'string' },
  },
});

/** µs: `meeting` is what a BatchNorm takes more whose processes only meet as often. */
interface Layer {
  readonly channels: number;
  readonly plain: number;
  readonly sync: number;
  readonly extra: number;
  readonly meeting: number;
}

interface Found {
  readonly by: string;
  readonly layers: readonly Layer[];
  readonly gradients: { bytes: number; allReduce: number; reduceGradients: number; moving: number };
  readonly steps: { batch: number; alone: number; together: number; ratio: number; apart: number };
}

const PROGRAM = new URL('ranks-process.mjs', import.meta.url);
const SAVED = new URL('../../docs/distributed-costs.json', import.meta.url);
const CHANNELS = [64, 256, 1024];
/** µs more than BatchNorm. */
const MOST = { memory: 70, tcp: 100 };
/** Milliseconds for 2 MB, and the step over that of one process. */
const [MOST_GRADIENTS, MOST_STEP] = [0.6, 1.1];
const plan = {
  channels: CHANNELS,
  rows: 256,
  calls: Number(values.calls),
  rounds: Number(values.rounds),
  gradientBytes: 2 ** 21,
  batch: 8192,
  turns: Math.min(11, Number(values.rounds)),
  batches: [] as number[],
};

const OPEN_MPI = ['mpirun.openmpi', '--allow-run-as-root', '--bind-to', 'none', '-n', '2'];
const TCP = [
  '--mca',
  'pml',
  'ob1',
  '--mca',
  'btl',
  'self,tcp',
  '--mca',
  'btl_tcp_if_include',
  'lo',
];
const node = [process.execPath, fileURLToPath(PROGRAM), JSON.stringify(plan)];
const ways = [
  { name: 'Open MPI, memory', most: MOST.memory, command: [...OPEN_MPI, ...node] },
  { name: 'Open MPI, TCP', most: MOST.tcp, command: [...OPEN_MPI, ...TCP, ...node] },
  { name: 'MPICH, memory', most: MOST.memory, command: ['mpirun.mpich', '-n', '2', ...node] },
  {
    name: 'Workers',
    most: MOST.memory,
    command: [
      process.execPath,
      ...process.execArgv,
      process.argv[1]!,
      '--workers',
      JSON.stringify(plan),
    ],
  },
];

if (values.workers === undefined) report();
else
  await distributed.spawn(PROGRAM, {
    workers: 2,
    workerData: JSON.parse(values.workers) as unknown,
  });

function report(): void {
  const all: ({ readonly name: string } & Found)[] = [];
  for (const { name, command } of ways) {
    if (!name.includes(values.only)) continue;
    const [program = '', ...args] = command;
    if (spawnSync(program, ['--version']).error !== undefined) {
      console.error(`${name}: no ${program} here`);
      continue;
    }
    const env = { ...process.env, EVENKEEL_THREADS: '1' };
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`${name}: code ${status}\n${stdout}${stderr}`);
    all.push({ name, ...(JSON.parse(stdout) as Found) });
  }
  if (values.save) save(all);
  if (values.json) console.log(JSON.stringify(all, null, 2));
  else print(all);
}

function save(all: readonly ({ readonly name: string } & Found)[]): void {
  const saved = existsSync(SAVED)
    ? (JSON.parse(readFileSync(SAVED, 'utf8')) as { costs: typeof all }).costs
    : [];
  const costs = ways.flatMap(({ name }) => {
    const found = [...all, ...saved].find((each) => each.name === name);
    return found === undefined ? [] : [found];
  });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  writeFileSync(SAVED, `${JSON.stringify({ machine, costs }, null, 2)}\n`);
}

function print(all: readonly ({ readonly name: string } & Found)[]): void {
  console.log(`SyncBatchNorm over BatchNorm, forward and backward of ${plan.rows} rows, µs more`);
  const titles = CHANNELS.flatMap((c) => [`C = ${c}`, 'meeting']);
  const layers = table(20, [...titles, 'at most'], 1);
  for (const { name, layers: found } of all) {
    const { most } = ways.find((each) => each.name === name)!;
    layers(name, [...found.flatMap(({ extra, meeting }) => [extra, meeting]), most]);
  }
  console.log('\n2 MB of gradients, ms');
  const gradients = table(20, ['allReduce', 'reduceGradients', 'bytes alone', 'at most']);
  for (const { name, gradients: found } of all) {
    gradients(name, [...[found.allReduce, found.reduceGradients, found.moving], MOST_GRADIENTS]);
  }
  console.log(`\na step of ${plan.batch} rows, 784-256-128-10, ms`);
  const steps = table(20, ['1 × 2 threads', '2 × 1 thread', 'ratio', 'apart', 'at most']);
  for (const { name, steps: found } of all) {
    steps(name, [found.alone, found.together, found.ratio, found.apart, MOST_STEP]);
  }
}
