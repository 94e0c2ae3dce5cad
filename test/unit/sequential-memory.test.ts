// What one layer of a Sequential hands to the next gives its memory back with the graph; what somebody else may have does not.
import { describe, expect, test } from 'vitest';

import {
  functional,
  manualSeed,
  native,
  nn,
  noGrad,
  optim,
  tensor,
  type Tensor,
  type TensorLike,
} from '../../src/index.js';
import { normals32 } from '../helpers/random.js';

const [ROWS, WIDTH] = [64, 128];
/** What the pool counts for [64, 128]: 256 bytes for the objects of the array. */
const ARRAY = 4 * ROWS * WIDTH + 256;

const input = (): Tensor => tensor(normals32(7, ROWS * WIDTH), [ROWS, WIDTH]);
const labels = tensor(Int32Array.from({ length: ROWS }, (_, i) => i % 3));
const lossOf = (y: Tensor): Tensor => functional.crossEntropy(y, labels);

function plainLayers(): nn.Layer[] {
  manualSeed(3);
  return [
    new nn.Linear(WIDTH, WIDTH),
    new nn.BatchNorm1d(WIDTH),
    new nn.Sigmoid(),
    new nn.Tanh(),
    new nn.Flatten(),
    new nn.Identity(),
    new nn.Dropout(0.5),
    new nn.ReLU(),
    new nn.Linear(WIDTH, 3),
  ];
}

/** A layer of a user's that keeps what it gets and what it gives. */
class Keeps extends nn.Module {
  kept: Tensor[] = [];
  forward(x: TensorLike): Tensor {
    const y = functional.relu(x);
    this.kept.push(x as Tensor, y);
    return y;
  }
}

const lentBy = (body: () => unknown): number => {
  native.memory.trim();
  const before = native.memory.inUse;
  const result = body();
  const lent = native.memory.inUse - before;
  expect(result).toBeDefined(); // alive until here
  return lent;
};

const open = (tensors: readonly Tensor[]): boolean[] => tensors.map(({ disposed }) => !disposed);

describe('between two layers of the package', () => {
  test('nothing is left of a forward that records nothing', () => {
    const model = new nn.Sequential(...plainLayers());
    const x = input();
    expect(lentBy(() => noGrad(() => model.forward(x)))).toBe(0);
    model.eval();
    expect(lentBy(() => noGrad(() => model.forward(x)))).toBe(0);
    expect(x.disposed).toBe(false);
  });

  test('a recorded forward keeps it, and backward gives it back', () => {
    const model = new nn.Sequential(...plainLayers());
    const x = input();
    const gradients = 4 * WIDTH * WIDTH + 256;
    let loss!: Tensor;
    expect(lentBy(() => (loss = lossOf(model.forward(x))))).toBeGreaterThanOrEqual(4 * ARRAY);
    const lent = native.memory.inUse;
    loss.backward(undefined, { retainGraph: true });
    expect(native.memory.inUse).toBe(lent + gradients);
    loss.backward();
    expect(native.memory.inUse).toBeLessThanOrEqual(lent + gradients - 4 * ARRAY);
    expect(x.disposed).toBe(false);
  });

  test('beside the event loop, too', async () => {
    const model = new nn.Sequential(...plainLayers());
    const x = input();
    native.memory.trim();
    const before = native.memory.inUse;
    const y = await model.forwardAsync(x);
    expect(native.memory.inUse - before).toBeGreaterThanOrEqual(4 * ARRAY);
    await lossOf(y).backwardAsync();
    expect(native.memory.inUse - before).toBeLessThanOrEqual(
      4 * WIDTH * WIDTH + 256, // less where something of an earlier test has died meanwhile
    );
  });

  test('a step computes the same bits as layers one by one', () => {
    const [whole, apart] = [plainLayers(), plainLayers()];
    const steps = (layers: readonly nn.Layer[], forward: (x: Tensor) => Tensor): number[] => {
      manualSeed(5);
      const parameters = layers.flatMap((layer) => [...layer.parameters()]);
      const opt = new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
      return Array.from({ length: 5 }, () => {
        const loss = lossOf(forward(input()));
        opt.zeroGrad();
        loss.backward();
        opt.step();
        return loss.item();
      });
    };
    const model = new nn.Sequential(...whole);
    expect(steps(whole, (x) => model.forward(x))).toEqual(
      steps(apart, (x) => apart.reduce((y, layer) => layer.forward(y), x)),
    );
  });
});

describe('what somebody else may have stays', () => {
  test.each([true, false])('the input and the output of the whole, recorded: %s', (recorded) => {
    const views = [new nn.Identity(), new nn.Flatten(), new nn.Dropout(0), new nn.Identity()];
    const model = new nn.Sequential(...views);
    const x = input();
    if (recorded) x.requiresGrad = true;
    const y = model.forward(x);
    const before = x.toArray();
    if (recorded) functional.sum(y).backward();
    expect(open([x, y])).toEqual([true, true]);
    expect([x.toArray(), y.toArray()]).toEqual([before, before]);
  });

  test.each([true, false])('what a layer of a user gets and gives, recorded: %s', (recorded) => {
    const keeps = new Keeps();
    const layers = [new nn.Linear(WIDTH, WIDTH), keeps, new nn.Sigmoid(), new nn.Linear(WIDTH, 3)];
    const model = new nn.Sequential(...layers);
    if (recorded) lossOf(model.forward(input())).backward();
    else noGrad(() => model.forward(input()));
    expect(open(keeps.kept)).toEqual([true, true]);
    const [given, result] = keeps.kept;
    expect(functional.relu(given!).toArray()).toEqual(result!.toArray());
  });

  test('what a layer of a user hands on as it is', () => {
    const kept: Tensor[] = [];
    class Looks extends nn.Module {
      forward(x: Tensor): Tensor {
        kept.push(x);
        return x;
      }
    }
    const layers = [new nn.Linear(WIDTH, WIDTH), new Looks(), new nn.Sigmoid(), new nn.Tanh()];
    noGrad(() => new nn.Sequential(...layers).forward(input()));
    expect(open(kept)).toEqual([true]);
  });

  test('what hooks of a layer see, and what a prototype of a user’s sees', () => {
    const seen: Tensor[] = [];
    const model = new nn.Sequential(...plainLayers());
    model.at(2)!.registerForwardHook((_, [x], y) => {
      seen.push(x, y);
    });
    model.at(5)!.registerForwardPreHook((_, [x]) => {
      seen.push(x);
    });
    lossOf(model.forward(input())).backward();
    expect(open(seen)).toEqual([true, true, true]);

    const { forward } = nn.Tanh.prototype;
    class Mine extends nn.Tanh {
      override forward(x: TensorLike): Tensor {
        seen.push(x as Tensor);
        return forward.call(this, x);
      }
    }
    noGrad(() => new nn.Sequential(new nn.Sigmoid(), new Mine(), new nn.ReLU()).forward(input()));
    expect(open(seen.slice(3))).toEqual([true]);
  });

  test('a graph of two losses: the second backward fails as before', () => {
    const model = new nn.Sequential(...plainLayers());
    const y = model.forward(input());
    const [one, two] = [lossOf(y), functional.sum(y)];
    one.backward();
    expect(() => {
      two.backward();
    }).toThrow('Trying to backward through the graph a second time');
    expect(y.disposed).toBe(false);
  });
});
