// What processes exchange, and how a job ends, on Workers and on each MPI that is there.
import { describe, expect, test } from 'vitest';

import { KINDS, runJob } from '../helpers/ranks.js';

/** Joins the job. */
const INIT =
  'const world = await distributed.init({ timeout: 4000 }); globalThis.rank = world.rank;';

describe.each(KINDS)('%s', (kind) => {
  test('everyone gets what everyone has, in the order of the ranks', async () => {
    const program = `${INIT}
      const { rank, size } = world;
      world.barrier();
      const all = world.allGather(tensor([rank, rank + 0.5]));
      const long = world.allGather(tensor(new Float32Array(50_000).fill(rank)));
      const sent = world.broadcast(tensor([rank + 7]), size - 1);
      const small = world.allReduce(tensor([rank, 1]));
      const large = world.allReduce(tensor(Float32Array.from({ length: 70_001 }, (_, i) => i % 7 + rank)));
      const half = world.split(rank % 2);
      say([
        rank, size, all.map((each) => each.toArray()), long.map(({ data }) => data[49_999]),
        sent.toArray(), small.toArray(), [large.data[0], large.data[70_000]],
        [half.rank, half.size, half.allReduce(tensor([rank])).item()],
      ]);`;
    const { code, said, stderr } = await runJob(kind, 3, program);
    expect(stderr).toBe('');
    const common = [
      [
        [0, 0.5],
        [1, 1.5],
        [2, 2.5],
      ],
      [0, 1, 2],
      [9],
      [3, 3],
      [3, 3 * (70_000 % 7) + 3],
    ];
    expect(said).toEqual([
      [[0, 3, ...common, [0, 2, 2]]],
      [[1, 3, ...common, [0, 1, 1]]],
      [[2, 3, ...common, [1, 2, 2]]],
    ]);
    expect(code).toBe(0);
  });

  test('bytes of any number arrive as they were sent', async () => {
    const program = `${INIT}
      const meeting = world.meeting('bytes');
      const bytes = (length, rank) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + 3 * rank) & 255);
      const wrong = [];
      for (const length of [1, 7, 1025, 16_383, 16_385, 0, 131_071, 3, 300_001, 131_072, 2]) {
        const all = world.gatherBytes(meeting, bytes(length + world.rank, world.rank));
        all.forEach((each, rank) => {
          if (Buffer.compare(each, bytes(length + rank, rank)) !== 0) wrong.push([length, rank]);
        });
      }
      say(wrong);`;
    const { said } = await runJob(kind, 3, program);
    expect(said).toEqual([[[]], [[]], [[]]]);
  });

  test.each([
    [7, true],
    [6, false],
  ])(
    'where one has forgotten %i outputs of 1 MB all collect when they meet: %s',
    async (outputs, collects) => {
      const program = `${INIT}
      const x = tensor(new Float32Array(2 ** 18).fill(1));
      const forget = (count) => { for (let i = 0; i < count; i++) functional.relu(x); };
      native.memory.trim();
      forget(world.rank === 0 ? ${outputs} : 3);
      const before = native.memory.inUse;
      world.barrier();
      say([before > 3 * 2 ** 20, before - native.memory.inUse > 2 ** 20]);`;
      const { said, stderr } = await runJob(kind, 2, program);
      expect(stderr).toBe('');
      expect(said).toEqual([[[true, collects]], [[true, collects]]]);
    },
  );

  test('a sum has one order: that of a tree over the ranks', async () => {
    const program = `${INIT}
      const value = [1, 2 ** -24, 2 ** -24, 2 ** -24][world.rank];
      say(world.allReduce(tensor([value])).item());`;
    const { said } = await runJob(kind, 4, program);
    const expected = Math.fround(Math.fround(1 + 2 ** -24) + 2 ** -23);
    expect(said).toEqual([[expected], [expected], [expected], [expected]]);
  });

  test('processes in different calls are told where each of them is', async () => {
    const program = `${INIT}
      try {
        if (world.rank === 0) world.barrier();
        else world.allReduce(tensor([1]));
      } catch (error) {
        say([error.name, error.message]);
      }
      process.exit(0);`;
    const { said } = await runJob(kind, 2, program);
    const message =
      'the processes are at different places of the program: rank 0 in barrier 2 (barrier); ' +
      'rank 1 in all-reduce 2 (all-reduce of float32 [1])';
    expect(said).toEqual([[['PeerError', message]], [['PeerError', message]]]);
  });

  test('tensors of different shapes are refused, and the job goes on', async () => {
    const program = `${INIT}
      try {
        world.allReduce(tensor(new Float32Array(world.rank + 1)));
      } catch (error) {
        say(error.name);
      }`;
    const { said } = await runJob(kind, 2, program);
    expect(said).toEqual([['PeerError'], ['PeerError']]);
  });

  test('a process that throws takes the others along', async () => {
    const program = `${INIT}
      if (world.rank === 1) throw new Error('no such file');
      world.barrier();`;
    const { code, stderr } = await runJob(kind, 2, program);
    expect(stderr).toContain('no such file');
    expect(code).not.toBe(0);
  });

  test('one that ends early is named', async () => {
    const program = `${INIT}
      if (world.rank === 1) process.exit(0);
      world.barrier();`;
    const { code, stderr } = await runJob(kind, 2, program);
    expect(stderr).toContain('PeerError: rank 1 of 2: ended before barrier 2 (barrier)');
    expect(code).not.toBe(0);
  });

  test('one that does not come is named when the time is over: exit code 70', async () => {
    const program = `${INIT}
      if (world.rank === 1) await new Promise((resolve) => setTimeout(resolve, 9000));
      world.barrier();`;
    const { code, stderr } = await runJob(kind, 2, program);
    expect(stderr).toContain(
      'TimeoutError: rank 0 has waited 4 s in barrier 2 (barrier); no word from rank 1',
    );
    expect(code).toBe(70);
  });

  test('an exit code of its own is that of the job', async () => {
    const program = `${INIT}
      if (world.rank === 1) process.exit(3);
      world.barrier();`;
    const { code } = await runJob(kind, 2, program);
    expect(code).toBe(3);
  });
});

test.each(
  KINDS.filter((kind) => kind !== 'workers').flatMap(
    (kind) =>
      [
        [kind, 'SIGKILL'],
        [kind, 'SIGTERM'],
      ] as const,
  ),
)('%s: a process that %s ends takes the others along', async (kind, signal) => {
  const program = `${INIT}
      if (world.rank === 1) process.kill(process.pid, '${signal}');
      world.barrier();
      await new Promise((resolve) => setTimeout(resolve, 9000));
      say('still here');`;
  const { code, said } = await runJob(kind, 2, program);
  expect(said).toEqual([[], []]);
  expect(code).not.toBe(0);
});

test('srun that has started no MPI job is no world of one for each task', async () => {
  const program = `Object.assign(process.env, { SLURM_PROCID: '1', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '2' });
    try { await distributed.init(); } catch (error) { say(error.message); }`;
  const { said } = await runJob('alone', 1, program);
  expect(said[0]).toEqual([
    'distributed.init: expected srun to start an MPI job, got task 1 of 2 without one: srun --mpi=pmix (Open MPI) or ' +
      '--mpi=pmi2 (MPICH); `srun --mpi=list` says what there is.',
  ]);
});

test('without a launcher there is a world of one, and no MPI in the process', async () => {
  const program = `${INIT}
    const { readFileSync } = await import('node:fs');
    const maps = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : '';
    const t = tensor([3]);
    world.barrier();
    say([world.size, world.backend, world.mpi, world.allReduce(t).item(), world.allGather(t).length, /libmpi/.test(maps)]);`;
  const { code, said } = await runJob('alone', 1, program);
  expect(code).toBe(0);
  expect(said[0]![0]).toEqual([1, 'none', null, 3, 1, false]);
});
