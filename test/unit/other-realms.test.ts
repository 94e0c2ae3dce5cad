// Values of another realm, as a `vm` context or a test runner makes them: no `instanceof` of ours knows them,
// and every door takes them for what they are.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';

import { afterAll, describe, expect, test } from 'vitest';

import {
  checkpoint,
  data,
  functional,
  keep,
  nn,
  noGrad,
  optim,
  scope,
  tensor,
  Tensor,
} from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const realm = createContext({ setTimeout, URL });
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a cast, as JSON.parse's would be
const foreign = <Value>(source: string): Value => runInContext(source, realm) as Value;

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-realms-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the context is another realm', () => {
  expect(foreign('new Float32Array(1)') instanceof Float32Array).toBe(false);
  expect(foreign('[]') instanceof Array).toBe(false);
  expect(foreign('new Map()') instanceof Map).toBe(false);
});

describe('typed arrays', () => {
  test.each(['Float32Array', 'Float64Array', 'Int32Array'])('%s is adopted', (kind) => {
    const array = foreign<Float32Array>(`${kind}.of(1, 2)`);
    expect(tensor(array).data).toBe(array);
    expect(Tensor.from({ data: array, shape: foreign('[2, 1]') }).toArray()).toEqual([[1], [2]]);
  });

  test('is converted', () => {
    expect(
      tensor(foreign<Uint8Array>('Uint8Array.of(1, 2)'), { dtype: 'float32' }).toArray(),
    ).toEqual([1, 2]);
    expect(
      tensor(foreign<BigInt64Array>('BigInt64Array.of(1n)'), { dtype: 'float64' }).toArray(),
    ).toEqual([1]);
  });

  test('is a row', () => {
    expect(tensor(foreign<Float32Array[]>('[Float32Array.of(1, 2)]')).toArray()).toEqual([[1, 2]]);
  });

  test('over a SharedArrayBuffer', () => {
    const array = foreign<Float32Array>('new Float32Array(new SharedArrayBuffer(16))');
    expect(tensor(array, [2, 2]).isShared()).toBe(true);
  });

  test.each(['Int32Array.of(2, 0)', 'Uint8Array.of(2, 0)', 'BigInt64Array.of(2n, 0n)', '[2, 0]'])(
    '%s are class targets and lengths',
    (source) => {
      const logits = tensor([
        [1, 2, 3],
        [4, 5, 9],
      ]);
      const expected = functional.crossEntropy(logits, [2, 0]).item();
      expect(functional.crossEntropy(logits, foreign(source)).item()).toBe(expected);
      const x = tensor(new Float32Array(12), [2, 2, 3]);
      const bn = new nn.BatchNorm1d(2);
      expect(bn.forward(x, { lengths: foreign(source) }).shape).toEqual([2, 2, 3]);
    },
  );

  test('in a data set', () => {
    const set = new data.TensorDataset(
      foreign<number[][]>('[[1, 2], [3, 4]]'),
      foreign<Int32Array>('Int32Array.of(0, 1)'),
    );
    expect(set.rows(foreign('[1]')).map((each) => each.toArray())).toEqual([[[3, 4]], [1]]);
  });

  test('in a module, cloned', () => {
    class Net extends nn.Module {
      table = foreign<Float32Array>('Float32Array.of(1)');
      names = foreign<Map<string, number[]>>('new Map([["a", [1]]])');
      seen = foreign<Set<number>>('new Set([1])');
      options = foreign<{ list: number[] }>('({ list: [1] })');
      forward(): null {
        return null;
      }
    }
    const net = new Net();
    const copy = net.clone();
    for (const name of ['table', 'names', 'seen', 'options'] as const) {
      expect(copy[name], name).not.toBe(net[name]);
    }
    copy.names.get('a')![0] = 2;
    copy.options.list[0] = 2;
    expect([net.names.get('a'), net.options.list]).toEqual([[1], [1]]);
  });
});

describe('containers', () => {
  test('a Map is a state dict', () => {
    const bn = new nn.BatchNorm1d(1);
    const state = foreign<Map<string, Tensor>>('new Map()');
    for (const [key, value] of new nn.BatchNorm1d(1).stateDict()) state.set(key, value.clone());
    state.set('running_mean', tensor([5]));
    bn.loadStateDict(state);
    expect(bn.runningMean!.toArray()).toEqual([5]);
  });

  test('what a scope returns in them stays', () => {
    const sources = ['new Map()', 'new Set()', '[]', '({})'] as const;
    const makers: ((holder: never, x: Tensor) => unknown)[] = [
      (map: Map<string, Tensor>, x) => map.set('x', x),
      (set: Set<Tensor>, x) => set.add(x),
      (list: Tensor[], x) => [list.push(x), list][1],
      (object: Record<string, Tensor>, x) => Object.assign(object, { x }),
    ];
    for (const [i, source] of sources.entries()) {
      let kept: Tensor | undefined;
      scope(() => {
        kept = functional.relu(tensor([1]));
        return makers[i]!(foreign(source), kept);
      });
      expect(kept!.disposed, source).toBe(false);
    }
  });

  test('options, shapes, betas and parameters', () => {
    expect(functional.reshape(tensor([1, 2]), foreign('[2, 1]')).shape).toEqual([2, 1]);
    const p = new nn.Parameter(tensor([1]));
    const list = foreign<nn.Parameter[]>('[]');
    list.push(p);
    const betas = foreign<[number, number]>('[0.5, 0.5]');
    expect(new optim.Adam(list, { betas }).paramGroups[0]!.params).toEqual([p]);
    expect(new nn.BatchNorm1d(1, foreign('({ eps: 1 })')).eps).toBe(1);
  });

  test('metadata and a URL of a checkpoint', async () => {
    const url = pathToFileURL(join(folder, 'a.safetensors')).href;
    const place = foreign<URL>(
      `({ href: ${JSON.stringify(url)}, protocol: 'file:', toString() { return this.href; } })`,
    );
    const state = foreign<Map<string, Tensor>>('new Map()').set('w', tensor([1]));
    await checkpoint.saveSafetensors(place, state, { metadata: foreign('new Map([["a", "b"]])') });
    const loaded = await checkpoint.loadSafetensors(place);
    expect([loaded.get('w')!.toArray(), loaded.metadata.get('a')]).toEqual([[1], 'b']);
  });
});

describe('promises', () => {
  const thenables = [
    'Promise.resolve(1)',
    '({ then(settle) { settle(1); } })',
    '(async () => 1)()',
  ];

  test.each(thenables)('noGrad and scope refuse %s', (source) => {
    for (const run of [noGrad, scope]) {
      expect(thrownBy(() => run(() => foreign(source)))).toMatch(
        /^TypeError: (noGrad|scope): expected a synchronous function, got one that returns a promise\.$/,
      );
    }
  });

  test('a transaction waits for one, and takes back when it is rejected', async () => {
    const bn = new nn.BatchNorm1d(1, { momentum: 1 });
    const result = nn.transaction(bn, () => {
      bn.forward(tensor([[1], [3]]));
      return foreign<Promise<void>>('Promise.reject(new Error("later"))');
    });
    await expect(result).rejects.toMatchObject({ message: 'later' });
    expect(bn.runningMean!.toArray()).toEqual([0]);
  });
});

describe('AbortSignals', () => {
  /** A signal of a class of its own, as a polyfill or a browser's environment brings it. */
  const SIGNAL = `(() => {
    const listeners = new Set();
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener(_, listener) { listeners.add(listener); },
      removeEventListener(_, listener) { listeners.delete(listener); },
    };
    const abort = (reason) => {
      signal.aborted = true;
      signal.reason = reason;
      for (const listener of listeners) listener();
    };
    return { signal, abort, listeners };
  })()`;
  interface Foreign {
    signal: AbortSignal;
    abort(reason: unknown): void;
    listeners: Set<unknown>;
  }
  const large = (): Tensor => tensor(new Float32Array(400_000), [4000, 100]);

  test('stops forwardAsync before and during the call', async () => {
    const before = foreign<Foreign>(SIGNAL);
    before.abort('early');
    const bn = new nn.BatchNorm1d(100);
    const refused = bn.forwardAsync(large(), { signal: before.signal });
    await expect(refused).rejects.toBe('early');

    const during = foreign<Foreign>(SIGNAL);
    const stopped = bn.forwardAsync(large(), { signal: during.signal });
    during.abort('stop');
    await expect(stopped).rejects.toBe('stop');
    expect([bn.numBatchesTracked, during.listeners.size]).toEqual([0, 0]);
  });

  test('without a reason of its own it is an AbortError', async () => {
    const { signal, abort } = foreign<Foreign>(SIGNAL);
    abort(undefined);
    const call = new nn.BatchNorm1d(100).forwardAsync(large(), { signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('one that is not aborted lets backwardAsync end', async () => {
    const { signal } = foreign<Foreign>(SIGNAL);
    const x = tensor([1, 2], { requiresGrad: true });
    await functional.sum(x).backwardAsync(undefined, { signal });
    expect(x.grad!.toArray()).toEqual([1, 1]);
  });

  test.each([{}, { aborted: false }, new EventTarget(), new AbortController()])(
    'what only resembles one is refused: %o',
    async (signal) => {
      const call = new nn.BatchNorm1d(100).forwardAsync(large(), { signal: signal as AbortSignal });
      await expect(call).rejects.toThrow(
        'BatchNorm1d.forwardAsync: expected signal to be an AbortSignal',
      );
    },
  );
});

test('a tensor that is kept is one of ours', () => {
  expect(thrownBy(() => keep(foreign('({ data: new Float32Array(1), shape: [1] })')))).toBe(
    'TypeError: keep: expected a Tensor, got an object.',
  );
});
