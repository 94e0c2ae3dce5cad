// Everything BatchNorm refuses: the whole sentence, and that nothing has changed after it: no buffer,
// counter, parameter, gradient or flag, bit by bit.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const zeros = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

/** A layer that has seen a batch and has gradients. */
function used(options: nn.BatchNormOptions = {}): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(3, options);
  const dtype = options.dtype ?? 'float32';
  const x = tensor(
    [
      [1, 2, 3],
      [4, 8, 6],
    ],
    { dtype },
  );
  bn.forward(x).backward(
    tensor(
      [
        [1, 0, 2],
        [3, 5, 7],
      ],
      { dtype },
    ),
  );
  return bn;
}

function detached(tensor: Tensor): Tensor {
  structuredClone(tensor.data.buffer, { transfer: [tensor.data.buffer as ArrayBuffer] });
  return tensor;
}

describe('inputs of forward', () => {
  const rank = (got: number, shape: string): string =>
    `RangeError: BatchNorm1d: expected 2D or 3D input (got ${got}D input), got shape ${shape}.`;
  const channels = (c: number, shape: string): string =>
    `RangeError: BatchNorm1d: expected input with 3 channels, got shape ${shape} (running_mean should ` +
    `contain ${c} elements not 3).`;
  const one = (shape: string): string =>
    `RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape ${shape} ` +
    '(a last batch of one: dropLast: true of the DataLoader leaves it out).';
  const array = (got: string, hint = ''): string =>
    `TypeError: BatchNorm1d: expected the input to be a Tensor${hint}, got ${got}.`;
  const values = (got: string): string => array(got, ' (tensor(values) makes a Tensor)');
  const dtype = (got: string): string =>
    `TypeError: BatchNorm1d: expected the input to be float32, got ${got} (all inputs must share same ` +
    "datatype; x.to('float32') converts).";

  const always: [string, () => unknown, string][] = [
    ['rank 0', () => tensor(1), rank(0, '[]')],
    ['rank 1', () => zeros(3), rank(1, '[3]')],
    ['rank 4', () => zeros(2, 3, 1, 1), rank(4, '[2, 3, 1, 1]')],
    ['rank 5', () => zeros(2, 3, 1, 1, 1), rank(5, '[2, 3, 1, 1, 1]')],
    ['too many channels', () => zeros(2, 4), channels(4, '[2, 4]')],
    ['too few channels', () => zeros(2, 2, 3), channels(2, '[2, 2, 3]')],
    ['no channels', () => zeros(2, 0), channels(0, '[2, 0]')],
    ['an empty batch of other channels', () => zeros(0, 5), channels(5, '[0, 5]')],
    [
      'float64',
      () =>
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { dtype: 'float64' },
        ),
      dtype('float64'),
    ],
    [
      'int32',
      () =>
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { dtype: 'int32' },
        ),
      dtype('int32'),
    ],
    [
      'a detached buffer',
      () => detached(zeros(2, 3)),
      'TypeError: BatchNorm1d: expected the input to hold the 6 elements of shape [2, 3], got 0 (its buffer ' +
        'was detached, shrunk or disposed of).',
    ],
    ['null', () => null, array('null')],
    ['nested arrays', () => [[1, 2, 3]], values('an array of length 1')],
    ['a bare typed array', () => new Float32Array(6), values('Float32Array of length 6')],
    ['a module', () => new nn.ReLU(), array('an instance of ReLU')],
  ];
  const whenTheBatchNormalises: [string, () => unknown, string][] = [
    ['one sample', () => zeros(1, 3), one('[1, 3]')],
    ['one sample of length 1', () => zeros(1, 3, 1), one('[1, 3, 1]')],
  ];

  test.each([...always, ...whenTheBatchNormalises])('training: %s', (_, make, message) => {
    const bn = used();
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(make() as Tensor))).toBe(message);
    unchanged();
  });

  test.each(always)('evaluation: %s', (_, make, message) => {
    const bn = used().eval();
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(make() as Tensor))).toBe(message);
    unchanged();
  });

  test.each(whenTheBatchNormalises)('evaluation without statistics: %s', (_, make, message) => {
    const bn = used({ trackRunningStats: false }).eval();
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(make() as Tensor))).toBe(message);
    unchanged();
  });

  test('evaluation takes one sample', () => {
    expect(used().eval().forward(zeros(1, 3)).shape).toEqual([1, 3]);
  });

  test('channels are checked without weight and statistics too', () => {
    const bn = new nn.BatchNorm1d(3, { affine: false, trackRunningStats: false });
    expect(thrownBy(() => bn.forward(zeros(2, 4)))).toBe(channels(4, '[2, 4]'));
  });

  test('NLC counts the last dimension, 2d and 3d have ranks of their own', () => {
    const nlc = new nn.BatchNorm1d(3, { layout: 'NLC' });
    expect(thrownBy(() => nlc.forward(zeros(2, 3, 4)))).toBe(channels(4, '[2, 3, 4]'));
    expect(nlc.forward(zeros(2, 4, 3)).shape).toEqual([2, 4, 3]);
    expect(thrownBy(() => new nn.BatchNorm2d(3).forward(zeros(2, 3, 4)))).toBe(
      'RangeError: BatchNorm2d: expected 4D input (got 3D input), got shape [2, 3, 4].',
    );
    expect(thrownBy(() => new nn.BatchNorm3d(3).forward(zeros(2, 3, 4, 4)))).toBe(
      'RangeError: BatchNorm3d: expected 5D input (got 4D input), got shape [2, 3, 4, 4].',
    );
  });

  test('a batch that is refused leaves the cumulative average right', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: null });
    for (let i = 0; i < 3; i++) expect(() => bn.forward(zeros(1, 1))).toThrow('more than 1 value');
    bn.forward(tensor([[7], [9]]));
    expect([bn.runningMean!.item(), bn.numBatchesTracked]).toEqual([8, 1]);
  });
});

describe('the layer itself', () => {
  const x = (): Tensor =>
    tensor([
      [1, 2, 3],
      [4, 5, 9],
    ]);
  const wrong = (name: string, got: number): string =>
    `RangeError: BatchNorm1d: expected ${name} of shape [3] (${name} should contain 3 elements not ` +
    `${got}), got shape [${got}].`;
  const parameter = (...values: number[]): nn.Parameter => new nn.Parameter(tensor(values));
  const withoutMemory = (name: string): string =>
    `TypeError: BatchNorm1d: expected ${name} to hold the 3 elements of shape [3], got 0 (its buffer was ` +
    'detached, shrunk or disposed of).';

  test.each<[string, (bn: nn.BatchNorm1d) => void, string]>([
    ['a weight of other size', (bn) => (bn.weight = parameter(1, 2)), wrong('weight', 2)],
    ['a bias of other size', (bn) => (bn.bias = parameter(1, 2, 3, 4)), wrong('bias', 4)],
    [
      'a running mean of other size',
      (bn) => bn.registerBuffer('running_mean', zeros(9)),
      wrong('running_mean', 9),
    ],
    [
      'a running variance of other size',
      (bn) => bn.registerBuffer('running_var', zeros(1)),
      wrong('running_var', 1),
    ],
    [
      'statistics of other dtype',
      (bn) => bn.registerBuffer('running_var', tensor([1, 1, 1], { dtype: 'float64' })),
      'TypeError: BatchNorm1d: expected running_var to be float32 like the input, got float64 (all inputs ' +
        "must share same datatype; x.to('float32') converts).",
    ],
    ['a detached weight', (bn) => detached(bn.weight!), withoutMemory('weight')],
    ['a detached bias', (bn) => detached(bn.bias!), withoutMemory('bias')],
    ['a detached running mean', (bn) => detached(bn.runningMean!), withoutMemory('running_mean')],
    ['a detached running variance', (bn) => detached(bn.runningVar!), withoutMemory('running_var')],
    [
      'eps 0 in training',
      (bn) => (bn.eps = 0),
      'RangeError: BatchNorm1d: expected eps to be positive (batch_norm eps must be positive during ' +
        'training), got 0.',
    ],
  ])('%s', (_, spoil, message) => {
    const bn = used();
    spoil(bn);
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(x()))).toBe(message);
    unchanged();
  });

  test('eps 0 is fine in evaluation', () => {
    const bn = new nn.BatchNorm1d(3, { eps: 0 }).eval();
    expect(bn.forward(x()).toArray()).toEqual(x().toArray());
  });
});

describe('out', () => {
  const x = (): Tensor =>
    tensor([
      [1, 2, 3],
      [4, 5, 9],
    ]);
  test.each<[string, () => unknown, string]>([
    [
      'another shape',
      () => zeros(3, 2),
      'RangeError: BatchNorm1d: expected an out of shape [2, 3], got shape [3, 2].',
    ],
    [
      'another dtype',
      () => tensor(new Float64Array(6), [2, 3]),
      'TypeError: BatchNorm1d: expected out to be float32 like the input, got float64 (all inputs must ' +
        "share same datatype; x.to('float32') converts).",
    ],
    [
      'a leaf that requires grad',
      () => tensor(new Float32Array(6), [2, 3], { requiresGrad: true }),
      'Error: BatchNorm1d: expected an out that no gradient needs, got one that requires grad.',
    ],
    [
      'a detached buffer',
      () => detached(zeros(2, 3)),
      'TypeError: BatchNorm1d: expected out to hold the 6 elements of shape [2, 3], got 0 (its buffer ' +
        'was detached, shrunk or disposed of).',
    ],
  ])('%s', (_, make, message) => {
    const bn = used();
    const out = make() as Tensor;
    const unchanged = snapshot(bn, out);
    expect(thrownBy(() => bn.forward(x(), { out }))).toBe(message);
    unchanged();
  });

  test("the input's memory: partly never, wholly while nothing is recorded", () => {
    const memory = new Float32Array(9);
    const input = tensor(memory.subarray(0, 6), [2, 3]);
    input.data.set(x().data as never);
    const bn = used();
    const unchanged = snapshot(bn, input);
    const shifted = tensor(memory.subarray(3), [2, 3]);
    expect(thrownBy(() => bn.forward(input, { out: shifted }))).toBe(
      'RangeError: BatchNorm1d: expected out to have memory of its own, got some that overlaps another operand.',
    );
    expect(thrownBy(() => bn.forward(input, { out: input }))).toBe(
      "Error: BatchNorm1d: expected an out that no gradient needs, got the input's memory while recording.",
    );
    unchanged();
    bn.requiresGrad_(false);
    const expected = bn.eval().forward(input).toArray();
    expect(bn.forward(input, { out: input }).toArray()).toEqual(expected);
    expect(input.toArray()).toEqual(expected);
  });

  test('that is refused is as it was for a graph that reads it again', () => {
    const memory = new Float32Array(9).fill(1);
    const [input, shifted] = [memory.subarray(0, 6), memory.subarray(3)].map((part) =>
      tensor(part, [2, 3]),
    ) as [Tensor, Tensor];
    const leaf = tensor(new Float32Array(6), [2, 3], { requiresGrad: true });
    const product = functional.sum(functional.mul(leaf, shifted));
    expect(() => used().forward(input, { out: shifted })).toThrow('overlaps');
    product.backward();
    expect(leaf.grad!.toArray()).toEqual(shifted.toArray());
  });

  test('receives the output, and may be used again', () => {
    const out = zeros(2, 3);
    const bn = used();
    for (let i = 0; i < 2; i++) expect(bn.forward(x(), { out }).data).toBe(out.data);
    expect(out.requiresGrad).toBe(false);
    expect(out.toArray()).toEqual(used().forward(x()).toArray());
  });

  test('an unknown option of forward', () => {
    const bn = used();
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(x(), { Out: x() } as never))).toBe(
      "TypeError: BatchNorm1d.forward: expected options among out, relu, activation, lengths, mask, got 'Out' (did you mean 'out'?).",
    );
    unchanged();
  });
});
