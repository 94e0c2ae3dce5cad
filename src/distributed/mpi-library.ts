// Which MPI: the one whose launcher has started this process. Another one would see a job of one process, n times, and
// say nothing.
import { addon } from '../addon/control.js';

/** The binary interfaces of native/distributed/mpi.h, by their numbers. */
const ABIS = { openMpi: 0, mpich: 1, standard: 2 } as const;
type Abi = (typeof ABIS)[keyof typeof ABIS];

/** @internal What a launcher has said about this process. */
export interface Launch {
  readonly launcher: 'Open MPI' | 'MPICH';
  readonly rank: number;
  /** Null where the launcher does not say. */
  readonly size: number | null;
  readonly localRank: number | null;
}

/** @internal The launcher of this process; null where there is none. */
export function launchOf(env: NodeJS.ProcessEnv): Launch | null {
  const number = (name: string): number | null => {
    const text = env[name];
    return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
  };
  const ompi = number('OMPI_COMM_WORLD_RANK');
  if (ompi !== null) {
    const [size, localRank] = ['SIZE', 'LOCAL_RANK'].map((each) =>
      number(`OMPI_COMM_WORLD_${each}`),
    );
    return { launcher: 'Open MPI', rank: ompi, size: size ?? null, localRank: localRank ?? null };
  }
  const local = number('MPI_LOCALRANKID') ?? number('SLURM_LOCALID');
  const pmi = number('PMI_RANK');
  if (pmi !== null) {
    const size = number('PMI_SIZE') ?? number('SLURM_NTASKS');
    return { launcher: 'MPICH', rank: pmi, size, localRank: local };
  }
  // srun --mpi=pmix.
  const pmix = number('PMIX_RANK');
  if (pmix === null) {
    checkNotSlurm(env);
    return null;
  }
  return { launcher: 'Open MPI', rank: pmix, size: number('SLURM_NTASKS'), localRank: local };
}

/** srun without an MPI starts a process for each task, of which none knows the others: each would be a world of one. */
function checkNotSlurm(env: NodeJS.ProcessEnv): void {
  const { SLURM_PROCID: rank, SLURM_STEP_NUM_TASKS: tasks = '1', SLURM_STEP_ID: step } = env;
  if (rank === undefined || step === undefined || Number(tasks) <= 1) return;
  throw new Error(
    `distributed.init: expected srun to start an MPI job, got task ${rank} of ${tasks} without one: ` +
      'srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH); `srun --mpi=list` says what there is.',
  );
}

const LIBRARIES = {
  'Open MPI': [
    ['libmpi.so.40', ABIS.openMpi],
    ['libmpi.40.dylib', ABIS.openMpi],
    ['libmpi_abi.so.1', ABIS.standard],
    ['libmpi_abi.so.0', ABIS.standard],
  ],
  MPICH: [
    ['libmpi.so.12', ABIS.mpich],
    ['libmpich.so.12', ABIS.mpich],
    ['libmpi.12.dylib', ABIS.mpich],
    ['libmpi_abi.so.1', ABIS.standard],
    ['libmpi_abi.so.0', ABIS.standard],
  ],
} as const;

/** Bytes: a record, and what an MPI puts before it. */
const EAGER = 1 << 15;

/** @internal Loads the MPI of a launch, or the one that EVENKEEL_MPI names. @throws {Error} with what was tried. */
export function loadMpi({ launcher }: Launch, env: NodeJS.ProcessEnv): void {
  const { EVENKEEL_MPI: chosen = '' } = env;
  // UCX, below MPICH and others, replaces the code of malloc and mmap while other threads of Node may be in it. With these
  // hooks 2 of 85 starts under MPICH crashed, without them none of 60; that they are the cause is likely, not proved.
  // They are for memory of network cards; whoever needs them sets the variable.
  env['UCX_MEM_EVENTS'] ??= 'no';
  // Open MPI sends up to 4 KB through shared memory at once, and asks the other process first where it is more: that takes
  // longer than to copy the sums of a layer.
  for (const way of ['vader', 'sm']) env[`OMPI_MCA_btl_${way}_eager_limit`] ??= String(EAGER);
  // UCX asks from some 8 KB on: 16 KB then take 8 to 14 µs through shared memory instead of 6 to 12, and 80 to 130 over TCP
  // instead of 20 to 40.
  env['UCX_RNDV_THRESH'] ??= String(EAGER);
  const candidates =
    chosen === '' ? LIBRARIES[launcher] : [[chosen, abiOf(chosen, launcher)] as const];
  const failures: string[] = [];
  for (const [library, abi] of candidates) {
    const why = addon.mpiOpen(library, abi);
    if (why === '') return;
    failures.push(why);
  }
  throw new Error(
    `distributed.init: expected the library of ${launcher}, whose launcher has started this process, got none ` +
      `(${failures.join('; ')}). EVENKEEL_MPI=/path/to/libmpi.so names another one.`,
  );
}

function abiOf(library: string, launcher: Launch['launcher']): Abi {
  if (library.includes('mpi_abi')) return ABIS.standard;
  return launcher === 'Open MPI' ? ABIS.openMpi : ABIS.mpich;
}
