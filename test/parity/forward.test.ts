// What a forward does beyond its numbers: which batches count, and how their statistics add up.
import { nn, tensor, Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { snapshot, thrownBy } from '../helpers/snapshot.js';
import { pass, statistics } from './inputs.js';

const rows = (...values: number[]): Tensor => tensor(values.map((value) => [value]));
const empty = (): Tensor => tensor(new Float32Array(0), [0, 1]);

describe('the counter', () => {
  test('does not count a batch that was refused, where PyTorch does', () => {
    const bn = new nn.BatchNorm1d(1);
    const unchanged = snapshot(bn);
    expect(() => bn.forward(rows(1))).toThrow('more than 1 value per channel');
    unchanged();
  });

  test('counts an empty batch, also for the cumulative average, as PyTorch does', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: null });
    bn.forward(empty());
    expect(statistics(bn)).toEqual({ mean: [0], var: [1], batches: 1 });
    bn.forward(rows(7, 9));
    expect(statistics(bn)).toEqual({ mean: [4], var: [1.5], batches: 2 });
  });

  test('counts for the cumulative average by batch, whatever their sizes', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: null });
    bn.forward(rows(0, 0, 0, 0, 0, 0));
    bn.forward(rows(2, 4));
    expect(statistics(bn)).toEqual({ mean: [1.5], var: [1], batches: 2 });
  });

  test('goes on from where it is when momentum becomes null: no fresh average', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: 1 });
    for (let i = 0; i < 3; i++) bn.forward(rows(0, 0));
    bn.momentum = null;
    bn.forward(rows(4, 4));
    expect(statistics(bn)).toEqual({ mean: [1], var: [0], batches: 4 });
  });
});

test('two halves of a batch are not the batch: each is normalised by itself and moves the statistics', () => {
  const [whole, halves] = [new nn.BatchNorm1d(1), new nn.BatchNorm1d(1)];
  const y = whole.forward(rows(1, 2, 5, 9));
  const parts = [halves.forward(rows(1, 2)), halves.forward(rows(5, 9))];
  expect(parts.flatMap((each) => [...each.data])).not.toEqual([...y.data]);
  expect([whole.numBatchesTracked, halves.numBatchesTracked]).toEqual([1, 2]);
  expect(halves.runningVar!.item()).toBeLessThan(whole.runningVar!.item());
});

test('evaluation graphs keep the statistics they used, where PyTorch reads the live ones', () => {
  const build = (): nn.BatchNorm1d => {
    const bn = new nn.BatchNorm1d(1).eval();
    bn.runningVar!.data[0] = 4;
    return bn;
  };
  const dy = rows(1, 2, 3);
  const x = rows(3, 5, 11);
  const expected = pass(build(), x, dy);

  const bn = build();
  const leaf = x.clone();
  leaf.requiresGrad = true;
  const y = bn.forward(leaf);
  bn.train().forward(rows(100, 300));
  expect(bn.runningVar!.item()).not.toBe(4);
  y.backward(dy);
  expect(leaf.grad!.toArray()).toEqual(expected.dx.toArray());
});

test.each([true, false])(
  'other channels, untracked: refused by the channels of the layer, affine %s',
  (affine) => {
    const bn = new nn.BatchNorm1d(3, { affine, trackRunningStats: false });
    expect(thrownBy(() => bn.forward({ data: new Float32Array(8), shape: [2, 4] }))).toBe(
      'RangeError: BatchNorm1d: expected input with 3 channels, got shape [2, 4] (running_mean should contain 4 ' +
        'elements not 3).',
    );
  },
);

describe('inputs of another kind', () => {
  const kinds =
    'TypeError: Tensor.from: expected a Float32Array, Float64Array, Int32Array or BigInt64Array, got ';
  test.each<[string, unknown, string]>([
    ['uint8', new Uint8Array(4), `${kinds}Uint8Array of length 4.`],
    ['an array', [1, 2, 3, 4], `${kinds}an array of length 4.`],
    [
      'int32',
      new Int32Array(4),
      "TypeError: BatchNorm1d: expected the input to be float32, got int32 (all inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'int64',
      new BigInt64Array(4),
      "TypeError: BatchNorm1d: expected the input to be float32, got int64 (all inputs must share same datatype; x.to('float32') converts).",
    ],
  ])('%s', (_, data, message) => {
    expect(thrownBy(() => new nn.BatchNorm1d(2).forward({ data, shape: [2, 2] }))).toBe(message);
  });

  test('float32 into a float64 layer', () => {
    expect(thrownBy(() => new nn.BatchNorm1d(1, { dtype: 'float64' }).forward(rows(1, 2)))).toBe(
      "TypeError: BatchNorm1d: expected the input to be float64, got float32 (all inputs must share same datatype; x.to('float64') converts).",
    );
  });

  test('a float64 weight in a float32 layer', () => {
    const bn = new nn.BatchNorm1d(1);
    bn.weight = new nn.Parameter(tensor([1], { dtype: 'float64' }));
    expect(thrownBy(() => bn.forward(rows(1, 2)))).toBe(
      "TypeError: BatchNorm1d: expected weight to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    );
  });

  test('expanded data, of stride 0, are computed as if they were there', () => {
    const expanded = Tensor.from({
      data: Float32Array.of(1, 2, 3, 7),
      shape: [2, 3, 2],
      strides: [2, 0, 1],
    });
    const written = tensor([1, 2, 1, 2, 1, 2, 3, 7, 3, 7, 3, 7]);
    const dense = tensor(written.data, [2, 3, 2]);
    expect(new nn.BatchNorm1d(3).forward(expanded).toArray()).toEqual(
      new nn.BatchNorm1d(3).forward(dense).toArray(),
    );
  });
});
