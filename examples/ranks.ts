// `npm run example:ranks`: the digits network, trained by 1, 2 and 4 processes: on Workers, and on MPI where there is
// one. Whoever trains it, it ends with the same bits.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

interface Result {
  readonly size: number;
  readonly backend: string;
  readonly hash: string;
  readonly accuracy: number;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const COMMAND = path('../dist/cjs/cli/main.js');
// The processes are Node's own, which reads no TypeScript.
const TRAIN = path('../build/ranks-train.mjs');
buildSync({
  entryPoints: [path('ranks/train.ts')],
  outfile: TRAIN,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.17',
});

const hasMpi = spawnSync('mpirun', ['--version']).error === undefined;
const isRoot = process.getuid?.() === 0;
const hashes = new Set<string>();
console.log('processes  accuracy  bits in the end   by');
for (const backend of hasMpi ? ['workers', 'mpi'] : ['workers']) {
  for (const processes of [1, 2, 4]) {
    const { size, hash, accuracy, backend: by } = train(backend, processes);
    hashes.add(hash);
    console.log(`${String(size).padStart(9)}  ${accuracy.toFixed(4)}    ${hash}  ${by}`);
  }
}
if (!hasMpi) console.log('no mpirun here: apt-get install openmpi-bin, or mpich');
console.log(hashes.size === 1 ? 'one hash' : `${hashes.size} hashes`);
process.exitCode = hashes.size === 1 ? 0 : 1;

function train(backend: string, processes: number): Result {
  const options = ['--backend', backend, '--threads', '1', '-n', String(processes)];
  const asRoot = backend === 'mpi' && isRoot ? ['--allow-run-as-root'] : [];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [COMMAND, 'run', ...options, ...asRoot, TRAIN],
    { encoding: 'utf8' },
  );
  const line = /^\[0\] (\{.*\})$/m.exec(stdout)?.[1];
  if (status === 0 && line !== undefined) return JSON.parse(line) as Result;
  throw new Error(`${processes} processes by ${backend}: code ${status}\n${stdout}${stderr}`);
}
