// `node scripts/distributed-page.mjs` after a build: the tables and the chart of docs/distributed.md, from
// docs/distributed.json, docs/distributed-costs.json (bench/alone/ranks.ts), docs/distributed-ends.json (scripts/ends.mjs),
// docs/distributed-hashes.json and the model of scripts/ranks/scale.mjs. --measure: measures that first, between two hosts, which
// needs root and Linux; --check: writes nothing, and exits with 1 where the page has something else.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

import { makeHosts } from '../test/helpers/hosts.mjs';

import { exchange, MLP, NETWORKS } from './ranks/scale.mjs';
import { built, parseJson, root } from './tools.mjs';

/** @typedef {{ barrier: number, bytesPerSecond: number, steps: { batch: number, compute: number, waiting: number, measured: number }[] }} Found */

const PAGE = join(root, 'docs', 'distributed.md');
const PICTURE = join(root, 'docs', 'pictures', 'scale.svg');
const SHOWN = /** @type {const} */ ([
  ['InfiniBand', 8192, 'green'],
  ['10 Gb/s Ethernet', 65536, 'blue'],
  ['10 Gb/s Ethernet', 8192, 'orange'],
  ['10 Gb/s Ethernet', 1024, 'red'],
]);
const PROCESSES = [1, 2, 4, 8, 16, 32, 64, 128];

const DATA = join(root, 'docs', 'distributed.json');
if (process.argv.includes('--measure')) measure();
const { hosts } = /** @type {{ hosts: Record<string, Found> }} */ (
  parseJson(readFileSync(DATA, 'utf8'))
);
/** @typedef {{ who: string, model: string, found: { processes: number, hash: string, difference: number }[] }} Hashes */
const { hashes } = /** @type {{ hashes: Hashes[] }} */ (
  parseJson(readFileSync(join(root, 'docs', 'distributed-hashes.json'), 'utf8'))
);
/**
 * @typedef {object} Cost
 * @property {string} name
 * @property {{ channels: number, extra: number, meeting: number }[]} layers
 * @property {{ allReduce: number, moving: number }} gradients
 * @property {{ ratio: number, apart: number }} steps
 */
const { costs } = /** @type {{ costs: Cost[] }} */ (
  parseJson(readFileSync(join(root, 'docs', 'distributed-costs.json'), 'utf8'))
);
/** @typedef {{ mpi: string, end: string, times: number, right: number, codes: number[], seconds: number[] }} Ended */
const { ends } = /** @type {{ ends: Ended[] }} */ (
  parseJson(readFileSync(join(root, 'docs', 'distributed-ends.json'), 'utf8'))
);
const old = readFileSync(PAGE, 'utf8');
const page = /** @type {[string, string[][]][]} */ ([
  ['two hosts', hostsTable()],
  ['hashes', hashesTable()],
  ['costs', costsTable()],
  ['ends', endsTable()],
]).reduce((text, [name, rows]) => withTable(text, name, rows), old);
const chart = picture();
if (process.argv.includes('--check')) {
  process.exitCode = page === old && chart === readFileSync(PICTURE, 'utf8') ? 0 : 1;
} else {
  writeFileSync(PAGE, page);
  writeFileSync(PICTURE, chart);
}

/** Two processes of one thread, each on a host, by each MPI. */
function measure() {
  const hosts = makeHosts();
  if (typeof hosts === 'string') throw new Error(`two hosts: ${hosts}`);
  /** @type {Record<string, Found>} */
  const found = {};
  const plan = {
    ...{ channels: [], rows: 0, calls: 0, rounds: 5, gradientBytes: 0, batch: 0, turns: 5 },
    batches: [512, 2048, 8192],
  };
  const program = join(root, 'bench', 'alone', 'ranks-process.mjs');
  const own = [process.execPath, program, JSON.stringify(plan)];
  const where = hosts.names.map((each) => `${each}:1`).join(',');
  const mpirun = ['--allow-run-as-root', '--bind-to', 'none', '-x', 'EVENKEEL_THREADS'];
  try {
    for (const [name, command] of /** @type {const} */ ([
      ['Open MPI', ['mpirun.openmpi', ...mpirun, '-n', '2', '--host', where, ...own]],
      ['MPICH', ['mpirun.mpich', '-n', '2', '-hosts', where, ...own]],
    ])) {
      const [start = '', ...args] = hosts.on(command);
      const env = { ...process.env, ...hosts.env, EVENKEEL_THREADS: '1' };
      const { stdout, stderr, status } = spawnSync(start, args, { encoding: 'utf8', env });
      if (status !== 0) throw new Error(`${name}: code ${String(status)}\n${stdout}${stderr}`);
      found[name] = /** @type {{ network: Found }} */ (parseJson(stdout)).network;
    }
  } finally {
    hosts.remove();
  }
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  writeFileSync(DATA, `${JSON.stringify({ machine, hosts: found }, null, 2)}\n`);
}

/** The page with a table between its marks. */
function withTable(
  /** @type {string} */ text,
  /** @type {string} */ name,
  /** @type {string[][]} */ rows,
) {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/distributed.md has no ${begin}`);
  return `${before}${begin}\n\n${markdown(rows)}\n\n${end}${after}`;
}

/** Of scripts/ranks-hashes.mjs. */
function hashesTable() {
  const counts = hashes[0]?.found.map(({ processes }) => `on ${processes}`) ?? [];
  const rows = hashes.map(({ who, model, found }) => [
    model,
    who === 'PyTorch' ? 'PyTorch DDP, gloo' : `evenkeel, ${who === 'workers' ? 'Workers' : who}`,
    ...found.map(({ hash }) => `\`${hash.slice(0, 8)}\``),
    String(Math.max(...found.map(({ difference }) => difference))),
  ]);
  return [['model', 'by', ...counts, 'largest difference'], ...rows];
}

/** Each figure, and after the slash the least that it could be. */
function costsTable() {
  const channels = costs[0]?.layers.map((layer) => `${layer.channels} channels`) ?? [];
  const head = ['by', ...channels, '2 MB of gradients', 'step of 8192 rows'];
  const rows = costs.map(({ name, layers, gradients, steps }) => [
    name,
    ...layers.map(({ extra, meeting }) => `${extra.toFixed(0)} / ${meeting.toFixed(0)} µs`),
    `${gradients.allReduce.toFixed(2)} / ${gradients.moving.toFixed(2)} ms`,
    `${steps.ratio.toFixed(2)} / ${steps.apart.toFixed(2)}`,
  ]);
  return [head, ...rows];
}

/** Of scripts/ends.mjs. */
function endsTable() {
  const what = {
    kill: 'kill -9 of one process',
    term: 'SIGTERM to one process',
    throw: 'one process throws',
    early: 'one process ends well before the others',
    layer: 'one process leaves a layer out',
    silent: 'one process does not come; deadline 3 s',
    network: 'the network between two hosts is cut; deadline 3 s',
  };
  const mpis = [...new Set(ends.map(({ mpi }) => mpi))];
  const rows = Object.entries(what).map(([end, text]) => [
    text,
    ...mpis.flatMap((mpi) => {
      const found = ends.find((each) => each.mpi === mpi && each.end === end);
      if (found === undefined) throw new Error(`docs/distributed-ends.json has no ${mpi}, ${end}`);
      const { times, right, codes, seconds } = found;
      return [`${right} of ${times}`, codes.join(', '), `${seconds.at(-1)?.toFixed(1)} s`];
    }),
  ]);
  return [['end', ...mpis.flatMap((mpi) => [mpi, 'code', 'longest'])], ...rows];
}

function hostsTable() {
  const head = [
    'MPI',
    'latency',
    'GB/s',
    'rows',
    'without the other',
    'with its waits',
    'predicted',
    'measured',
    'of the ideal',
  ];
  const rows = Object.entries(hosts).flatMap(([mpi, { barrier, bytesPerSecond, steps }]) =>
    steps.map(({ batch, compute, waiting, measured }, i) => {
      const network = { latency: barrier / 1e6, bytesPerSecond };
      const predicted = waiting + 1000 * exchange(network, 2, MLP);
      return [
        ...(i === 0
          ? [mpi, `${barrier.toFixed(0)} µs`, (bytesPerSecond / 1e9).toFixed(1)]
          : ['', '', '']),
        String(batch),
        ...[compute, waiting, predicted, measured].map((ms) => `${ms.toFixed(1)} ms`),
        `${((100 * compute) / measured).toFixed(0)} %`,
      ];
    }),
  );
  return [head, ...rows];
}

/** As Prettier has it. */
function markdown(/** @type {string[][]} */ rows) {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(3, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...rest] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n');
}

function picture() {
  const { lines, pictureFile } =
    /** @type {Pick<typeof import('../src/report/index.js'), 'lines' | 'pictureFile'>} */ (
      built('report', 'index.js')
    );
  const last = Object.values(hosts)[0]?.steps.at(-1);
  if (last === undefined) throw new Error('docs/distributed.json has no steps');
  const row = last.compute / 1000 / (last.batch / 2);
  return pictureFile(
    lines({
      title: 'One batch on more and more processes',
      summary:
        'The model above, not a measurement: part of the ideal speed of training 784-256-128-10, one thread a process.',
      x: { title: 'processes', scale: 'logarithmic', base: 2, tick: String },
      y: { title: 'of the ideal speed', scale: 'linear', tick: percent, min: 0, max: 1 },
      lines: SHOWN.map(([name, batch, colour]) => ({
        name: `${name}, ${batch.toLocaleString('en-US')} rows`,
        colour,
        points: PROCESSES.map((processes) => {
          const alone = (row * batch) / processes;
          const y = alone / (alone + exchange(NETWORKS[name], processes, MLP));
          return { x: processes, y, hint: `${processes} processes: ${percent(y)}` };
        }),
      })),
    }),
  );
}

function percent(/** @type {number} */ share) {
  return `${Math.round(100 * share)} %`;
}
