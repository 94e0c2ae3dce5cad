// forwardAsync of SyncBatchNorm: what BatchNorm1d.forwardAsync promises, where other processes have to come first.
import { describe, expect, test } from 'vitest';

import { KINDS, runJob } from '../helpers/ranks.js';

const INIT =
  'const world = await distributed.init({ timeout: 15000 }); globalThis.rank = world.rank;';

const HELPERS = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const failure = async (promise) => {
    try { await promise; return 'fulfilled'; } catch (error) { return error.name + ': ' + error.message; }
  };`;

/** Three batches through a model, by `forward` or by calls that are all under way at once. */
const model = (later: boolean, options: string): string => `${INIT}${HELPERS}
  manualSeed(3);
  const { rank, size } = world;
  const net = nn.convertSyncBatchNorm(new nn.Sequential(
    new nn.Linear(6, 300), new nn.BatchNorm1d(300, ${options}), new nn.ReLU(), new nn.Linear(300, 8), new nn.BatchNorm1d(8, ${options}),
  ));
  const replica = distributed.dataParallel(net);
  const batches = [700, 150, 900].map((rows) => {
    const { begin, end } = distributed.share(rows, rank, size);
    const whole = nn.init.normal_(tensor(new Float32Array(rows * 6), [rows, 6]), 2, 3);
    return tensor(whole.data.slice(begin * 6, end * 6), [end - begin, 6]);
  });
  const settled = [];
  if (rank === 1) await sleep(100); // one process is late
  const ys = [];
  if (${later}) {
    const calls = batches.map(async (x, i) => {
      const y = await net.forwardAsync(x);
      settled.push([i, net.at(1).numBatchesTracked]);
      return y;
    });
      ys.push(...await Promise.all(calls));
  } else {
    for (const [i, x] of batches.entries()) {
      ys.push(net.forward(x));
      settled.push([i, net.at(1).numBatchesTracked]);
    }
  }
  const gradients = [];
  for (const y of ys) {
    net.zeroGrad();
    const loss = y.mul(y).sum();
    if (${later}) await loss.backwardAsync();
    else loss.backward();
    if (${later}) await replica.reduceGradientsAsync();
    else replica.reduceGradients();
    gradients.push(bits([...net.parameters()].map(({ grad }) => grad)));
  }
  distributed.verify(net, world);
  say([bits(ys), bits([...net.stateDict().values()]), gradients, settled]);`;

describe.each(KINDS)('%s', (kind) => {
  test.each([
    ['plain', '{}'],
    ['an average of all', '{ momentum: null }'],
  ])('%s: several calls under way have the bits and the order of forward', async (_, options) => {
    const now = await runJob(kind, 3, model(false, options));
    const later = await runJob(kind, 3, model(true, options));
    expect([now.stderr, later.stderr, later.code]).toEqual(['', '', 0]);
    expect(now.said.every((each) => each.length === 1)).toBe(true);
    expect(later.said).toEqual(now.said);
  });

  test('the event loop turns until the others come; a plain collective is refused, and told', async () => {
    const { said, stderr } = await runJob(
      kind,
      2,
      `${INIT}${HELPERS}
      const bn = new nn.SyncBatchNorm(2);
      const x = tensor([[1, 2], [4, 5]]);
      if (world.rank === 1) await sleep(400);
      let turns = 0;
      const timer = setInterval(() => turns++, 5);
      const y = bn.forwardAsync(x);
      let refused = null;
      try { world.barrier(); } catch (error) { refused = error.message; }
      await y;
      clearInterval(timer);
      world.barrier();
      say([refused, world.rank === 1 || turns > 3, bn.numBatchesTracked]);`,
    );
    const message =
      'barrier: expected no asynchronous call under way, got one: await it first, so that every process communicates in the same order.';
    const each = [message, true, 1];
    expect([said, stderr]).toEqual([[[each], [each]], '']);
  });

  test('aborted: the others are told, nothing has changed anywhere, and the job goes on', async () => {
    const { said, stderr } = await runJob(
      kind,
      3,
      `${INIT}${HELPERS}
      const bn = new nn.SyncBatchNorm(2);
      const x = tensor([[1, 2], [4, 5]]);
      const controller = new AbortController();
      if (world.rank === 2) await sleep(300);
      const call = failure(bn.forwardAsync(x, { signal: world.rank === 0 ? controller.signal : undefined }));
      if (world.rank === 0) setTimeout(() => controller.abort(new Error('no time')), 50);
      const ended = await call;
      const before = [bn.numBatchesTracked, bn.runningMean.toArray()];
      const sum = world.allReduce(tensor([world.rank])).item();
      await bn.forwardAsync(x);
      say([ended, before, sum, bn.numBatchesTracked]);`,
    );
    const rest = [[0, [0, 0]], 3, 1];
    const told = ['PeerError: rank 0 of 3: no time', ...rest];
    expect([said, stderr]).toEqual([[[['Error: no time', ...rest]], [told], [told]], '']);
  });
});

/** One layer over shares of a batch, by forward or by forwardAsync, and its gradients. */
const layer = (later: boolean, cuts: readonly number[], options: string, call: string): string =>
  `${INIT}${HELPERS}
  manualSeed(3);
  const [C, L] = [3, 4];
  const all = nn.init.normal_(tensor(new Float32Array(150 * C * L), [150, C, L]), 3, 1);
  const cuts = ${JSON.stringify(cuts)};
  const [begin, end] = [cuts[world.rank], cuts[world.rank + 1]];
  const bn = new nn.SyncBatchNorm(C, ${options});
  bn.runningMean.data.set([1, 2, 3]);
  const x = tensor(all.data.slice(begin * C * L, end * C * L), [end - begin, C, L], { requiresGrad: true, dtype: bn.weight.dtype });
  const options = ${call};
  const later = ${later};
  try {
    const y = later ? await bn.forwardAsync(x, options) : bn.forward(x, options);
    const dy = y.mul(y).detach();
    if (later) await y.backwardAsync(dy);
    else y.backward(dy);
    say([bits([y, x.grad]), bits([bn.weight.grad, bn.bias.grad])]);
  } catch (error) {
    say(error.message);
  }
  say([bits([bn.runningMean, bn.runningVar]), bn.numBatchesTracked, bn.skippedBatches]);`;

test.each([
  ['empty and uneven shares', [0, 0, 64, 150], '{}', '{}'],
  ['shares cut anywhere', [0, 1, 1, 150], '{}', '{}'],
  ['a ReLU behind it', [0, 64, 128, 150], '{}', '{ relu: true }'],
  ['an activation behind it', [0, 64, 128, 150], '{}', "{ activation: 'silu' }"],
  [
    'a PReLU behind it',
    [0, 64, 128, 150],
    '{}',
    "{ activation: { name: 'prelu', weight: new nn.PReLU().weight } }",
  ],
  [
    'sequences of unequal length',
    [0, 64, 128, 150],
    '{}',
    '{ lengths: Int32Array.from({ length: end - begin }, (_, i) => i % 5) }',
  ],
  ['not finite', [0, 64, 128, 150], "{ nonFinite: 'throw' }", '(x.data[0] = NaN, {})'],
  ['not finite, kept out', [0, 64, 128, 150], "{ nonFinite: 'skip' }", '(x.data[0] = NaN, {})'],
  ['normalised by the running ones', [0, 64, 128, 150], '{}', "(bn.normalizeBy = 'running', bn.updateStatistics = true, {})"], // prettier-ignore
  ['in evaluation', [0, 64, 128, 150], '{}', '(bn.eval(), {})'],
  ['float64', [0, 64, 128, 150], "{ dtype: 'float64' }", '{}'],
])('%s: forwardAsync gives what forward does', async (_, cuts, options, call) => {
  const [now, later] = [
    await runJob('workers', 3, layer(false, cuts, options, call)),
    await runJob('workers', 3, layer(true, cuts, options, call)),
  ];
  expect([now.stderr, later.stderr]).toEqual(['', '']);
  expect(now.said.map((each) => each.length)).toEqual([2, 2, 2]);
  expect(later.said).toEqual(now.said);
});

test.each(["{ singleValue: 'running' }", "{ singleValue: 'throw' }"])(
  'one value of all processes together, %s',
  async (options) => {
    const program = (later: boolean): string => `${INIT}
      const bn = new nn.SyncBatchNorm(2, ${options});
      bn.runningMean.data.set([1, 2]);
      const rows = world.rank === 1 ? 1 : 0;
      const x = tensor(Float32Array.from({ length: 2 * rows }, () => 3), [rows, 2], { requiresGrad: true });
      try {
        const y = ${later} ? await bn.forwardAsync(x) : bn.forward(x);
        const dy = tensor(new Float32Array(2 * rows).fill(1), [rows, 2]);
        if (${later}) await y.backwardAsync(dy);
        else y.backward(dy);
        say([y.toArray(), x.grad.toArray(), bn.weight.grad.toArray()]);
      } catch (error) {
        say(error.message);
      }
      say([bn.numBatchesTracked, bn.runningMean.toArray()]);
      world.barrier();`;
    const now = await runJob('workers', 3, program(false));
    const later = await runJob('workers', 3, program(true));
    expect([now.stderr, later.stderr]).toEqual(['', '']);
    expect(now.said.map((each) => each.length)).toEqual([2, 2, 2]);
    expect(later.said).toEqual(now.said);
  },
);

test('what one process refuses, before or behind a layer that meets, the others are told', async () => {
  const { said } = await runJob(
    'workers',
    3,
    `${INIT}${HELPERS}
    class Gate extends nn.Module {
      forward(x) {
        if (this.closed) throw new RangeError('closed');
        return x;
      }
    }
    const net = nn.convertSyncBatchNorm(new nn.Sequential(new nn.BatchNorm1d(2), new Gate(), new nn.BatchNorm1d(2)));
    const right = tensor([[1, 2], [4, 5]]);
    const wrong = tensor([[1, 2, 3], [4, 5, 6]]);
    const counts = () => [net.at(0).numBatchesTracked, net.at(2).numBatchesTracked];
    say([await failure(net.forwardAsync(world.rank === 2 ? wrong : right)), counts()]);
    net.at(1).closed = world.rank === 0;
    say([await failure(net.forwardAsync(right)), counts()]);
    net.at(1).closed = false;
    say([await failure(net.forwardAsync(right)), counts()]);`,
  );
  const own =
    "SyncBatchNorm: expected input with 2 channels, got shape [2, 3] (running_mean should contain 3 elements not 2) (in '0').";
  const first = [`PeerError: rank 2 of 3: ${own}`, [0, 0]];
  const second = ['PeerError: rank 0 of 3: closed', [0, 0]];
  const third = ['fulfilled', [1, 1]];
  expect(said).toEqual([
    [first, ['RangeError: closed', [0, 0]], third],
    [first, second, third],
    [[`RangeError: ${own}`, [0, 0]], second, third],
  ]);
});

test('an input that is written while the call is under way fails it on all processes, and moves nothing', async () => {
  const { said } = await runJob(
    'workers',
    2,
    `${INIT}${HELPERS}
    const bn = new nn.SyncBatchNorm(2);
    const x = tensor(new Float32Array(40000).map((_, i) => i % 5), [20000, 2]);
    if (world.rank === 1) await sleep(100);
    const call = failure(bn.forwardAsync(x.mul(1)));
    const mine = x.mul(1);
    const second = failure(bn.forwardAsync(mine));
    if (world.rank === 0) mine.fill_(1);
    say([await call, (await second).replace(/^(\\w+: ).*(SyncBatchNorm).*/, '$1$2'), bn.numBatchesTracked]);
    await bn.forwardAsync(mine);
    say(bn.numBatchesTracked);`,
  );
  expect(said).toEqual([
    [['fulfilled', 'Error: SyncBatchNorm', 1], 2],
    [['fulfilled', 'PeerError: SyncBatchNorm', 1], 2],
  ]);
});

test('a virtual batch takes what asynchronous forwards have seen', async () => {
  const { said } = await runJob(
    'workers',
    2,
    `${INIT}
    const bn = new nn.SyncBatchNorm(1, { momentum: 1 });
    const batch = nn.virtualBatch(bn);
    await Promise.all([
      bn.forwardAsync(tensor([[4 * world.rank], [4 * world.rank + 2]])),
      bn.forwardAsync(tensor([[8], [8]])),
    ]);
    batch.commit();
    say([bn.runningMean.item(), bn.numBatchesTracked]);`,
  );
  expect(said).toEqual([[[5.5, 1]], [[5.5, 1]]]);
});

test('Dropout takes its numbers by the place in the whole batch; beside another call it says what to do', async () => {
  const program = (later: boolean): string => `${INIT}${HELPERS}
    manualSeed(1);
    const net = nn.convertSyncBatchNorm(new nn.Sequential(new nn.BatchNorm1d(4), new nn.Dropout(0.4), new nn.BatchNorm1d(4)));
    distributed.dataParallel(net);
    const x = nn.init.normal_(tensor(new Float32Array(256), [64, 4]));
    const ys = [];
    for (let i = 0; i < 2; i++) ys.push(${later} ? await net.forwardAsync(x) : net.forward(x));
    say(bits(ys));
    if (${later}) say(await Promise.all([net.forwardAsync(x), net.forwardAsync(x)].map(failure)));`;
  const now = await runJob('workers', 2, program(false));
  const later = await runJob('workers', 2, program(true));
  expect(later.said.map(([hash]) => hash)).toEqual(now.said.map(([hash]) => hash));
  const refused =
    "Error: Dropout: expected no asynchronous call under way, got one: await it first, so that every process communicates in the same order (in '1').";
  for (const [, ends] of later.said) expect(ends).toEqual(['fulfilled', refused]);
});

test('a process that does not come in time is named', async () => {
  const { code, stderr } = await runJob(
    'workers',
    2,
    `const world = await distributed.init({ timeout: 1500 });
    if (world.rank === 1) await new Promise((resolve) => setTimeout(resolve, 4000));
    await new nn.SyncBatchNorm(2).forwardAsync(tensor([[1, 2], [4, 5]]));`,
  );
  expect(stderr).toContain(
    'TimeoutError: rank 0 has waited 1.5 s in all-gather 2 (SyncBatchNorm forward); no word from rank 1',
  );
  expect(code).toBe(70);
});
