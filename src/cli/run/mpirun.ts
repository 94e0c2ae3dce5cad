// The launcher of an MPI: which one there is, how it is called, and what its output says.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { TIMEOUT_CODE } from '../../distributed/errors.js';
import { Printer } from './printer.js';

/** @internal What is to be run. */
export interface Job {
  readonly program: string;
  readonly args: readonly string[];
  readonly processes: number;
  readonly hosts: readonly string[];
  readonly threads: number;
  readonly asRoot: boolean;
}

/** @internal */
export interface Launcher {
  readonly kind: 'Open MPI' | 'MPICH';
  readonly command: string;
  /** Its first line about itself. */
  readonly version: string;
}

/** @internal The first of EVENKEEL_MPIRUN, mpirun and mpiexec that is one; null where there is none. */
export function findLauncher(env: NodeJS.ProcessEnv): Launcher | null {
  const { EVENKEEL_MPIRUN: chosen = '' } = env;
  for (const command of chosen === '' ? ['mpirun', 'mpiexec'] : [chosen]) {
    const { stdout, error } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (error !== undefined) continue;
    if (/Open ?MPI|OpenRTE|PRTE/i.test(stdout)) {
      return { kind: 'Open MPI', command, version: stdout.split('\n')[0] ?? '' };
    }
    const version = /Version:\s*(\S+)/.exec(stdout)?.[1] ?? '';
    if (/HYDRA|MPICH/i.test(stdout)) return { kind: 'MPICH', command, version: `MPICH ${version}` };
  }
  return null;
}

/** The arguments of a launcher. */
function launcherArgs({ kind }: Launcher, job: Job): string[] {
  const { processes, hosts, program, args, asRoot } = job;
  const each = Math.ceil(processes / Math.max(1, hosts.length));
  const node = [process.execPath, program, ...args];
  if (kind === 'MPICH') {
    const where =
      hosts.length === 0 ? [] : ['-hosts', hosts.map((host) => `${host}:${each}`).join(',')];
    return ['-prepend-rank', '-n', String(processes), ...where, ...node];
  }
  // Bound to nothing: it would give each process one core otherwise. Tags say whose line it is.
  const where =
    hosts.length === 0
      ? ['--oversubscribe']
      : ['--host', hosts.map((host) => `${host}:${each}`).join(',')];
  const names = ['EVENKEEL_THREADS', 'NO_COLOR'].filter((name) => name !== 'NO_COLOR' || noColor());
  return [
    ...['-n', String(processes), '--bind-to', 'none', '--tag-output', ...where],
    ...(asRoot ? ['--allow-run-as-root'] : []),
    ...(hosts.length === 0 ? [] : names.flatMap((name) => ['-x', name])),
    ...node,
  ];
}

/** @internal Runs it. @returns Its exit code. */
export async function launch(launcher: Launcher, job: Job): Promise<number> {
  const { command, version } = launcher;
  console.error(
    `evenkeel run: ${job.processes} processes of ${job.threads} threads by ${command} (${version})`,
  );
  const env = {
    ...process.env,
    EVENKEEL_THREADS: String(job.threads),
    ...(noColor() ? { NO_COLOR: '1' } : {}),
  };
  const child = spawn(command, launcherArgs(launcher, job), {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, forward);
  const printer = new Printer();
  const aborted: number[] = [];
  const killed: string[] = [];
  const read = (stream: Readable, name: 'stdout' | 'stderr'): void => {
    createInterface({ input: stream }).on('line', (line) => {
      const pieces = piecesOf(launcher, line);
      for (const { rank, stream: of, text } of pieces) printer.print(rank, of ?? name, text);
      if (pieces.length === 0) process[name].write(`${line}\n`);
      const rank = /MPI_ABORT was invoked on rank (\d+)|MPI_Abort\(.*- process (\d+)/.exec(line);
      if (rank !== null) aborted.push(Number(rank[1] ?? rank[2]));
      const signal = signalOf(line);
      if (signal !== null) killed.push(signal);
    });
  };
  read(child.stdout, 'stdout');
  read(child.stderr, 'stderr');
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done, fail) => {
    child.on('error', fail);
    child.on('close', (...end) => {
      done(end);
    });
    // What it has started on other hosts may hold its output for longer than it lives.
    child.on('exit', (...end) => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        done(end);
      }, 2000).unref();
    });
    printer.end();
  });
  for (const each of SIGNALS) process.off(each, forward);
  const rank = aborted[0] ?? printer.failed[0];
  const why = rank === undefined ? null : printer.errorOf(rank);
  const isLate = why?.startsWith('TimeoutError') === true;
  const ended = isLate ? TIMEOUT_CODE : (code ?? (signal === 'SIGINT' ? 130 : 143));
  if (ended !== 0) {
    const who = rank === undefined ? 'the job' : `rank ${rank} of ${job.processes}`;
    const how = killed[0] === undefined ? '' : `: ${killed[0]}`;
    console.error(
      `evenkeel run: ${who} ended with code ${ended}${why === null ? how : `: ${why}`}`,
    );
  }
  return ended;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const noColor = (): boolean => !process.stdout.isTTY;

/** What a launcher's line says of a process that a signal has ended; null: nothing. */
function signalOf(line: string): string | null {
  const openMpi = /process rank (\d+) with PID \d+ on node (\S+) exited on signal (\d+)/.exec(line);
  if (openMpi !== null) {
    return `signal ${openMpi[3]} has ended rank ${openMpi[1]} on ${openMpi[2]}`;
  }
  const mpich = /APPLICATION TERMINATED WITH THE EXIT STRING: .*\(signal (\d+)\)/.exec(line);
  return mpich === null ? null : `signal ${mpich[1]} has ended one of them`;
}

/** What one process has printed. */
interface Piece {
  readonly rank: number;
  readonly stream: 'stdout' | 'stderr' | null;
  /** Ends with a newline where the line does. */
  readonly text: string;
}

/**
 * What is behind the launcher's tags in a line; nothing in one of the launcher itself. Open MPI passes on 4 KB at a time, each
 * with a tag, so a longer line has tags in its middle, and another rank's line may come in between.
 *
 * @internal
 */
export function piecesOf({ kind, version }: Launcher, line: string): Piece[] {
  // A space belongs to the tag from Open MPI 5 on: in those before it it is the program's.
  const space = Number(/\d+/.exec(version)?.[0] ?? 4) >= 5 ? ' ?' : '';
  const form =
    kind === 'MPICH' ? String.raw`\[(\d+)\] ` : String.raw`\[\d+,(\d+)\]<(stdout|stderr)>:${space}`;
  const found = RegExp(`^${form}`).exec(line);
  if (found === null) return [];
  const rest = line.slice(found[0].length);
  const tags = kind === 'MPICH' ? [] : [...rest.matchAll(RegExp(form, 'g'))];
  return [found, ...tags].map((tag, i) => {
    const begin = i === 0 ? 0 : tag.index + tag[0].length;
    const text = rest.slice(begin, tags[i]?.index);
    const stream = tag[2] === 'stderr' ? 'stderr' : tag[2] === 'stdout' ? 'stdout' : null;
    return { rank: Number(tag[1]), stream, text: i === tags.length ? `${text}\n` : text };
  });
}
