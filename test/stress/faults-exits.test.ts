// Ends in the middle of calls: of Workers, and of the process in every way there is. Right code, no
// signal that nobody sent, nothing on stderr, and who lives on computes the same bits. The form of a case
// is a program and what it must report; those of async calls go into the same tables.
import { describe, expect, test } from 'vitest';

import { runChild, well, type Ended } from '../helpers/child.js';
import { surviving, times, trials } from '../helpers/trials.js';

const THREADS = { env: { EVENKEEL_THREADS: '4' } };

/** Calls of 8 MB without end, on memory that all threads share: shared[0] says that they have begun. */
const ENDLESS = `
const endless = (shared) => {
  const { nn, tensor } = load();
  const view = (from, numel) => new Float32Array(shared, 64 + 4 * from, numel);
  const [n, c] = [2048, 1024];
  const bn = new nn.BatchNorm1d(c);
  bn.weight = new nn.Parameter(tensor(view(0, c)));
  bn.bias = new nn.Parameter(tensor(view(c, c)));
  const x = tensor(view(2 * c, n * c), [n, c], { requiresGrad: true });
  const flags = new Int32Array(shared, 0, 1);
  for (;;) {
    const y = bn.forward(x);
    Atomics.add(flags, 0, 1);
    y.backward(y.detach());
    y.dispose();
    bn.zeroGrad();
    x.grad = null;
  }
};
/** The memory of endless(): weights and inputs, written once. */
const sharedMemory = () => {
  const shared = new SharedArrayBuffer(64 + 4 * (2 * 1024 + 2048 * 1024));
  const values = new Float32Array(shared, 64);
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i) * 3 + 7;
  return shared;
};
const hashOf = (shared) => createHash('sha256').update(new Float32Array(shared, 64)).digest('hex');
const begun = async (shared, calls) => {
  while (Atomics.load(new Int32Array(shared, 0, 1), 0) < calls) await new Promise((r) => setTimeout(r, 1));
};
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const endlessly = (shared) => evalWorker(process.env.EVENKEEL_TEST_ENDLESS + 'endless(workerData);', shared);
`;
const child = (program: string, options: { flags?: string[] } = {}): Promise<Ended> =>
  runChild(ENDLESS + program, {
    ...options,
    env: { ...THREADS.env, EVENKEEL_TEST_ENDLESS: ENDLESS },
  });

describe('a Worker that is terminated in mid-call', () => {
  test('again and again, at random: what it shared is as it was, what is left computes the same', () => {
    const workers = trials(4);
    return surviving('33', workers, async () => {
      const program = `
        (async () => {
          const shared = sharedMemory(), [before, right] = [hashOf(shared), train()];
          let slowest = 0;
          for (let i = 0; i < ${workers}; i++) {
            new Int32Array(shared, 0, 1)[0] = 0;
            const worker = endlessly(shared);
            await begun(shared, 1);
            await later(Math.random() * 30);
            const start = performance.now();
            const [code] = await Promise.all([ended(worker), worker.terminate()]);
            slowest = Math.max(slowest, performance.now() - start);
            if (code !== 1) console.log('code', code);
            if (train() !== right) console.log('other bits after', i);
          }
          if (process.env.EVENKEEL_TEST_VERBOSE) console.log('slowest terminate()', slowest, 'ms');
          console.log(hashOf(shared) === before);
        })();`;
      expect(await child(program)).toEqual(well('true\n'));
    });
  });

  test('with memory of its own, which others get at once', () => {
    const workers = trials(4);
    return surviving('34', workers, async () => {
      const program = `
        const body = \`
          const { nn, tensor } = load();
          const bn = new nn.BatchNorm1d(512);
          for (let i = 0; ; i++) {
            const x = tensor(data(2048 * 512), [2048, 512], { requiresGrad: true });
            for (let k = 0; k < 20; k++) {
              bn.forward(x).backward(x.detach());
              if (k === 0) parentPort.postMessage(i);
            }
          }\`;
        (async () => {
          const right = train();
          for (let i = 0; i < ${workers}; i++) {
            const worker = evalWorker(body);
            await new Promise((resolve) => worker.once('message', resolve));
            await later(Math.random() * 20);
            const done = worker.terminate();
            const filled = Array.from({ length: 8 }, () => new Float32Array(2 ** 20).fill(i));
            await done;
            if (train() !== right) console.log('other bits after', i);
            if (!filled.every((each) => each.every((value) => value === i))) console.log('written to after', i);
          }
          console.log('done');
        })();`;
      expect(await child(program)).toEqual(well('done\n'));
    });
  });

  test('all at once, 24 of them: a third terminated, a third exits, a third comes to its end', () => {
    const rounds = trials(1);
    return surviving('38', rounds, async () => {
      const program = `
        const body = process.env.EVENKEEL_TEST_ENDLESS + \`
          if (workerData.kind === 0) endless(workerData.shared);
          const hash = train();
          if (hash !== workerData.right) parentPort.postMessage(hash);
          if (workerData.kind === 1) process.exit(3);\`;
        (async () => {
          const shared = sharedMemory(), [before, right] = [hashOf(shared), train()];
          for (let round = 0; round < ${rounds}; round++) {
            new Int32Array(shared, 0, 1)[0] = 0;
            const workers = Array.from({ length: 24 }, (_, i) => evalWorker(body, { shared, right, kind: i % 3 }));
            for (const worker of workers) worker.on('message', (hash) => console.log('other bits', hash));
            const codes = Promise.all(workers.map(ended));
            await begun(shared, 8);
            for (let i = 0; i < 24; i += 3) later(Math.random() * 30).then(() => workers[i].terminate());
            const wrong = (await codes).filter((code, i) => code !== [1, 3, 0][i % 3]);
            if (wrong.length > 0) console.log('codes', wrong);
          }
          console.log(hashOf(shared) === before, train() === right);
        })();`;
      expect(await child(program)).toEqual(well('true true\n'));
    });
  });
});

describe('everything alive at the end', () => {
  // graphs, modules, optimisers, handlers and finalisers that still call
  const ALIVE = `
    const { nn, optim, tensor, functional, native } = load();
    const net = new nn.Sequential(new nn.Linear(64, 256), new nn.BatchNorm1d(256), new nn.ReLU());
    const optimizer = new optim.Adam(net.parameters());
    const x = tensor(data(512 * 64), [512, 64], { requiresGrad: true });
    const y = functional.sum(net.forward(x));
    y.backward(undefined, { retainGraph: true });
    optimizer.step();
    const z = functional.sum(net.forward(x));
    const batch = nn.virtualBatch(net);
    const registry = new FinalizationRegistry(() => net.forward(x));
    for (let i = 0; i < 100; i++) registry.register(tensor(data(64)), i);
    globalThis.alive = [net, optimizer, y, z, batch, registry];
    process.on('exit', () => { z.backward(); optimizer.step(); net.forward(x); });`;

  test('of a Worker', () => {
    const workers = trials(4);
    return surviving('35', workers, async () => {
      const program = `
        (async () => {
          for (let i = 0; i < ${workers}; i++) {
            const code = await ended(evalWorker(\`${ALIVE} if (\${i} % 2 === 1) process.exit(\${i});\`));
            if (code !== (i % 2 === 1 ? i : 0)) console.log(i, code);
          }
          console.log(train().length);
        })();`;
      expect(await child(program)).toEqual(well('64\n'));
    });
  });

  test.each(times(trials(2)))('of the process, %d', (i) =>
    surviving('35', 1, async () => {
      const last = ['', 'process.exit(9);', 'gc(); setTimeout(gc, 5);'][i % 3]!;
      const code = i % 3 === 1 ? 9 : 0;
      expect(await child(ALIVE + last, { flags: ['--expose-gc'] })).toEqual({ ...well(), code });
    }),
  );
});

describe('the addon loaded in Workers only', () => {
  test.each(times(trials(2)))('the last of them ends, and later the process, %d', (i) =>
    surviving('37', 1, async () => {
      const program = `
        ended(evalWorker('train(); ${['', 'process.exit(0);'][i % 2]!}')).then(async () => {
          await later(${(i * 7) % 40});
          const maps = process.platform === 'linux' && require('node:fs').readFileSync('/proc/self/maps', 'utf8');
          console.log(maps === false || maps.includes('evenkeel.node'));
        });`;
      expect(await child(program)).toEqual(well('true\n'));
    }),
  );
});

/** Ways for a process to end while calls run: what it does, and how it must be seen to end. */
const ENDS: readonly {
  name: string;
  last: string;
  code: number | null;
  signal?: NodeJS.Signals;
  stderr?: RegExp;
}[] = [
  { name: 'process.exit', last: 'process.exit(7);', code: 7 },
  {
    name: 'an uncaught error',
    last: "throw new Error('on purpose');",
    code: 1,
    stderr: /^\[eval\]:\d+\n.*\n *\^\n\nError: on purpose\n( +at .*\n)+\nNode.js .*\n$/,
  },
  {
    name: 'SIGTERM',
    last: "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1e3);",
    code: null,
    signal: 'SIGTERM',
  },
  {
    name: 'SIGINT, with a handler',
    last: `process.on('SIGINT', () => process.exit(130)); process.kill(process.pid, 'SIGINT');
      setInterval(() => {}, 1e3);`,
    code: 130,
  },
  {
    name: 'its natural end',
    last: 'for (const worker of workers) worker.unref();',
    code: 0,
  },
];

/** Where the calls run that the end comes upon. */
const CALLS: readonly { name: string; begin: string }[] = [
  {
    name: 'in two Workers',
    begin: `const workers = [0, 1].map(() => endlessly(shared));`,
  },
];

describe.each(CALLS)('the process ends while calls run $name', ({ begin }) => {
  describe.each(ENDS)('by $name', ({ last, code, signal = null, stderr = /^$/ }) => {
    test.each(times(trials(1, 200)))('%d', () =>
      surviving('36', 1, async () => {
        const program = `
          (async () => {
            const shared = sharedMemory();
            ${begin}
            await begun(shared, 2);
            setTimeout(() => { ${last} }, Math.random() * 20);
          })();`;
        const ended = await child(program);
        expect({ ...ended, stderr: '' }).toEqual({ ...well(), code, signal });
        expect(ended.stderr).toMatch(stderr);
      }),
    );
  });
});
