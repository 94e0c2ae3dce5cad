// PyTorch's test_modules.py for BatchNorm1d: each of the eight inputs of its ModuleInfo through each
// test. Not its test_gradgrad, test_cpu_gpu_parity, test_to and their like: see COMPATIBILITY.md.
import { nn, Tensor, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectSameBits } from '../helpers/expect-close.js';
import { gradcheck } from '../helpers/gradcheck.js';
import { decode, type DTypeName, type Encoded } from '../helpers/golden.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';
import {
  decoded,
  expectResults,
  expectStatistic,
  leaf,
  readParity,
  type Results,
} from './parity-data.js';

interface Step extends Results {
  readonly runningMean: Encoded | null;
  readonly runningVar: Encoded | null;
  readonly numBatchesTracked: number;
}

interface Case {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly shape: number[];
  readonly options: nn.BatchNormOptions;
  readonly x: Encoded;
  readonly dy: Encoded;
  readonly state: Record<'weight' | 'bias' | 'running_mean' | 'running_var', Encoded>;
  readonly train: Step;
  readonly eval: Step;
}

const golden = readParity('module-info') as {
  readonly torch: string;
  readonly reprs: Record<string, string>;
  readonly cases: Case[];
};

const NAMES = [
  'affine',
  '3d_input',
  'affine_simple_average',
  'not_affine',
  'not_tracking_stats',
  '3d_input_not_affine',
  'zero_batch',
  'affine_not_bias',
];

function build(each: Case): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(each.shape[1]!, { ...each.options, dtype: each.dtype });
  const own = bn.stateDict();
  const given = Object.entries(each.state).filter(([key]) => own.has(key));
  bn.loadStateDict(
    new Map(given.map(([key, value]) => [key, tensor(decode(value), [each.shape[1]!])])),
    {
      strict: false,
    },
  );
  return bn;
}

function compare(each: Case, training: boolean): void {
  const { dtype, shape } = each;
  const bn = build(each).train(training);
  const x = leaf(each.x, shape);
  const y = bn.forward(x);
  y.backward(tensor(decode(each.dy), shape));

  const expected = training ? each.train : each.eval;
  const byRunning = !training && bn.runningMean !== null;
  expectResults(
    { y, dx: x.grad, dweight: bn.weight?.grad ?? null, dbias: bn.bias?.grad ?? null },
    expected,
    {
      ...each,
      eps: bn.eps,
      weight: bn.weight === null ? null : decoded(each.state.weight),
      bias: bn.bias === null ? null : decoded(each.state.bias),
      running: byRunning
        ? { mean: decode(each.state.running_mean), var: decode(each.state.running_var) }
        : null,
    },
  );
  const m = y.numel / bn.numFeatures;
  expectStatistic(bn.runningMean, expected.runningMean, dtype, m, 'running_mean');
  expectStatistic(bn.runningVar, expected.runningVar, dtype, m, 'running_var');
  expect(bn.numBatchesTracked).toBe(expected.numBatchesTracked);
}

/** The same values where the first two dimensions are the other way round in memory, with gaps. */
function strided(data: ArrayLike<number>, shape: readonly number[], dtype: DTypeName): Tensor {
  const [n = 0, c = 0, l = 1] = shape;
  const strides = [2 * l, 2 * l * n, 2];
  const memory =
    dtype === 'float32' ? new Float32Array(2 * n * c * l + 1) : new Float64Array(2 * n * c * l + 1);
  memory.fill(NaN);
  for (let i = 0; i < data.length; i++) {
    const [row, channel, position] = [Math.floor(i / (c * l)), Math.floor(i / l) % c, i % l];
    memory[1 + row * strides[0]! + channel * strides[1]! + position * strides[2]!] = data[i]!;
  }
  return Tensor.from({ data: memory, shape, strides: strides.slice(0, shape.length), offset: 1 });
}

test('the data hold the eight inputs, in both dtypes', () => {
  const names = golden.cases.map(({ name, dtype }) => `${dtype} ${name}`);
  expect(names).toEqual(
    ['float32', 'float64'].flatMap((dtype) => NAMES.map((name) => `${dtype} ${name}`)),
  );
});

describe.each(golden.cases.map((each) => [`${each.name}, ${each.dtype}`, each] as const))(
  '%s',
  (_, each) => {
    const { shape, dtype } = each;

    test(`test_forward: training and evaluation as PyTorch ${golden.torch}`, () => {
      compare(each, true);
      compare(each, false);
    });

    test('test_factory_kwargs: the dtype that was asked for, and an int64 counter', () => {
      for (const [key, value] of build(each).stateDict()) {
        expect(value.dtype, key).toBe(key === 'num_batches_tracked' ? 'int64' : dtype);
      }
    });

    test("test_repr: PyTorch's, to the letter", () => {
      expect(build(each).toString()).toBe(golden.reprs[each.name]);
    });

    test('test_save_load: a fresh layer with the state of this one computes its bits', () => {
      const bn = build(each);
      const x = tensor(decode(each.x), shape);
      bn.forward(x);
      const other = new nn.BatchNorm1d(shape[1]!, { ...each.options, dtype });
      const state = new Map([...bn.stateDict()].map(([key, value]) => [key, value.clone()]));
      expect(other.loadStateDict(state).missingKeys).toEqual([]);
      expect(other.numBatchesTracked).toBe(bn.numBatchesTracked);
      expectSameBits(other.eval().forward(x), bn.eval().forward(x));
      expectSameBits(other.train().forward(x), bn.train().forward(x));
    });

    test('test_non_contiguous_tensors: strided input and gradient give the bits of contiguous ones', () => {
      for (const training of [true, false]) {
        const [plain, other] = [build(each).train(training), build(each).train(training)];
        const x = leaf(each.x, shape);
        const apart = strided(x.data as Float32Array, shape, dtype);
        apart.requiresGrad = true;
        const [y, z] = [plain.forward(x), other.forward(apart)];
        expectSameBits(z, y, 'y');
        y.backward(tensor(decode(each.dy), shape));
        z.backward(strided(decode(each.dy), shape, dtype));
        expectSameBits(apart.grad, x.grad, 'dx');
        for (const name of ['weight', 'bias'] as const) {
          if (plain[name] !== null) expectSameBits(other[name]?.grad, plain[name].grad, name);
        }
      }
    });

    test('test_if_train_and_eval_modes_differ: they do, unless no statistics are kept or nothing came', () => {
      const bn = build(each);
      const x = tensor(decode(each.x), shape);
      const trained = [...bn.forward(x).data];
      const evaluated = [...build(each).eval().forward(x).data];
      const same = each.name === 'not_tracking_stats' || each.name === 'zero_batch';
      expect(JSON.stringify(trained) === JSON.stringify(evaluated)).toBe(same);
    });

    // The differences need float64.
    if (dtype === 'float64') {
      test('test_grad: by central differences, of the input and every parameter', () => {
        for (const training of [true, false]) {
          const bn = build(each).train(training);
          gradcheck((x) => bn.forward(x), [leaf(each.x, shape), ...bn.parameters()]);
        }
      });
    }
  },
);

describe('test_errors', () => {
  const zeros = tensor(new Float32Array(20), [2, 10]);

  test('test_errors: eps -1 is refused, here when the layer is made', () => {
    expect(thrownBy(() => new nn.BatchNorm1d(10, { eps: -1 }))).toBe(
      'RangeError: BatchNorm1d: expected eps to be a finite number of at least 0, got -1.',
    );
  });

  test('test_errors: eps 0 is refused by a forward in training', () => {
    const bn = new nn.BatchNorm1d(10, { eps: 0 });
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(zeros))).toBe(
      'RangeError: BatchNorm1d: expected eps to be positive (batch_norm eps must be positive during training), got 0.',
    );
    unchanged();
    expect(bn.eval().forward(zeros).shape).toEqual([2, 10]);
  });
});
