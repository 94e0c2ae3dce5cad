// Runs a program as several processes, on Workers and on each MPI that this machine has. The program is the body of an
// ES module: `evenkeel` is the package, `distributed` its other door, `say(value)` notes a value of the rank's: in a file, as
// launchers mix long lines of several ranks.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Hosts } from './hosts.mjs';

const dist = (path: string): string =>
  fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));

export type Kind = 'alone' | 'workers' | 'Open MPI' | 'MPICH';

const LAUNCHERS = {
  'Open MPI': [
    ...['mpirun.openmpi', '--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n'],
  ],
  MPICH: ['mpirun.mpich', '-n'],
} as const;

const isThere = (command: string): boolean =>
  spawnSync(command, ['--version'], { timeout: 20_000 }).error === undefined;

/** What this machine can run a job of several processes on. */
export const KINDS: readonly Kind[] = [
  'workers',
  ...(['Open MPI', 'MPICH'] as const).filter((kind) => isThere(LAUNCHERS[kind][0])),
];

interface JobEnd {
  readonly code: number | null;
  /** What the ranks have said, by rank; of one rank in its order. */
  readonly said: readonly unknown[][];
  readonly stderr: string;
}

const PRELUDE = `
import * as evenkeel from ${JSON.stringify(`file://${dist('index.mjs')}`)};
import { distributed } from ${JSON.stringify(`file://${dist('distributed/index.mjs')}`)};
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
const { checkpoint, data, functional, manualSeed, native, nn, optim, tensor } = evenkeel;
const say = (value) => appendFileSync(new URL('said-' + (globalThis.rank ?? 0), import.meta.url), JSON.stringify(value) + '\\n');
const bits = (tensors) => {
  const hash = createHash('sha256');
  for (const each of tensors) hash.update(new Uint8Array(each.data.buffer, each.data.byteOffset, each.data.byteLength));
  return hash.digest('hex').slice(0, 16);
};
`;

const STARTER = `
import { distributed } from ${JSON.stringify(`file://${dist('distributed/index.mjs')}`)};
const [program, workers] = process.argv.slice(2);
try {
  await distributed.spawn(program, { workers: Number(workers) });
} catch (error) {
  console.error('rank ' + error.rank + ': ' + error.name + ': ' + error.message);
  process.exitCode = error.exitCode || 1;
}
`;

/**
 * Runs the body of a module on so many processes; 1 without a launcher.
 *
 * @param hosts - Those that share the processes of an MPI, by `evenkeel run`; null: all are here.
 * @param isas - The instruction sets of the processes of an MPI, in turn by rank; none: the best one.
 */
export async function runJob(
  kind: Kind,
  processes: number,
  body: string,
  hosts: Hosts | null = null,
  isas: readonly string[] = [],
): Promise<JobEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-ranks-'));
  try {
    const program = join(folder, 'program.mjs');
    const start = join(folder, 'start.mjs');
    writeFileSync(program, `import './isa.mjs';\n${PRELUDE}\n${body}`);
    writeFileSync(join(folder, 'isa.mjs'), isas.length === 0 ? '' : choosing(isas));
    writeFileSync(start, STARTER);
    const node = process.execPath;
    const started: Readonly<Record<Kind, () => readonly string[]>> = {
      alone: () => [node, program],
      workers: () => [node, start, program, String(processes)],
      'Open MPI': () => [...LAUNCHERS['Open MPI'], String(processes), node, program],
      MPICH: () => [...LAUNCHERS.MPICH, String(processes), node, program],
    };
    if (hosts !== null) {
      const where = ['run', '-n', String(processes), '--hosts', hosts.names.join(','), '--threads', '1']; // prettier-ignore
      const [command = '', ...args] = hosts.on([node, dist('cjs/cli/main.js'), ...where, '--allow-run-as-root', program]); // prettier-ignore
      const launcher = LAUNCHERS[kind as keyof typeof LAUNCHERS][0];
      return await run(folder, command, args, processes, {
        ...hosts.env,
        EVENKEEL_MPIRUN: launcher,
      });
    }
    const [command = '', ...args] = started[kind]();
    return await run(folder, command, args, processes, {});
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A module for before the package, which reads its instruction set when it is loaded. */
const choosing = (isas: readonly string[]): string => `
  const { OMPI_COMM_WORLD_RANK, PMI_RANK } = process.env;
  const isas = ${JSON.stringify(isas)};
  process.env.EVENKEEL_ISA = isas[Number(OMPI_COMM_WORLD_RANK ?? PMI_RANK) % isas.length];`;

/** Starts processes as a launcher of MPICH does: each is told its rank and how many there are. */
const START_ALL = `
i=0
while [ $i -lt $2 ]; do
  PMI_RANK=$i PMI_SIZE=$2 "$0" "$1" &
  all="$all $!"
  i=$((i + 1))
done
code=0
for each in $all; do wait $each || code=$?; done
exit $code`;

/**
 * Runs the body of a module on so many processes, on the library of standard-abi.cc.
 *
 * @returns how it ended, and in `files` what the library has left in its folder, sorted.
 */
export async function runOnStandardAbi(
  library: string,
  processes: number,
  body: string,
): Promise<JobEnd & { readonly files: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-abi-'));
  try {
    const program = join(folder, 'program.mjs');
    const messages = join(folder, 'messages');
    mkdirSync(messages);
    writeFileSync(program, `${PRELUDE}\n${body}`);
    const args = ['-c', START_ALL, process.execPath, program, String(processes)];
    const env = { EVENKEEL_MPI: library, MPI_STUB_FOLDER: messages };
    const ended = await run(folder, 'sh', args, processes, env);
    return { ...ended, files: readdirSync(messages).sort() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(
  folder: string,
  command: string,
  args: readonly string[],
  processes: number,
  more: Readonly<Record<string, string>>,
): Promise<JobEnd> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_OPTIONS|VITEST|OMPI_|PMI|EVENKEEL_(?!NATIVE))/.test(name),
  );
  const env = { ...Object.fromEntries(inherited), EVENKEEL_THREADS: '1', ...more };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000 });
  let stderr = '';
  child.stdout.resume();
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  const said = Array.from({ length: processes }, (_, rank): unknown[] => {
    const file = join(folder, `said-${rank}`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as unknown);
  });
  return { code, said, stderr };
}
