// An operation returns a tensor of its own: never one of its inputs. Disposing of the result, by hand or
// by `using`, leaves every input as it was, and the gradient of one that changes nothing is the identity.
import * as evenkeel from 'evenkeel';
import { describe, expect, it, test } from 'vitest';

import type { Operation } from '../helpers/operations/row.js';
import { callsOf, operationsOf } from '../helpers/operations/table.js';

const { functional, manualSeed, nn, noGrad, scope, tensor, Tensor } = evenkeel;
type Tensor = evenkeel.Tensor;

const OPERATIONS = operationsOf(evenkeel);
const cases = (operations: readonly Operation[]) =>
  operations.map((each) => [each.name, each] as const);

it('the table has every operation and every layer there is, each row by its own name', () => {
  const names = OPERATIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const calls = callsOf(evenkeel).map(({ name }) => name);
  const known = new Set([...names, ...calls].map((name) => name.replace(/,.*/, '')));
  expect(Object.keys(functional).filter((name) => !known.has(`functional.${name}`))).toEqual([]);
  const layers = Object.entries(nn).filter(
    ([name, value]) =>
      typeof value === 'function' &&
      (value as unknown as { prototype?: unknown }).prototype instanceof nn.Module &&
      // The abstract one, and containers, which have no forward.
      !/^(BatchNorm|(Module|Parameter)(List|Dict))$/.test(name),
  );
  expect(layers.map(([name]) => name).filter((name) => !known.has(`nn.${name}`))).toEqual([]);
});

const MODES = ['recorded', 'plain', 'noGrad'] as const;

async function run({ inputs, call }: Operation, mode: (typeof MODES)[number]) {
  manualSeed(5);
  const all = inputs();
  const given = all.filter((each) => each instanceof Tensor);
  if (mode !== 'plain') {
    for (const each of given) if (each.dtype === 'float32') each.requiresGrad = true;
  }
  let result: unknown;
  const body = (): void => void (result = call(...all));
  if (mode === 'noGrad') noGrad(body);
  else body();
  return { given, y: (await result) as Tensor };
}

describe.each(MODES)('%s', (mode) => {
  test.each(cases(OPERATIONS))('%s', async (_, each) => {
    const { given, y } = await run(each, mode);
    expect(y).toBeInstanceOf(Tensor);
    expect(given).not.toContain(y);
    const before = given.map((input) => input.toArray());
    const values = y.toArray();
    y.dispose();
    expect(y.disposed).toBe(true);
    expect(given.map((input) => input.disposed)).toEqual(given.map(() => false));
    expect(given.map((input) => input.toArray())).toEqual(before);

    // And the other way round: the result outlives its inputs.
    const again = await run(each, mode);
    for (const input of again.given) input.dispose();
    expect(again.y.toArray()).toEqual(values);
  });
});

describe('what changes nothing', () => {
  const identities = OPERATIONS.filter(({ isIdentity }) => isIdentity);

  test.each(cases(identities))('%s: dx is dy', async (_, each) => {
    const { given, y } = await run(each, 'recorded');
    const [x] = given;
    expect(y.requiresGrad).toBe(true);
    expect(y.shape).toEqual(x!.shape);
    expect(y.toArray()).toEqual(x!.toArray());
    const dy = tensor(
      Float32Array.from({ length: y.numel }, (_unused, i) => i + 1),
      [...y.shape],
    );
    y.backward(dy);
    expect(x!.grad?.toArray()).toEqual(dy.toArray());
    expect(x!.grad).not.toBe(dy);
  });

  test('`using` destroys the result alone, and a scope too', () => {
    const x = tensor([1, 2]);
    const dropout = new nn.Dropout().eval();
    {
      using y = dropout.forward(x);
      expect(y.toArray()).toEqual(x.toArray());
    }
    scope(() => void new nn.Sequential().forward(x));
    expect(x.toArray()).toEqual(tensor([1, 2]).toArray());
  });

  test('a disposed input is refused as by any other operation', () => {
    const x = tensor([1, 2]);
    x.dispose();
    expect(() => functional.dropout(x, { training: false })).toThrow('disposed of');
    expect(() => new nn.Sequential().forward(x)).toThrow('disposed of');
  });
});
