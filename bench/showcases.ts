// The three showcases and PyTorch's training of the same models on the same data: `npm run build`, then
// `EVENKEEL_PYTHON=<python with torch> npx tsx bench/showcases.ts`. Writes docs/showcases.json and the pictures of
// docs/showcases.md; test/packaging/showcases.test.ts compares the page with the figures.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { native, type Tensor } from 'evenkeel';

import { loadStrikes } from '../examples/birdstrikes/data.js';
import type { Importance } from '../examples/birdstrikes/importance.js';
import { importanceChart } from '../examples/birdstrikes/page.js';
import { loadDigits } from '../examples/digits/data.js';
import { accuracyChart, byEpoch, type Tested } from '../examples/page/accuracy.js';
import { pictureFile } from '../examples/page/room.js';
import { asPoints } from '../examples/pointnet/points.js';
import { loadMails } from '../examples/spam/data.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const python = process.env['EVENKEEL_PYTHON'] ?? 'python3';
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    // Saves what PyTorch has trained for the server.
    checkpoint: { type: 'boolean', default: false },
    // Epochs of PyTorch's, where a whole training takes too long.
    'peer-epochs': { type: 'string', default: '1000' },
  },
});

/** What PyTorch has trained, for examples/server; written with --checkpoint only. */
const CHECKPOINT = join(root, 'examples', 'server', 'pointnet.pt');

interface Epoch {
  readonly seconds: number;
  readonly running?: number;
  readonly recalibrated?: number;
  readonly auc?: number;
  readonly validation?: number;
}

interface Ours {
  readonly epochs: readonly (Epoch & {
    readonly losses: readonly number[];
    readonly findings?: readonly { readonly id: string }[];
  })[];
  readonly curve?: readonly Tested[];
  readonly importance?: readonly Importance[];
  readonly auc?: number;
  readonly bestEpoch?: number;
  readonly seconds: number;
}

interface Theirs {
  readonly version: string;
  readonly threads: number;
  readonly epochs: readonly Epoch[];
}

type Tensors = readonly Tensor[];

/** The data of an example, and so many epochs as it runs by itself. */
const SHOWCASES: Readonly<
  Record<string, { epochs: number; data: () => Record<string, Tensors | readonly number[]> }>
> = {
  pointnet: {
    epochs: 5,
    data: () => {
      const { train, test } = loadDigits();
      return { train: asPoints(train).tensors, test: asPoints(test).tensors };
    },
  },
  spam: {
    epochs: 8,
    data: () => {
      const { train, test } = loadMails();
      return { train: train.tensors, test: test.tensors };
    },
  },
  birdstrikes: {
    epochs: 40,
    data: () => {
      const { train, validation, test, sizes } = loadStrikes();
      return {
        ...{ train: train.tensors, validation: validation.tensors, test: test.tensors },
        sizes,
      };
    },
  },
};

function run(command: string, args: readonly string[]): unknown {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Writes the arrays as raw values, and what they are. */
function handOver(folder: string, parts: Record<string, Tensors | readonly number[]>): void {
  const arrays: Record<string, { shape: readonly number[]; dtype: string }> = {};
  let tensors = 0;
  for (const [name, part] of Object.entries(parts)) {
    if (name === 'sizes') continue;
    (part as Tensors).forEach(({ data, shape, dtype }, i) => {
      const { buffer, byteOffset, byteLength } = data;
      writeFileSync(join(folder, `${name}${i}`), new Uint8Array(buffer, byteOffset, byteLength));
      arrays[`${name}${i}`] = { shape, dtype };
    });
    tensors = part.length;
  }
  const about = { arrays, tensors, sizes: parts['sizes'] ?? null };
  writeFileSync(join(folder, 'data.json'), JSON.stringify(about));
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const secondsOf = (epochs: readonly Epoch[]): number =>
  median(epochs.map(({ seconds }) => seconds));

/** Ours, then PyTorch's with all threads, then an epoch or two of it with one. */
function showcase(name: string): Record<string, unknown> {
  const { epochs, data } = SHOWCASES[name]!;
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-showcase-'));
  try {
    handOver(folder, data());
    const example = ['--import', 'tsx', join('examples', `${name}.ts`), '--json'];
    const ours = run(process.execPath, example) as Ours;
    const peer = (threads: number, count: number): Theirs =>
      run(python, [
        join('bench', 'peers', 'showcases.py'),
        ...[name, folder, String(threads), String(count), String(epochs)],
        ...(options.checkpoint && name === 'pointnet' && count === epochs ? [CHECKPOINT] : []),
      ]) as Theirs;
    const count = Math.min(epochs, Number(options['peer-epochs']));
    const theirs = peer(cpus().length, count);
    const one = peer(1, Math.min(count, Math.max(2, Math.round(epochs / 10))));
    draw(name, ours);
    return {
      ...ours,
      epochs: ours.epochs.map(({ losses, findings, ...each }) => ({
        loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
        ...each,
        ...(findings && { findings: [...new Set(findings.map(({ id }) => id))] }),
      })),
      secondsAnEpoch: secondsOf(ours.epochs),
      pytorch: {
        version: theirs.version,
        epochs: theirs.epochs,
        secondsAnEpoch: { [theirs.threads]: secondsOf(theirs.epochs), 1: secondsOf(one.epochs) },
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function draw(name: string, { epochs, curve, importance }: Ours): void {
  const tested = epochs as readonly Omit<Tested, 'epoch'>[];
  const chart = importance ? importanceChart(importance) : accuracyChart(curve ?? byEpoch(tested));
  mkdirSync(join(root, 'docs', 'pictures'), { recursive: true });
  writeFileSync(join(root, 'docs', 'pictures', `${name}.svg`), pictureFile(chart));
}

const path = join(root, 'docs', 'showcases.json');
const machine = {
  ...{ date: new Date().toISOString().slice(0, 10), cpu: cpus()[0]!.model, cores: cpus().length },
  ...{ threads: native.threads, isa: native.isa, node: process.version },
};
const wanted = positionals.length === 0 ? Object.keys(SHOWCASES) : positionals;
for (const name of wanted) {
  const loadBefore = loadavg()[0];
  const result = { loadBefore, ...showcase(name) };
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as object) : {};
  writeFileSync(path, `${JSON.stringify({ ...before, machine, [name]: result }, null, 2)}\n`);
}
