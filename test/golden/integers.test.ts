// Labels, places and codes (int32 and int64) chosen, compared and sorted, and lists with empty tensors in cat, as PyTorch
// has them (scripts/golden/integers.py). Exact.
import { functional as F, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { readGolden } from '../helpers/golden.js';

interface Values {
  readonly shape: number[];
  readonly values: string[];
}

interface Integers {
  readonly x: Values;
  readonly y: Values;
  readonly mask: Values;
  readonly indices: Readonly<Record<string, Values>>;
  readonly found: Readonly<Record<string, Values>>;
}

interface List {
  readonly shapes: number[][];
  readonly dim: number;
  readonly refused: boolean;
  readonly found: Values;
  readonly gradients: Values[];
}

const golden = readGolden('integers') as {
  readonly torch: string;
  readonly integers: Readonly<Record<'int32' | 'int64', Integers>>;
  readonly lists: List[];
};

const read = ({ shape, values }: Values, dtype: 'int32' | 'int64' = 'int64'): Tensor =>
  tensor(values.map(BigInt), { dtype }).reshape(shape);

const written = ({ shape, data }: Tensor): Values => ({
  shape: [...shape],
  values: Array.from(data as Iterable<number | bigint>, String),
});

/** The same calls by the names of the script. */
function callsOf(
  { x: a, y: b, mask, indices }: Integers,
  dtype: 'int32' | 'int64',
): Map<string, Tensor> {
  const [x, y, holds] = [read(a, dtype), read(b, dtype), read(mask)];
  const calls = new Map<string, Tensor>([
    ['where', F.where(holds, x, y)],
    ['where row', F.where(holds, x, y.narrow(0, 0, 1).narrow(1, 0, 1).reshape([5]))],
    ['where number', F.where(holds, -100, x)],
    ['masked_fill', x.maskedFill(holds, -100)],
    ['index_select', x.indexSelect(1, [3, 0, 0])],
    ['stack', F.stack([x, y], { dim: 1 })],
    ['cat', F.cat([x, y], { dim: 2 })],
  ]);
  for (const dim of [0, 1, 2]) {
    calls.set(`gather ${dim}`, x.gather(dim, read(indices[dim]!)));
    for (const name of ['max', 'min'] as const) {
      const { values, indices: places } = x[name]({ dim });
      calls.set(`${name} ${dim}`, values).set(`${name} ${dim} indices`, places);
    }
    calls.set(`argmax ${dim}`, x.argmax({ dim }));
    calls.set(`argmin ${dim}`, x.argmin({ dim, keepdim: true }));
    for (const descending of [false, true]) {
      const { values, indices: places } = x.sort({ dim, descending });
      const key = `sort ${dim} ${descending}`;
      calls.set(key, values).set(`${key} indices`, places);
    }
    calls.set(`topk ${dim}`, x.topk(2, { dim }).values);
  }
  for (const dim of [[0], [0, 2], [1, 2], [0, 1, 2]]) {
    calls.set(`amax[${dim.join(',')}]`, x.amax({ dim }));
    calls.set(`amin[${dim.join(',')}]`, x.amin({ dim, keepdim: true }));
  }
  for (const name of ['max', 'min', 'argmax', 'argmin'] as const) calls.set(name, x[name]());
  return calls;
}

describe.each(['int32', 'int64'] as const)(`%s as PyTorch ${golden.torch} has it`, (dtype) => {
  const integers = golden.integers[dtype];
  const calls = callsOf(integers, dtype);

  test('every call is compared', () => {
    expect([...calls.keys()].sort()).toEqual(Object.keys(integers.found).sort());
  });

  test.each(Object.entries(integers.found))('%s', (name, want) => {
    const got = calls.get(name)!;
    expect(got.dtype).toBe(/arg|indices/.test(name) ? 'int64' : dtype);
    expect(written(got)).toEqual(want);
  });
});

describe(`cat of lists as PyTorch ${golden.torch} has it`, () => {
  test.each(
    golden.lists.map((list) => [`${JSON.stringify(list.shapes)} along ${list.dim}`, list] as const),
  )('%s', (_, { shapes, dim, refused, found, gradients }) => {
    const tensors = shapes.map((shape, i) => {
      const numel = shape.reduce((a, b) => a * b, 1);
      const values = Float32Array.from({ length: numel }, (_, k) => 10 * i + k);
      return tensor(values, shape, { requiresGrad: true });
    });
    if (refused) {
      expect(() => F.cat(tensors, { dim })).toThrow(RangeError);
      return;
    }
    const y = F.cat(tensors, { dim });
    expect(written(y)).toEqual(found);
    const dy = Float32Array.from({ length: y.numel }, (_, k) => k + 1);
    y.backward(tensor(dy, y.shape));
    expect(tensors.map(({ grad }) => written(grad!))).toEqual(gradients);
  });
});
