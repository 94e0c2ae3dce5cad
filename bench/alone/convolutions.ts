// Conv1d's native calls in turns with PyTorch's convolutions, with bare copies and with the multiply-adds' peak: `npm run build`, then
// `EVENKEEL_PYTHON=<python with torch> npx tsx bench/alone/convolutions.ts [turns]`. Needs a C++ compiler. Writes
// docs/convolutions.json, of which bench/page-figures.ts makes the table of docs/performance.md.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { CONVOLUTIONS } from '../convolutions.js';
import { nativeCalls } from '../native-time.js';

// After the addon's calls can be seen: the package is loaded here.
const { native } = await import('evenkeel');
const addon = nativeCalls();

const turns = Number(process.argv[2] ?? 6);
/** Milliseconds of a turn, of each contender. */
const TURN_MS = 20;
/** OpenBLAS' workers spin for 25 ms after a product. */
const SETTLE_MS = 30;
const threads = cpus().length;
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/** A program that answers each line with a line. */
function program(
  command: string,
  ...args: string[]
): { ask: (line: string) => Promise<string>; end: () => void } {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`);
      const { value } = (await lines.next()) as { value: string | undefined };
      if (value === undefined) throw new Error(`${command} has ended.`);
      return value;
    },
    end: () => child.stdin.end(),
  };
}

/** bench/peers/peak.cc, compiled for this machine. */
function peakProgram(): ReturnType<typeof program> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-peak-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const compiler = process.env['CXX'] ?? 'c++';
  const args = ['-O3', '-march=native', '-std=c++17', '-pthread', at('../peers/peak.cc')];
  const { status, stderr } = spawnSync(compiler, [...args, '-o', join(folder, 'peak')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${compiler} could not compile peak.cc: ${stderr}`);
  return program(join(folder, 'peak'));
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const waves = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(0.37 * i));

interface Calls {
  readonly forward: () => void;
  readonly backward: () => void;
  /** Bytes that a call reads or writes at least, and multiplications and additions of the forward. */
  readonly bytes: Readonly<Record<'forward' | 'backward', number>>;
  readonly operations: number;
}

function callsOf({ shape, weight, options = {} }: (typeof CONVOLUTIONS)[string]): Calls {
  const [samples = 0, channels = 0, length = 0] = shape;
  const [out = 0, inner = 0, taps = 0] = weight;
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const outLength = Math.floor((length + 2 * padding - dilation * (taps - 1) - 1) / stride) + 1;
  const sizes = [
    ...([samples, channels, out, groups, length, outLength, taps] as const),
    ...([stride, dilation, padding] as const),
  ] as const;
  const [x, w, b] = [shape, weight, [out]].map((size) => waves(elements(size))) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const dy = waves(samples * out * outLength);
  const [y, dx, dw, db] = [dy, x, w, b].map(({ length: size }) => new Float32Array(size)) as [
    ...[Float32Array, Float32Array, Float32Array, Float32Array],
  ];
  return {
    forward: () => addon.conv1d(x, w, b, y, ...sizes),
    backward: () => {
      addon.conv1dTransposed(dy, w, null, dx, ...sizes);
      addon.conv1dWeightGradient(x, dy, dw, null, ...sizes);
      addon.channelSums(dy, db, samples, out, outLength);
    },
    bytes: { forward: 4 * (x.length + y.length), backward: 4 * 2 * (x.length + y.length) },
    operations: 2 * y.length * inner * taps,
  };
}

/** Microseconds of each call of a turn. */
function timesOf(call: () => void): number[] {
  const times: number[] = [];
  call();
  const end = performance.now() + TURN_MS;
  do {
    const start = performance.now();
    call();
    times.push(1e3 * (performance.now() - start));
  } while (times.length < 5 || performance.now() < end);
  return times;
}

/** The fastest twentieth. */
function fastest(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 20)]!;
}

const peak = peakProgram();
const torch = program(process.env['EVENKEEL_PYTHON'] ?? 'python3', at('../peers/convolutions.py'));
const { version } = JSON.parse(await torch.ask('{"do":"hello"}')) as { version: string };
const peaks: number[] = [];
const shapes: Record<string, unknown> = {};
for (const [name, convolution] of Object.entries(CONVOLUTIONS)) {
  const { shape, weight, options = {} } = convolution;
  await torch.ask(JSON.stringify({ do: 'shape', shape, weight, options }));
  const calls = callsOf(convolution);
  const result: Record<string, unknown> = { operations: calls.operations };
  for (const pass of ['forward', 'backward'] as const) {
    // A copy of half the bytes reads and writes all of them.
    const [from, to] = [0, 0].map(() => new Float32Array(calls.bytes[pass] / 8)) as [
      Float32Array,
      Float32Array,
    ];
    const own: number[] = [];
    const copies: number[] = [];
    const peers = [1, threads].map((): number[] => []);
    for (let turn = 0; turn < turns; turn++) {
      own.push(...timesOf(calls[pass]));
      copies.push(...timesOf(() => addon.bareCopy(from, to, from.length)));
      peaks.push(Number(await peak.ask(String(threads))));
      for (const [i, count] of [1, threads].entries()) {
        const command = JSON.stringify({ do: 'turn', pass, threads: count, ms: TURN_MS });
        peers[i]!.push(...(JSON.parse(await torch.ask(command)) as { times: number[] }).times);
        await settle();
      }
    }
    result[pass] = {
      ...{ evenkeel: fastest(own), copy: fastest(copies) },
      pytorch: Math.min(...peers.map(fastest)),
    };
  }
  shapes[name] = result;
}
torch.end();
peak.end();
const machine = {
  ...{ date: new Date().toISOString().slice(0, 10), cpu: cpus()[0]!.model, cores: threads },
  ...{ threads: native.threads, isa: native.isa, node: process.version, pytorch: version },
  ...{ turns, loadAfter: loadavg()[0] },
  peak: peaks.sort((a, b) => a - b)[Math.floor(peaks.length / 2)],
};
const text = JSON.stringify({ machine, shapes }, null, 2);
writeFileSync(at('../../docs/convolutions.json'), `${text}\n`);
console.log(text);
