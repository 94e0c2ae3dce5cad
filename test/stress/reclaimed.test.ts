// What a program holds while the pool takes back what it has dropped: under collections at every turn, in Workers and
// in jobs beside the event loop. `EVENKEEL_TRIALS=long` runs longer.
import { expect, test } from 'vitest';

import { runChild } from '../helpers/child.js';
import { isLong } from '../helpers/trials.js';

const ROUNDS = isLong ? 20_000 : 1500;

/** Every tensor has one value in all its elements; what is dropped, kept and collected comes from a generator. */
const PROGRAM = `
  const { functional: { relu, mul, add, sum, reshape }, nn, noGrad, tensor, native } = load();
  const N = 32 * 1024;
  let state = 7;
  const random = (below) => (state = (state * 1103515245 + 12345) % 2147483648, Math.floor(state / 2147483648 * below));
  const filled = (value) => relu(tensor(new Float32Array(N).fill(value)));
  const holds = (x, value) => noGrad(() => sum(x.detach()).item() === value * N);
  const bn = new nn.BatchNorm1d(64).eval();
  const kinds = [
    (v) => { const x = filled(v); return () => holds(x, v); },
    (v) => { const x = filled(v).detach(); return () => holds(x, v); },
    (v) => { const x = reshape(filled(v), [64, N / 64]); return () => holds(x, v); },
    (v) => { const a = filled(v).data; return () => a.every((each) => each === v); },
    (v) => {
      const leaf = tensor(new Float32Array(N).fill(2), { requiresGrad: true });
      const loss = sum(mul(filled(v), add(leaf, filled(1))));
      return () => { leaf.grad = null; loss.backward(undefined, { retainGraph: true }); return holds(leaf.grad, v); };
    },
  ];
  const churn = (count) => { const x = tensor(new Float32Array(N).fill(9999)); noGrad(() => { for (let i = 0; i < count; i++) relu(x); }); };
  const collect = () => { if (typeof gc === 'function') random(4) ? gc({ type: 'minor' }) : gc(); };
  const held = [];
  const turn = () => {
    if (held.length > 12 || random(3) === 0) held.splice(random(held.length), 1);
    else held.push(kinds[random(kinds.length)](1 + random(99)));
    if (random(5) === 0) collect();
    churn(random(40));
    if (!held.every((sees) => sees())) throw new Error('somebody else has written into it');
  };
  const later = async () => {
    const inputs = Array.from({ length: 6 }, (_, i) => reshape(filled(i), [N / 64, 64]));
    const pending = inputs.map((x) => bn.forwardAsync(x));
    inputs.length = 0;
    churn(60);
    collect();
    const expected = [0, 1, 2, 3, 4, 5].map((v) => sum(bn.forward(tensor(new Float32Array(N).fill(v), [N / 64, 64]))).item());
    const got = (await Promise.all(pending)).map((y) => sum(y).item());
    if (got.join() !== expected.join()) throw new Error('a job read or wrote elsewhere');
  };
  (async () => {
    for (let i = 0; i < ROUNDS; i++) {
      turn();
      if (i % 50 === 0) await later();
    }
    console.log('held');
  })();`;

const program = (rounds: number): string => PROGRAM.replace('ROUNDS', String(rounds));
const env = { EVENKEEL_THREADS: '2' };

test.each([
  [['--expose-gc']],
  [['--max-semi-space-size=1']],
  [['--expose-gc', '--stress-compaction', '--max-semi-space-size=1']],
  [['--expose-gc', '--gc-interval=500']],
  [['--no-opt']],
])('nothing held changes with %j', { timeout: 600_000 }, async (flags) => {
  // V8 moves every object at each collection then, which takes ten times as long.
  const rounds = flags.includes('--stress-compaction') ? ROUNDS / 5 : ROUNDS;
  const ended = await runChild(program(rounds), { env, flags });
  expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'held\n' });
});

test('nor in four Workers at a time', { timeout: 600_000 }, async () => {
  const worker = `evalWorker(${JSON.stringify(program(ROUNDS / 5))});`;
  const ended = await runChild(worker.repeat(4), { env });
  expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'held\n'.repeat(4) });
});

test('plain steps leave memory as it is', { timeout: 600_000 }, async () => {
  const steps = isLong ? 100_000 : 5000;
  const loop = `
    const { functional, nn, optim, tensor, native } = load();
    const model = new nn.Sequential(new nn.Linear(64, 256), new nn.BatchNorm1d(256), new nn.ReLU(), new nn.Linear(256, 8));
    const opt = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const x = tensor(Float32Array.from({ length: 128 * 64 }, (_, i) => Math.sin(i)), [128, 64]);
    const labels = Array.from({ length: 128 }, (_, i) => i % 8);
    const run = (count) => {
      for (let i = 0; i < count; i++) {
        opt.zeroGrad();
        functional.crossEntropy(model.forward(x), labels).backward();
        opt.step();
      }
      return process.memoryUsage.rss();
    };
    const before = run(${steps / 5});
    const more = run(${steps}) - before;
    console.log(more < 100e6, native.memory.inUse + native.memory.pooled < 100e6);`;
  const ended = await runChild(loop, { env });
  expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'true true\n' });
});
