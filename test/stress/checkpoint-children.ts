// Reads files in child processes with little memory, so that one that explodes dies alone and is known. A
// child lives on from file to file; what it says is too much is asked again of a fresh one, which has read
// nothing else.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Verdict {
  /** 'read', 'refused', or what is wrong. */
  readonly outcome: string;
  readonly message: string;
  /** A hash of what was read. */
  readonly contents: string;
  /** Of the child's CPU time. */
  readonly ms: number;
  /** The most memory that the child has had at any time, beyond what it had before its first file. */
  readonly grown: number;
}

/** loadTorch, loadSafetensors, loadTorch with { key: 'model' }. */
export type FormatCode = 0 | 1 | 2;

const MEGABYTE = 2 ** 20;
/** Of the heap, and of the data segment as a whole (with Node's own). */
const HEAP_MEGABYTES = 512;
const DATA_KILOBYTES = 1024 * 1024;
const MOST_MS = 1000;
/** A child that works for so long on one file is stopped; where its CPU time cannot be asked, by the clock. */
const WORKED_MS = 5 * MOST_MS;
const SILENT_MS = 120_000;
const ASKED_EVERY_MS = 200;
const SPENT = 56 * MEGABYTE;
// Of the first part V8's young generation takes up to 48 MB, before it collects on a busy machine.
const grownAllowed = (bytes: Uint8Array): number => 96 * MEGABYTE + 10 * bytes.length;

const program = fileURLToPath(new URL('checkpoint-child.mjs', import.meta.url));
const valid = readFileSync(new URL('../golden/data/checkpoints/model.pt', import.meta.url));

class Child {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private stderr = '';
  readonly ready: Promise<unknown>;

  constructor() {
    const node = `ulimit -d ${DATA_KILOBYTES}; exec "$0" "$@"`;
    const flags = [`--max-old-space-size=${HEAP_MEGABYTES}`, program];
    const isPosix = process.platform === 'linux';
    this.process = isPosix
      ? spawn('/bin/sh', ['-c', node, process.execPath, ...flags])
      : spawn(process.execPath, flags);
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.process.stdin.on('error', () => undefined); // it has died: the line that never comes says so
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.ready = this.read(0, valid);
  }

  async read(format: FormatCode, bytes: Uint8Array): Promise<Verdict> {
    const frame = Buffer.alloc(5);
    frame.writeUInt32LE(bytes.length);
    frame[4] = format;
    this.process.stdin.write(frame);
    this.process.stdin.write(bytes);
    const start = performance.now();
    const before = cpuMsOf(this.process.pid);
    const timer = setInterval(() => {
      const worked = cpuMsOf(this.process.pid) - before;
      if (worked > WORKED_MS || performance.now() - start > SILENT_MS) this.process.kill('SIGKILL');
    }, ASKED_EVERY_MS);
    const { done, value } = await this.lines.next();
    clearInterval(timer);
    if (done !== true) return JSON.parse(value) as Verdict;
    const { exitCode, signalCode } = this.process;
    if (exitCode === null && signalCode === null) await once(this.process, 'exit');
    const how = this.process.signalCode ?? `code ${this.process.exitCode}`;
    return {
      outcome: `the process ended (${how})`,
      message: this.stderr.slice(-2000),
      contents: '',
      ms: 0,
      grown: 0,
    };
  }

  stop(): void {
    this.process.kill('SIGKILL');
  }
}

/** The CPU time of a process so far, in ticks of 10 ms; 0 where there is no /proc. */
function cpuMsOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

/** What is wrong with a verdict, or nothing. */
function excess({ outcome, ms, grown }: Verdict, bytes: Uint8Array): string | null {
  if (outcome !== 'read' && outcome !== 'refused') return outcome;
  if (ms > MOST_MS) return `took ${ms.toFixed(0)} ms`;
  if (grown > grownAllowed(bytes)) return `took ${(grown / MEGABYTE).toFixed(0)} MB`;
  return null;
}

export class Reader {
  private child: Child | null = null;

  /** Reads a file; throws for what no file may do. */
  async read(format: FormatCode, bytes: Uint8Array): Promise<Verdict> {
    this.child ??= new Child();
    await this.child.ready;
    let verdict = await this.child.read(format, bytes);
    if (excess(verdict, bytes) !== null) {
      // the files before it may have left their garbage, or the machine may be busy
      this.stop();
      this.child = new Child();
      await this.child.ready;
      verdict = await this.child.read(format, bytes);
    }
    const problem = excess(verdict, bytes);
    // The most memory that a process had never falls: a child that has grown would fail every small file.
    if (problem !== null || verdict.grown > SPENT) this.stop();
    if (problem !== null)
      throw new Error(`${problem}, a file of ${bytes.length} bytes: ${verdict.message}`);
    return verdict;
  }

  stop(): void {
    this.child?.stop();
    this.child = null;
  }
}
