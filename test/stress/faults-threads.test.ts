// Threads that are refused, too many of them, others that change their number, and Node's own: how long a
// call takes may change, nothing else.
import { beforeAll, describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';
import { hostLibrary } from '../helpers/host.js';
import { figure, surviving, times, trials } from '../helpers/trials.js';

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

  // the first is asked for the thread of jobs, by each call again: it is computed where it is made
  test.each(modes)(
    'beside the event loop, request $at refused, and all after it: $forever',
    (mode) =>
      surviving('30', 1, async () => {
        const { at, forever } = mode;
        const program = `
        load();
        (async () => {
          host.failThread(${at}, ${forever});
          const first = await Promise.all([trainLater(), trainLater()]);
          const asked = host.threads();
          if (asked < Math.min(${at}, 4)) console.log('asked for', asked);
          first.push(await trainLater());
          console.log(...new Set(first));
        })();`;
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
        host.limitMemory(6e6); // five stacks of 1 MB
        train(256, 64);
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

  test('and eight threads beside the event loop: no deadlock, the same bits', () => {
    const rounds = trials(2);
    return surviving('42', rounds * 16, async () => {
      const program = `
        host.pinToOneCpu();
        load().native.setThreads(8);
        (async () => {
          const seen = new Set();
          for (let i = 0; i < ${rounds}; i++) {
            const calls = begin(16);
            seen.add(train()).add(await trainLater());
            await Promise.all(calls);
          }
          console.log(...seen);
        })();`;
      expect(await runChild(program, { host: host! })).toEqual(well(right));
    });
  });
});

test("Node's own threads do not wait for calls", () => {
  // one thread, so that a call of ours on it would be before everything that is asked for below
  const env = { UV_THREADPOOL_SIZE: '1', EVENKEEL_THREADS: '2' };
  const rounds = trials(2, 20);
  return surviving('39', rounds * 4, async () => {
    const program = `
      const { nn, tensor } = load();
      const zlib = require('node:zlib'), crypto = require('node:crypto');
      const x = tensor(new Float32Array(new SharedArrayBuffer(2 ** 23)).fill(1.5), [4096, 512]);
      const ask = {
        stat: () => require('node:fs').promises.stat('.'),
        lookup: () => require('node:dns').promises.lookup('localhost'),
        deflate: () => new Promise((resolve) => zlib.deflate('abc', resolve)),
        pbkdf2: () => new Promise((resolve) => crypto.pbkdf2('a', 'b', 1, 16, 'sha256', resolve)),
      };
      (async () => {
        const times = [];
        for (let i = 0; i < ${rounds}; i++) {
          const bn = new nn.BatchNorm1d(512);
          let left = 64;
          const calls = Array.from({ length: 64 }, () => bn.forwardAsync(x).then((y) => { y.dispose(); left--; }));
          await wait(Math.random() * 10);
          for (const [name, call] of Object.entries(ask)) {
            const start = performance.now();
            await call();
            times.push(performance.now() - start);
            if (left === 0) console.log(name, 'waited for all calls');
          }
          await Promise.all(calls);
        }
        times.sort((a, b) => a - b);
        console.log('ms: median', times[times.length >> 1].toFixed(1) + ', max', times.at(-1).toFixed(1));
      })();`;
    const ended = await runChild(program, { env });
    expect({ ...ended, stdout: '' }).toEqual(well());
    expect(ended.stdout).toMatch(/^ms: median .*\n$/);
    figure("Node's threads, 64 calls of 8 MB queued,", ended.stdout.trim());
  });
});

test('their number changes from call to call', async () => {
  const program = `
    const { native } = load();
    const seen = new Set();
    for (let i = 0; i < ${trials(20, 100)}; i++) {
      native.setThreads(1 + (i * 13) % 64);
      seen.add(train());
    }
    console.log(...seen);`;
  expect(await runChild(program)).toEqual(well(right));
});

test('their number changes while another thread computes', async () => {
  const program = `
    const worker = evalWorker(\`
      const { native } = load();
      parentPort.postMessage(0);
      for (let i = 0; ; i++) native.setThreads(1 + (i * 13) % 64);\`);
    worker.once('message', () => {
      const seen = new Set();
      (async () => {
        for (let i = 0; i < ${trials(5, 100)}; i++) seen.add(train()).add(await trainLater());
        console.log(...seen);
        worker.terminate();
      })();
    });`;
  expect(await runChild(program)).toEqual(well(right));
});
