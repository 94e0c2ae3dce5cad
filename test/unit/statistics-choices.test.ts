// Three independent choices: which statistics normalise, whether the running ones move, and whether
// weight and bias learn. And freeze(), which makes all three for good.
import { describe, expect, test } from 'vitest';

import { functional, nn, optim, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

// Mean 4 and variance 4 (biased) against running statistics 1 and 4: with eps near 0 every output is
// exact.
const x = (): Tensor => tensor([[2], [6], [2], [6]]);
const BY_BATCH = [-1, 1, -1, 1];
const BY_RUNNING = [0.5, 2.5, 0.5, 2.5];
const MOVED = { mean: [2.5], var: [Math.fround((4 + 16 / 3) / 2)] };

function build(options: nn.BatchNormOptions = {}): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(1, { eps: 1e-30, momentum: 0.5, ...options });
  bn.runningMean?.data.fill(1 as never);
  bn.runningVar?.data.fill(4 as never);
  return bn;
}

const values = (t: Tensor | null): unknown => (t === null ? null : [...t.data]);
const state = (bn: nn.BatchNorm1d): unknown => ({
  mean: values(bn.runningMean),
  var: values(bn.runningVar),
  count: bn.numBatchesTracked,
});
const STAYED = { mean: [1], var: [4], count: 0 };

describe('normalizeBy and updateStatistics', () => {
  const ways = ['auto', 'batch', 'running'] as const;
  const updates = ['auto', true, false] as const;
  const cases = [true, false].flatMap((training) =>
    ways.flatMap((by) => updates.map((update) => ({ training, by, update }))),
  );
  test.each(cases)('training $training, by $by, update $update', ({ training, by, update }) => {
    const bn = build().train(training);
    bn.normalizeBy = by;
    bn.updateStatistics = update;
    const byBatch = by === 'auto' ? training : by === 'batch';
    const moves = update === 'auto' ? training : update;
    expect(values(bn.forward(x()))).toEqual(byBatch ? BY_BATCH : BY_RUNNING);
    expect(state(bn)).toEqual(moves ? { ...MOVED, count: 1 } : STAYED);
    // train() and eval() set training, and nothing else.
    bn.train(!training).train(training);
    expect([bn.normalizeBy, bn.updateStatistics]).toEqual([by, update]);
  });

  test('weight and bias learn whichever statistics normalise', () => {
    const bn = build();
    bn.normalizeBy = 'running';
    bn.forward(x()).backward(tensor([[1], [2], [3], [4]]));
    expect(values(bn.weight!.grad)).toEqual([0.5 + 2 * 2.5 + 3 * 0.5 + 4 * 2.5]);
    expect(values(bn.bias!.grad)).toEqual([10]);
  });

  test('lengths, both at once: the padding moves nothing either', () => {
    const bn = build();
    bn.normalizeBy = 'running';
    const padded = tensor([[[2, 6, NaN]], [[2, NaN, NaN]], [[6, NaN, NaN]]]);
    const y = bn.forward(padded, { lengths: [2, 1, 1] });
    const [a, b] = BY_RUNNING;
    expect(values(y)).toEqual([a, b, 0, a, 0, 0, b, 0, 0]);
    expect(state(bn)).toEqual({ ...MOVED, count: 1 });
  });

  test('momentum null counts the batches that moved the statistics', () => {
    const bn = build({ momentum: null });
    bn.updateStatistics = true;
    bn.eval();
    bn.forward(x());
    expect(state(bn)).toEqual({ mean: [4], var: [Math.fround(16 / 3)], count: 1 });
    bn.forward(tensor([[8], [8]]));
    expect(state(bn)).toEqual({ mean: [6], var: [Math.fround(8 / 3)], count: 2 });
  });

  test('running statistics that move need more than one value', () => {
    const bn = build();
    bn.normalizeBy = 'running';
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(tensor([[2]])))).toBe(
      'RangeError: BatchNorm1d: expected more than 1 value per channel when training, ' +
        'got input of shape [1, 1] (a last batch of one: dropLast: true of the DataLoader leaves it out).',
    );
    unchanged();
    bn.updateStatistics = false;
    expect(values(bn.forward(tensor([[4]])))).toEqual([1.5]);
  });

  test('running statistics over the input are refused, before anything moves', () => {
    const bn = build();
    bn.normalizeBy = 'running';
    const memory = new Float32Array([2, 6, 2, 6]);
    bn.registerBuffer('running_mean', tensor(memory.subarray(0, 1)));
    expect(thrownBy(() => bn.forward(tensor(memory, [4, 1])))).toBe(
      'RangeError: BatchNorm1d: expected running_mean to have memory of its own, ' +
        'got some that overlaps another operand.',
    );
    expect([...memory]).toEqual([2, 6, 2, 6]);
  });

  test.each([
    [
      'normalizeBy',
      'eval',
      "RangeError: BatchNorm1d: expected normalizeBy to be 'auto' or 'batch' or 'running', got 'eval'.",
    ],
    [
      'normalizeBy',
      true,
      "TypeError: BatchNorm1d: expected normalizeBy to be 'auto' or 'batch' or 'running', got true.",
    ],
    [
      'updateStatistics',
      1,
      "TypeError: BatchNorm1d: expected updateStatistics (or 'auto') to be a boolean, got 1.",
    ],
  ])('%s = %j', (name, value, message) => {
    const bn = build();
    expect(thrownBy(() => Object.assign(bn, { [name]: value }))).toBe(message);
    expect([bn.normalizeBy, bn.updateStatistics]).toEqual(['auto', 'auto']);
  });

  test('need running statistics, when set and when used', () => {
    const none = build({ trackRunningStats: false });
    const by = 'RangeError: BatchNorm1d: expected running statistics to normalise by, got none.';
    const move = 'RangeError: BatchNorm1d: expected running statistics to move, got none.';
    expect(thrownBy(() => (none.normalizeBy = 'running'))).toBe(by);
    expect(thrownBy(() => (none.updateStatistics = true))).toBe(move);
    expect(thrownBy(() => none.freeze())).toBe(
      'RangeError: BatchNorm1d.freeze: expected running statistics (a layer with trackRunningStats: true), got none.',
    );
    const lost = build();
    lost.normalizeBy = 'running';
    lost.updateStatistics = true;
    lost.registerBuffer('running_mean', null);
    lost.registerBuffer('running_var', null);
    expect(thrownBy(() => lost.forward(x()))).toBe(move);
    lost.updateStatistics = false;
    expect(thrownBy(() => lost.forward(x()))).toBe(by);
  });

  test('show in the repr', () => {
    const bn = build({ nonFinite: 'skip', singleValue: 'running' });
    bn.normalizeBy = 'running';
    bn.updateStatistics = false;
    expect(bn.freeze().toString()).toBe(
      'BatchNorm1d(1, eps=1e-30, momentum=0.5, affine=True, bias=True, track_running_stats=True, ' +
        'frozen=True, normalize_by=running, update_statistics=False, non_finite=skip, ' +
        'single_value=running)',
    );
  });
});

describe('freeze', () => {
  test('holds through train(), for statistics, weight and bias', () => {
    const bn = build();
    const model = new nn.Sequential(bn);
    expect(bn.freeze()).toBe(bn);
    model.train();
    expect([bn.training, bn.frozen]).toEqual([true, true]);
    const unchanged = snapshot(model);
    const input = x();
    input.requiresGrad = true;
    const y = model.forward(input);
    expect(values(y)).toEqual(BY_RUNNING);
    y.backward(tensor([[2], [4], [6], [8]]));
    expect(values(input.grad)).toEqual([1, 2, 3, 4]);
    const opt = new optim.SGD(model.parameters(), { lr: 1, weightDecay: 0.5 });
    opt.step();
    unchanged();
    expect(state(bn)).toEqual(STAYED);
  });

  test('lets go of gradients, so that no later step applies them', () => {
    const bn = build();
    bn.forward(x()).backward(tensor([[1], [2], [3], [4]]));
    expect(bn.bias!.grad).not.toBeNull();
    const opt = new optim.SGD(bn.parameters(), { lr: 1 });
    bn.freeze();
    opt.step();
    expect([values(bn.weight), values(bn.bias)]).toEqual([[1], [0]]);
  });

  test('affine: false freezes the statistics alone', () => {
    const bn = build().freeze({ affine: false });
    const y = bn.forward(x());
    expect(y.requiresGrad).toBe(true);
    y.backward(tensor([[1], [1], [1], [1]]));
    expect(values(bn.bias!.grad)).toEqual([4]);
    expect(state(bn)).toEqual(STAYED);
  });

  test('unfreeze brings back what was learned before, and only that', () => {
    const bn = build();
    bn.weight!.requiresGrad = false;
    bn.freeze().freeze();
    expect([bn.weight!.requiresGrad, bn.bias!.requiresGrad]).toEqual([false, false]);
    expect(bn.unfreeze()).toBe(bn);
    expect([bn.frozen, bn.weight!.requiresGrad, bn.bias!.requiresGrad]).toEqual([
      false,
      false,
      true,
    ]);
    bn.forward(x());
    expect(state(bn)).toEqual({ mean: MOVED.mean, var: MOVED.var, count: 1 });
    expect(build().unfreeze().frozen).toBe(false);
  });

  test('unfreeze leaves alone what freeze has not stopped', () => {
    const bn = build().freeze({ affine: false });
    bn.weight!.requiresGrad = false;
    bn.unfreeze();
    expect([bn.weight!.requiresGrad, bn.bias!.requiresGrad]).toEqual([false, true]);
  });

  test('shows in the state, without another key; loading leaves it alone', () => {
    const bn = build();
    const keys = [...bn.stateDict().keys()];
    const model = new nn.Sequential(bn.freeze(), new nn.ReLU());
    const frozen = model.stateDict();
    expect([...frozen.modules]).toEqual([
      ['', { version: 1 }],
      ['0', { version: 2, frozen: true }],
      ['1', { version: 1 }],
    ]);
    expect([...frozen.keys()]).toEqual(keys.map((key) => `0.${key}`));
    const other = new nn.Sequential(build(), new nn.ReLU());
    other.loadStateDict(frozen);
    expect((other.at(0) as nn.BatchNorm1d).frozen).toBe(false);
    model.loadStateDict(other.stateDict());
    expect(bn.frozen).toBe(true);
  });

  test('backward needs neither x nor sums: x may be detached', () => {
    const bn = build().freeze();
    const input = tensor(new Float32Array([2, 6, 2, 6]), [4, 1], { requiresGrad: true });
    const y = functional.mul(bn.forward(input), tensor([[2], [4], [6], [8]]));
    input.data.fill(NaN as never);
    input.markChanged();
    functional.sum(y).backward();
    expect(values(input.grad)).toEqual([1, 2, 3, 4]);
  });

  test('backward of a frozen layer behind a fused ReLU still asks x where y was above 0', () => {
    const bn = build().freeze();
    const input = tensor([[-2], [4], [-2], [4]], { requiresGrad: true });
    bn.forward(input, { relu: true }).backward(tensor([[2], [2], [2], [2]]));
    expect(values(input.grad)).toEqual([0, 1, 0, 1]);
  });

  test('what requires grad only after forward gets none', () => {
    const bn = build().freeze();
    const input = x();
    input.requiresGrad = true;
    const y = bn.forward(input);
    bn.unfreeze();
    y.backward(tensor([[2], [2], [2], [2]]));
    expect([bn.weight!.grad, bn.bias!.grad, values(input.grad)]).toEqual([
      null,
      null,
      [1, 1, 1, 1],
    ]);
  });

  test.each([
    [
      { afine: true },
      "TypeError: BatchNorm1d.freeze: expected options among affine, got 'afine' (did you mean 'affine'?).",
    ],
    [{ affine: 1 }, 'TypeError: BatchNorm1d.freeze: expected affine to be a boolean, got 1.'],
  ])('%j', (options, message) => {
    const bn = build();
    expect(thrownBy(() => bn.freeze(options as nn.FreezeOptions))).toBe(message);
    expect(bn.frozen).toBe(false);
  });
});

describe('an evaluation graph', () => {
  test('uses the scale of its own forward, whatever moves the statistics afterwards', () => {
    const bn = build().eval();
    const input = x();
    input.requiresGrad = true;
    const y = bn.forward(input);
    bn.train().forward(tensor([[100], [300]]));
    expect(bn.runningVar!.item()).not.toBe(4);
    y.backward(tensor([[2], [4], [6], [8]]));
    expect(values(input.grad)).toEqual([1, 2, 3, 4]); // PyTorch: by the variance it finds now
    expect(values(bn.weight!.grad)).toEqual([2 * 0.5 + 4 * 2.5 + 6 * 0.5 + 8 * 2.5]);
  });
});
