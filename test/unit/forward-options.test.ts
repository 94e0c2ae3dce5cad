// Every forward refuses what it does not use, and a Sequential hands options on to the layers that take them.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const x = tensor([
  [1, 2],
  [3, 4],
]);
const extra = { lengths: [1] };

describe('a forward refuses an argument too many', () => {
  type Call = (...args: unknown[]) => unknown;
  const of = (module: nn.Module): Call => (module.forward as Call).bind(module);
  test.each<[string, nn.Module, unknown[], string]>([
    ['Linear', new nn.Linear(2, 2), [x], '1 argument, got 2'],
    ['ReLU', new nn.ReLU(), [x], '1 argument, got 2'],
    ['Dropout', new nn.Dropout(0), [x], '1 argument, got 2'],
    ['MSELoss', new nn.MSELoss(), [x, x, {}], '3 arguments, got 4'],
    ['CrossEntropyLoss', new nn.CrossEntropyLoss(), [x, [0, 1], {}], '3 arguments, got 4'],
    ['NLLLoss', new nn.NLLLoss(), [x, [0, 1]], '2 arguments, got 3'],
    ['BCEWithLogitsLoss', new nn.BCEWithLogitsLoss(), [x, x], '2 arguments, got 3'],
    ['BatchNorm1d', new nn.BatchNorm1d(2), [x, {}], '2 arguments, got 3'],
    ['LazyBatchNorm1d', new nn.LazyBatchNorm1d(), [x, {}], '2 arguments, got 3'],
    ['FrozenBatchNorm1d', new nn.FrozenBatchNorm1d(2), [x, {}], '2 arguments, got 3'],
    ['Sequential', new nn.Sequential(new nn.BatchNorm1d(2)), [x, {}], '2 arguments, got 3'],
  ])('%s', (name, module, args, expected) => {
    expect(thrownBy(() => of(module)(...args, extra))).toBe(
      `TypeError: ${name}.forward: expected ${expected} (an object with lengths).`,
    );
    expect(thrownBy(() => of(module)(...args, [1, 2]))).toBe(
      `TypeError: ${name}.forward: expected ${expected} (an array of length 2).`,
    );
    expect(() => of(module)(...args, undefined)).not.toThrow();
  });

  test('also an asynchronous one, and nothing has moved', async () => {
    for (const bn of [new nn.BatchNorm1d(2), new nn.BatchNorm1d(2)]) {
      const unchanged = snapshot(bn);
      const call = bn.forwardAsync.bind(bn) as (...args: unknown[]) => Promise<unknown>;
      await expect(call(x, {}, extra)).rejects.toThrow(
        'BatchNorm1d.forwardAsync: expected 2 arguments, got 3 (an object with lengths).',
      );
      unchanged();
    }
  });

  test('to the compiler it is an error', () => {
    const check = (): void => {
      // @ts-expect-error -- a Linear has no options
      new nn.Linear(2, 2).forward(x, extra);
      // @ts-expect-error -- `out` is of one layer
      new nn.Sequential().forward(x, { out: x });
    };
    expect(check).toBeTypeOf('function');
  });
});

describe('a Sequential hands options on', () => {
  const padded = tensor([[[1, 3, 99, 99]], [[5, 99, 99, 99]]]); // [2, 1, 4]
  const lengths = [2, 1];
  const mean = (model: nn.Module): number =>
    [...model.modules()].find((each) => each instanceof nn.BatchNorm1d)!.runningMean!.item();
  const bn = (): nn.BatchNorm1d => new nn.BatchNorm1d(1, { momentum: 1 });

  /** Hands its options to the layers inside, and says so. */
  class Block extends nn.Module {
    static override readonly forwardOptions = ['lengths'];
    bn = bn();
    forward(input: Tensor, options?: nn.BatchNormForwardOptions): Tensor {
      return this.bn.forward(input, options);
    }
  }
  /** Takes options and does not say so. */
  class Silent extends nn.Module {
    bn = bn();
    forward(input: Tensor, options?: nn.BatchNormForwardOptions): Tensor {
      return this.bn.forward(input, options);
    }
  }
  class Own extends nn.BatchNorm1d {
    override forward(input: Tensor): Tensor {
      return super.forward(input);
    }
  }
  class Twice extends nn.Module {
    forward(input: Tensor): Tensor {
      return functional.add(input, input);
    }
  }

  test.each<[string, () => nn.Sequential, number]>([
    ['to a BatchNorm', () => new nn.Sequential(bn()), 3],
    [
      'behind and before layers that take none',
      () => new nn.Sequential(new Twice(), bn(), new nn.Dropout(0)),
      6,
    ],
    ['with a ReLU in its pass', () => new nn.Sequential(bn(), new nn.ReLU()), 3],
    [
      'through Sequentials',
      () => new nn.Sequential(new nn.Sequential(new nn.Sequential(bn()), new Twice())),
      3,
    ],
    ['to a class of one’s own that takes them', () => new nn.Sequential(new Block()), 3],
    ['to a lazy layer', () => new nn.Sequential(new nn.LazyBatchNorm1d({ momentum: 1 })), 3],
    [
      'to a layer with a hook',
      () => {
        const layer = bn();
        layer.registerForwardHook(() => undefined);
        return new nn.Sequential(layer);
      },
      3,
    ],
  ])('%s', (_, make, expected) => {
    const model = make();
    const y = model.forward(padded, { lengths });
    expect(mean(model)).toBe(expected);
    expect([...y.data].filter((value) => value !== 0 && !Number.isFinite(value))).toEqual([]);
    const plain = make();
    plain.forward(padded);
    expect(mean(plain)).toBeGreaterThan(30);
    plain.forward(padded, undefined);
    plain.forward(padded, {});
  });

  test('a mask too, also to frozen layers', () => {
    const mask = [
      [true, true, false, false],
      [true, false, false, false],
    ].map((row) => row.map(Number));
    const model = new nn.Sequential(bn(), new nn.ReLU(), new nn.FrozenBatchNorm1d(1));
    const y = model.forward(padded, { mask: tensor(mask, { dtype: 'int32' }) });
    expect(mean(model)).toBe(3);
    expect([...y.data].filter((_, i) => mask.flat()[i] === 0)).toEqual([0, 0, 0, 0, 0]);
  });

  test('the same bits as the layers by hand, frozen ones too', () => {
    const [layer, frozen] = [bn(), new nn.FrozenBatchNorm1d(1)];
    frozen.registerBuffer('running_mean', tensor([1]));
    const model = new nn.Sequential(layer, new nn.ReLU(), frozen, new nn.ReLU()).clone();
    const byHand = functional.relu(
      frozen.forward(functional.relu(layer.forward(padded, { lengths })), { lengths }),
    );
    expect([...model.forward(padded, { lengths }).data]).toEqual([...byHand.data]);
  });

  test.each<[string, () => nn.Sequential, object, string]>([
    [
      'none of its layers takes any',
      () => new nn.Sequential(new nn.Linear(4, 4), new nn.ReLU()),
      { lengths },
      "Sequential.forward: expected no options, because none of its layers takes any, got 'lengths'.",
    ],
    [
      'a name that nobody knows',
      () => new nn.Sequential(bn()),
      { lenghts: lengths },
      "got 'lenghts' (did you mean 'lengths'?).",
    ],
    ['an option of one layer', () => new nn.Sequential(bn()), { out: padded }, "got 'out'"],
    ['an option of one layer', () => new nn.Sequential(bn()), { relu: true }, "got 'relu'"],
    [
      'no object',
      () => new nn.Sequential(bn()),
      [1, 2] as never,
      'Sequential.forward: expected an options object { lengths',
    ],
    [
      'a class that does not say that it takes it',
      () => new nn.Sequential(bn(), new Silent()),
      { lengths },
      "Sequential.forward: expected layer 1 (Silent) to take 'lengths', which a layer in it takes, got a class " +
        'that does not say so: give its forward an options argument, and the class static forwardOptions = ' +
        "['lengths'].",
    ],
    [
      'one further down',
      () => new nn.Sequential(bn(), new nn.Sequential(new Silent())),
      { lengths },
      'expected layer 0 (Silent) to take',
    ],
    [
      'a forward that is newer than what its class inherits',
      () => new nn.Sequential(bn(), new Own(1)),
      { lengths },
      'expected layer 1 (Own) to take',
    ],
  ])('%s: refused before any layer has run', (_, make, options, message) => {
    const model = make();
    const unchanged = snapshot(model);
    expect(thrownBy(() => model.forward(padded, options))).toContain(message);
    expect(thrownBy(() => model.forward(padded, options))).toMatch(
      /^TypeError: Sequential\.forward: /,
    );
    unchanged();
  });
});
