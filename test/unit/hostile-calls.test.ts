// Calls that nobody makes on purpose: a clear error, and nothing has changed.
import { describe, expect, test } from 'vitest';

import { functional, nn, ones, tensor, Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

describe('a backward within a backward', () => {
  const again = (name: string): string =>
    `Error: ${name}: Trying to backward through the graph a second time, within a backward that frees it when it ends. ` +
    'Pass { retainGraph: true } to the outer backward to keep it.';

  test('of the same graph, by a hook: it was a stack overflow', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const h = functional.mul(w, 2);
    const loss = functional.sum(h);
    const handle = h.registerHook(() => {
      loss.backward();
      return undefined;
    });
    expect(thrownBy(() => loss.backward())).toBe(again('sum'));
    expect(w.grad).toBeNull();
    // The walk that failed has left nothing behind.
    handle.remove();
    loss.backward();
    expect(w.grad!.toArray()).toEqual([2, 2]);
  });

  test('of the same graph, by an operation of one’s own', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    let inner = (): void => undefined;
    const same = functional.custom({
      name: 'same',
      forward: (_context, x: Tensor) => functional.mul(x, 1),
      backward: (_context, gradient) => {
        inner();
        return [gradient];
      },
    });
    const loss = functional.sum(same(w));
    inner = () => loss.backward();
    expect(thrownBy(() => loss.backward())).toBe(again('sum'));
    expect(w.grad).toBeNull();
    inner = () => loss.backward(undefined, { retainGraph: true });
    expect(thrownBy(() => loss.backward())).toBe(again('sum'));
    inner = () => undefined;
    loss.backward();
    expect(w.grad!.toArray()).toEqual([1, 1]);
  });

  test('of a graph that the outer one keeps, or of another one, runs', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const h = functional.mul(w, 2);
    const loss = functional.sum(h);
    let left = 1;
    h.registerHook(() => {
      if (left-- > 0) loss.backward(undefined, { retainGraph: true });
      return undefined;
    });
    loss.backward(undefined, { retainGraph: true });
    expect(w.grad!.toArray()).toEqual([4, 4]);

    const v = tensor([3], { requiresGrad: true });
    const other = functional.sum(functional.mul(v, v));
    h.registerHook(() => {
      other.backward();
      return undefined;
    });
    loss.backward();
    expect(v.grad!.toArray()).toEqual([6]);
  });
});

describe('more than 64 dimensions, as in PyTorch', () => {
  const most = functional.reshape(tensor([5]), new Array<number>(64).fill(1));
  test('64 are printed, listed and written as JSON', () => {
    expect(String(most)).toBe(`tensor(${'['.repeat(64)}5.${']'.repeat(64)})`);
    expect(JSON.parse(JSON.stringify(most))).toMatchObject({ dtype: 'float32' });
    expect(most.toArray()).toEqual(JSON.parse(`${'['.repeat(64)}5${']'.repeat(64)}`));
  });

  test.each<[string, () => unknown]>([
    ['reshape', () => functional.reshape(tensor([5]), new Array<number>(65).fill(1))],
    ['expand', () => functional.expand(tensor([5]), new Array<number>(65).fill(1))],
    ['unsqueeze', () => functional.unsqueeze(most, 0)],
    ['stack', () => functional.stack([most, most])],
    ['tensor', () => tensor(Float32Array.of(1), new Array<number>(65).fill(1))],
    ['ones', () => ones(new Array<number>(100_000).fill(1))],
  ])('%s refuses them', (who, call) => {
    expect(thrownBy(call)).toMatch(`RangeError: ${who}: expected at most 64 dimensions, got `);
  });
});

describe('a frozen list of modules keeps what it has', () => {
  const names = (list: nn.Sequential): string[] => [...list].map((each) => each.constructor.name);
  const what = 'expected a Sequential that may change, got one that is frozen.';
  test.each<[string, (list: object) => void]>([
    ['frozen', (list) => Object.freeze(list)],
    ['sealed', (list) => Object.seal(list)],
    ['not extensible', (list) => Object.preventExtensions(list)],
  ])('%s', (_, freeze) => {
    const list = new nn.Sequential(new nn.ReLU(), new nn.Tanh());
    freeze(list);
    expect(thrownBy(() => list.push(new nn.ReLU()))).toBe(`TypeError: Sequential.extend: ${what}`);
    expect(thrownBy(() => list.insert(0, new nn.ReLU()))).toBe(`TypeError: Sequential.insert: ${what}`); // prettier-ignore
    expect(thrownBy(() => list.pop())).toBe(`TypeError: Sequential.pop: ${what}`);
    expect(names(list)).toEqual(['ReLU', 'Tanh']);
    expect(list.forward(tensor([1])).shape).toEqual([1]);
  });
});

test('the class of a tensor, called as torch.Tensor is', () => {
  const Class = Tensor as unknown as new (...args: unknown[]) => Tensor;
  const message =
    'TypeError: Tensor: expected tensor(values, shape) to make a tensor, got a call of the class.';
  for (const args of [[], [[1, 2]], [new Float32Array(4), [4]], [2, 3]]) {
    expect(thrownBy(() => new Class(...args))).toBe(message);
  }
});

test('null is no dimension', () => {
  const x = tensor([[1, 2]]);
  const options = { dim: null } as never;
  for (const call of [
    () => functional.cat([x, x], options),
    () => functional.stack([x, x], options),
    () => functional.split(x, 1, options),
    () => functional.sort(x, options),
    () => functional.topk(x, 1, options),
  ]) {
    expect(thrownBy(call)).toMatch(
      /^TypeError: \w+: expected dim to be a whole number, got null\.$/,
    );
  }
});
