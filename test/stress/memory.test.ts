// Memory that goes away, shrinks or never was: errors, never crashes. In child processes, because a
// failure here is a fault of the process.
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';
import { compile, hostLibrary } from '../helpers/host.js';

const host = hostLibrary();
import { figure } from '../helpers/trials.js';

/** Prints the error of each call by its name and class, and that the layer has not changed. */
const layer = `
  const { nn, tensor, functional } = load();
  const N = 64, C = 8;
  const bn = new nn.BatchNorm1d(C);
  bn.forward(tensor(data(N * C), [N, C]));
  const state = () => JSON.stringify([...bn.stateDict()].map(([, { data }]) => [...data].map(String)));
  const before = state();
  const refused = (name, call) => {
    let outcome = 'no error';
    try { call(); } catch (e) { outcome = e.name; }
    console.log(name + ': ' + outcome + (state() === before ? '' : ', and the layer has changed'));
  };
  const detach = (view) => structuredClone(view.buffer, { transfer: [view.buffer] });
  const resizable = (count) => new ArrayBuffer(count * 4, { maxByteLength: count * 8 });
`;

describe('buffers', () => {
  test('detached', async () => {
    const program = `${layer}
      const x = tensor(data(N * C), [N, C]);
      detach(x.data);
      refused('input', () => bn.forward(x));
      const out = tensor(data(N * C), [N, C]);
      detach(out.data);
      refused('out', () => bn.forward(tensor(data(N * C), [N, C]), { out }));
      const [mean, variance] = [tensor(new Float32Array(C), [C]), tensor(new Float32Array(C), [C])];
      detach(variance.data);
      refused('running_var', () =>
        functional.batchNorm(tensor(data(N * C), [N, C]), mean, variance, { training: true }));
      console.log(mean.data.every((value) => value === 0));
      const used = tensor(data(N * C), [N, C], { requiresGrad: true });
      const y = functional.batchNorm(used, null, null, { training: true });
      detach(used.data);
      refused('backward', () => y.backward(y.detach()));
      refused('tensor', () => tensor(used.data, [N, C]));`;
    expect(await runChild(program)).toEqual(
      well(
        'input: TypeError\nout: TypeError\nrunning_var: TypeError\ntrue\n' +
          'backward: TypeError\ntensor: RangeError\n',
      ),
    );
  });

  test('resizable, shrunk before the call; a fixed view then is out of bounds', async () => {
    const program = `${layer}
      const fixed = resizable(N * C + 16);
      const view = tensor(new Float32Array(fixed, 64, N * C).fill(1), [N, C]);
      bn.eval().forward(view);
      fixed.resize(64 + 4 * (N * C - 1));
      refused('fixed view', () => bn.train().forward(view));
      const tracking = resizable(N * C);
      const whole = tensor(new Float32Array(tracking).fill(1), [N, C]);
      tracking.resize(0);
      refused('shrunk to nothing', () => bn.forward(whole));
      tracking.resize(N * C * 8);
      refused('grown', () => bn.forward(whole));
      tracking.resize(N * C * 4);
      bn.eval();
      console.log(bn.forward(whole).data.length === N * C);`;
    expect(await runChild(program)).toEqual(
      well('fixed view: TypeError\nshrunk to nothing: TypeError\ngrown: TypeError\ntrue\n'),
    );
  });

  // Node 20 and 22: once it has seen resizable buffers too, optimised code reads the length of before
  test('detached, as optimised code sees it', async () => {
    const program = `
      const { nn, tensor } = load();
      const n = 64, kinds = [
        (A) => new A(n),
        (A) => new A(new ArrayBuffer(n * A.BYTES_PER_ELEMENT, { maxByteLength: 1024 }), 0, n),
        (A) => new A(new ArrayBuffer(n * A.BYTES_PER_ELEMENT, { maxByteLength: 1024 })),
        (A) => new A(new ArrayBuffer(n * A.BYTES_PER_ELEMENT + 64), 16, n),
      ];
      const bns = [new nn.BatchNorm1d(8), new nn.BatchNorm1d(8, { dtype: 'float64' })];
      const said = new Set();
      let lost = 0;
      (async () => {
        for (let i = 0; i < 20000; i++) {
          const view = kinds[i % 4](i % 3 === 0 ? Float64Array : Float32Array).fill(1.5);
          const x = tensor(view, [8, 8]), bn = bns[i % 3 === 0 ? 1 : 0];
          try {
            if (i % 8 < 3) { // not the view of a larger buffer, which is never transferred
              await bn.forwardAsync(x, { transfer: true });
              if (x.data.byteLength === 0) lost++;
            } else {
              structuredClone(view.buffer, { transfer: [view.buffer] });
              bn.forward(x);
              said.add('nothing');
            }
          } catch (error) { said.add(error.message); }
        }
        console.log([...said].join());
        console.log(lost, bns[0].numBatchesTracked + bns[1].numBatchesTracked);
      })();`;
    expect(await runChild(program)).toEqual(
      well(
        'BatchNorm1d: expected the input to hold the 64 elements of shape [8, 8], got 0 (its buffer was ' +
          'detached, shrunk or disposed of).\n0 7500\n',
      ),
    );
  });

  test('growable and shared', async () => {
    const program = `${layer}
      const shared = new SharedArrayBuffer(N * C * 4, { maxByteLength: N * C * 8 });
      const view = tensor(new Float32Array(shared, 0, N * C).fill(1), [N, C]);
      shared.grow(N * C * 8);
      console.log(bn.eval().forward(view).data.length === N * C);`;
    expect(await runChild(program)).toEqual(well('true\n'));
  });
});

// only a host can make it: JavaScript's own arrays begin at multiples of their elements
test.skipIf(host === null)('memory at an odd address is refused, at any other read', async () => {
  const program = `${layer}
    const at = (offset) => tensor(new Float32Array(host.external(4 * N * C, offset)), [N, C]);
    for (const offset of [1, 2, 3, 5]) {
      refused('at ' + offset, () => bn.forward(at(offset)));
      refused('out at ' + offset, () => bn.forward(tensor(data(N * C), [N, C]), { out: at(offset) }));
    }
    let said = '';
    try { bn.forward(at(1)); } catch (e) { said = e.message; }
    console.log(said);
    console.log([0, 4, 8, 20, 60].every((offset) => bn.forward(at(offset)).numel === N * C));
    bn.forwardAsync(at(2)).then((y) => console.log(y.numel === N * C)); /* of a copy */`;
  const { stdout, ...rest } = await runChild(program, { host: host! });
  expect({ ...rest, stdout: '' }).toEqual(well());
  expect(stdout.trimEnd().split('\n')).toEqual([
    ...[1, 2, 3, 5].flatMap((at) => [`at ${at}: TypeError`, `out at ${at}: TypeError`]),
    'evenkeel addon: expected x to be memory aligned to its elements, got a misaligned address.',
    'true',
    'true',
  ]);
});

describe('the addon itself, behind every check of the package', () => {
  test('refuses memory that is not what the sizes say', async () => {
    const program = `
      const loaded = { exports: {} };
      process.dlopen(loaded, process.env.EVENKEEL_TEST_ADDON);
      const addon = loaded.exports;
      const say = (call) => { try { call(); console.log('no error'); } catch (e) { console.log(e.message); } };
      const ok = new Float32Array(8), withoutMemory = new Float32Array(8);
      structuredClone(withoutMemory, { transfer: [withoutMemory.buffer] });
      const shrunk = new ArrayBuffer(64, { maxByteLength: 64 });
      const outside = new Float32Array(shrunk, 16, 8);
      shrunk.resize(32);
      say(() => addon.relu(withoutMemory, ok, 8));
      say(() => addon.relu(ok, outside, 8));
      say(() => addon.relu(ok, new Float32Array(7), 8));
      say(() => addon.relu(ok, new Float64Array(8), 8));
      say(() => addon.relu(new Uint8Array(32), ok, 8));
      say(() => addon.relu({ __proto__: Float32Array.prototype }, ok, 8));
      say(() => addon.relu(new Proxy(ok, {}), ok, 8));
      say(() => addon.relu(ok, ok, 8.5));
      say(() => addon.relu(ok, ok, -1));
      say(() => addon.relu(ok, ok, 2 ** 53));
      say(() => addon.relu(ok, ok, '8'));
      say(() => addon.batchNormForward(ok, ok, 2 ** 32, 2 ** 32, 2 ** 32, null, null, null, null, null, false, false, 0, 1, false));
      say(() => addon.batchNormForward(ok, ok, 2, 4, 1, null, null, null, null, null, true, false, 0, 1, false));
      say(() => addon.crossEntropyBackward(ok, Int32Array.of(0, 4), new Float32Array(8), 2, 4, -100, 1));
      say(() => addon.crossEntropyBackward(ok, Int32Array.of(0, -1), new Float32Array(8), 2, 4, -100, 1));
      say(() => addon.dropout(ok, ok, 8, NaN, 1, 0));
      say(() => addon.dropout(ok, ok, 8, 1.5, 1, 0));
      say(() => addon.selectIsa(5));
      say(() => addon.setThreads(-1));`;
    const prefix = 'evenkeel addon: expected ';
    const { stdout, ...rest } = await runChild(program);
    expect({ ...rest, stdout: '' }).toEqual(well());
    expect(stdout.trimEnd().split('\n')).toEqual(
      [
        'x to be a Float32Array of length 8, got a detached, shrunk or empty one.',
        'y to be a Float32Array of length 8, got a detached, shrunk or empty one.',
        'y to be a Float32Array of length 8, got length 7.',
        'y to be a Float32Array, got another kind of value.',
        'the first argument to be a Float32Array or Float64Array, got another kind of value.',
        'the first argument to be a Float32Array or Float64Array, got another kind of value.',
        'the first argument to be a Float32Array or Float64Array, got another kind of value.',
        'n to be a whole number from 0 to 2^53 - 1, got 8.500000.',
        'n to be a whole number from 0 to 2^53 - 1, got -1.000000.',
        'n to be a whole number from 0 to 2^53 - 1, got 9007199254740992.000000.',
        'n to be a number, got another kind of value.',
        'shape to be at most 2^53 - 1 elements, got more.',
        'runningMean to be a Float32Array, got another kind of value.',
        'class targets from 0 to 4 - 1, got 4.',
        'class targets from 0 to 4 - 1, got -1.',
        'p to be a number from 0 to 1, got nan.',
        'p to be a number from 0 to 1, got 1.500000.',
        'isa to be a string, got another kind of value.',
        'threads to be a whole number from 0 to 2^53 - 1, got -1.000000.',
      ].map((line) => prefix + line),
    );
  });

  test('an argument beyond the last slot does not compile', () => {
    const reading = (call: string): string | null =>
      compile(
        `#include "args.h"\ndouble f(const evenkeel::binding::Args& args) { return ${call}; }`,
      );
    const last = reading('args.number(19, "x")');
    if (last === null) return; // no compiler
    expect(last).toBe('');
    expect(reading('args.number(20, "x")')).toContain('beyond Args::kMost');
  });

  test('counts arguments from what is there: no call with too few crashes', async () => {
    const program = `
      const loaded = { exports: {} };
      process.dlopen(loaded, process.env.EVENKEEL_TEST_ADDON);
      let [asked, refused] = [0, 0];
      const { jobs, ...functions } = loaded.exports;
      for (const [name, call] of [...Object.entries(functions), ...Object.entries(jobs)]) {
        if (['isa', 'availableIsas', 'threads', 'stamp', 'returnMemory', 'mpiFinalize'].includes(name)) continue;
        asked++;
        try { call(); console.log(name + ' accepts nothing'); } catch { refused++; }
      }
      console.log(refused === asked && asked > 60);`;
    expect(await runChild(program)).toEqual(well('true\n'));
  });
});

test('ten thousand calls and walks leave nothing behind', { timeout: 120_000 }, async () => {
  const program = `
    const { nn, tensor, native } = load();
    const bn = new nn.BatchNorm1d(128);
    const shared = new Float32Array(new SharedArrayBuffer(4 * 300 * 128)).fill(2);
    const x = tensor(shared, [300, 128], { requiresGrad: true });
    const small = tensor(data(32 * 128), [32, 128], { requiresGrad: true });
    const one = async (i) => {
      const input = i % 4 === 3 ? small : x;
      const abort = i % 5 === 4 ? new AbortController() : null;
      const pending = bn.forwardAsync(input, abort === null ? {} : { signal: abort.signal });
      abort?.abort();
      const y = await pending.catch(() => null);
      if (y === null) return;
      await y.backwardAsync(y.detach());
      x.grad = small.grad = null;
      bn.zeroGrad();
      y.dispose();
    };
    const many = async (count) => { for (let i = 0; i < count; i += 10) await Promise.all(Array.from({ length: 10 }, (_, j) => one(i + j)));
      for (let i = 0; i < 2; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
      native.memory.trim(); // how many arrays wait for their next use depends on when V8 collects
    };
    (async () => {
      await many(4000);
      const before = process.memoryUsage(); // each output has 154 KB or 16
      await many(10000);
      const after = process.memoryUsage();
      console.log(after.rss - before.rss < 48e6, after.external - before.external < 1e4, after.heapUsed - before.heapUsed < 1e6);
      console.log(['rss', 'external', 'heapUsed'].map((each) => after[each] - before[each]).join());
    })();`;
  const ended = await runChild(program, { env: { EVENKEEL_THREADS: '4' }, flags: ['--expose-gc'] });
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(ended.stdout).toMatch(/^true true true\n/);
  figure('more rss, external, heapUsed after ten thousand calls:', ended.stdout.split('\n')[1]);
});
