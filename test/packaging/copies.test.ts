// Two copies of the built package in one process: every door of the one refuses what the other made, in
// one sentence that says where both are, and nothing has changed then.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};
const VERSION = manifest.version;
let folder = '';

/** What a package manager would install a second time: dist, package.json and the addon. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-copy-'));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  const release = join('build', 'Release');
  mkdirSync(join(folder, release), { recursive: true });
  cpSync(join(root, release, 'evenkeel.node'), join(folder, release, 'evenkeel.node'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `ours` and `theirs` are the two copies; `said(call)` is what a call was refused with. */
const program = (body: string): string => `
  const ours = load();
  const theirs = require(process.env.OTHER_COPY);
  const said = (call) => { try { call(); return 'accepted'; } catch (error) { return error.name + ': ' + error.message; } };
  const saidLater = async (call) => { try { await call(); return 'accepted'; } catch (error) { return error.name + ': ' + error.message; } };
  const t = (evenkeel = theirs) => evenkeel.tensor([[1, 2], [3, 5]]);
  const vector = () => theirs.tensor([1, 2]);
  const parameter = () => new theirs.nn.Linear(2, 2).weight;
  class Net extends ours.nn.Module { constructor() { super(); this.a = new ours.nn.Linear(2, 2); this.b = new theirs.nn.Dropout(); } forward(x) { return x; } }
  class Held extends ours.nn.Module { constructor() { super(); this.a = new ours.nn.Linear(2, 2); this.p = parameter(); } forward(x) { return x; } }
  const foreignState = () => new Map([['weight', t()], ['bias', vector()]]);
  ${body}`;

const run = (body: string): ReturnType<typeof runChild> =>
  runChild(program(body), { env: { OTHER_COPY: join(folder, 'dist', 'cjs', 'index.js') } });

/** Every place of the public contract that takes a Tensor, a Parameter, a Module or a state dict. */
const PLACES: readonly (readonly [string, string])[] = [
  ['Tensor.from', 'ours.Tensor.from(t())'],
  ['backward(gradient)', 't(ours).clone().backward.call(required(), t())'],
  ['keep', 'ours.keep(t())'],
  ['functional.add', 'ours.functional.add(t(ours), t())'],
  ['functional.mul', 'ours.functional.mul(t(), t(ours))'],
  ['functional.sum', 'ours.functional.sum(t())'],
  ['functional.mean', 'ours.functional.mean(t())'],
  ['functional.reshape', 'ours.functional.reshape(t(), [4])'],
  ['functional.relu', 'ours.functional.relu(t())'],
  ['functional.dropout', 'ours.functional.dropout(t())'],
  ['functional.linear, x', 'ours.functional.linear(t(), t(ours))'],
  ['functional.linear, weight', 'ours.functional.linear(t(ours), t())'],
  ['functional.linear, bias', 'ours.functional.linear(t(ours), t(ours), vector())'],
  ['functional.mseLoss, target', 'ours.functional.mseLoss(t(ours), t())'],
  ['functional.crossEntropy, logits', 'ours.functional.crossEntropy(t(), [0, 1])'],
  [
    'functional.crossEntropy, targets',
    'ours.functional.crossEntropy(t(ours), theirs.tensor(Int32Array.of(0, 1)))',
  ],
  ['functional.batchNorm, x', 'ours.functional.batchNorm(t(), null, null)'],
  ['functional.batchNorm, statistics', 'ours.functional.batchNorm(t(ours), vector(), vector())'],
  [
    'functional.batchNorm, weight',
    'ours.functional.batchNorm(t(ours), null, null, { weight: vector() })',
  ],
  ['functional.batchNorm, out', 'ours.functional.batchNorm(t(ours), null, null, { out: t() })'],
  ['BatchNorm1d.forward', 'new ours.nn.BatchNorm1d(2).forward(t())'],
  [
    'BatchNorm1d.forward, lengths',
    'new ours.nn.BatchNorm1d(2).forward(ours.tensor([[[1, 2], [3, 4]]]), { lengths: theirs.tensor(Int32Array.of(1)) })',
  ],
  ['Linear.forward', 'new ours.nn.Linear(2, 2).forward(t())'],
  [
    'Linear.weight',
    '{ const linear = new ours.nn.Linear(2, 2); Object.assign(linear, { weight: parameter() }); linear.forward(t(ours)); }',
  ],
  ['Dropout.forward', 'new ours.nn.Dropout().eval().forward(t())'],
  ['Sequential of layers', 'new ours.nn.Sequential(new theirs.nn.ReLU())'],
  ['Sequential.forward, empty', 'new ours.nn.Sequential().forward(t())'],
  ['registerModule', 'new ours.nn.ReLU().registerModule("0", new theirs.nn.ReLU())'],
  ['registerBuffer', 'new ours.nn.ReLU().registerBuffer("b", t())'],
  ['registerParameter', 'new ours.nn.ReLU().registerParameter("p", parameter())'],
  ['loadStateDict of a Map', 'new ours.nn.Linear(2, 2).loadStateDict(foreignState())'],
  [
    'loadStateDict of a StateDict',
    'new ours.nn.Linear(2, 2).loadStateDict(new theirs.nn.Linear(2, 2).stateDict())',
  ],
  [
    'loadStateDict, not strict',
    'new ours.nn.Linear(2, 2).loadStateDict(foreignState(), { strict: false })',
  ],
  [
    'loadStateDict, assign',
    'new ours.nn.Linear(2, 2).loadStateDict(foreignState(), { assign: true })',
  ],
  ['SGD of parameters', 'new ours.optim.SGD(new theirs.nn.Linear(2, 2).parameters(), { lr: 1 })'],
  [
    'SGD of groups',
    'new ours.optim.SGD([{ params: new theirs.nn.Linear(2, 2).parameters() }], { lr: 1 })',
  ],
  ['Adam of parameters', 'new ours.optim.Adam([parameter()])'],
  ['TensorDataset', 'new ours.data.TensorDataset(t())'],
  ['DataLoader of a data set', 'new ours.data.DataLoader(new theirs.data.TensorDataset(t()))'],
  ['DataLoader of rows', '[...new ours.data.DataLoader({ length: 1, rows: () => [t()] })]'],
  [
    'foldBatchNorm',
    'ours.nn.foldBatchNorm(new theirs.nn.Linear(2, 2).eval(), new theirs.nn.BatchNorm1d(2).eval())',
  ],
  ['snapshotStatistics', 'ours.nn.snapshotStatistics(new theirs.nn.BatchNorm1d(2))'],
  ['virtualBatch', 'ours.nn.virtualBatch(new theirs.nn.BatchNorm1d(2))'],
  ['updateBatchNorm, model', 'ours.nn.updateBatchNorm(new theirs.nn.BatchNorm1d(2), [t(ours)])'],
  ['updateBatchNorm, batch', 'ours.nn.updateBatchNorm(new ours.nn.BatchNorm1d(2), [t()])'],
  ['FrozenBatchNorm1d.from', 'ours.nn.FrozenBatchNorm1d.from(new theirs.nn.BatchNorm1d(2))'],
  ['a gradient hook', '{ const x = required(); x.registerHook(() => t()); x.backward(t(ours)); }'],
  ...[
    'parameters',
    'namedModules',
    'children',
    'modules',
    'train',
    'eval',
    'stateDict',
    'zeroGrad',
    'requiresGrad_',
    'toString',
    'shareMemory',
    'clone',
  ].map((method) => [`an assigned child, ${method}()`, `exhaust(new Net().${method}())`] as const),
  ['an assigned child, apply()', 'new Net().apply(() => {})'],
  ['an assigned child, loadStateDict()', 'new Net().loadStateDict(new Map(), { strict: false })'],
  ...['parameters', 'stateDict', 'zeroGrad', 'clone', 'train'].map(
    (method) => [`an assigned parameter, ${method}()`, `exhaust(new Held().${method}())`] as const,
  ),
];

const HELPERS = `
  const required = () => ours.functional.add(ours.tensor([[1, 2], [3, 5]], { requiresGrad: true }), t(ours));
  const exhaust = (value) => value && typeof value.next === 'function' ? [...value] : value;
`;

describe('what another copy made is refused, with both places', () => {
  let refusals: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    const calls = PLACES.map(
      ([name, code]) => `[${JSON.stringify(name)}, said(() => { ${code} })]`,
    );
    const { stdout, stderr } = await run(
      `${HELPERS} console.log(JSON.stringify(Object.fromEntries([${calls.join(',\n')}])));`,
    );
    expect(stderr).toBe('');
    refusals = JSON.parse(stdout) as Record<string, string>;
  });

  test.each(PLACES)('%s', (name) => {
    expect(refusals[name]).toMatch(
      /^TypeError: \S+: expected .+, got a \w+ of another copy of evenkeel: /,
    );
    expect(refusals[name]).toContain(
      `${VERSION} in ${root.replace(/\/$/, '')} and ${VERSION} in ${folder}`,
    );
    expect(refusals[name]).toContain('npm dedupe');
  });

  it('says all of it in one sentence', () => {
    expect(refusals['registerModule']).toBe(
      'TypeError: ReLU.registerModule: expected a Module, got a Module of another copy of evenkeel: two copies ' +
        `are loaded in this process, ${VERSION} in ${root.replace(/\/$/, '')} and ${VERSION} in ${folder}, and ` +
        'gradients, modes and states do not cross from one to the other; load one copy (`npm dedupe`; mark ' +
        'evenkeel as external in the bundler; in Jest do not pass values across jest.resetModules() or ' +
        'jest.isolateModules(); or copy the values: Tensor.from({ data: t.data, shape: t.shape })).',
    );
  });
});

describe('asynchronous doors', () => {
  it.each([
    ['BatchNorm1d.forwardAsync', 'new ours.nn.BatchNorm1d(2).forwardAsync(t())'],
    ['backwardAsync(gradient)', 'required().backwardAsync(t())'],
    ['saveSafetensors', 'ours.checkpoint.saveSafetensors("/nowhere/x", foreignState())'],
  ])('%s', async (_, code) => {
    const { stdout } = await run(
      `${HELPERS} saidLater(() => ${code}).then((text) => console.log(text));`,
    );
    expect(stdout).toMatch(/^TypeError: .* of another copy of evenkeel: /);
  });
});

it('a refused eval() has changed no mode, a refused load no value', async () => {
  const ended = await run(`
    const net = new Net();
    said(() => net.eval());
    const linear = new ours.nn.Linear(2, 2);
    const before = linear.weight.toArray().join();
    said(() => linear.loadStateDict(new Map([['weight', t(ours)], ['bias', vector()]])));
    console.log(net.training, net.a.training, before === linear.weight.toArray().join());`);
  expect(ended).toEqual(well('true true true\n'));
});

it('values cross when they are copied by hand', async () => {
  const ended = await run(`
    const state = new Map([...new theirs.nn.Linear(2, 1).stateDict()].map(
      ([key, { data, shape }]) => [key, ours.Tensor.from({ data, shape })]));
    const linear = new ours.nn.Linear(2, 1);
    linear.loadStateDict(state);
    const other = t();
    const x = ours.Tensor.from({ data: other.data, shape: other.shape });
    console.log(linear.weight.toArray().join() === state.get('weight').toArray().join(), x.toArray().join());`);
  expect(ended).toEqual(well('true 1,2,3,5\n'));
});

it('two addons in one process compute, each for its own copy', async () => {
  const ended = await run(`
    const step = ({ nn, tensor }) => {
      const bn = new nn.BatchNorm1d(256);
      const x = tensor(data(2048 * 256), [2048, 256], { requiresGrad: true });
      const y = bn.forward(x);
      y.backward(y.detach());
      return hashOfStep(bn, x, y);
    };
    console.log(ours.Tensor === theirs.Tensor, theirs.native.version, step(ours) === step(theirs));`);
  expect(ended).toEqual(well(`false ${VERSION} true\n`));
});

it('the same files loaded twice, as by a module registry, are two copies', async () => {
  const ended = await run(`
    for (const path of Object.keys(require.cache)) delete require.cache[path];
    const again = load();
    console.log(ours.Tensor === again.Tensor, said(() => again.functional.relu(t(ours))).includes(
      'and 0.1.0 in the same folder, loaded a second time,'));`);
  expect(ended).toEqual(well('false true\n'));
});
