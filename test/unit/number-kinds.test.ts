// Every kind of number that JavaScript has, at every door that takes numbers: tensor(), class targets,
// lengths, data sets. Nothing is truncated or wrapped.
import { describe, expect, test } from 'vitest';

import { data, functional, nn, optim, tensor, Tensor, type DType } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const INTEGER_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
] as const;
const BIG_ARRAYS = [BigInt64Array, BigUint64Array] as const;
const DTYPES = ['float32', 'float64', 'int32', 'int64'] as const;

/** The same three values in every kind of array. */
const KINDS: [string, Parameters<typeof tensor>[0]][] = [
  ...[...INTEGER_ARRAYS, Float32Array, Float64Array].map(
    (Kind): [string, Parameters<typeof tensor>[0]] => [Kind.name, Kind.of(2, 0, 1)],
  ),
  ...BIG_ARRAYS.map((Kind): [string, Parameters<typeof tensor>[0]] => [
    Kind.name,
    Kind.of(2n, 0n, 1n),
  ]),
  ['Buffer', Buffer.from([2, 0, 1])],
];

const Float16 = (globalThis as { Float16Array?: typeof Float32Array }).Float16Array;

describe('tensor(typedArray, { dtype })', () => {
  test.each(KINDS)('%s as each dtype', (_, array) => {
    for (const dtype of DTYPES) {
      const x = tensor(array, { dtype });
      expect([x.dtype, x.shape, x.toArray()]).toEqual([dtype, [3], [2, 0, 1]]);
      const own = { Float32Array: 'float32', Float64Array: 'float64' } as Record<string, DType>;
      const same = { ...own, Int32Array: 'int32', BigInt64Array: 'int64' } as Record<string, DType>;
      const isAdopted = same[array.constructor.name] === dtype;
      expect(x.data === array).toBe(isAdopted);
    }
  });

  test('with a shape, over shared memory, from an offset', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(10), 3, 4);
    shared.set([1, 2, 3, 255]);
    const x = tensor(shared, [2, 2], { dtype: 'float32' });
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 255],
    ]);
    expect(x.isShared()).toBe(false);
  });

  test.skipIf(Float16 === undefined)('Float16Array', () => {
    const half = Float16!.of(0.5, -2);
    expect(tensor(half, { dtype: 'float32' }).toArray()).toEqual([0.5, -2]);
    expect(thrownBy(() => tensor(half))).toMatch(/^TypeError: tensor: .*dtype/);
  });

  test.each<[string, () => unknown, string]>([
    [
      'a fraction',
      () => tensor(Float32Array.of(1, 1.5), { dtype: 'int32' }),
      'RangeError: tensor: expected whole numbers for int32, got 1.5 at index 1.',
    ],
    [
      'NaN',
      () => tensor(Float64Array.of(NaN), { dtype: 'int64' }),
      'RangeError: tensor: expected whole numbers for int64, got NaN at index 0.',
    ],
    [
      'a uint32 above int32',
      () => tensor(Uint32Array.of(0, 2 ** 31), { dtype: 'int32' }),
      'RangeError: tensor: expected whole numbers from -2^31 to 2^31 - 1 for int32, got 2147483648 at index 1.',
    ],
    [
      'an int64 above int32',
      () => tensor(BigInt64Array.of(0n, -(2n ** 31n) - 1n), { dtype: 'int32' }),
      'RangeError: tensor: expected whole numbers from -2^31 to 2^31 - 1 for int32, got -2147483649n at index 1.',
    ],
    [
      'a uint64 above int64',
      () => tensor(BigUint64Array.of(0n, 2n ** 63n), { dtype: 'int64' }),
      'RangeError: tensor: expected whole numbers from -2^63 to 2^63 - 1 for int64, got ' +
        '9223372036854775808n at index 1.',
    ],
    [
      'a DataView',
      () => tensor(new DataView(new ArrayBuffer(4)) as never, { dtype: 'float32' }),
      'TypeError: tensor: expected a Float32Array, Float64Array, Int32Array, BigInt64Array or nested ' +
        'arrays of numbers (or another typed array with the dtype to convert it to), got DataView.',
    ],
    [
      'a shape of another size',
      () => tensor(new Uint8Array(3), [2, 2], { dtype: 'float32' }),
      'RangeError: tensor: expected 4 elements for shape [2, 2], got 3.',
    ],
  ])('refuses %s', (_, make, message) => {
    expect(thrownBy(make)).toBe(message);
  });

  test('the ends of int64 are kept', () => {
    const ends = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n);
    expect([...tensor(BigUint64Array.of(2n ** 63n - 1n), { dtype: 'int64' }).data]).toEqual([
      2n ** 63n - 1n,
    ]);
    expect([...tensor([...ends], { dtype: 'int64' }).data]).toEqual([...ends]);
  });

  test('an int64 is rounded once on its way to float32', () => {
    // By way of a double it would end at 2^60: half of the last digit, and a little more.
    const value = 2n ** 60n + 2n ** 36n + 1n;
    expect(tensor(BigInt64Array.of(value), { dtype: 'float32' }).item()).toBe(2 ** 60 + 2 ** 37);
    expect(tensor([-value], { dtype: 'float32' }).item()).toBe(-(2 ** 60 + 2 ** 37));
    const copied = tensor([0, 0]).copy_(tensor(BigInt64Array.of(5n, -7n)));
    expect(copied.toArray()).toEqual([5, -7]);
  });

  test('options behind a shape that is left out', () => {
    expect(tensor([1], undefined, { dtype: 'float64' }).dtype).toBe('float64');
  });

  test.each([
    ['Int32Array', Int32Array.of(2, 1)],
    ['BigInt64Array', BigInt64Array.of(2n, 1n)],
    ['bigint[]', [2n, 1n]],
  ])('a shape as %s', (_, shape) => {
    expect(tensor(new Float32Array(2), shape).shape).toEqual([2, 1]);
    expect(Tensor.from({ data: new Float32Array(2), dims: shape }).shape).toEqual([2, 1]);
  });
});

describe('tensor(nested arrays)', () => {
  test.each<[string, Parameters<typeof tensor>[0], DType, unknown]>([
    [
      'rows of Float32Array',
      [Float32Array.of(1, 2), Float32Array.of(3, 4)],
      'float32',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['rows of Float64Array', [Float64Array.of(0.1)], 'float64', [[0.1]]],
    ['rows of Int32Array', [Int32Array.of(7)], 'int32', [[7]]],
    ['rows of BigInt64Array', [BigInt64Array.of(7n)], 'int64', [[7]]],
    [
      'arrays of arrays of rows',
      [[Float32Array.of(1, 2)], [Float32Array.of(3, 4)]],
      'float32',
      [[[1, 2]], [[3, 4]]],
    ],
    ['BigInts', [[5n], [-6n]], 'int64', [[5], [-6]]],
    [
      'tensors',
      [tensor([1, 2]), tensor([3, 4])],
      'float32',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['tensors of rank 2', [tensor([[1, 2]]), tensor([[3, 4]])], 'float32', [[[1, 2]], [[3, 4]]]],
    ['scalar tensors', [tensor(1), tensor(2)], 'float32', [1, 2]],
    ['empty rows', [new Float32Array(0), new Float32Array(0)], 'float32', [[], []]],
  ])('%s', (_, nested, dtype, expected) => {
    const x = tensor(nested);
    expect([x.dtype, x.toArray()]).toEqual([dtype, expected]);
    for (const each of DTYPES) {
      if (each.startsWith('int') && JSON.stringify(expected).includes('.')) continue;
      expect(tensor(nested, { dtype: each }).dtype).toBe(each);
    }
  });

  test('is a copy, cut off from a graph', () => {
    const row = Float32Array.of(1, 2);
    const leaf = tensor([3, 4], { requiresGrad: true });
    const x = tensor([row, leaf]);
    row[0] = 9;
    expect([x.toArray(), x.requiresGrad]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      false,
    ]);
  });

  test('any mixture with a dtype, booleans and BigInts too', () => {
    const mixed = [[true, 2n], Uint8Array.of(3, 4), tensor([5, 6]), [7, false]] as const;
    for (const dtype of DTYPES) {
      expect(tensor(mixed, { dtype }).toArray()).toEqual([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 0],
      ]);
    }
  });

  test.each<[string, () => unknown, string]>([
    [
      'rows of another kind without a dtype',
      () => tensor([Uint8Array.of(1)]),
      'TypeError: tensor: expected numbers in nested arrays (or a { dtype } to convert to), got ' +
        'Uint8Array of length 1.',
    ],
    [
      'a number among booleans',
      () => tensor([true, 0]),
      'TypeError: tensor: expected int32 throughout nested arrays (or a { dtype }), got 0.',
    ],
    [
      'a boolean among numbers',
      () => tensor([[1, true]]),
      'TypeError: tensor: expected float32 throughout nested arrays (or a { dtype }), got true.',
    ],
    [
      'two kinds without a dtype',
      () => tensor([Float32Array.of(1), Float64Array.of(1)]),
      'TypeError: tensor: expected float32 throughout nested arrays (or a { dtype }), got Float64Array ' +
        'of length 1.',
    ],
    [
      'a BigInt among numbers',
      () => tensor([1, 2n]),
      'TypeError: tensor: expected float32 throughout nested arrays (or a { dtype }), got 2n.',
    ],
    [
      'ragged rows',
      () => tensor([Float32Array.of(1, 2), Float32Array.of(1)]),
      'RangeError: tensor: expected nested arrays of shape [2, 2], got a part of shape [1].',
    ],
    [
      'a tensor of another shape',
      () => tensor([tensor([1, 2]), tensor([[1, 2]])]),
      'RangeError: tensor: expected nested arrays of shape [2, 2], got a part of shape [1, 2].',
    ],
    [
      'an int32 that would wrap',
      () => tensor([0, 2 ** 32], { dtype: 'int32' }),
      'RangeError: tensor: expected whole numbers from -2^31 to 2^31 - 1 for int32, got 4294967296 at index 1.',
    ],
    [
      'an int64 that would wrap',
      () => tensor([[0n], [2n ** 63n]]),
      'RangeError: tensor: expected whole numbers from -2^63 to 2^63 - 1 for int64, got ' +
        '9223372036854775808n at index 1.',
    ],
    [
      'an array that contains itself',
      () => {
        const loop: unknown[] = [];
        loop.push(loop);
        return tensor(loop as never);
      },
      'RangeError: tensor: expected at most 64 dimensions, got more.',
    ],
    [
      'a string, whatever the dtype',
      () => tensor(['1'] as never, { dtype: 'float32' }),
      "TypeError: tensor: expected numbers in nested arrays, got '1'.",
    ],
  ])('refuses %s', (_, make, message) => {
    expect(thrownBy(make)).toBe(message);
  });
});

const WHOLE: [string, functional.ClassTargets][] = [
  ...INTEGER_ARRAYS.map((Kind): [string, functional.ClassTargets] => [Kind.name, Kind.of(2, 0)]),
  ...BIG_ARRAYS.map((Kind): [string, functional.ClassTargets] => [Kind.name, Kind.of(2n, 0n)]),
  ['number[]', [2, 0]],
  ['bigint[]', [2n, 0n]],
  ['an int32 tensor', tensor([2, 0], { dtype: 'int32' })],
  ['an int64 tensor', tensor([2, 0], { dtype: 'int64' })],
];

describe('class targets', () => {
  const logits = (): Tensor =>
    tensor(
      [
        [1, 2, 3],
        [4, 5, 9],
      ],
      { requiresGrad: true },
    );

  test.each(WHOLE)('%s', (_, targets) => {
    const run = (given: functional.ClassTargets): unknown => {
      const x = logits();
      const loss = new nn.CrossEntropyLoss().forward(x, given);
      loss.backward();
      return [loss.item(), x.grad!.toArray()];
    };
    expect(run(targets)).toEqual(run([2, 0]));
  });

  test('an int64 equal to ignoreIndex is ignored', () => {
    const kept = functional.crossEntropy(logits(), [2, -100]).item();
    expect(functional.crossEntropy(logits(), BigInt64Array.of(2n, -100n)).item()).toBe(kept);
  });

  test.each([
    [2n ** 32n, '4294967296n'], // 0 when truncated
    [2n ** 53n + 1n, '9007199254740993n'],
    [-1n, '-1n'],
  ])('%s is refused with its index', (target, got) => {
    for (const targets of [BigInt64Array.of(0n, target), [0n, target]]) {
      expect(thrownBy(() => functional.crossEntropy(logits(), targets))).toBe(
        `RangeError: crossEntropy: expected class targets from 0 to 2, got ${got} at index 1.`,
      );
    }
  });

  test('another thread cannot change what was checked', () => {
    // The second reading of an element would see another value.
    let reads = 0;
    const targets = new Proxy([0, 1], {
      get: (list, name): unknown =>
        name === '1' && reads++ > 0 ? 2 ** 30 : Reflect.get(list, name),
    });
    expect(functional.crossEntropy(logits(), targets).item()).toBe(
      functional.crossEntropy(logits(), [0, 1]).item(),
    );
  });

  test('floats are refused', () => {
    for (const targets of [new Float32Array(2), new Float64Array(2), tensor([0, 1])]) {
      expect(thrownBy(() => functional.crossEntropy(logits(), targets as never))).toMatch(
        /^TypeError: crossEntropy: expected class targets as an integer array or tensor/,
      );
    }
  });
});

describe('lengths', () => {
  const x = (): Tensor =>
    tensor(
      Float32Array.from({ length: 12 }, (_, i) => i),
      [2, 2, 3],
    );

  test.each(WHOLE)('%s', (_, lengths) => {
    const y = new nn.BatchNorm1d(2).forward(x(), { lengths });
    expect(y.toArray()).toEqual(new nn.BatchNorm1d(2).forward(x(), { lengths: [2, 0] }).toArray());
  });

  test('an int64 outside of them is refused with its index', () => {
    expect(
      thrownBy(() =>
        new nn.BatchNorm1d(2).forward(x(), { lengths: BigInt64Array.of(0n, 2n ** 32n) }),
      ),
    ).toBe('RangeError: BatchNorm1d: expected lengths from 0 to 3, got 4294967296n at index 1.');
  });
});

describe('TensorDataset of arrays', () => {
  const rows = [
    [0, 1],
    [1, 0],
    [1, 1],
  ];
  const LABELS: [string, data.Samples, DType][] = [
    ['number[]', [0, 1, 1], 'int32'],
    ['bigint[]', [0n, 1n, 1n], 'int64'],
    ['Uint8Array', Uint8Array.of(0, 1, 1), 'int32'],
    ['Int32Array', Int32Array.of(0, 1, 1), 'int32'],
    ['BigInt64Array', BigInt64Array.of(0n, 1n, 1n), 'int64'],
    ['Uint32Array', Uint32Array.of(0, 1, 1), 'int64'],
    ['an int64 tensor', tensor([0, 1, 1], { dtype: 'int64' }), 'int64'],
  ];
  const SAMPLES: [string, data.Samples][] = [
    ['nested arrays', rows],
    ['rows of Float32Array', rows.map((row) => Float32Array.from(row))],
    ['a tensor', tensor(rows)],
    ['{ data, shape }', { data: Float32Array.from(rows.flat()), shape: [3, 2] }],
  ];

  test.each(LABELS)('labels as %s train with the cross-entropy', (_, labels, dtype) => {
    for (const [, samples] of SAMPLES) {
      const loader = new data.DataLoader(new data.TensorDataset(samples, labels), { batchSize: 2 });
      const model = new nn.Linear(2, 2);
      const criterion = new nn.CrossEntropyLoss();
      const optimizer = new optim.SGD(model.parameters());
      const seen: unknown[] = [];
      for (const [x, label] of loader) {
        const loss = criterion.forward(model.forward(x), label);
        loss.backward();
        optimizer.step();
        expect(Number.isFinite(loss.item())).toBe(true);
        expect(label.dtype).toBe(dtype);
        seen.push(label.toArray());
      }
      expect(seen).toEqual([[0, 1], [1]]);
    }
  });

  test('a flat array of fractions is float32; of large whole numbers int64', () => {
    const { tensors } = new data.TensorDataset([0.5, 1], [0, 2 ** 40], [1, 2 ** 60]);
    expect(tensors.map(({ dtype }) => dtype)).toEqual(['float32', 'int64', 'float32']);
  });

  test('a typed array of ours is adopted', () => {
    const values = Float32Array.of(1, 2);
    expect(new data.TensorDataset(values).tensors[0]!.data).toBe(values);
  });

  test.each<[string, () => unknown, string]>([
    [
      'ragged rows',
      () => new data.TensorDataset([[1, 2], [3]]),
      'RangeError: TensorDataset: expected nested arrays of shape [2, 2], got 1 elements where 2 were expected.',
    ],
    [
      'indices that are no list',
      () => new data.TensorDataset([1, 2]).rows(null as never),
      'TypeError: TensorDataset.rows: expected an array of indices, got null.',
    ],
    [
      'an index too far',
      () => new data.TensorDataset([1, 2]).rows([0, 2]),
      'RangeError: TensorDataset.rows: expected indices below 2, got 2.',
    ],
  ])('refuses %s', (_, make, message) => {
    expect(thrownBy(make)).toBe(message);
  });
});

test('a data set says where a dtype can be said', () => {
  expect(thrownBy(() => new data.TensorDataset([Uint8Array.of(1, 2)]))).toBe(
    'TypeError: TensorDataset: expected numbers in nested arrays (or tensor(…, { dtype }) to convert to), got ' +
      'Uint8Array of length 2.',
  );
});
