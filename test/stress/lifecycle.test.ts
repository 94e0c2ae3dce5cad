// The addon's life: loaded and left in Workers, processes that end while its threads live, several
// threads at once. Every program runs in a child that must end by itself, silently.
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';

/** More threads than this machine may have: the pool is there on any. */
const THREADS = { env: { EVENKEEL_THREADS: '4' } };
const times = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('Workers', () => {
  test('the addon loaded only in Workers survives twenty of them, one after another', async () => {
    const program = `
      (async () => {
        for (let i = 0; i < 20; i++) await ended(evalWorker('train();'));
        if (process.platform === 'linux') {
          const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8');
          console.log(maps.includes('evenkeel.node') ? 'still mapped' : 'unmapped');
        }
      })();`;
    const expected = process.platform === 'linux' ? 'still mapped\n' : '';
    expect(await runChild(program, THREADS)).toEqual(well(expected));
  });

  test.each(times(5))('a process ends with the only Worker that loaded it, try %d', async () => {
    expect(await runChild("evalWorker('train();');", THREADS)).toEqual(well());
  });

  test('eight at once compute what one alone computes', async () => {
    const program = `
      const alone = train();
      const results = Array.from({ length: 8 }, () => new Promise((resolve, reject) => {
        const worker = evalWorker('for (let i = 0; i < 10; i++) parentPort.postMessage(train());');
        const seen = [];
        worker.on('message', (hash) => seen.push(hash));
        worker.on('error', reject).on('exit', () => resolve(seen));
      }));
      Promise.all(results).then((all) => {
        const hashes = all.flat();
        console.log(hashes.length, hashes.every((hash) => hash === alone));
      });`;
    expect(await runChild(program, THREADS)).toEqual(well('80 true\n'));
  });

  test('Workers that are terminated in the middle of their work', async () => {
    const program = `
      const body = 'train(); parentPort.postMessage("started"); for (;;) train(512, 128);';
      (async () => {
        for (let i = 0; i < 12; i++) {
          const worker = evalWorker(body);
          await new Promise((resolve) => worker.once('message', resolve));
          await new Promise((resolve) => setTimeout(resolve, (i * 7) % 20));
          await worker.terminate();
        }
        console.log(train().length);
      })();`;
    expect(await runChild(program, THREADS)).toEqual(well('64\n'));
  });

  test('a Worker that calls process.exit ends itself only', async () => {
    const program = `
      ended(evalWorker('train(); process.exit(3);')).then((code) => console.log(code, train().length));`;
    expect(await runChild(program, THREADS)).toEqual(well('3 64\n'));
  });

  test('data that another thread writes during the call makes numbers, not crashes', async () => {
    const program = `
      const shared = new Float32Array(new SharedArrayBuffer(4 * 512 * 64)).fill(1);
      const worker = evalWorker(
        'parentPort.postMessage(0); for (let i = 0; ; i++) workerData[i % workerData.length] = Math.sin(i) * 1e3;',
        shared,
      );
      worker.once('message', () => {
        const { nn, tensor } = load();
        const bn = new nn.BatchNorm1d(64);
        for (let i = 0; i < 300; i++) bn.forward(tensor(shared, [512, 64]));
        console.log(bn.runningVar.data.every((value) => value >= 0 || Number.isNaN(value)));
        worker.terminate();
      });`;
    expect(await runChild(program, THREADS)).toEqual(well('true\n'));
  });
});

describe('the end of the process', () => {
  test.each(times(5))('process.exit right after a call keeps its code, try %d', async () => {
    const ended = await runChild('train(); process.exit(7);', THREADS);
    expect(ended).toEqual({ ...well(), code: 7 });
  });

  test('process.exit while Workers are in the middle of calls', async () => {
    const program = `
      let started = 0;
      for (let i = 0; i < 4; i++) {
        evalWorker('parentPort.postMessage(train()); for (;;) train();').on('message', () => {
          if (++started === 4) process.exit(5);
        });
      }`;
    expect(await runChild(program, THREADS)).toEqual({ ...well(), code: 5 });
  });

  test('an uncaught error ends the process in the ordinary way', async () => {
    const ended = await runChild("train(); throw new Error('on purpose');", THREADS);
    expect(ended).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(ended.stderr).toContain('Error: on purpose');
  });

  test('a signal ends it as a signal does: pool threads take none', async () => {
    const program = "train(); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);";
    const ended = await runChild(program, THREADS);
    expect(ended).toEqual({ ...well(), code: null, signal: 'SIGTERM' });
  });

  test('a signal handler of the host runs between calls', async () => {
    const program = `
      process.on('SIGTERM', () => { console.log(train().length); process.exit(0); });
      train();
      process.kill(process.pid, 'SIGTERM');
      setInterval(() => {}, 1000);`;
    expect(await runChild(program, THREADS)).toEqual(well('64\n'));
  });
});

describe('the host', () => {
  test('its arithmetic on denormals is what it was, in the main thread and in Workers', async () => {
    const denormal = 'Number("2.2250738585072014e-308") / 2 !== 0';
    const program = `
      train();
      const before = ${denormal};
      const worker = evalWorker('train(); parentPort.postMessage(${denormal.replaceAll('"', '\\"')});');
      worker.on('message', (after) => console.log(before, after, ${denormal}));`;
    expect(await runChild(program, THREADS)).toEqual(well('true true true\n'));
  });

  test('its garbage collector may run between any two calls', async () => {
    const program = `
      const first = train(64, 32);
      let same = true;
      for (let i = 0; i < 300; i++) {
        if (i % 3 === 0) gc();
        same &&= train(64, 32) === first;
      }
      console.log(same);`;
    const flags = ['--expose-gc', '--max-semi-space-size=1'];
    expect(await runChild(program, { ...THREADS, flags })).toEqual(well('true\n'));
  });

  test('a single CPU and many threads: no deadlock, the same bits', async () => {
    const program = `
      const { native } = load();
      const seen = new Set();
      for (let i = 0; i < 200; i++) {
        native.setThreads(1 + (i * 13) % 64);
        seen.add(train(512, 128));
      }
      console.log(seen.size);`;
    expect(await runChild(program)).toEqual(well('1\n'));
  });
});
