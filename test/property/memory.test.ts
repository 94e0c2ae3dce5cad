// Memory: in place, views at any offset, shared memory, what lies around an output, and that a call
// which is refused has changed nothing.
import { nn, noGrad, tensor, type Tensor } from 'evenkeel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  batches,
  dataOf,
  elements,
  firstDifference,
  floatsOf,
  layerFor,
  noise,
  RUNS,
  shapeOf,
  step,
} from '../helpers/batches.js';

const check = (a: Float32Array, b: Float32Array): void => expect(firstDifference(a, b)).toBe(-1);

test('in place computes the same bits as into new memory', () => {
  fc.assert(
    fc.property(batches, fc.boolean(), (batch, training) => {
      const bn = layerFor(batch).train(training);
      const x = dataOf(batch);
      noGrad(() => {
        const expected = bn.forward(tensor(x.slice(), shapeOf(batch)));
        const input = tensor(x, shapeOf(batch));
        const y = bn.forward(input, { out: input });
        expect(y.data).toBe(x);
        check(x, floatsOf(expected));
      });
    }),
    RUNS,
  );
});

test('views at any byte offset and shared memory compute the same bits as plain arrays', () => {
  const offsets = fc.tuple(fc.nat({ max: 16 }), fc.nat({ max: 16 }), fc.nat({ max: 16 }));
  fc.assert(
    fc.property(batches, offsets, fc.boolean(), (batch, [a, b, d], shared) => {
      const count = elements(batch);
      /** The same values, `shift` elements into NaNs. */
      const moved = (values: Float32Array, shift: number): Float32Array => {
        const bytes = (values.length + shift + 16) * 4;
        const buffer = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
        const around = new Float32Array(buffer).fill(NaN);
        around.set(values, shift);
        return around.subarray(shift, shift + values.length);
      };
      const [x, dy] = [dataOf(batch), noise(count, batch.seed)];
      const plain = step(layerFor(batch), x, dy, shapeOf(batch));
      const bn = layerFor(batch);
      bn.weight = new nn.Parameter(tensor(moved(floatsOf(bn.weight), d), [batch.c]));
      const viewed = step(bn, moved(x, a), moved(dy, b), shapeOf(batch));
      for (const name of ['y', 'mean', 'variance', 'dx', 'dweight', 'dbias'] as const) {
        check(viewed[name], plain[name]);
      }
    }),
    RUNS,
  );
});

test('nothing is written around an output', () => {
  fc.assert(
    fc.property(batches, fc.nat({ max: 16 }), fc.boolean(), (batch, shift, training) => {
      const count = elements(batch);
      const bn = layerFor(batch).train(training);
      const around = new Uint32Array(count + shift + 16).fill(0x7fc0_beef); // a NaN
      const out = tensor(new Float32Array(around.buffer, shift * 4, count), shapeOf(batch));
      const x = dataOf(batch);
      const expected = noGrad(() => bn.forward(tensor(x, shapeOf(batch))));
      noGrad(() => bn.forward(tensor(x, shapeOf(batch)), { out }));
      check(floatsOf(out), floatsOf(expected));
      const outside = [...around.subarray(0, shift), ...around.subarray(shift + count)];
      expect(outside.every((word) => word === 0x7fc0_beef)).toBe(true);
    }),
    RUNS,
  );
});

describe('a call that is refused has changed nothing', () => {
  const C = 5;
  const good = (): Tensor => tensor(noise(4 * C, 1), [4, C]);
  const detached = (): Tensor => {
    const data = noise(4 * C, 1);
    const withoutMemory = tensor(data, [4, C]);
    structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
    return withoutMemory;
  };
  const shared = noise(8 * C, 2);
  const overlapping = tensor(shared.subarray(1, 1 + 4 * C), [4, C]);

  type Layer = nn.BatchNorm1d;
  const refused: Readonly<Record<string, (bn: Layer) => unknown>> = {
    'too many channels': (bn) => bn.forward(tensor(new Float32Array(12), [2, 6])),
    'too few dimensions': (bn) => bn.forward(tensor(new Float32Array(C), [C])),
    'too many dimensions': (bn) => bn.forward(tensor(new Float32Array(4 * C), [2, C, 2, 1])),
    'one value per channel': (bn) => bn.forward(tensor(new Float32Array(C), [1, C])),
    'another dtype': (bn) => bn.forward(tensor(new Float64Array(4 * C), [4, C])),
    'no floats': (bn) => bn.forward(tensor(new Int32Array(4 * C), [4, C])),
    'a detached input': (bn) => bn.forward(detached()),
    'a detached out': (bn) => bn.forward(good(), { out: detached() }),
    'an out of another shape': (bn) =>
      bn.forward(good(), { out: tensor(new Float32Array(C), [C]) }),
    'an out of another dtype': (bn) =>
      bn.forward(good(), { out: tensor(new Float64Array(4 * C), [4, C]) }),
    'an out that overlaps the input': (bn) =>
      bn.forward(tensor(shared.subarray(0, 4 * C), [4, C]), { out: overlapping }),
    'an unknown option': (bn) => bn.forward(good(), { output: good() } as object),
    'nothing at all': (bn) => bn.forward(undefined as unknown as Tensor),
    'an eps of 0 in training': (bn) => {
      bn.eps = 0;
      return bn.forward(good());
    },
    'a weight of another length': (bn) => {
      bn.weight = new nn.Parameter(tensor(new Float32Array(C + 1), [C + 1]));
      return bn.forward(good());
    },
    'a negative eps': (bn) => (bn.eps = -1),
    'a momentum above 1': (bn) => (bn.momentum = 1.5),
    'a state that misses a key': (bn) => bn.loadStateDict(new Map([['weight', good()]])),
    'a state of another shape': (bn) => {
      const state = new Map(new nn.BatchNorm1d(C).stateDict());
      state.set('running_var', tensor(new Float32Array(C + 1), [C + 1]));
      return bn.loadStateDict(state);
    },
  };

  test.each(Object.entries(refused))('%s', (_, call) => {
    const bn = new nn.BatchNorm1d(C);
    bn.forward(good()).backward(good());
    const before = snapshot(bn);
    const around = shared.slice();
    expect(() => call(bn)).toThrow(/: expected .*, got |^Error\(s\) in loading state_dict/s);
    expect(snapshot(bn)).toStrictEqual(before);
    check(shared, around);
  });

  /** Statistics, counter and gradients; the parameters, unless a test has replaced them. */
  function snapshot(bn: Layer): unknown[] {
    const state = [...bn.stateDict()].filter(([name]) => name !== 'weight');
    const copies = state.map(([name, { data }]) => [name, data.slice()]);
    return [...copies, bn.bias?.grad?.data.slice(), bn.momentum];
  }
});
