// PyTorch, in a Python process of its own (pytorch.py beside this file): `python3`, or the one that
// EVENKEEL_PYTHON names. Arrays are handed over as files; turns are commanded here and timed there.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import type { Floats, Job } from '../data.js';
import { DROPOUT, LR, MOMENTUM } from '../data.js';
import { CONVOLUTIONS } from '../convolutions.js';
import { Absent, type Contender, type Peer } from '../contender.js';

/** Where no process can be stopped: libgomp's workers spin for a few ms after a parallel loop. */
const SETTLE_MS = process.platform === 'win32' ? 5 : 0;

export const TORCH = 'PyTorch';

interface Answer {
  readonly error?: string;
  readonly version?: string;
  readonly threads?: number;
  readonly us?: number;
}

type Ask = (command: Readonly<Record<string, unknown>>) => Promise<Answer>;

export async function openTorch(
  python = process.env['EVENKEEL_PYTHON'] ?? 'python3',
): Promise<Peer> {
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'ignore'], env: untuned() });
  const answers = answersOf(child);
  const hello = await answers
    .next()
    .catch((error: unknown): Answer => ({ error: (error as Error).message }));
  if (hello.error !== undefined) {
    child.kill();
    throw new Absent(`${hello.error} (${python}; EVENKEEL_PYTHON names another Python)`);
  }
  const end = (): void => void child.kill('SIGKILL'); // one that is stopped would not see the end of its input
  process.once('exit', end);
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  // Between its turns the process stands still: the threads of OpenBLAS spin for 25 ms after a product, and would take a
  // processor from whoever's turn is next.
  const ask: Ask = async (command) => {
    signal(child, 'SIGCONT');
    child.stdin.write(`${JSON.stringify(command)}\n`);
    try {
      return await answers.next();
    } finally {
      signal(child, 'SIGSTOP');
    }
  };
  return {
    name: TORCH,
    version: hello.version ?? 'unknown',
    contenders: (job) => contenders(job, ask, folder, hello.threads ?? 1),
    release: async () => {
      await ask({ do: 'release' });
    },
    close: async () => {
      signal(child, 'SIGCONT');
      child.stdin.end();
      await new Promise((resolve) => child.once('close', resolve));
      process.removeListener('exit', end);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The environment without what would hold PyTorch's libraries to other kernels, or to fewer threads, than they choose
 * by themselves: it is measured with all threads and with one.
 */
function untuned(): NodeJS.ProcessEnv {
  const tuning = /^(OPENBLAS|GOTO|OMP|GOMP|KMP|MKL|ONEDNN|DNNL|ATEN)_/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !tuning.test(name)));
}

function signal(child: Child, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (process.platform !== 'win32') child.kill(name);
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The lines that a process prints, one at a time; an end while one is awaited is an error. */
function answersOf(child: Child): { next(): Promise<Answer> } {
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[
    Symbol.asyncIterator
  ]();
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  child.stdin.on('error', () => undefined); // said by the answer that does not come
  return {
    next: async () => {
      const { done, value } = await Promise.race([lines.next(), failed]);
      if (done === true) throw new Error('its process has ended');
      return JSON.parse(value) as Answer;
    },
  };
}

async function contenders(
  job: Job,
  ask: Ask,
  folder: string,
  threads: number,
): Promise<Contender[]> {
  const asked = async (command: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const answer = await ask(command);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  };
  await asked({ do: 'case', ...handOver(job, folder) });
  emptyFolder(folder); // an interrupted run leaves no 134 MB behind
  return [...new Set([threads, 1])].map((count): Contender => {
    const how = count === 1 ? '1 thread' : `${count} threads`;
    return {
      who: TORCH,
      how,
      name: `${TORCH}, ${how}`,
      settle: SETTLE_MS,
      turn: async (calls) => (await asked({ do: 'turn', calls, threads: count })).us ?? NaN,
      output: async () => {
        const path = join(folder, 'output');
        await asked({ do: 'output', path });
        const { buffer } = new Uint8Array(readFileSync(path));
        emptyFolder(folder);
        return job.case.dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer);
      },
    };
  });
}

function emptyFolder(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
}

/** Writes the job's arrays and says where. */
function handOver(job: Job, folder: string): Record<string, unknown> {
  const write = (name: string, data: Floats | Int32Array): Record<string, string> => {
    const path = join(folder, name);
    writeFileSync(
      path,
      new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
    );
    return { [name]: path };
  };
  const { mode, operation, shape, dtype, layout, sumGradient } = job.case;
  const convolution = operation === null ? undefined : CONVOLUTIONS[operation];
  const common = {
    ...{ mode, operation, convolution, shape, dtype, layout, sumGradient },
    ...write('x', job.x),
  };
  if (job.step === null) {
    return {
      ...common,
      ...write('runningMean', job.runningMean),
      ...write('runningVar', job.runningVar),
      ...(job.dy !== null && write('dy', job.dy)),
    };
  }
  const { labels, fc1, fc2 } = job.step;
  return {
    ...common,
    ...{ lr: LR, momentum: MOMENTUM, dropout: DROPOUT },
    ...write('labels', labels),
    ...write('weight1', fc1.weight),
    ...write('bias1', fc1.bias),
    ...write('weight2', fc2.weight),
    ...write('bias2', fc2.bias),
  };
}
