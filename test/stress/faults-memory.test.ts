// No memory to be had, at each request there is: in the addon, in JavaScript, and by a limit of the
// system. One error, nothing has changed, and the same call goes well when there is memory again.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { ADDON, runChild, well, type ChildOptions } from '../helpers/child.js';
import { hostLibrary } from '../helpers/host.js';
import { OPERATIONS } from '../helpers/faults/program.js';
import { figure, surviving, trials } from '../helpers/trials.js';

const host = hostLibrary();
const THREADS = { EVENKEEL_THREADS: '2' };
const MODES = [
  ['once', false],
  ['for ever', true],
] as const;

/** What a call says whose scratch could not be allocated: here, or on the thread of jobs. */
const NO_SCRATCH = `(e) => e.code === 'ERR_EVENKEEL_OUT_OF_MEMORY' &&
  /^(?:evenkeel addon: expected memory for scratch|\\w+: expected memory for the statistics of a call), got none(?: \\(in '\\w+'\\))?\\.$/.test(e.message)`;
/** Ours, or the engine's where nobody asked for the array but us. */
const NO_ARRAY = `(e) => e instanceof RangeError && /^Array buffer allocation failed(?: \\(in '\\w+'\\))?$|^evenkeel: expected \\d+ MB of memory for an array, got none(?: \\(in '\\w+'\\))?\\.$/.test(e.message)`;

/** Sweeps over the operations called `names`, and counts the requests that failed: at least so many. */
function sweeping(
  least: number,
  names: string,
  settings: string,
  options: ChildOptions,
): Promise<void> {
  return surviving('29', least, async () => {
    const program = `${OPERATIONS}
      sweep(${names}, { ${settings} }).then(({ failures }) => console.log(failures));`;
    const ended = await runChild(program, { ...options, env: THREADS });
    expect({ ...ended, stdout: '' }).toEqual(well());
    expect(ended.stdout).toMatch(/^\d+\n$/);
    const failures = Number(ended.stdout);
    expect(failures).toBeGreaterThanOrEqual(least);
    return failures;
  });
}

describe.skipIf(host === null)('in the addon', () => {
  const settings = (forever: boolean): string => `
    watch: (at, forever) => host.failAllocation(at, forever ? 1 : 0),
    seen: host.allocations,
    rightly: ${NO_SCRATCH},
    forever: ${forever},`;

  test.each(MODES)('each allocation fails, %s', (_, forever) =>
    sweeping(80, 'Object.keys(operations)', settings(forever), { host: host! }),
  );

  // those of the first call that does not block, too: its queue, and the scratch of its threads, which need none
  const some = `Object.keys(later).filter((_, i) => i % ${trials(4, 1)} === 0)`;
  test.each(MODES)('each allocation before threads have begun, %s', (_, forever) =>
    sweeping(trials(25, 100), some, `${settings(forever)} begin: unbegun,`, { host: host! }),
  );

  test('of the threads beside the event loop, from any moment on', () => {
    const tries = trials(6, 60);
    return surviving('28', tries, async () => {
      // each call needs more scratch than all before it, on the thread of jobs: from then on it throws
      const program = `${OPERATIONS}
        const { nn, tensor } = load();
        const step = async (c, shared) => {
          const bn = new nn.BatchNorm1d(c), x = tensor(shared.subarray(0, 64 * c), [64, c]);
          const error = await bn.forwardAsync(x).then(() => null, (error) => error);
          if (error !== null && !(${NO_SCRATCH})(error)) console.log(String(error));
          if (bn.numBatchesTracked !== (error === null ? 1 : 0)) console.log(c, 'counted', bn.numBatchesTracked);
          if ((bn.runningMean.data[0] !== 0) !== (error === null)) console.log(c, 'moved', bn.runningMean.data[0]);
          return error !== null;
        };
        (async () => {
          const shared = new Float32Array(new SharedArrayBuffer(4 * 64 * 16384)).fill(2);
          const right = train();
          let thrown = 0;
          for (let i = 0; i < ${tries}; i++) {
            unbegun(load());
            const calls = Array.from({ length: 8 }, (_, k) => step(2048 * (k + 1), shared));
            // at once, or when some of them have ended
            if (i % 4 !== 0) await wait(Math.random() * 4);
            host.failAllocation(1, 1);
            thrown += (await Promise.all(calls)).filter(Boolean).length;
            host.allocations();
            if (await step(16384, shared)) console.log('not even with memory');
            if (await trainLater() !== right) console.log('other bits');
          }
          console.log(thrown);
        })();`;
      const ended = await runChild(program, { host: host!, env: THREADS });
      expect({ ...ended, stdout: '' }).toEqual(well());
      expect(Number(ended.stdout)).toBeGreaterThanOrEqual(tries);
      figure('thrown on the thread of jobs:', Number(ended.stdout));
    });
  });

  test('there is no other way than operator new, which is what fails above', () => {
    const imports = readFileSync(ADDON, 'latin1');
    expect(imports).toContain('\0_Znwm');
    for (const name of ['malloc', 'calloc', 'realloc', 'posix_memalign', 'aligned_alloc', 'mmap']) {
      expect(imports).not.toContain(`\0${name}\0`);
    }
  });
});

describe('in JavaScript', () => {
  test.each(MODES)('each array fails, %s', (_, forever) =>
    sweeping(170, "'all'", `...interceptArrays(), rightly: ${NO_ARRAY}, forever: ${forever}`, {}),
  );

  // Node-API's own way of making one ends the process
  test('an array no machine has is an error', () => {
    const program = `
      const { nn, functional, tensor } = load();
      const said = new Set();
      for (let i = 0; i < 50; i++) {
        const size = Math.floor(2 ** (33 + i * 0.35));
        for (const call of [
          () => new nn.Linear(size, 4), () => new nn.BatchNorm1d(size),
          () => new nn.Linear(Math.ceil(Math.sqrt(size)), Math.ceil(Math.sqrt(size))),
        ]) {
          try { call(); said.add('nothing, for ' + size); } catch (e) { said.add(e.name); }
        }
      }
      console.log([...said].join(), train().length);`;
    return surviving('13', 150, async () => {
      expect(await runChild(program)).toEqual(well('RangeError 64\n'));
    });
  });
});

describe.skipIf(host === null)('by a limit of the system', () => {
  const wide = `
    const C = 2 ** 20, bn = new nn.BatchNorm1d(C).requiresGrad_(false), shape = [2, C];
    const input = tensor(numbers(shape, 1), shape), out = tensor(new Float32Array(2 * C), shape);
    const kept = [bn], call = () => bn.forward(input, { out });`;
  const long = `
    const input = tensor(new Float32Array(10e6), [2.5e6, 4], { requiresGrad: true });
    const bn = new nn.BatchNorm1d(4), kept = [bn, input];`;
  test.each([
    ['scratch', wide, NO_SCRATCH],
    ['an output', `${long} const call = () => bn.forward(input);`, NO_ARRAY],
    ['an output of later', `${long} const call = () => bn.forwardAsync(input);`, NO_ARRAY],
    [
      'gradients',
      `${long} const y = bn.forward(input), dy = y.detach(), call = () => y.backward(dy);`,
      NO_ARRAY,
    ],
  ])('of 24 MB more, and %s of 40 MB', (_, setup, rightly) => {
    const program = `${OPERATIONS}
      const { nn, tensor } = load();
      (async () => {
        ${setup}
        await trainLater();
        const before = stateOf(kept);
        gc(); // Node would, to make room
        host.limitMemory(24e6);
        let said = 'nothing';
        try { await call(); } catch (e) { said = (${rightly})(e) || e; }
        host.limitMemory(-1);
        console.log(said, stateOf(kept) === before);
        await call();
      })();`;
    const options = { host: host!, env: THREADS, flags: ['--expose-gc'] };
    return surviving('13', 1, async () => {
      expect(await runChild(program, options)).toEqual(well('true true\n'));
    });
  });

  test('of less and less, and scratch of 20 MB on the thread of jobs', () =>
    surviving('28', 1, async () => {
      const program = `
        const { nn, tensor, native } = load();
        native.memory.limit = 0;
        const [N, C] = [4, 2 ** 19]; // 28 MB for what the call makes in JavaScript
        const x = tensor(new Float32Array(new SharedArrayBuffer(4 * N * C)).fill(2), [N, C]);
        (async () => {
          await trainLater(); // threads are there
          const seen = new Set();
          for (let more = 30; more < 120; more += 3) {
            const bn = new nn.BatchNorm1d(C);
            host.limitMemory(more * 2 ** 20);
            const ended = await bn.forwardAsync(x).catch((error) => error);
            host.limitMemory(-1);
            const outcome = ended instanceof Error ? ended.code + ' ' + ended.message : 'right';
            seen.add([outcome, bn.numBatchesTracked, bn.runningMean.data[0]].join());
            if (outcome === 'right') break;
          }
          console.log([...seen].join('\\n'));
        })();`;
      // One arena: another one's reserve of 64 MB would have room for the scratch.
      const env = { ...THREADS, MALLOC_ARENA_MAX: '1' };
      expect(await runChild(program, { host: host!, env })).toEqual(
        well(
          'ERR_EVENKEEL_OUT_OF_MEMORY BatchNorm1d: expected memory for the statistics of a call, got none.,0,0\n' +
            'right,1,0.20000000298023224\n',
        ),
      );
    }));
});
