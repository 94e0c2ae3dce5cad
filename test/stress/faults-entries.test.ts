// Errors at every door: a C++ exception in any function of the addon is a JavaScript error, and what a
// user's own code throws around calls in flight reaches the user, whatever Node is told to do with it.
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';
import { hostLibrary } from '../helpers/host.js';
import { OPERATIONS } from '../helpers/faults/program.js';
import { surviving } from '../helpers/trials.js';

const host = hostLibrary();
const env = { EVENKEEL_THREADS: '2' };

describe.skipIf(host === null)('std::bad_alloc', () => {
  // without arguments each says what it expected, and a sentence of that length is allocated
  test('in every function of the addon', () =>
    surviving('27', 80, async () => {
      const program = `${OPERATIONS}
        const { addon } = (load(), require(FOLDER + '/addon/control.js'));
        for (const forever of [0, 1]) {
          const quiet = [];
          const all = Object.entries({ ...addon,
            ...Object.fromEntries(Object.entries(addon.jobs).map(([name, job]) => ['jobs.' + name, job])) });
          for (const [name, call] of all) {
            let error = null;
            host.failAllocation(1, forever);
            try { call(); } catch (caught) { error = caught; }
            const asked = host.allocations();
            if (asked === 0) quiet.push(name);
            else if (error?.code !== 'ERR_EVENKEEL_OUT_OF_MEMORY' ||
              error.message !== 'evenkeel addon: expected memory for scratch, got none.') console.log(name, String(error));
          }
          console.log('these ask for no memory: ' + quiet);
        }
        console.log(train().length);`;
      const { stdout, ...rest } = await runChild(program, { env, host: host! });
      expect({ ...rest, stdout: '' }).toEqual(well());
      const mpi = ['Start', 'Version', 'Rank', 'Size', 'Exchange', 'Silent', 'Finalize'];
      const quiet = [
        'returnMemory',
        'isa',
        'availableIsas',
        'threads',
        ...mpi.map((each) => `mpi${each}`),
      ];
      const line = `these ask for no memory: ${[...quiet, 'jobs', 'stamp'].join()}\n`;
      expect(stdout).toBe(`${line}${line}64\n`);
    }));

  test('while the addon is loaded', () =>
    surviving('27', 1, async () => {
      const program = `
        load();
        const open = () => process.dlopen({ exports: {} }, process.env.EVENKEEL_TEST_ADDON);
        let failed = 0;
        for (let at = 1; ; at++) {
          let error = null;
          host.failAllocation(at, 0);
          try { open(); } catch (caught) { error = caught; }
          if (host.allocations() < at) break;
          failed++;
          if (!(error instanceof Error)) console.log(at, error);
        }
        open();
        console.log(failed > 0, train().length);`;
      expect(await runChild(program, { env, host: host! })).toEqual(well('true 64\n'));
    }));
});

describe.each([
  [[]],
  [['--force-node-api-uncaught-exceptions-policy=true']],
  [['--unhandled-rejections=strict']],
  [['--force-node-api-uncaught-exceptions-policy=true', '--unhandled-rejections=strict']],
])('what handlers throw around calls in flight, node %j', (flags) => {
  test('is heard once each, and calls go on', async () => {
    const program = `
      const { nn, tensor } = load();
      const heard = [];
      process.on('uncaughtException', (error) => heard.push(error.message));
      const x = tensor(data(256 * 256), [256, 256], { requiresGrad: true });
      (async () => {
        for (let i = 0; i < 50; i++) {
          const bn = new nn.BatchNorm1d(256);
          bn.forwardAsync(x).then(() => { throw new Error('then ' + i); });
          const abort = new AbortController();
          abort.signal.addEventListener('abort', () => { throw new Error('listener ' + i); });
          const stopped = bn.forwardAsync(x, { signal: abort.signal }).then(() => 'fulfilled', (e) => e.name);
          setTimeout(() => abort.abort(), 0);
          const hooked = new nn.BatchNorm1d(256);
          hooked.registerForwardHook(() => { throw new Error('hook ' + i); });
          const said = await hooked.forwardAsync(x).catch((error) => error.message);
          if (said !== 'hook ' + i) console.log(said);
          const how = await stopped;
          const counted = how === 'fulfilled' ? 2 : 1;
          if (bn.numBatchesTracked !== counted) console.log(how, bn.numBatchesTracked);
          const y = await new nn.BatchNorm1d(256).forwardAsync(x);
          y.registerHook(() => { throw new Error('gradient ' + i); });
          const walk = await y.backwardAsync(y.detach()).catch((error) => error.message);
          if (walk !== 'gradient ' + i || x.grad !== null) console.log(walk, x.grad);
        }
        await wait(20);
        const expected = Array.from({ length: 50 }, (_, i) => ['then ' + i, 'listener ' + i]).flat();
        console.log(heard.length, heard.sort().join() === expected.sort().join());
        console.log(await trainLater() === train());
      })();`;
    // strict, Node also warns of each rejection that is an uncaught error then
    const options = { env, flags: [...flags, '--no-warnings'] };
    expect(await runChild(program, options)).toEqual(well('100 true\ntrue\n'));
  });

  test('ends the process where nobody listens, by the error of the user and no other', async () => {
    const program = `begin(4).forEach((call) => call.then(() => { throw new Error('on purpose'); }));`;
    const { stderr, ...rest } = await runChild(program, { env, flags });
    expect({ ...rest, stderr: '' }).toEqual({ ...well(), code: 1 });
    expect(stderr).toMatch(
      /^\[eval\]:\d+\n.*\n *\^\n\nError: on purpose\n( +at .*\n)+\nNode.js .*\n$/,
    );
  });
});
