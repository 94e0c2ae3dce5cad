// Threads that are refused, too many of them, and others that change their number: how long a call takes
// may change, nothing else.
import { beforeAll, describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';
import { hostLibrary } from '../helpers/host.js';
import { surviving, times, trials } from '../helpers/trials.js';

const host = hostLibrary();

let right = '';
beforeAll(async () => {
  const { stdout } = await runChild('console.log(train());', { env: { EVENKEEL_THREADS: '1' } });
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  right = stdout;
});

describe.skipIf(host === null)('threads that cannot be had', () => {
  const modes = times(trials(6)).map((i) => ({ at: 1 + (i >> 1), forever: i % 2 }));

  test.each(modes)('request $at refused, and all after it: $forever', ({ at, forever }) =>
    surviving('30', 1, async () => {
      const program = `
        load();
        host.failThread(${at}, ${forever});
        const first = train();
        const asked = host.threads();
        if (asked < Math.min(${at}, 3)) console.log('asked for', asked);
        console.log(train() === first && first);`;
      const ended = await runChild(program, { host: host!, env: { EVENKEEL_THREADS: '4' } });
      expect(ended).toEqual(well(right));
    }),
  );

  test('no memory for their stacks', () =>
    surviving('30', 1, async () => {
      const program = `
        const count = () => require('node:fs').readdirSync('/proc/self/task').length;
        load();
        const before = count();
        host.limitMemory(30e6); // three stacks of 8 MB
        const hash = train(256, 64);
        const ours = count() - before;
        host.limitMemory(-1);
        if (!(ours < 15)) console.log(ours, 'threads');
        console.log(train());`;
      const ended = await runChild(program, { host: host!, env: { EVENKEEL_THREADS: '16' } });
      expect(ended).toEqual(well(right));
    }));
});

describe.skipIf(host === null)('one CPU', () => {
  test('and eight threads: no deadlock, and not much slower than one thread', () => {
    const calls = trials(2000, 100_000);
    return surviving('42', calls, async () => {
      const program = `
        host.pinToOneCpu();
        const { nn, tensor, native } = load();
        const timed = (n, threads, calls) => {
          const x = tensor(data(n * n), [n, n]), out = tensor(new Float32Array(n * n), [n, n]);
          const bn = new nn.BatchNorm1d(n).requiresGrad_(false);
          native.setThreads(threads);
          const start = performance.now();
          for (let i = 0; i < calls; i++) bn.forward(x, { out });
          return (performance.now() - start) / calls;
        };
        timed(256, 8, ${calls}); // where one call follows upon another
        timed(1024, 8, 20);
        const ratios = Array.from({ length: 10 }, () => timed(1024, 8, 20) / timed(1024, 1, 20));
        const ratio = ratios.sort((a, b) => a - b)[5];
        if (process.env.EVENKEEL_TEST_VERBOSE) console.error('8 threads / 1 thread', ratio);
        if (!(ratio < 2)) console.log('8 threads took', ratio, 'times as long as one');
        console.log(train());`;
      expect(await runChild(program, { host: host! })).toEqual(well(right));
    });
  });
});

test('their number changes while another thread computes', async () => {
  const program = `
    const worker = evalWorker(\`
      const { native } = load();
      parentPort.postMessage(0);
      for (let i = 0; ; i++) native.setThreads(1 + (i * 13) % 64);\`);
    worker.once('message', () => {
      const seen = new Set();
      for (let i = 0; i < ${trials(10, 1000)}; i++) seen.add(train());
      console.log(...seen);
      worker.terminate();
    });`;
  expect(await runChild(program)).toEqual(well(right));
});
