// forwardAsync and backwardAsync: the bits of the synchronous calls, the order in which statistics move,
// and that whatever is aborted or refused has changed nothing.
import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { markAsUntransferable } from 'node:worker_threads';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  checkpoint,
  functional,
  isGradEnabled,
  native,
  nn,
  noGrad,
  scope,
  tensor,
  type Tensor,
} from '../../src/index.js';
import { normals32 } from '../helpers/random.js';
import { snapshot } from '../helpers/snapshot.js';

type Floats = Float32Array | Float64Array;
type DType = 'float32' | 'float64';

const threads = native.threads;
beforeEach(() => native.setThreads(3));
afterEach(() => native.setThreads(threads));

const numelOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const values = (shape: readonly number[], dtype: DType = 'float32', seed = 1): Floats => {
  const data = normals32(seed, numelOf(shape));
  return dtype === 'float32' ? data : Float64Array.from(data);
};
const bits = (t: Tensor | null): string => {
  const { buffer, byteOffset, byteLength } = t!.data;
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
};
const statistics = (bn: nn.BatchNorm): unknown => [
  bits(bn.runningMean),
  bits(bn.runningVar),
  bn.numBatchesTracked,
];
/** The message of the error a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => String(error),
  );
const shared = (from: Floats): Floats => {
  const to = from.constructor as { new (buffer: SharedArrayBuffer): Floats };
  const copy = new to(new SharedArrayBuffer(from.byteLength));
  copy.set(from);
  return copy;
};

/** How an input can come, and with which option. */
const WAYS: Record<string, (data: Floats, shape: readonly number[]) => Tensor> = {
  plain: (data, shape) => tensor(data.slice(), shape),
  shared: (data, shape) => tensor(shared(data), shape),
  transfer: (data, shape) => tensor(data.slice(), shape),
  'an output': (data, shape) => {
    const zeros = tensor(new (data.constructor as typeof Float32Array)(data.length), shape);
    return functional.add(tensor(data.slice(), shape), zeros);
  },
};

const SHAPES: readonly (readonly number[])[] = [
  [4, 3],
  [4, 3, 5],
  [0, 3],
  [2, 3, 0],
  [300, 130],
  [9, 8, 700],
  [3, 2, 9000],
  [1100, 270],
];

async function compare(
  shape: readonly number[],
  way: string,
  dtype: DType,
  options: { relu?: boolean; lengths?: readonly number[] } = {},
  evaluation = false,
): Promise<void> {
  const c = shape[1]!;
  const [data, gradient] = [values(shape, dtype), values(shape, dtype, 2)];
  const outcome = async (asynchronous: boolean): Promise<unknown> => {
    const bn = new nn.BatchNorm1d(c, { dtype });
    bn.weight!.data.set(values([c], dtype, 3));
    bn.bias!.data.set(values([c], dtype, 4));
    bn.train(!evaluation);
    const x = WAYS[way]!(data, shape);
    const input = way === 'an output' ? x.detach() : x;
    input.requiresGrad = true;
    const call = options as { relu?: boolean; lengths?: number[] };
    const transfer = way === 'transfer';
    const y = asynchronous
      ? await bn.forwardAsync(input, { ...call, transfer })
      : bn.forward(input, call);
    if (asynchronous) await y.backwardAsync(tensor(gradient.slice(), shape));
    else y.backward(tensor(gradient.slice(), shape));
    return [
      ...[y, input.grad, bn.weight!.grad, bn.bias!.grad].map(bits),
      statistics(bn),
      bits(input),
    ];
  };
  expect(await outcome(true)).toEqual(await outcome(false));
}

describe('the bits of the synchronous calls', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    for (const way of Object.keys(WAYS)) {
      test.each(SHAPES)(
        `${dtype}, ${way}, [%i, %i, %i]`,
        async (...sizes: (number | undefined)[]) => {
          const shape = sizes.filter((each) => each !== undefined);
          await compare(shape, way, dtype);
          await compare(shape, way, dtype, { relu: true });
          await compare(shape, way, dtype, {}, true);
        },
      );
    }
  }

  test('padded sequences', async () => {
    for (const [shape, lengths] of [
      [
        [3, 2, 5],
        [5, 0, 3],
      ],
      [
        [4, 20, 700],
        [700, 1, 0, 333],
      ],
    ] as const) {
      for (const way of ['plain', 'shared', 'transfer']) {
        await compare(shape, way, 'float32', { lengths });
        await compare(shape, way, 'float32', { lengths, relu: true });
        await compare(shape, way, 'float32', { lengths }, true);
      }
    }
  });

  test('running statistics that normalise and move', async () => {
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      const bn = new nn.BatchNorm1d(130);
      bn.normalizeBy = 'running';
      bn.updateStatistics = true;
      const seen: string[] = [];
      for (const seed of [1, 2]) {
        const x = tensor(values([300, 130], 'float32', seed), [300, 130]);
        seen.push(bits(asynchronous ? await bn.forwardAsync(x) : bn.forward(x)));
      }
      return [seen, statistics(bn)];
    };
    expect(await outcome(true)).toEqual(await outcome(false));
  });

  test('the same tensor as gradient, as sum, and twice', async () => {
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      const bn = new nn.BatchNorm1d(130);
      const x = tensor(values([300, 130]), [300, 130], { requiresGrad: true });
      const y = asynchronous ? await bn.forwardAsync(x) : bn.forward(x);
      const loss = functional.sum(functional.mul(functional.add(y, y), y));
      for (const retainGraph of [true, false]) {
        if (asynchronous) await loss.backwardAsync(undefined, { retainGraph });
        else loss.backward(undefined, { retainGraph });
      }
      return [x.grad, bn.weight!.grad, bn.bias!.grad].map(bits);
    };
    expect(await outcome(true)).toEqual(await outcome(false));
  });
});

describe('what a call takes with it', () => {
  const shape = [300, 130] as const;
  const make = (): Tensor => tensor(shared(values(shape)), shape);

  test('mode, weights and statistics are those of the time of the call', async () => {
    const bn = new nn.BatchNorm1d(130).eval();
    const expected = bits(bn.forward(make()));
    const pending = bn.forwardAsync(make());
    bn.train();
    (bn.weight!.data as Float32Array).fill(7);
    (bn.bias!.data as Float32Array).fill(7);
    (bn.runningMean!.data as Float32Array).fill(7);
    bn.eps = 3;
    expect(bits(await pending)).toBe(expected);
    expect(bn.numBatchesTracked).toBe(0);
  });

  test('and so is the momentum, none included: then all batches weigh the same', async () => {
    for (const later of [null, 1]) {
      const bn = new nn.BatchNorm1d(1, { momentum: null });
      bn.forward(tensor([[1], [3]]));
      const pending = bn.forwardAsync(tensor([[5], [7]]));
      bn.momentum = later;
      await pending;
      expect(bn.runningMean!.toArray()).toEqual([4]);
    }
  });

  test('a small array is copied at the call', async () => {
    const bn = new nn.BatchNorm1d(130);
    const data = values(shape);
    const expected = bits(new nn.BatchNorm1d(130).forward(tensor(data.slice(), shape)));
    const pending = bn.forwardAsync(tensor(data, shape));
    data.fill(NaN);
    expect(bits(await pending)).toBe(expected);
  });

  test('whether it is recorded', async () => {
    const bn = new nn.BatchNorm1d(130);
    let pending: Promise<Tensor> | null = null;
    noGrad(() => {
      pending = bn.forwardAsync(make());
    });
    expect(isGradEnabled()).toBe(true);
    expect((await pending!).requiresGrad).toBe(false);
    expect((await bn.forwardAsync(make())).requiresGrad).toBe(true);
  });

  test('its memory, out of every scope', async () => {
    const bn = new nn.BatchNorm1d(130);
    const expected = bits(new nn.BatchNorm1d(130).forward(make()));
    let pending: Promise<Tensor> | null = null;
    scope(() => {
      const x = functional.mul(make(), tensor(new Float32Array(300 * 130).fill(1), shape));
      pending = bn.forwardAsync(x);
    });
    // What the scope gave back is handed out again, and written.
    for (let i = 0; i < 8; i++) (functional.add(make(), make()).data as Float32Array).fill(NaN);
    const y = await pending!;
    expect(y.disposed).toBe(false);
    expect(bits(y)).toBe(expected);
    expect(() => y.backward(y.detach())).toThrow('has been disposed of');
  });

  test('weights that change in between make backward an error, as they do behind forward', async () => {
    const bn = new nn.BatchNorm1d(130);
    const x = make();
    x.requiresGrad = true;
    const pending = bn.forwardAsync(x);
    bn.weight!.markChanged();
    const y = await pending;
    expect(await rejection(y.backwardAsync(y.detach()))).toBe(
      'Error: BatchNorm1d: one of the variables needed for gradient computation has been modified by an ' +
        'inplace operation: it is at version 1; expected version 0 instead.',
    );
  });
});

describe('the memory that is read', () => {
  const shape = [2000, 300] as const; // 2.4 MB: copied in three turns
  const reference = bits(new nn.BatchNorm1d(300).forward(tensor(values(shape), shape)));

  test('a view that is asked for in between is one of a copy', async () => {
    const x = WAYS['an output']!(values(shape), shape);
    const pending = new nn.BatchNorm1d(300).forwardAsync(x);
    const view = x.data;
    expect(
      Buffer.from(view.buffer as ArrayBuffer, view.byteOffset).equals(
        Buffer.from(values(shape).buffer as ArrayBuffer),
      ),
    ).toBe(true);
    (view as Float32Array).fill(0);
    structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
    expect(bits(await pending)).toBe(reference);
  });

  test('a tensor may be disposed of', async () => {
    for (const way of Object.keys(WAYS)) {
      const x = WAYS[way]!(values(shape), shape);
      const pending = new nn.BatchNorm1d(300).forwardAsync(x, { transfer: way === 'transfer' });
      x.dispose();
      for (let i = 0; i < 4; i++)
        functional.add(tensor(values(shape), shape), tensor(values(shape), shape));
      expect(bits(await pending)).toBe(reference);
    }
  });

  test('transferred: old views are empty, new ones hold the same values', async () => {
    const data = values(shape);
    const x = tensor(data, shape);
    const bn = new nn.BatchNorm1d(300);
    const pending = bn.forwardAsync(x, { transfer: true });
    expect(data.length).toBe(0);
    expect(bits(await pending)).toBe(reference);
    expect(data.length).toBe(0);
    expect([...(x.data as Float32Array).subarray(0, 3)]).toEqual([...values(shape).subarray(0, 3)]);
    const aborted = bn.forwardAsync(x, { transfer: true, signal: AbortSignal.timeout(0) });
    await rejection(aborted);
    expect(bits(new nn.BatchNorm1d(300).forward(x))).toBe(reference);
  });

  test('copied: one that is detached before is an error that names it', async () => {
    const data = values(shape);
    const bn = new nn.BatchNorm1d(300);
    const unchanged = snapshot(bn);
    const pending = bn.forwardAsync(tensor(data, shape));
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    expect(await rejection(pending)).toBe(
      'TypeError: BatchNorm1d: expected the input to keep its 600000 elements until they are copied, ' +
        'got 0 (its buffer was detached or shrunk).',
    );
    unchanged();
  });

  test.each([0, 1])('a copy that nobody waits for after %d parts writes nothing', async (parts) => {
    const abort = new AbortController();
    const pending = new nn.BatchNorm1d(300).forwardAsync(tensor(values(shape), shape), {
      signal: abort.signal,
    });
    for (let turn = 0; turn < parts; turn++) await nextTurn();
    abort.abort();
    expect(await rejection(pending)).toContain('AbortError');
    // The next tensors of that size get the memory of the call.
    const zeros = [0, 1, 2].map(() => tensor(new Float32Array(600_000), shape));
    const sums = zeros.map((zero) => functional.add(zero, zero));
    for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate);
    for (const sum of sums) expect(sum.data.every((value: unknown) => value === 0)).toBe(true);
  });

  test('a call that waits for its copy holds no memory for it yet', async () => {
    const inputs = Array.from({ length: 16 }, () => tensor(values(shape), shape));
    const bn = new nn.BatchNorm1d(300);
    native.memory.trim();
    const before = process.memoryUsage().arrayBuffers;
    const calls = inputs.map((x) => bn.forwardAsync(x));
    // 16 outputs of 2.4 MB, and not 16 copies besides
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1.5 * 16 * 2.4e6);
    expect((await Promise.all(calls)).map(bits)).toEqual(inputs.map(() => reference));
  });

  test('one call copies, the next one transfers', async () => {
    const data = values(shape);
    const x = tensor(data, shape);
    const first = new nn.BatchNorm1d(300).forwardAsync(x);
    const second = new nn.BatchNorm1d(300).forwardAsync(x, { transfer: true });
    expect(data.length).toBe(0);
    expect((await Promise.all([first, second])).map(bits)).toEqual([reference, reference]);
  });

  test('an operation that writes into it is noticed', async () => {
    const message =
      'Error: BatchNorm1d: expected the input to stay as it was until the promise settles, got one that ' +
      'has been modified by an inplace operation.';
    for (const way of ['shared', 'an output', 'plain']) {
      const x = WAYS[way]!(values(shape), shape);
      const bn = new nn.BatchNorm1d(300);
      const unchanged = snapshot(bn);
      const pending = bn.forwardAsync(x);
      new nn.BatchNorm1d(300).forward(tensor(values(shape, 'float32', 9), shape), { out: x });
      expect(await rejection(pending)).toBe(message);
      unchanged();
    }
  });

  test('a buffer that holds the weight too is not taken away', async () => {
    const buffer = new ArrayBuffer(4 * (12 + 3));
    const x = tensor(new Float32Array(buffer, 0, 12), [4, 3]);
    const bn = new nn.BatchNorm1d(3);
    bn.weight = new nn.Parameter(tensor(new Float32Array(buffer, 48, 3), [3]));
    expect(await rejection(bn.forwardAsync(x, { transfer: true }))).toBe(
      'RangeError: BatchNorm1d: expected a buffer to transfer that holds the input alone, got one that ' +
        'holds weight too.',
    );
    expect(x.data.length).toBe(12);
  });

  test('a buffer that cannot be transferred is an error', async () => {
    const buffer = new ArrayBuffer(48);
    markAsUntransferable(buffer);
    const x = tensor(new Float32Array(buffer), [4, 3]);
    const bn = new nn.BatchNorm1d(3);
    expect(await rejection(bn.forwardAsync(x, { transfer: true }))).toMatch(
      /^TypeError: BatchNorm1d: expected the input in a buffer that can be transferred, got one that cannot \(.+\)\.$/,
    );
    expect(x.data.length).toBe(12);
    expect((await bn.forwardAsync(x)).shape).toEqual([4, 3]);
  });
});

describe('the order in which statistics move', () => {
  const sizes = [20, 400, 2000, 5, 700, 1200];
  const batch = (i: number, way: string): Tensor =>
    WAYS[way]!(values([sizes[i]!, 130], 'float32', i), [sizes[i]!, 130]);

  test.each([0.1, null])('of the calls, whatever each costs; momentum %s', async (momentum) => {
    const one = new nn.BatchNorm1d(130, { momentum });
    const other = new nn.BatchNorm1d(130, { momentum });
    const ways = ['shared', 'plain', 'transfer', 'shared', 'plain', 'an output'];
    const pending = ways.map((way, i) => {
      if (i === 3) one.eval();
      const call = one.forwardAsync(batch(i, way), { transfer: way === 'transfer' });
      one.train();
      return call;
    });
    const order: number[] = [];
    pending.forEach((each, i) => void each.then(() => order.push(i)));
    const expected = ways.map((way, i) => bits(other.train(i !== 3).forward(batch(i, way))));
    expect((await Promise.all(pending)).map(bits)).toEqual(expected);
    expect(statistics(one)).toEqual(statistics(other));
    expect(order.filter((i) => i !== 3)).toEqual([0, 1, 2, 4, 5]);
  });

  test('a call that is aborted leaves its place', async () => {
    const one = new nn.BatchNorm1d(130);
    const other = new nn.BatchNorm1d(130);
    const abort = new AbortController();
    const pending = [0, 1, 2, 4].map((i) =>
      one.forwardAsync(batch(i, 'shared'), i === 1 ? { signal: abort.signal } : {}),
    );
    const evaluated = one.eval().forwardAsync(batch(5, 'shared'));
    abort.abort();
    for (const i of [0, 2, 4]) other.forward(batch(i, 'shared'));
    const settled = await Promise.allSettled(pending);
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(statistics(one)).toEqual(statistics(other));
    expect(bits(await evaluated)).toBe(bits(other.eval().forward(batch(5, 'shared'))));
  });

  test('a synchronous call in between acts at once', async () => {
    const bn = new nn.BatchNorm1d(130, { momentum: 1 });
    const pending = bn.forwardAsync(batch(2, 'shared'));
    bn.forward(batch(1, 'shared'));
    expect(bn.numBatchesTracked).toBe(1);
    await pending;
    const last = new nn.BatchNorm1d(130, { momentum: 1 });
    last.forward(batch(2, 'shared'));
    expect(bits(bn.runningMean)).toBe(bits(last.runningMean));
    expect(bn.numBatchesTracked).toBe(2);
  });

  test('a virtual batch collects, and must be open still', async () => {
    const one = new nn.BatchNorm1d(130);
    const other = new nn.BatchNorm1d(130);
    const batches = [one, other].map((layer) => nn.virtualBatch(layer));
    await Promise.all([0, 1].map((i) => one.forwardAsync(batch(i, 'shared'))));
    for (const i of [0, 1]) other.forward(batch(i, 'shared'));
    for (const each of batches) each.commit();
    expect(statistics(one)).toEqual(statistics(other));

    const late = nn.virtualBatch(one);
    const pending = one.forwardAsync(batch(0, 'shared'));
    late.discard();
    expect(await rejection(pending)).toBe(
      'Error: BatchNorm1d.forwardAsync: expected the virtual batch of the call to be open still.',
    );
  });

  test('batches that are not finite go by the policy', async () => {
    const bad = shared(values([300, 130]));
    bad[131] = NaN;
    const x = tensor(bad, [300, 130]);
    const skipping = new nn.BatchNorm1d(130, { nonFinite: 'skip' });
    const unchanged = snapshot(skipping);
    await skipping.forwardAsync(x);
    unchanged();
    expect(skipping.skippedBatches).toBe(1);
    const strict = new nn.BatchNorm1d(130, { nonFinite: 'throw' });
    expect(await rejection(strict.forwardAsync(x))).toBe(
      'RangeError: BatchNorm1d: expected a batch of finite statistics, got a mean of NaN in channel 1.',
    );
    expect(strict.numBatchesTracked).toBe(0);
  });
});

describe('a signal', () => {
  const shape = [1100, 270] as const;
  const make = (): Tensor => tensor(shared(values(shape)), shape);
  const reason = new Error('enough');

  test('that is aborted already touches nothing', async () => {
    const bn = new nn.BatchNorm1d(270);
    const unchanged = snapshot(bn);
    const data = values(shape);
    const signal = AbortSignal.abort(reason);
    const call = bn.forwardAsync(tensor(data, shape), { signal, transfer: true });
    await expect(call).rejects.toBe(reason);
    expect(data.length).toBe(297000);
    unchanged();
  });

  test.each(['at once', 'in a microtask', 'in a turn', 'while running', 'for a small call'])(
    'aborted %s',
    async (when) => {
      const bn = new nn.BatchNorm1d(270);
      const unchanged = snapshot(bn);
      for (let i = 0; i < 10; i++) {
        const abort = new AbortController();
        const x = when === 'for a small call' ? tensor(values([4, 270]), [4, 270]) : make();
        const pending = bn.forwardAsync(x, { signal: abort.signal });
        const stop = (): void => abort.abort(reason);
        if (when === 'in a microtask') queueMicrotask(stop);
        else if (when === 'in a turn') setImmediate(stop);
        else if (when === 'while running')
          for (const end = performance.now() + 0.3; performance.now() < end;);
        if (!when.startsWith('in')) stop();
        const settled = await pending.then(
          () => 'fulfilled',
          (error: unknown) => error,
        );
        if (when === 'in a turn') {
          if (settled === 'fulfilled') return; // then it was quicker than the turn
        }
        expect(settled).toBe(reason);
        unchanged();
      }
    },
  );

  test('aborted afterwards does nothing, and nothing listens any more', async () => {
    const abort = new AbortController();
    const y = await new nn.BatchNorm1d(270).forwardAsync(make(), { signal: abort.signal });
    abort.abort();
    expect(y.disposed).toBe(false);
    expect(bits(y)).toBe(bits(new nn.BatchNorm1d(270).forward(make())));
  });

  test('that many calls share has one listener, and none when they have settled', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    const bn = new nn.BatchNorm1d(270);
    const first = bn.forwardAsync(make(), { signal });
    const calls = Array.from({ length: 20 }, () => bn.forwardAsync(make(), { signal }));
    await first;
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await nextTurn();
    process.off('warning', onWarning);
    expect(warnings).toStrictEqual([]);
  });

  test('aborted stops all calls that share it', async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const calls = Array.from({ length: 5 }, () =>
      new nn.BatchNorm1d(270).forwardAsync(make(), { signal }),
    );
    await Promise.resolve();
    abort.abort(reason);
    const ends = await Promise.allSettled(calls);
    expect(ends.map((end) => end.status === 'rejected' && (end.reason as unknown))).toStrictEqual(
      calls.map(() => reason),
    );
  });

  test('aborted with null rejects with it', async () => {
    const signal = AbortSignal.abort(null);
    const end = new nn.BatchNorm1d(270).forwardAsync(make(), { signal }).then(
      () => 'fulfilled',
      (error: unknown) => error,
    );
    expect(await end).toBeNull();
  });

  test('of a library, which has no throwIfAborted, is heard all the same', async () => {
    const target = Object.assign(new EventTarget(), { aborted: false, reason: undefined });
    const signal = target as unknown as AbortSignal;
    const bn = new nn.BatchNorm1d(2);
    // Padding is left out in turns of the event loop.
    const lengths = [65536, 65536];
    const padded = (): Promise<Tensor> =>
      bn.forwardAsync(tensor(values([2, 2, 65536]), [2, 2, 65536]), { signal, lengths });
    const bytes = checkpoint.encodeSafetensors(bn.stateDict());
    expect((await padded()).shape).toStrictEqual([2, 2, 65536]);
    expect((await checkpoint.loadSafetensors(bytes, { signal })).size).toBe(5);
    target.aborted = true;
    await expect(padded()).rejects.toThrow('aborted');
    await expect(checkpoint.loadSafetensors(bytes, { signal })).rejects.toThrow('aborted');
  });

  test('stops a walk: no leaf has got anything', async () => {
    const [a, b] = [new nn.BatchNorm1d(270), new nn.BatchNorm1d(270)];
    const x = make();
    x.requiresGrad = true;
    const y = b.forward(a.forward(x));
    const unchanged = snapshot(a, b, x);
    for (const stop of [queueMicrotask, setImmediate, (f: () => void) => f()]) {
      const abort = new AbortController();
      const pending = y.backwardAsync(y.detach(), { signal: abort.signal, retainGraph: true });
      stop(() => abort.abort(reason));
      const settled = await pending.then(
        () => 'fulfilled',
        (error: unknown) => error,
      );
      if (stop === setImmediate && settled === 'fulfilled') return;
      expect(settled).toBe(reason);
      unchanged();
    }
    await y.backwardAsync(y.detach());
    expect(x.grad).not.toBeNull();
  });
});

describe('a walk', () => {
  test('of a gradient that is disposed of meanwhile leaves the array to its owner', async () => {
    const leaf = tensor(values([64, 8]), [64, 8], { requiresGrad: true });
    const array = values([64, 8]);
    const gradient = tensor(array, [64, 8]);
    const y = functional.add(new nn.BatchNorm1d(8).forward(leaf.detach()), leaf);
    const walk = y.backwardAsync(gradient);
    gradient.dispose();
    await walk;
    expect(bits(leaf.grad)).toBe(bits(tensor(array, [64, 8])));
    (leaf.grad?.data as Float32Array).fill(0);
    expect(array).toEqual(values([64, 8]));
  });

  const shape = [1100, 270] as const;

  test('that meets a change while it waits adds nothing', async () => {
    const bn = new nn.BatchNorm1d(270);
    const x = tensor(shared(values(shape)), shape, { requiresGrad: true });
    const y = bn.forward(x);
    const unchanged = snapshot(bn, x);
    const pending = y.backwardAsync(y.detach());
    x.markChanged();
    expect(await rejection(pending)).toContain('modified by an inplace operation');
    unchanged();
  });

  test('and another of the same graph: the second one says that it was freed', async () => {
    const bn = new nn.BatchNorm1d(270);
    const x = tensor(shared(values(shape)), shape, { requiresGrad: true });
    const y = bn.forward(x);
    const [first, second] = [y.backwardAsync(y.detach()), y.backwardAsync(y.detach())];
    await first;
    expect(await rejection(second)).toContain('backward through the graph a second time');
    const once = tensor(values(shape), shape, { requiresGrad: true });
    const z = new nn.BatchNorm1d(270).forward(once);
    z.backward(z.detach());
    expect(bits(x.grad)).toBe(bits(once.grad));
  });

  test('calls the hooks of tensors and modules', async () => {
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      const bn = new nn.BatchNorm1d(270);
      const seen: string[] = [];
      bn.registerForwardPreHook(() => void seen.push('pre'));
      bn.registerForwardHook((_, __, y) => {
        seen.push('post');
        return functional.add(y, y);
      });
      bn.registerFullBackwardHook((_, [dx], [dy]) => {
        seen.push(`backward ${bits(dx!).length} ${bits(dy!).slice(0, 40)}`);
        return [functional.add(dx!, dx!)];
      });
      const x = tensor(values(shape), shape, { requiresGrad: true });
      const y = asynchronous ? await bn.forwardAsync(x) : bn.forward(x);
      y.registerHook((gradient) => functional.add(gradient, gradient));
      if (asynchronous) await y.backwardAsync(y.detach());
      else y.backward(y.detach());
      return [seen, bits(y), bits(x.grad), bits(bn.weight!.grad)];
    };
    const asynchronous = await outcome(true);
    expect(asynchronous).toEqual(await outcome(false));
    expect((asynchronous as unknown[][])[0]).toHaveLength(3);
  });
});

describe('errors reject, and are those of forward', () => {
  const bn = new nn.BatchNorm1d(3);
  const x = tensor(new Float32Array(12), [4, 3]);
  const y = functional.sum(
    functional.mul(x, tensor(new Float32Array(12), [4, 3], { requiresGrad: true })),
  );
  const cases: [string, () => Promise<unknown>, string][] = [
    [
      'a shape',
      () => bn.forwardAsync(tensor([1, 2, 3])),
      'RangeError: BatchNorm1d: expected 2D or 3D input (got 1D input), got shape [3].',
    ],
    [
      'one value',
      () => bn.forwardAsync(tensor([[1, 2, 3]])),
      'RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape [1, 3] (a last batch of one: dropLast: true of the DataLoader leaves it out).',
    ],
    [
      'no array',
      () => bn.forwardAsync(5 as never),
      String(catchError(() => bn.forward(5 as never))),
    ],
    [
      'an option',
      () => bn.forwardAsync(x, { out: x } as never),
      "TypeError: BatchNorm1d.forwardAsync: expected options among signal, transfer, relu, activation, lengths, mask, got 'out'.",
    ],
    [
      'a signal',
      () => bn.forwardAsync(x, { signal: 5 as never }),
      'TypeError: BatchNorm1d.forwardAsync: expected signal to be an AbortSignal, got 5.',
    ],
    [
      'transfer',
      () => bn.forwardAsync(x, { transfer: 1 as never }),
      'TypeError: BatchNorm1d.forwardAsync: expected transfer to be a boolean, got 1.',
    ],
    [
      'lengths',
      () => bn.forwardAsync(x, { lengths: [1] }),
      'RangeError: BatchNorm1d: expected a 3D input beside lengths, got shape [4, 3].',
    ],
    [
      'no graph',
      () => x.backwardAsync(),
      'Error: Tensor.backwardAsync: element 0 of tensors does not require grad and does not have a grad_fn.',
    ],
    [
      'a gradient',
      () => y.backwardAsync(x),
      'RangeError: Tensor.backwardAsync: Mismatch in shape: grad_output[0] has a shape of [4, 3] and output[0] has a shape of [].',
    ],
    [
      'an option of backward',
      () => y.backwardAsync(undefined, { create: 1 } as never),
      "TypeError: Tensor.backwardAsync: expected options among retainGraph, signal, got 'create'.",
    ],
  ];
  test.each(cases)('%s', async (_, call, message) => {
    const unchanged = snapshot(bn);
    expect(await rejection(call())).toBe(message);
    unchanged();
  });

  test('a lazy layer without a size', async () => {
    const lazy = new nn.LazyBatchNorm1d();
    expect(await rejection(lazy.forwardAsync(x))).toBe(
      'Error: LazyBatchNorm1d.forwardAsync: Attempted to use an uninitialized parameter; run a first ' +
        'forward to initialize it.',
    );
    lazy.forward(x);
    expect((await lazy.forwardAsync(x)).shape).toEqual([4, 3]);
  });

  test('statistics that overlap', async () => {
    const layer = new nn.BatchNorm1d(3);
    layer.registerBuffer('running_var', layer.runningMean);
    expect(await rejection(layer.forwardAsync(x))).toBe(String(catchError(() => layer.forward(x))));
  });
});

function catchError(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}
