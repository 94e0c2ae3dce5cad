// No memory to be had, at each request there is: in the addon, in JavaScript, and by a limit of the
// system. One error, nothing has changed, and the same call goes well when there is memory again.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { ADDON, runChild, well } from '../helpers/child.js';
import { hostLibrary } from '../helpers/host.js';
import { OPERATIONS } from '../helpers/operations.js';

const host = hostLibrary();
const THREADS = { EVENKEEL_THREADS: '2' };
const MODES = [
  ['once', false],
  ['for ever', true],
] as const;

/** What a call says whose scratch could not be allocated. */
const NO_SCRATCH = `(e) => e.code === 'ERR_EVENKEEL_OUT_OF_MEMORY' && e.message ===
  'evenkeel addon: expected memory for scratch, got none.'`;
/** Ours, or the engine's where nobody asked for the array but us. */
const NO_ARRAY = `(e) => e instanceof RangeError && /^Array buffer allocation failed$|^evenkeel: expected \\d+ MB of memory for an array, got none\\.$/.test(e.message)`;

describe.skipIf(host === null)('in the addon', () => {
  test.each(MODES)('each allocation fails, %s', async (_, forever) => {
    const program = `${OPERATIONS}
      const total = sweep(Object.keys(operations), {
        watch: (at, forever) => host.failAllocation(at, forever ? 1 : 0),
        seen: host.allocations,
        rightly: ${NO_SCRATCH},
        forever: ${forever},
      });
      console.log(total.failures >= 60 || total);`;
    expect(await runChild(program, { host: host!, env: THREADS })).toEqual(well('true\n'));
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
  test.each(MODES)('each array fails, %s', async (_, forever) => {
    const program = `${OPERATIONS}
      const total = sweep(Object.keys(operations), {
        ...interceptArrays(),
        rightly: ${NO_ARRAY},
        forever: ${forever},
      });
      console.log(total.failures >= 120 || total);`;
    expect(await runChild(program, { env: THREADS })).toEqual(well('true\n'));
  });

  // Node-API's own way of making one ends the process
  test('an array no machine has is an error', async () => {
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
    expect(await runChild(program)).toEqual(well('RangeError 64\n'));
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
    [
      'gradients',
      `${long} const y = bn.forward(input), dy = y.detach(), call = () => y.backward(dy);`,
      NO_ARRAY,
    ],
  ])('of 24 MB more, and %s of 40 MB', async (_, setup, rightly) => {
    const program = `${OPERATIONS}
      const { nn, tensor } = load();
      ${setup}
      train();
      const before = stateOf(kept);
      gc(); // Node would, to make room
      host.limitMemory(24e6);
      let said = 'nothing';
      try { call(); } catch (e) { said = (${rightly})(e) || e; }
      host.limitMemory(-1);
      console.log(said, stateOf(kept) === before);
      call();`;
    const options = { host: host!, env: THREADS, flags: ['--expose-gc'] };
    expect(await runChild(program, options)).toEqual(well('true true\n'));
  });
});
