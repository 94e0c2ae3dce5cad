// A whole training step of three models against PyTorch's, in turns, and where the time of ours goes: `npm run build`,
// then `EVENKEEL_PYTHON=<python with torch> npx tsx bench/training-steps.ts [turns]`. Writes docs/training-steps.json.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { timeCalls } from './native-time.js';
import type { Model } from './training-models.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const turns = Number(process.argv[2] ?? 15);
/** Milliseconds of a turn, of each contender. */
const TURN_MS = 250;
/** libgomp's workers spin for a few ms after a parallel loop. */
const SETTLE_MS = 20;

interface Answer {
  readonly ms?: number;
  readonly version?: string;
  readonly error?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** PyTorch, at its other end: bench/peers/training-steps.py. */
function torch(): { ask: (command: object) => Promise<Answer>; child: Child } {
  const script = fileURLToPath(new URL('peers/training-steps.py', import.meta.url));
  const child = spawn(process.env['EVENKEEL_PYTHON'] ?? 'python3', [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command: object): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    const { value } = (await lines.next()) as { value: string | undefined };
    if (value === undefined) throw new Error('PyTorch has ended.');
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  };
  return { ask, child };
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const median = (values: readonly number[]): number =>
  sorted(values)[Math.floor(values.length / 2)]!;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/** Milliseconds of a step, over as many as fill a turn. */
function turnOf(step: () => void, steps: number): number {
  const start = performance.now();
  for (let i = 0; i < steps; i++) step();
  return (performance.now() - start) / steps;
}

async function compare(
  model: Model,
  ask: ReturnType<typeof torch>['ask'],
): Promise<Record<string, unknown>> {
  const { name, step } = model;
  await ask({ do: 'model', name });
  const threads = cpus().length;
  const contenders = [
    { key: 'evenkeel', turn: (steps: number) => Promise.resolve(turnOf(step, steps)) },
    ...[threads, 1].map((count) => ({
      key: `pytorch${count}`,
      turn: async (steps: number) => (await ask({ do: 'turn', steps, threads: count })).ms!,
    })),
  ];
  const counts: number[] = [];
  for (const { turn } of contenders) {
    await turn(3); // compiled, and its memory warm
    await settle();
    counts.push(Math.max(2, Math.round(TURN_MS / (await turn(2)))));
  }
  const times = contenders.map((): number[] => []);
  for (let i = 0; i < turns; i++) {
    for (const [j, { turn }] of contenders.entries()) {
      await settle();
      times[j]!.push(await turn(counts[j]!));
    }
  }
  const ours = times[0]!;
  // PyTorch at its faster, in each turn beside ours.
  const ratios = ours.map((each, i) => Math.min(times[1]![i]!, times[2]![i]!) / each);
  const [low, high] = [0.25, 0.75].map((q) => sorted(ratios)[Math.floor(q * ratios.length)]!);
  return {
    ...{ batch: model.batch, parameters: model.parameters },
    milliseconds: Object.fromEntries(contenders.map(({ key }, i) => [key, median(times[i]!)])),
    ratio: { median: median(ratios), low, high },
    shares: sharesOf(step),
  };
}

/** Of more steps, the part of each native call, the largest first; what is left is JavaScript. */
function sharesOf(step: () => void): Record<string, number> {
  const { result: total, spent } = timeCalls(() => 20 * turnOf(step, 20));
  const shares = [...spent].map(([call, ms]): [string, number] => [call, ms / total]);
  const rest = 1 - shares.reduce((sum, [, share]) => sum + share, 0);
  return Object.fromEntries([
    ...shares.filter(([, share]) => share >= 0.005).sort(([, a], [, b]) => b - a),
    [
      'JavaScript and smaller calls',
      rest + shares.reduce((s, [, x]) => s + (x < 0.005 ? x : 0), 0),
    ],
  ]);
}

// After the addon's calls can be timed: the package is loaded here.
const { native } = await import('evenkeel');
const { models } = await import('./training-models.js');
const { ask, child } = torch();
const { version } = await ask({ do: 'hello' });
const results: Record<string, unknown> = {};
for (const model of models()) results[model.name] = await compare(model, ask);
child.stdin.end();
const machine = {
  ...{ date: new Date().toISOString().slice(0, 10), cpu: cpus()[0]!.model, cores: cpus().length },
  ...{ threads: native.threads, isa: native.isa, node: process.version, pytorch: version },
  ...{ turns, loadAfter: loadavg()[0] },
};
const text = JSON.stringify({ machine, ...results }, null, 2);
writeFileSync(`${root}docs/training-steps.json`, `${text}\n`);
console.log(text);
