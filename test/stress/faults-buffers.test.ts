// The memory of a call in flight goes away: detached, shrunk, grown, disposed of, at once and at any moment
// later. The bits are those of forward, or it is one error; never other bits, never a signal.
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';
import { surviving, trials } from '../helpers/trials.js';

/** `cases` by name: how the input is made, what happens to it, the call's options, and which fault that is. */
const CASES = `
const { nn, tensor, functional } = load();
const hashOf = ({ data }) => createHash('sha256').update(data).digest('hex');
const { MessageChannel } = require('node:worker_threads');
const ways = {
  structuredClone: (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  postMessage: (buffer) => { const { port1 } = new MessageChannel(); port1.postMessage(buffer, [buffer]); port1.close(); },
  ...('transfer' in ArrayBuffer.prototype && { transfer: (buffer) => buffer.transfer() }),
};
const way = (i) => Object.values(ways)[i % Object.values(ways).length];
const casesOf = (N, C, values) => {
  const copy = () => values.slice();
  const resizable = () => {
    const view = new Float32Array(new ArrayBuffer(4 * N * C, { maxByteLength: 8 * N * C }));
    view.set(values);
    return view;
  };
  const shared = () => {
    const view = new Float32Array(new SharedArrayBuffer(4 * N * C, { maxByteLength: 8 * N * C }));
    view.set(values);
    return view;
  };
  const zeros = tensor(new Float32Array(N * C), [N, C]);
  const made = () => functional.add(tensor(values, [N, C]), zeros);
  const withoutMemory = (view, i) => { if (view.length > 0) way(i)(view.buffer); };
  const transfer = { transfer: true }, nothing = () => {};
  return {
    'plain, detached': [copy, withoutMemory, {}, 2],
    'transferred, old view detached': [copy, withoutMemory, transfer, 2],
    'transferred, new view detached': [copy, (view, i, x) => withoutMemory(x.data, i), transfer, 2],
    'made, view detached': [made, (y, i) => withoutMemory(y.data, i), {}, 2],
    'made, disposed of, others take its place': [made, (y) => { y.dispose(); for (let k = 0; k < 3; k++) made(); }, {}, 2],
    'forgotten': [copy, nothing, transfer, 2],
    'resizable, shrunk': [resizable, (view, i) => view.buffer.resize(i % 2 === 0 ? 16 : view.buffer.byteLength - 4), {}, 3],
    'resizable, grown': [resizable, (view) => view.buffer.resize(8 * N * C), {}, 3],
    'resizable, transferred': [resizable, nothing, transfer, 3],
    'shared, grown': [shared, (view) => view.buffer.grow(8 * N * C), {}, 3],
  };
};
/** Calls in flight, disturbed after \`later()\`: 'right', or the name of the error it is rejected with. */
const outcome = async (N, C, [make, disturb, options], i, later) => {
  const made = make();
  const x = made instanceof Float32Array ? tensor(made, [N, C]) : made;
  const pending = new nn.BatchNorm1d(C).forwardAsync(x, options).then(hashOf, (error) => error);
  await later();
  disturb(made, i, x);
  if (i % 3 !== 0) gc({ type: i % 3 === 1 ? 'minor' : 'major' });
  const filler = Array.from({ length: 4 }, () => new Float32Array(N * C).fill(NaN));
  const ended = await pending;
  if (typeof ended === 'string') return ended === (expected ??= hashOf(new nn.BatchNorm1d(C).forward(tensor(values, [N, C])))) ? 'right' : 'OTHER BITS';
  return /to keep its \\d+ elements until they are copied|hold the/.test(ended.message) ? ended.name : String(ended);
};
`;

const child = (n: number, c: number, program: string): ReturnType<typeof runChild> =>
  runChild(
    `${CASES} const [N, C] = [${n}, ${c}], values = data(N * C); let expected; (async () => { ${program} })();`,
    { env: { EVENKEEL_THREADS: '4' }, flags: ['--expose-gc', '--max-semi-space-size=1'] },
  );

describe.each([
  ['small', 64, 8],
  ['of 1 MB, copied at the call', 512, 512],
  ['large, copied in turns', 4096, 512],
])('%s', (_, n, c) => {
  const isCopiedLater = n * c * 4 > 2 ** 20;

  test('right after the call', () => {
    const tries = trials(3, 12);
    return surviving('2', tries * 6, async () => {
      const program = `
        for (const [name, each] of Object.entries(casesOf(N, C, values))) {
          const seen = new Set();
          for (let i = 0; i < ${tries}; i++) seen.add(await outcome(N, C, each, i, () => {}));
          console.log(name + ': ' + [...seen].sort().join());
        }`;
      const withoutMemory = isCopiedLater ? 'TypeError' : 'right';
      const said = [
        `plain, detached: ${withoutMemory}`,
        'transferred, old view detached: right',
        'transferred, new view detached: right',
        'made, view detached: right',
        'made, disposed of, others take its place: right',
        'forgotten: right',
        `resizable, shrunk: ${withoutMemory}`,
        `resizable, grown: ${withoutMemory}`,
        'resizable, transferred: right',
        'shared, grown: right',
      ];
      expect(await child(n, c, program)).toEqual(well(`${said.join('\n')}\n`));
    });
  });

  test.each([2, 3] as const)('at any moment, hazard %d', (kind) => {
    const tries = trials(4);
    return surviving(`${kind}`, tries * (kind === 2 ? 6 : 4), async () => {
      const program = `
        // none, a few turns of the event loop, or about as long as a copy and a call take
        const moments = [() => {}, () => new Promise(setImmediate), () => wait(Math.random() * 4)];
        for (const [name, each] of Object.entries(casesOf(N, C, values))) {
          if (each[3] !== ${kind}) continue;
          for (let i = 0; i < ${tries}; i++) {
            const end = await outcome(N, C, each, i, moments[i % 3]);
            const mayFail = ${isCopiedLater} && /^plain|^resizable, (shrunk|grown)/.test(name);
            if (end !== 'right' && !(mayFail && end === 'TypeError')) console.log(name, i, end);
          }
        }
        console.log(train().length);`;
      expect(await child(n, c, program)).toEqual(well('64\n'));
    });
  });
});

// Their values select memory: the addon must use those that it has checked.
describe('shared memory that another thread writes', () => {
  const seconds = trials(4, 60);
  const flipping = (array: string, call: string): string => `
    const loaded = { exports: {} };
    process.dlopen(loaded, process.env.EVENKEEL_TEST_ADDON);
    const addon = loaded.exports, rows = 20_000, classes = 4;
    const shared = new Int32Array(new SharedArrayBuffer(4 * rows)).fill(${array});
    const worker = evalWorker(\`
      const [shared, ends] = workerData;
      parentPort.postMessage(0);
      while (Date.now() < ends) for (let i = 0; i < 1000; i++) {
        Atomics.store(shared, shared.length - 1, 2 ** 30);
        Atomics.store(shared, shared.length - 1, ${array});
      }\`, [shared, Date.now() + ${seconds * 1000}]);
    worker.once('message', () => {
      const x = new Float32Array(rows * classes), y = new Float32Array(rows * classes), out = new Float64Array(3);
      const labels = new Int32Array(rows);
      const ends = Date.now() + ${seconds * 1000};
      let done = 0, refused = 0;
      while (Date.now() < ends) {
        try { ${call} done++; } catch (error) { if (/ 1073741824\\.$/.test(error.message)) refused++; else throw error; }
      }
      console.log(done > 100, refused > 0);
    });`;
  test.each([
    [
      'class targets, backward',
      '1',
      'addon.crossEntropyBackward(x, shared, y, rows, classes, -100, 1);',
    ],
    [
      'class targets, forward',
      '1',
      // It copies and checks them, and returns where one is wrong.
      'if (addon.crossEntropy(x, shared, labels, y, rows, classes, -100, out) >= 0) { refused++; continue; }',
    ],
    ['lengths, pack', '4', 'addon.pack(x, y, shared, rows, 1, 4, 1);'],
    ['lengths, unpack', '4', 'addon.unpack(x, y, shared, rows, 1, 4, 1);'],
  ])('%s', (_, value, call) =>
    surviving('6', 1, async () => {
      expect(await runChild(flipping(value, call))).toEqual(well('true true\n'));
    }),
  );
});
