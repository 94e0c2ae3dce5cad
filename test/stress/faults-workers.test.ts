// Workers that end in the middle of calls, their own or others': who lives on computes the same bits, what
// was shared is as it was, and nobody waits.
import { describe, expect, test } from 'vitest';

import { runChild, well, type Ended } from '../helpers/child.js';
import { ENDLESS } from '../helpers/endless.js';
import { figure, surviving, times, trials } from '../helpers/trials.js';

const child = (program: string): Promise<Ended> =>
  runChild(`${ENDLESS} (async () => { ${program} })();`, {
    env: { EVENKEEL_THREADS: '4', EVENKEEL_TEST_ENDLESS: ENDLESS },
  });

describe('a Worker that is terminated in mid-call', () => {
  test('again and again, at random: what it shared is as it was, what is left computes the same', () => {
    const workers = trials(4);
    return surviving('33', workers, async () => {
      const program = `
        const shared = sharedMemory(), [before, right] = [hashOf(shared), train()];
        for (let i = 0; i < ${workers}; i++) {
          new Int32Array(shared, 0, 1)[0] = 0;
          const worker = endlessly(shared);
          await begun(shared, 1);
          await wait(Math.random() * 30);
          const [code] = await Promise.all([ended(worker), worker.terminate()]);
          if (code !== 1) console.log('code', code);
          if (train() !== right) console.log('other bits after', i);
        }
        console.log(hashOf(shared) === before);`;
      expect(await child(program)).toEqual(well('true\n'));
    });
  });

  const forty = `begin(40); parentPort.postMessage(0); setInterval(() => {}, 1000);`;
  const large = `
    const { nn, tensor } = load();
    const x = tensor(new Float32Array(workerData), [32, 8, 2 ** 18]);
    for (let i = 0; i < 3; i++) new nn.BatchNorm1d(8).forwardAsync(x);
    parentPort.postMessage(0);
    setInterval(() => {}, 1000);`;
  test.each([
    ['forty calls queued', forty, trials(5, 100)],
    ['three of 256 MB', large, trials(3)],
  ])('with %s: ended within 50 ms in the median, whenever it is', (name, body, workers) =>
    surviving('33', workers, async () => {
      const program = `
        const right = train(), times = [];
        const memory = ${body === large} ? new SharedArrayBuffer(2 ** 28) : null;
        if (memory !== null) new Float32Array(memory).fill(1); // its pages are there
        for (let i = 0; i < ${workers}; i++) {
          const worker = evalWorker(${JSON.stringify(body)}, memory);
          await new Promise((resolve) => worker.once('message', resolve));
          await wait(Math.random() * 25);
          const start = performance.now();
          await worker.terminate();
          times.push(performance.now() - start);
          if (await trainLater() !== right) console.log('other bits after', i);
        }
        times.sort((a, b) => a - b);
        const at = (part) => times[Math.floor((times.length - 1) * part)].toFixed(1);
        // The machine may be busy: the slowest is not ours alone.
        console.log(at(0.5) < 50);
        console.log('terminate() in ms: median', at(0.5) + ', p99', at(0.99) + ', max', at(1));`;
      const ended = await child(program);
      expect({ ...ended, stdout: '' }).toEqual(well());
      expect(ended.stdout).toMatch(/^true\nterminate\(\) in ms: .*\n$/);
      figure(name, ended.stdout.split('\n')[1]);
    }),
  );

  test('with memory of its own, which others get at once', () => {
    const workers = trials(4);
    return surviving('34', workers, async () => {
      const program = `
        const bodies = [\`
          const { nn, tensor } = load();
          const bn = new nn.BatchNorm1d(512);
          for (let i = 0; ; i++) {
            const x = tensor(data(2048 * 512), [2048, 512], { requiresGrad: true });
            for (let k = 0; k < 20; k++) {
              bn.forward(x).backward(x.detach());
              if (k === 0) parentPort.postMessage(i);
            }
          }\`, \`
          const { nn, tensor } = load();
          const bn = new nn.BatchNorm1d(512);
          (async () => {
            for (let i = 0; ; i++) {
              const calls = Array.from({ length: 8 }, () =>
                bn.forwardAsync(tensor(data(1024 * 512), [1024, 512]), { transfer: true }));
              parentPort.postMessage(i);
              await Promise.all(calls);
            }
          })();\`];
        const right = train();
        for (let i = 0; i < ${workers}; i++) {
          const worker = evalWorker(bodies[i % 2]);
          await new Promise((resolve) => worker.once('message', resolve));
          await wait(Math.random() * 20);
          const done = worker.terminate();
          const filled = Array.from({ length: 8 }, () => new Float32Array(2 ** 20).fill(i));
          await done;
          if (train() !== right) console.log('other bits after', i);
          if (!filled.every((each) => each.every((value) => value === i))) console.log('written to after', i);
        }
        console.log('done');`;
      expect(await child(program)).toEqual(well('done\n'));
    });
  });

  test('while others go on: theirs are the bits of one alone', () => {
    const workers = trials(4);
    return surviving('34', workers, async () => {
      const program = `
        const right = train();
        const going = [0, 1, 2].map(() => {
          const worker = evalWorker('(async () => { for (;;) parentPort.postMessage(await trainLater()); })();');
          const seen = [];
          worker.on('message', (hash) => seen.push(hash));
          return { worker, seen };
        });
        for (let i = 0; i < ${workers}; i++) {
          const worker = evalWorker(${JSON.stringify(forty)});
          await new Promise((resolve) => worker.once('message', resolve));
          await wait(Math.random() * 10);
          await worker.terminate();
        }
        while (going.some(({ seen }) => seen.length < 8)) await wait(1);
        await Promise.all(going.map(({ worker }) => worker.terminate()));
        console.log(going.every(({ seen }) => seen.every((hash) => hash === right)));`;
      expect(await child(program)).toEqual(well('true\n'));
    });
  });
});

describe('Workers that end by themselves', () => {
  test('by process.exit or naturally, with calls in flight', () => {
    const workers = trials(6);
    return surviving('34', workers, async () => {
      const program = `
        const exit = 'begin(12); setTimeout(() => process.exit(4), Math.random() * 10);';
        const natural = 'Promise.all(begin(4)).then((all) => parentPort.postMessage(all.length));';
        for (let i = 0; i < ${workers}; i++) {
          const worker = evalWorker(i % 2 === 0 ? exit : natural);
          let settled = 0;
          worker.on('message', (count) => settled = count);
          const code = await ended(worker);
          if (code + settled !== 4) console.log(i, code, settled);
        }
        console.log(train().length);`;
      expect(await child(program)).toEqual(well('64\n'));
    });
  });

  test('24 at once: a third terminated, a third exits, a third comes to its end', () => {
    const rounds = trials(1);
    return surviving('38', rounds, async () => {
      const program = `
        const body = process.env.EVENKEEL_TEST_ENDLESS + \`
          const { shared, right, kind } = workerData;
          const flags = new Int32Array(shared, 0, 3); // calls, Workers to be terminated, Workers that are through
          if (kind === 0) {
            Atomics.add(flags, 1, 1);
            endless(shared);
          }
          (async () => {
            for (const hash of [train(), await trainLater()]) {
              if (hash !== right) parentPort.postMessage(hash);
            }
            Atomics.add(flags, 2, 1);
            if (kind === 1) { begin(4); process.exit(3); }
          })();\`;
        const shared = sharedMemory(), [before, right] = [hashOf(shared), train()];
        for (let round = 0; round < ${rounds}; round++) {
          const flags = new Int32Array(shared, 0, 3).fill(0);
          const workers = Array.from({ length: 24 }, (_, i) => evalWorker(body, { shared, right, kind: i % 3 }));
          for (const worker of workers) worker.on('message', (hash) => console.log('other bits', hash));
          const codes = Promise.all(workers.map(ended));
          // Node ends a Worker that is terminated before it has begun with 0.
          while (Atomics.load(flags, 1) < 8) await wait(1);
          await begun(shared, 8);
          for (let i = 0; i < 24; i += 3) wait(Math.random() * 30).then(() => workers[i].terminate());
          const wrong = (await codes).flatMap((code, i) => (code !== [1, 3, 0][i % 3] ? [['terminated', 'exits', 'natural'][i % 3] + ' ' + code] : []));
          if (wrong.length > 0) console.log('codes', wrong);
          if (flags[2] !== 16) console.log(flags[2], 'of 16 got their results');
        }
        console.log(hashOf(shared) === before, train() === right);`;
      expect(await child(program)).toEqual(well('true true\n'));
    });
  });
});

describe('the addon loaded in Workers only', () => {
  const lives = [
    'train();',
    'train(); process.exit(0);',
    'begin(6);',
    'begin(6); setTimeout(() => process.exit(0), 1);',
  ];
  const isMapped = `
    const maps = process.platform === 'linux' && require('node:fs').readFileSync('/proc/self/maps', 'utf8');
    console.log(maps === false || maps.includes('evenkeel.node'));`;

  test.each(times(trials(4)))('the last of them ends, and later the process, %d', (i) =>
    surviving('37', 1, async () => {
      const program = `
        await ended(evalWorker(${JSON.stringify(lives[i % 4])}));
        await wait(${(i * 7) % 40});
        ${isMapped}`;
      expect(await child(program)).toEqual(well('true\n'));
    }),
  );

  test('survives twenty of them, one after another', () =>
    surviving('37', 20, async () => {
      const program = `
        for (let i = 0; i < 20; i++) await ended(evalWorker(${JSON.stringify(lives)}[i % 4]));
        ${isMapped}`;
      expect(await child(program)).toEqual(well('true\n'));
    }));
});
