// The end of the process in the middle of calls, in every way there is, and with everything alive: the
// right code, no signal that nobody sent, nothing on stderr.
import { describe, expect, test } from 'vitest';

import { runChild, well, type Ended } from '../helpers/child.js';
import { ENDLESS } from '../helpers/endless.js';
import { figure, surviving, times, trials } from '../helpers/trials.js';

const env = { EVENKEEL_THREADS: '4', EVENKEEL_TEST_ENDLESS: ENDLESS };

/** Ways for a process to end while calls run: what it does, and how it must be seen to end. */
const ENDS: readonly {
  name: string;
  last: string;
  code: number | null;
  signal?: NodeJS.Signals;
  stdout?: string;
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
    name: 'SIGINT, with a handler that computes',
    last: `process.on('SIGINT', () => { train(); process.exit(130); });
      process.kill(process.pid, 'SIGINT');
      setInterval(() => {}, 1e3);`,
    code: 130,
  },
  {
    name: 'its natural end',
    last: `for (const worker of workers) worker.unref();
      process.on('exit', () => console.log(finished()));`,
    code: 0,
    stdout: 'true\n',
  },
];

/** Where the calls run that the end comes upon, and how often in the long form. */
const CALLS: readonly { name: string; long: number; begins: string }[] = [
  {
    name: 'in two Workers',
    long: 60,
    begins: `
      const shared = sharedMemory();
      const workers = [0, 1].map(() => endlessly(shared)), finished = () => true;
      await begun(shared, 2);`,
  },
  {
    // those of its natural end are waited for
    name: 'beside the event loop',
    long: 200,
    begins: `
      const workers = [];
      let settled = 0;
      for (const call of begin(16)) call.then(() => settled++);
      const finished = () => settled === 16;`,
  },
  {
    name: 'beside the event loops of two Workers and its own',
    long: 60,
    begins: `
      const workers = [0, 1].map(() => evalWorker('begin(60); parentPort.postMessage(0);'));
      const finished = () => true;
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
      begin(4);`,
  },
  {
    name: 'no more',
    long: 10,
    begins: 'train(); await trainLater(); const workers = [], finished = () => true;',
  },
];

/** Runs it so often, two at a time, each with another delay; gives back the ends that are not `right`. */
async function odd(
  count: number,
  program: (trial: number) => string,
  right: (ended: Ended) => boolean,
): Promise<Ended[]> {
  const wrong: Ended[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < count) {
      const ended = await runChild(ENDLESS + program(next++), { env });
      if (!right(ended)) wrong.push(ended);
    }
  };
  await Promise.all([run(), run()]);
  return wrong;
}

describe.each(CALLS)('the process ends while calls run $name', ({ name: where, long, begins }) => {
  test.each(ENDS)('by $name', ({ name, last, code, signal = null, stdout = '', stderr = /^$/ }) => {
    const tries = trials(2, long);
    return surviving('36', tries, async () => {
      const program = (trial: number): string => `
        (async () => {
          ${begins}
          const end = () => { ${last} };
          ${trial % 4 === 0 ? 'process.nextTick(end);' : 'setTimeout(end, Math.random() * 30);'}
        })();`;
      const wrong = await odd(
        tries,
        program,
        (ended) =>
          ended.code === code &&
          ended.signal === signal &&
          ended.stdout === stdout &&
          stderr.test(ended.stderr),
      );
      expect(wrong).toEqual([]);
      figure(`ended by ${name}, calls ${where}: ${tries} of ${tries} as they should`);
    });
  });
});

describe('everything alive at the end', () => {
  // graphs, modules, optimisers, calls in flight, and handlers and finalisers that make more
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
    globalThis.alive = [net, optimizer, y, z, batch, registry, begin(6)];
    process.on('exit', () => { z.backward(); optimizer.step(); net.forward(x); begin(6); });`;

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
      expect(await runChild(program, { env })).toEqual(well('64\n'));
    });
  });

  test.each(times(trials(2)))('of the process, %d', (i) =>
    surviving('35', 1, async () => {
      const last = ['', 'process.exit(9);', 'gc(); setTimeout(gc, 5);'][i % 3]!;
      const code = i % 3 === 1 ? 9 : 0;
      const ended = await runChild(ALIVE + last, { env, flags: ['--expose-gc'] });
      expect(ended).toEqual({ ...well(), code });
    }),
  );
});
