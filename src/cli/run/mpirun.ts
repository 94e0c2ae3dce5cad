// The launcher of an MPI: which one there is, how it is called, and what its output says.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

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
  const { command, version, kind } = launcher;
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
  const read = (stream: Readable, name: 'stdout' | 'stderr'): void => {
    createInterface({ input: stream }).on('line', (line) => {
      const found = lineOf(kind, line);
      if (found !== null) printer.line(found.rank, found.stream ?? name, found.text);
      else process[name].write(`${line}\n`);
      const rank = /MPI_ABORT was invoked on rank (\d+)|MPI_Abort\(.*- process (\d+)/.exec(line);
      if (rank !== null) aborted.push(Number(rank[1] ?? rank[2]));
    });
  };
  read(child.stdout, 'stdout');
  read(child.stderr, 'stderr');
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done, fail) => {
    child.on('error', fail);
    child.on('close', (...end) => {
      done(end);
    });
  });
  for (const each of SIGNALS) process.off(each, forward);
  const ended = code ?? (signal === 'SIGINT' ? 130 : 143);
  if (ended !== 0) {
    const rank = aborted[0] ?? printer.failed[0];
    const why = rank === undefined ? null : printer.errorOf(rank);
    const who = rank === undefined ? 'the job' : `rank ${rank} of ${job.processes}`;
    console.error(`evenkeel run: ${who} ended with code ${ended}${why === null ? '' : `: ${why}`}`);
  }
  return ended;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const noColor = (): boolean => !process.stdout.isTTY;

/** A line with the launcher's tag; null for one of the launcher itself. */
function lineOf(
  kind: Launcher['kind'],
  line: string,
): { rank: number; stream: 'stdout' | 'stderr' | null; text: string } | null {
  const tag = kind === 'MPICH' ? /^\[(\d+)\] / : /^\[\d+,(\d+)\]<(stdout|stderr)>: ?/;
  const found = tag.exec(line);
  if (found === null) return null;
  const stream = found[2] === 'stderr' ? 'stderr' : found[2] === 'stdout' ? 'stdout' : null;
  return { rank: Number(found[1]), stream, text: line.slice(found[0].length) };
}
