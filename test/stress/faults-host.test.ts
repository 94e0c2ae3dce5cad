// Hosts that are not as hosts should be: whatever they do meanwhile, every operation computes the bits it
// computes alone, in a process that then ends well.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { runChild, well, type ChildOptions } from '../helpers/child.js';
import { forkProgram, hostLibrary, run } from '../helpers/host.js';
import { OPERATIONS } from '../helpers/faults/program.js';
import { surviving, trials } from '../helpers/trials.js';

const host = hostLibrary();
const env = { EVENKEEL_THREADS: '4' };

let alone = '';
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-faults-'));
  const { stdout } = await runChild(`${OPERATIONS} digest().then(console.log);`, { env });
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  alone = stdout;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `program`, which prints digest(), on a host of this kind. */
async function same(program: string, options: ChildOptions = {}): Promise<void> {
  const ended = await runChild(`${OPERATIONS} (async () => { ${program} })();`, {
    ...options,
    env: { ...env, ...options.env },
  });
  expect(ended).toEqual(well(alone));
}

describe('garbage collection', () => {
  test('before and after every call of the addon and at every turn, and of nothing that is still needed', () =>
    surviving('44', 100, () =>
      same(
        `const { addon } = (load(), require(FOLDER + '/addon/control.js'));
        let collected = 0;
        const collect = () => { gc({ type: ++collected % 2 === 0 ? 'minor' : 'major' }); };
        const between = (call) => (...args) => { collect(); const y = call(...args); collect(); return y; };
        const { jobs } = addon;
        for (const functions of [addon, jobs])
          for (const [name, call] of Object.entries(functions))
            if (typeof call === 'function') functions[name] = between(call);
        const turns = setInterval(collect, 1);
        const last = await digest((call) => between(call)());
        clearInterval(turns);
        if (collected < 100) console.log(collected);
        console.log(last);`,
        { flags: ['--expose-gc', '--max-semi-space-size=1'] },
      ),
    ));

  test('of modules, inputs and promises in the middle of their calls, and of all of them afterwards', () => {
    const calls = trials(30, 300);
    return surviving('44', calls, async () => {
      const program = `
        const { nn, tensor } = load();
        let collected = 0;
        const registry = new FinalizationRegistry(() => collected++);
        const values = data(256 * 256), bytes = ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        const right = bytes(new nn.BatchNorm1d(256).forward(tensor(values, [256, 256])));
        const fresh = (i) => {
          const array = i % 3 === 0 ? new Float32Array(new SharedArrayBuffer(values.byteLength)) : new Float32Array(values.length);
          array.set(values);
          const bn = new nn.BatchNorm1d(256), x = tensor(array, [256, 256], { requiresGrad: i % 2 === 0 });
          for (const each of [bn, x, array]) registry.register(each);
          return bn.forwardAsync(x, { transfer: i % 3 === 1 });
        };
        (async () => {
          for (let i = 0; i < ${calls}; i++) {
            const y = fresh(i);
            fresh(i); // of this one nothing is held
            if (i % 5 < 3) gc({ type: i % 2 === 0 ? 'minor' : 'major' });
            if (Math.random() < 0.5) await new Promise(setImmediate);
            gc();
            if (!bytes(await y).equals(right)) console.log('other bits', i);
          }
          for (let i = 0; i < 10; i++) { await wait(5); gc(); }
          console.log(collected >= 5 * ${calls} || collected);
        })();`;
      const flags = ['--expose-gc', '--max-semi-space-size=1'];
      expect(await runChild(program, { env, flags })).toEqual(well('true\n'));
    });
  });

  test.each([
    ['--max-semi-space-size=1'],
    ['--single-threaded'],
    ['--no-opt'],
    ['--always-sparkplug'],
  ])('node %s', (flag) => same('console.log(await digest());', { flags: [flag] }));

  test('node --jitless', async () => {
    const { stderr, ...rest } = await runChild(`${OPERATIONS} digest().then(console.log);`, {
      env,
      flags: ['--jitless'],
    });
    expect({ ...rest, stderr: '' }).toEqual(well(alone));
    expect(stderr.replace(/^Warning: disabling flag --expose_wasm.*\n/, '')).toBe('');
  });
});

describe.skipIf(process.platform !== 'linux')('memory that comes filled', () => {
  test.each(['1', '85', '165', '255'])('with byte %s', (byte) =>
    same('console.log(await digest());', { env: { MALLOC_PERTURB_: byte } }),
  );
});

describe.skipIf(host === null)('signals', () => {
  test('a storm of them, with handlers of the host', () => {
    const periods = trials(5);
    return surviving('43', periods, () =>
      same(
        `let handled = 0, sent = 0, last = '';
        for (const name of ['SIGUSR2', 'SIGPROF', 'SIGWINCH']) process.on(name, () => handled++);
        const { SIGUSR2, SIGPROF, SIGWINCH } = require('node:os').constants.signals;
        for (let i = 0; i < ${periods}; i++) {
          host.startStorm([SIGUSR2, SIGPROF, SIGWINCH][i % 3], 20 + (i * 37) % 400);
          last = await digest();
          await new Promise((resolve) => setImmediate(resolve));
          sent += host.endStorm();
        }
        if (sent < 20 * ${periods} || handled === 0) console.log(sent, handled);
        console.log(last);
        process.exit(0);`,
        { host: host! },
      ),
    );
  });

  test('the profiler, which stops the thread a thousand times a second', async () => {
    await same('console.log(await digest());', {
      flags: ['--cpu-prof', '--cpu-prof-interval', '100', `--cpu-prof-dir=${folder}`],
    });
    expect(readdirSync(folder).some((name) => name.endsWith('.cpuprofile'))).toBe(true);
  });

  test('reach no thread of ours, but those of a fault and SIGPROF', async () => {
    const program = `(async () => {
      const { readFileSync, readdirSync } = require('node:fs');
      const threads = () => readdirSync('/proc/self/task');
      load();
      const before = threads();
      await trainLater();
      const ours = threads().filter((id) => !before.includes(id));
      const masks = ours.map((id) => /SigBlk:\\s*(\\w+)/.exec(readFileSync('/proc/self/task/' + id + '/status', 'utf8'))[1]);
      // All that can be blocked (not SIGKILL, SIGSTOP and the two that glibc keeps for itself), but SIGILL,
      // SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGPROF and SIGSYS.
      console.log(ours.length, new Set(masks));
    })();`;
    // three of the pool, and that of jobs
    expect(await runChild(program, { env })).toEqual(well("4 Set(1) { 'fffffffe3bfbfa07' }\n"));
  });
});

describe.skipIf(host === null)('fork()', () => {
  test('by another thread, in the middle of calls', () =>
    surviving('41', 50, () =>
      same(
        `let last = '', forks = 0;
        for (let i = 0; i < 100 && forks < 50; i++) {
          host.startStorm(0, 100 + i * 31 % 900);
          last = await digest();
          forks += host.endStorm();
        }
        if (forks < 50) console.log(forks);
        console.log(last);`,
        { host: host! },
      ),
    ));

  // no JavaScript runs in a forked child, so this is a program of its own around native/
  test('of a process whose pool and jobs are at work: the child has neither, and needs none', () => {
    const forks = trials(200, 1000);
    return surviving('41', forks, async () => {
      expect(await run(forkProgram()!, [String(forks)])).toEqual(well(`${forks} forks\n`));
    });
  });
});

describe.skipIf(host === null)('floating point', () => {
  // flush-to-zero, and what is tiny counts as zero; JavaScript's own arithmetic does so too then
  const modes = process.arch === 'x64' ? [0x1fc0, 0x9f80, 0x9fc0] : [2 ** 24];
  test.each(modes)('mode %d of the thread that calls: not that of the call, and put back', (mode) =>
    same(
      `const usual = host.floatMode() & ~0x3f;
      const around = (call) => {
        host.setFloatMode(${mode});
        try { return call(); } finally {
          if ((host.floatMode() & ~0x3f) !== ${mode}) console.log('not put back');
          host.setFloatMode(usual);
        }
      };
      console.log(await digest(around));`,
      { host: host! },
    ),
  );

  test('denormals of the host are what they were, in the main thread and in Workers', async () => {
    const denormal = 'Number("2.2250738585072014e-308") / 2 !== 0';
    const program = `
      train();
      const before = ${denormal};
      const body = 'trainLater().then(() => parentPort.postMessage(${denormal}));';
      evalWorker(body).on('message', (after) => console.log(before, after, ${denormal}));`;
    expect(await runChild(program, { env })).toEqual(well('true true true\n'));
  });
});
