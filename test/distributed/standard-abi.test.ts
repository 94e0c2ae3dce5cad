// The standard binary interface of MPI 5, on a library of our own that has its handles and constants and refuses all others.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { standardAbiLibrary } from '../helpers/host.js';
import { runJob, runOnStandardAbi } from '../helpers/ranks.js';

const library = standardAbiLibrary() ?? '';
if (library === '') console.log('the standard ABI of MPI: left out, its library cannot be built');

/** Joins the job. */
const INIT = `
  const world = await distributed.init({ backend: BACKEND, timeout: 20000 });
  globalThis.rank = world.rank;`;
const ON_MPI = INIT.replace('BACKEND', '"mpi"');

/** Trains a little; the processes have the batch in parts. */
const TRAINING = `${INIT.replace('BACKEND', '"auto"')}
  manualSeed(3);
  const x = nn.init.normal_(tensor(new Float32Array(300 * 8), [300, 8]));
  const set = new data.TensorDataset(x, Int32Array.from({ length: 300 }, (_, i) => i % 3));
  const model = nn.convertSyncBatchNorm(
    new nn.Sequential(new nn.Linear(8, 16), new nn.BatchNorm1d(16), new nn.ReLU(), new nn.Linear(16, 3)),
  );
  const replica = distributed.dataParallel(model);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const sampler = new distributed.DistributedSampler(set, { seed: 1 });
  for (const batch of new data.DataLoader(set, { batchSize: 200, sampler })) {
    const loss = new nn.CrossEntropyLoss().forward(model.forward(batch[0]), batch[1], { of: batch.globalRows });
    optimizer.zeroGrad();
    loss.backward();
    await replica.reduceGradientsAsync();
    optimizer.step();
  }
  say(bits([...model.stateDict().values()]));`;

describe.runIf(library !== '')('the standard ABI of MPI 5', () => {
  test.each([1, 2, 3])('%i processes: reduces, and ends by MPI_Finalize', async (processes) => {
    const program = `${ON_MPI}
      const { rank, size, backend, mpi } = world;
      const large = world.allReduce(tensor(Float32Array.from({ length: 70_001 }, (_, i) => i % 7 + rank)));
      say([rank, size, backend, mpi, world.allReduce(tensor([rank, 1])).toArray(), large.data[70_000]]);`;
    const { code, said, stderr, files } = await runOnStandardAbi(library, processes, program);
    expect(stderr).toBe('');
    const all = Array.from({ length: processes }, (_, rank) => rank);
    const sum = all.reduce((to, rank) => to + rank, 0);
    const mpi = 'a stub of the standard ABI, for a launcher of MPICH';
    expect(said).toEqual(
      all.map((rank) => [
        [rank, processes, 'mpi', mpi, [sum, processes], processes * (70_000 % 7) + sum],
      ]),
    );
    // No message is left: each was received.
    expect(files).toEqual(all.map((rank) => `finalized-${rank}`));
    expect(code).toBe(0);
  });

  test('where MPI_Finalize does not return, the job ends well without it', async () => {
    const program = `${ON_MPI}
      process.env.EVENKEEL_TEST_FINALIZE_HANGS = '1';
      say(world.allReduce(tensor([1])).item());`;
    const { code, said, files } = await runOnStandardAbi(library, 2, program);
    expect([code, said, files]).toEqual([0, [[2], [2]], []]);
  });

  test('training has the bits of one process', async () => {
    const one = await runJob('alone', 1, TRAINING);
    const two = await runOnStandardAbi(library, 2, TRAINING);
    expect(one.said.flat()).toHaveLength(1);
    expect([two.code, two.said]).toEqual([0, [one.said[0], one.said[0]]]);
  });

  test('a process that throws ends by MPI_Abort', async () => {
    const program = `${ON_MPI}
      throw new Error('no such file');`;
    const { code, stderr, files } = await runOnStandardAbi(library, 1, program);
    expect(stderr).toContain('no such file');
    expect([code, files]).toEqual([1, ['aborted-0-1']]);
  });

  test("with MPICH's constants it does not start: the library is strict", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-abi-name-'));
    try {
      const name = join(folder, 'libmpi.so.12'); // what is not called libmpi_abi is the launcher's
      symlinkSync(library, name);
      const { code, said, stderr } = await runOnStandardAbi(name, 1, `${ON_MPI} say(1);`);
      expect(stderr).toContain('expected MPI to start, got: MPI_Init_thread failed with code 16');
      expect([code, said]).toEqual([1, [[]]]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
