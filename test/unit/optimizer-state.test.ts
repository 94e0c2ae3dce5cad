// optimizer.stateDict() and loadStateDict(): a run that is resumed has the bits of one that was not stopped; what
// does not fit is refused and changes nothing. What PyTorch writes is loaded in test/golden.
import { describe, expect, test } from 'vitest';

import { functional, manualSeed, nn, optim, scope, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

type State = optim.OptimizerStateDict;

const KINDS = {
  'SGD without momentum': (groups, lr) => new optim.SGD(groups, { lr }),
  'SGD with momentum': (groups, lr) => new optim.SGD(groups, { lr, momentum: 0.9 }),
  'SGD with nesterov': (groups, lr) =>
    new optim.SGD(groups, { lr, momentum: 0.8, nesterov: true, weightDecay: 0.01 }),
  Adam: (groups, lr) => new optim.Adam(groups, { lr }),
  AdamW: (groups, lr) => new optim.AdamW(groups, { lr, betas: [0.8, 0.9] }),
} satisfies Record<string, (groups: { params: nn.Parameter[] }[], lr: number) => unknown>;

class Run {
  readonly model = new nn.Sequential(
    new nn.Linear(6, 5),
    new nn.BatchNorm1d(5),
    new nn.Linear(5, 3),
  );
  readonly optimizer: optim.SGD | optim.Adam;

  constructor(kind: keyof typeof KINDS, lr = 0.01) {
    const [first, ...rest] = [...this.model.parameters()];
    const groups = [{ params: rest }, { params: [first!], lr: 0.05, weightDecay: 0.1 }];
    this.optimizer = KINDS[kind](groups, lr);
  }

  step(seed: number): void {
    const x = tensor(
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 3.7 + seed)),
      [4, 6],
    );
    this.optimizer.zeroGrad();
    functional.crossEntropy(this.model.forward(x), [0, 1, 2, 1]).backward();
    if (seed === 0) [...this.model.parameters()][1]!.grad = null; // so that counts of steps differ
    this.optimizer.step();
  }

  bits(): string {
    return [...this.model.stateDict().values()].map(({ data }) => data.join()).join(';');
  }
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (kind) => {
  const stopped = (): { whole: Run; half: Run; state: State } => {
    manualSeed(1);
    const whole = new Run(kind);
    manualSeed(1);
    const half = new Run(kind);
    for (const run of [whole, half]) for (let step = 0; step < 2; step++) run.step(step);
    whole.optimizer.paramGroups[0]!.lr = half.optimizer.paramGroups[0]!.lr = 0.02; // as a schedule would
    return { whole, half, state: half.optimizer.stateDict() };
  };

  test('stopped after two of four steps and resumed: the bits of a run that was not', () => {
    const { whole, half, state } = stopped();
    const resumed = new Run(kind, 0.5);
    resumed.model.loadStateDict(half.model.stateDict());
    resumed.optimizer.loadStateDict(state);
    for (const run of [whole, resumed]) for (let step = 2; step < 4; step++) run.step(step);
    expect(resumed.bits()).toBe(whole.bits());
    expect(bitsOf(resumed.optimizer.stateDict())).toBe(bitsOf(whole.optimizer.stateDict()));
  });

  test('the state dict is a copy, and so is what was loaded', () => {
    const { half, state } = stopped();
    const before = bitsOf(state);
    half.step(2);
    expect(bitsOf(state)).toBe(before);
    half.optimizer.loadStateDict(state);
    for (const each of tensorsOf(state)) each.fill_(0.5);
    expect(bitsOf(half.optimizer.stateDict())).toBe(before);
  });

  test('groups stay the objects they were', () => {
    const { half, state } = stopped();
    const [group] = half.optimizer.paramGroups;
    half.optimizer.loadStateDict({
      ...state,
      param_groups: state.param_groups.map((each) => ({ ...each, lr: 0.25 })),
    });
    expect(half.optimizer.paramGroups[0]).toBe(group);
    expect(half.optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.25, 0.25]);
  });

  test('what lost its state in between begins anew, as in the dict', () => {
    const { half } = stopped();
    const fresh = new Run(kind).optimizer.stateDict();
    half.optimizer.loadStateDict(fresh);
    expect(bitsOf(half.optimizer.stateDict())).toBe(bitsOf(fresh));
  });
});

function tensorsOf(state: State): Tensor[] {
  return Object.values(state.state)
    .flatMap((each) => Object.values(each))
    .filter((value) => typeof value !== 'number');
}

function bitsOf(state: State): string {
  return JSON.stringify(state, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'toArray' in value
      ? [...(value as Tensor).data].map(String)
      : value,
  );
}

test("the form is PyTorch's", () => {
  const p = new nn.Parameter(tensor([[1, 2]]));
  p.grad = tensor([[3, 4]]);
  const adam = new optim.Adam([p]);
  adam.step();
  const state = adam.stateDict();
  expect(Object.keys(state)).toEqual(['state', 'param_groups']);
  expect(state.param_groups).toEqual([
    { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, maximize: false, params: [0] },
  ]);
  expect(Object.keys(state.state[0]!)).toEqual(['step', 'exp_avg', 'exp_avg_sq']);
  expect([state.state[0]!.step, (state.state[0]!.exp_avg as Tensor).shape]).toEqual([1, [1, 2]]);
  const sgd = new optim.SGD([p], { momentum: 0.5 });
  expect(sgd.stateDict().state).toEqual({});
  sgd.step();
  expect((sgd.stateDict().state[0]!.momentum_buffer as Tensor).toArray()).toEqual([[3, 4]]);
});

test('a count of steps that a run of years would have is there at once', () => {
  const p = new nn.Parameter(tensor([1]));
  const adam = new optim.Adam([p], { betas: [1 - Number.EPSILON, 1 - Number.EPSILON], lr: 0.5 });
  p.grad = tensor([1]);
  adam.step();
  const { state, param_groups } = adam.stateDict();
  adam.loadStateDict({ state: { 0: { ...state[0]!, step: 2 ** 52 } }, param_groups });
  adam.step();
  expect(Number.isFinite(p.item())).toBe(true);
});

test('what a scope disposes of is not what was loaded', () => {
  const p = new nn.Parameter(tensor([1]));
  const adam = new optim.Adam([p]);
  p.grad = tensor([1]);
  adam.step();
  scope(() => adam.loadStateDict(adam.stateDict()));
  adam.step();
  expect(adam.stateDict().state[0]!.step).toBe(2);
});

test('Maps, scalar tensors and tensors of another float type are taken, as torch.load gives them', () => {
  const p = new nn.Parameter(tensor([1, 2], { dtype: 'float64' }));
  const adam = new optim.Adam([p], { lr: 0.1 });
  const group = new Map<string, unknown>([
    ...Object.entries({ lr: tensor([0.5]), betas: [0.5, 0.5], eps: 1e-8, weight_decay: 0 }),
    ...Object.entries({ amsgrad: false, maximize: false, foreach: null, capturable: false }),
    ...Object.entries({ differentiable: false, fused: null, initial_lr: 0.1, params: [7] }),
    ['decoupled_weight_decay', false],
  ]);
  const entry = new Map<string, unknown>([
    ['step', tensor(Float32Array.of(3), [])],
    ['exp_avg', tensor([0.25, 0.5])],
    ['exp_avg_sq', { data: Float64Array.of(1, 2), shape: [2] }],
  ]);
  adam.loadStateDict({ state: new Map([[7, entry]]), param_groups: [group] });
  const { state, param_groups } = adam.stateDict();
  expect(param_groups[0]).toMatchObject({ lr: 0.5, params: [0] });
  expect(state[0]!.step).toBe(3);
  const kept = tensorsOf({ state, param_groups });
  expect(kept.map((each) => [each.dtype, each.toArray()])).toEqual([
    ['float64', [0.25, 0.5]],
    ['float64', [1, 2]],
  ]);
  const sgd = new optim.SGD([p], { momentum: 0.5 });
  const written = sgd.stateDict();
  sgd.loadStateDict({ ...written, state: { 0: { momentum_buffer: null } } });
  expect(sgd.stateDict().state).toEqual({});
});

describe('what is refused changes nothing', () => {
  const make = (): { p: nn.Parameter[]; adam: optim.Adam; state: State } => {
    const p = [new nn.Parameter(tensor([1, 2])), new nn.Parameter(tensor([3]))];
    const adam = new optim.Adam([{ params: [p[0]!] }, { params: [p[1]!], lr: 0.5 }]);
    for (const each of p) each.grad = each.detach().clone();
    adam.step();
    return { p, adam, state: adam.stateDict() };
  };
  const who = 'Adam.loadStateDict: expected';
  type Change = (state: State) => unknown;
  const group =
    (change: object): Change =>
    ({ state, param_groups: [a, b] }) => ({ state, param_groups: [a, { ...b, ...change }] });
  const entry =
    (change: object): Change =>
    ({ state, param_groups }) => ({
      state: { ...state, 1: { ...state[1], ...change } },
      param_groups,
    });

  test.each<[string, Change, string]>([
    ['null', () => null, `TypeError: ${who} a state dict { state, param_groups }, got null.`],
    ['no groups', ({ state }) => ({ state }), `TypeError: ${who} param_groups to be an array, got undefined.`],
    ['no state', ({ param_groups }) => ({ param_groups }), `TypeError: ${who} state to be an object or a Map, got undefined.`],
    ['one group', ({ state, param_groups }) => ({ state, param_groups: param_groups.slice(1) }), `RangeError: ${who} 2 parameter groups, got 1 (loaded state dict has a different number of parameter groups).`],
    ['a larger group', group({ params: [1, 2] }), `RangeError: ${who} 1 parameters in param_groups[1], got 2 (loaded state dict contains a parameter group that doesn't match the size of optimizer's group).`],
    ['an index twice', group({ params: [0] }), `RangeError: ${who} indices of parameters that differ, got 0 twice.`],
    ['an index that is none', group({ params: [-1] }), `RangeError: ${who} an index in param_groups[1].params to be a whole number of at least 0, got -1.`],
    ['params that are none', group({ params: 3 }), `TypeError: ${who} param_groups[1].params to be an array, got 3.`],
    ['no lr', group({ lr: undefined }), `TypeError: ${who} lr in param_groups[1], got none.`],
    ['a bad lr', group({ lr: -1 }), 'RangeError: Adam: expected lr to be a finite number of at least 0, got -1.'],
    ['a bad beta', group({ betas: [0.9, 1] }), 'RangeError: Adam: expected each of betas to be a number from 0 to 0.9999999999999998, got 1.'],
    ['amsgrad', group({ amsgrad: true }), `RangeError: ${who} amsgrad to be false in param_groups[1], got true.`],
    ["AdamW's decay", group({ decoupled_weight_decay: true }), `RangeError: ${who} decoupled_weight_decay to be false in param_groups[1], got true.`],
    ['a name nobody knows', group({ learning_rate: 1 }), `RangeError: ${who} param_groups[1] to have lr, betas, eps, weight_decay, maximize, got 'learning_rate' too.`],
    ['another shape', entry({ exp_avg: tensor([1, 2]) }), `RangeError: ${who} exp_avg of parameter 1 of shape [1], got shape [2].`],
    ['another kind of dtype', entry({ exp_avg: tensor(Int32Array.of(1)) }), `TypeError: ${who} exp_avg of parameter 1 to be float32 or float64, got int32 (x.to('float32') converts).`],
    ['a tensor that is none', entry({ exp_avg: 'x' }), 'TypeError: Tensor.from: '],
    ['no exp_avg_sq', entry({ exp_avg_sq: undefined }), `TypeError: ${who} exp_avg_sq of parameter 1, got none.`],
    ['a negative square', entry({ exp_avg_sq: [-1] }), `RangeError: ${who} exp_avg_sq of parameter 1 to be at least 0, got -1.`],
    ['half a step', entry({ step: 1.5 }), `RangeError: ${who} step of parameter 1 to be a whole number of at least 0, got 1.5.`],
    ['a step that is none', entry({ step: '1' }), `TypeError: ${who} step of parameter 1 to be a whole number of at least 0, got '1'.`],
    ["amsgrad's state", entry({ max_exp_avg_sq: [1] }), `RangeError: ${who} parameter 1 to have step, exp_avg, exp_avg_sq, got 'max_exp_avg_sq' too.`],
    ['state of nobody', ({ state, param_groups }) => ({ state: { ...state, 5: state[0] }, param_groups }), `RangeError: ${who} state of the parameters 0, 1, got state of '5'.`],
    ["SGD's", () => new optim.SGD([{ params: make().p.slice(1) }, { params: make().p.slice(1) }]).stateDict(), `TypeError: ${who} betas in param_groups[0], got none.`],
  ])('%s', (_, change, words) => {
    const { p, adam, state } = make();
    const before = bitsOf(state);
    const unchanged = snapshot(...p);
    const thrown = thrownBy(() => adam.loadStateDict(change(state) as State));
    expect(thrown.slice(0, words.length)).toBe(words);
    if (words.endsWith('.')) expect(thrown).toBe(words);
    unchanged();
    expect(bitsOf(adam.stateDict())).toBe(before);
  }); // prettier-ignore

  test('memory that is detached', () => {
    const { adam, state } = make();
    const before = bitsOf(adam.stateDict());
    (state.state[1]!.exp_avg as Tensor).dispose();
    expect(thrownBy(() => adam.loadStateDict(state))).toMatch(/^TypeError: Adam.loadStateDict: expected exp_avg of parameter 1 to hold/);
    expect(bitsOf(adam.stateDict())).toBe(before);
  }); // prettier-ignore
});

test.each<[string, (state: unknown) => unknown]>([
  ['structuredClone', (state) => structuredClone(state)],
  [
    'structuredClone, with counts in tensors as in PyTorch',
    (state) => structuredClone(inTensors(state)),
  ],
  [
    'JSON, with counts in tensors',
    (state) => JSON.parse(JSON.stringify(inTensors(state))) as unknown,
  ],
])('a state that went through %s loads again', (_, send) => {
  for (const kind of ['SGD with momentum', 'Adam'] as const) {
    const run = new Run(kind);
    run.step(1);
    run.step(2);
    const other = new Run(kind);
    other.optimizer.loadStateDict(send(run.optimizer.stateDict()) as State);
    expect(JSON.stringify(other.optimizer.stateDict())).toBe(
      JSON.stringify(run.optimizer.stateDict()),
    );
  }
});

function inTensors(value: unknown): unknown {
  const { state, param_groups } = value as State;
  const each = Object.entries(state).map(([index, { step, ...rest }]) => [
    index,
    step === undefined ? rest : { ...rest, step: tensor(step as number) },
  ]);
  return { state: Object.fromEntries(each) as unknown, param_groups };
}

test('a state that went through JSON loads again', () => {
  const p = new nn.Parameter(tensor([[1, 2]]));
  p.grad = tensor([[3, 4]]);
  const adam = new optim.Adam([p]);
  adam.step();
  const other = new optim.Adam([p]);
  other.loadStateDict(JSON.parse(JSON.stringify(adam.stateDict())) as never);
  expect(bitsOf(other.stateDict() as never)).toBe(bitsOf(adam.stateDict() as never));
});
