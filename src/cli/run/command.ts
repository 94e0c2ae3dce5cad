// `evenkeel run`: a training program as several processes, by the MPI of this machine or as Workers.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { readOptions, type Usage } from '../options.js';
import { findLauncher, launch, type Job } from './mpirun.js';
import { Printer } from './printer.js';

const USAGE: Usage = {
  name: 'run',
  call: 'evenkeel run -n <processes> [options] <program> [its arguments]',
  text:
    'Runs a program as several processes that train together (evenkeel/distributed): by mpirun, or as Workers of one ' +
    'process. Each line is printed behind the rank of its process. The first failure ends all processes, and is printed last.',
  options: {
    processes: {
      ...{ type: 'number', default: 2, min: 1, max: 65536, whole: true },
      help: 'how many processes, of all hosts together; -n for short',
    },
    hosts: {
      type: 'string',
      hint: '<a,b>',
      help: 'the machines, which ssh reaches (default this one)',
    },
    threads: {
      ...{ type: 'number', default: 0, min: 0, max: 64, whole: true },
      help: 'threads of each process; 0 is its part of the cores',
    },
    backend: { type: 'string', hint: '<name>', help: 'mpi or workers (default mpi)' },
    'allow-run-as-root': {
      type: 'boolean',
      help: 'pass this on to Open MPI, which refuses root otherwise',
    },
  },
  examples: [
    'npx evenkeel run -n 4 train.mjs --epochs 10',
    'npx evenkeel run -n 8 --hosts one,two train.mjs',
    'npx evenkeel run -n 2 --backend workers train.mjs',
  ],
  exitCodes:
    'that of the first process that failed, 70 where one has waited too long, 2 a wrong option',
};

const FLAGS = ['--allow-run-as-root', '--help', '-h'];

export async function run(args: readonly string[]): Promise<number> {
  const own = args.map((each) => (each === '-n' ? '--processes' : each));
  const at = programAt(own);
  const values = readOptions(USAGE, own.slice(0, at));
  if (typeof values === 'number') return values;
  const [program, ...rest] = args.slice(at);
  const backend = values['backend'] ?? 'mpi';
  if (program === undefined) return mistake('expected a program to run, got none.');
  if (!existsSync(program))
    return mistake(`expected a program to run, got '${program}', which is not there.`);
  if (backend !== 'mpi' && backend !== 'workers') {
    return mistake(`expected --backend to be mpi or workers, got '${String(backend)}'.`);
  }
  const job = {
    program: resolve(program),
    args: rest,
    processes: values['processes'] as number,
    hosts: hostsOf(values['hosts']),
    threads: values['threads'] as number,
    asRoot: values['allow-run-as-root'] === true,
  };
  if (backend === 'workers') {
    if (job.hosts.length > 0)
      return mistake('expected no --hosts with --backend workers, got some.');
    return runWorkers(job);
  }
  const launcher = findLauncher(process.env);
  if (launcher === null) {
    return mistake(
      'expected mpirun or mpiexec of Open MPI or MPICH, got none in PATH: apt-get install openmpi-bin (or mpich), ' +
        'brew install open-mpi, or --backend workers.',
    );
  }
  return launch(launcher, { ...job, threads: threadsOf(job) });
}

/** Where the program is: the first argument that is neither an option nor the value of one. */
function programAt(args: readonly string[]): number {
  for (let i = 0; i < args.length; i++) {
    const each = args[i]!;
    if (!each.startsWith('-')) return i;
    if (!FLAGS.includes(each) && !each.includes('=')) i++;
  }
  return args.length;
}

function hostsOf(value: unknown): string[] {
  return typeof value === 'string' ? value.split(',').filter((each) => each !== '') : [];
}

function threadsOf({ threads, processes, hosts }: Job): number {
  if (threads > 0) return threads;
  const here = Math.ceil(processes / Math.max(1, hosts.length));
  return Math.max(1, Math.min(64, Math.floor(availableParallelism() / here)));
}

/** As Workers: they share the threads of the process. */
async function runWorkers({ program, args, processes, threads }: Job): Promise<number> {
  if (threads > 0) process.env['EVENKEEL_THREADS'] = String(threads);
  const { spawnWith } = await import('../../distributed/spawn.js');
  const printer = new Printer();
  const options = { workers: processes, argv: [...args] };
  try {
    await spawnWith(pathToFileURL(program), options, (rank, stream, text) => {
      printer.print(rank, stream, text.toString());
    });
    printer.end();
    return 0;
  } catch (error) {
    printer.end();
    const { rank, exitCode, stack } = error as { rank?: number; exitCode?: number; stack?: string };
    console.error(`evenkeel run: rank ${rank ?? '?'} of ${processes}: ${stack ?? String(error)}`);
    return exitCode === undefined || exitCode === 0 ? 1 : exitCode;
  }
}

function mistake(text: string): number {
  console.error(`evenkeel run: ${text}`);
  return 2;
}
