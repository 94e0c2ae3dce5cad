// The warning of a module or a parameter that no walk of the tree finds: once for a class and a field, and never
// without a reason.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { functional, nn, noGrad, tensor, type Tensor } from '../../src/index.js';

const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
beforeEach(() => warn.mockClear());
afterEach(() => expect(warn.mock.calls.map(([sentence]) => sentence)).toEqual([]));

/** The sentences since the last time. */
function warnings(): string[] {
  const sentences = warn.mock.calls.map(([sentence]) => String(sentence));
  warn.mockClear();
  return sentences;
}

const linear = (): nn.Linear => new nn.Linear(2, 2);
const x = tensor([
  [1, 2],
  [3, 5],
]);

abstract class Silent extends nn.Module {
  forward(): void {
    // nothing
  }
}

describe('a field that holds a module out of reach', () => {
  test('says what it is, where, and what to use, with a code', () => {
    class Net extends Silent {
      layers = [new nn.ReLU(), linear()];
    }
    Array.from(new Net().parameters());
    expect(warn.mock.calls).toEqual([
      [
        "Net: the field 'layers' holds a module (layers[1], a Linear) that is not registered: parameters(), " +
          'stateDict(), train() and eval() do not reach it. Assign it to a property of its own, or use an ' +
          'nn.ModuleList or an nn.ModuleDict.',
        { type: 'EvenkeelWarning', code: 'EVENKEEL_UNREGISTERED_MODULE' },
      ],
    ]);
    warnings();
    Array.from(new Net().parameters());
    new Net().eval().stateDict();
  });

  test.each<[string, () => unknown, string]>([
    ['an object', () => ({ head: linear() }), 'field.head, a Linear'],
    ['a Map', () => new Map([['head', linear()]]), "field.get('head'), a Linear"],
    ['the keys of a Map', () => new Map([[linear(), 1]]), 'field.keys(), a Linear'],
    ['a Set', () => new Set([linear()]), 'field[0], a Linear'],
    [
      'one inside another',
      () => [{ a: new Map([['b', [linear()]]]) }],
      "field[0].a.get('b')[0], a Linear",
    ],
    ['a model', () => [new nn.Sequential(new nn.ReLU(), linear())], 'field[0], a Sequential'],
    ['a Dropout', () => [new nn.Dropout()], 'field[0], a Dropout'],
    [
      'a BatchNorm without state',
      () => [new nn.BatchNorm1d(1, { affine: false, trackRunningStats: false })],
      'field[0], a BatchNorm1d',
    ],
    ['a layer without a size yet', () => [new nn.LazyBatchNorm1d()], 'field[0], a LazyBatchNorm1d'],
    [
      'a null prototype',
      () => Object.assign(Object.create(null) as object, { fc: linear() }),
      'field.fc, a Linear',
    ],
  ])('%s', (_, make, found) => {
    class Net extends Silent {
      field = make();
    }
    new Net().train();
    expect(warnings()).toEqual([expect.stringContaining(`(${found})`)]);
  });

  test('a Parameter', () => {
    class Net extends Silent {
      scales = { a: [new nn.Parameter(tensor([1]))] };
    }
    new Net().stateDict();
    expect(warnings()).toEqual([
      "Net: the field 'scales' holds a Parameter (scales.a[0]) that is not registered: parameters(), stateDict() " +
        'and optimizers do not find it. Assign it to a property of its own, or use an nn.ParameterList or an ' +
        'nn.ParameterDict.',
    ]);
  });

  test('a Tensor that requires grad', () => {
    class Net extends Silent {
      scale = tensor([1], { requiresGrad: true });
      constant = tensor([1]);
      result = functional.mul(tensor([1], { requiresGrad: true }), 2);
      learned = new nn.Parameter(tensor([1]));
    }
    new Net().train();
    expect(warnings()).toEqual([
      "Net: the field 'scale' holds a Tensor that requires grad and is no Parameter: parameters(), stateDict() and " +
        'optimizers do not find it. If it is to be learned, make it one: new nn.Parameter(tensor).',
    ]);
    new Net().train();
  });

  test.each<[string, (model: nn.Module) => unknown]>([
    ['train', (model) => model.train()],
    ['eval', (model) => model.eval()],
    ['parameters', (model) => [...model.parameters()]],
    ['modules', (model) => [...model.modules()]],
    ['stateDict', (model) => model.stateDict()],
    ['loadStateDict', (model) => model.loadStateDict(new Map())],
    ['clone', (model) => model.clone()],
    ['toString', (model) => model.toString()],
  ])('%s finds it, in a child too', (_, call) => {
    class Inner extends Silent {
      list = [linear()];
    }
    class Outer extends Silent {
      inner = new Inner();
    }
    call(new Outer());
    expect(warnings()).toEqual([expect.stringContaining("Inner: the field 'list'")]);
  });

  test('each field once, and one that comes later', () => {
    class Net extends Silent {
      [name: string]: unknown;
      one = [linear()];
      two = [linear(), linear()];
    }
    const net = new Net();
    net.train();
    expect(warnings()).toHaveLength(2);
    net.three = [linear()];
    net.train().train();
    expect(warnings()).toEqual([expect.stringContaining("'three'")]);
  });
});

describe('a container that was searched before', () => {
  test('an array and a Map that are filled later, at any depth', () => {
    class Net extends Silent {
      layers: nn.Module[] = [];
      heads = new Map<string, nn.Module>();
      parts = { deep: [] as nn.Parameter[] };
    }
    const net = new Net();
    net.train();
    net.layers.push(linear());
    Array.from(net.parameters());
    expect(warnings()).toEqual([expect.stringContaining('layers[0], a Linear')]);
    net.heads.set('a', linear());
    net.parts.deep.push(new nn.Parameter(tensor([1])));
    net.train().train();
    expect(warnings()).toEqual([
      expect.stringContaining("heads.get('a'), a Linear"),
      expect.stringContaining('parts.deep[0]'),
    ]);
  });

  test('an array in the place of null', () => {
    class Net extends Silent {
      layers: nn.Module[] | null = null;
    }
    const net = new Net();
    net.train();
    net.layers = [linear()];
    net.train();
    expect(warnings()).toEqual([expect.stringContaining('layers[0], a Linear')]);
  });

  test('of a million numbers in rows costs no time', () => {
    class Net extends Silent {
      table = Array.from({ length: 1000 }, () => Array.from({ length: 1000 }, () => 0));
    }
    const net = new Net();
    const start = performance.now();
    for (let i = 0; i < 20; i++) net.train();
    expect(performance.now() - start).toBeLessThan(1000); // 20 whole searches take 2 s and more
  });
});

describe('no reason', () => {
  test('what the tree has as well, a parent, and what would not be missed', () => {
    class Child extends Silent {
      up: { parent: nn.Module | null } = { parent: null };
    }
    class Net extends Silent {
      fc = linear();
      child = new Child();
      w = new nn.Parameter(tensor([1]));
      again = [this.fc, { fc: this.fc, w: this.w }];
      cached = [...this.fc.parameters()];
      losses = { mse: new nn.MSELoss(), relu: new nn.ReLU(), list: new nn.ModuleList() };
      numbers = [1, 2, 3];
      tensors = [tensor([1])];
      when = new Date();
      opened = new WeakMap();
      blocks = new nn.ModuleList([linear()]);
      heads = new nn.ModuleDict({ a: linear() });
      scales = new nn.ParameterList([new nn.Parameter(tensor([1]))]);
    }
    const net = new Net();
    net.child.up.parent = net;
    net.train().stateDict();
    net.clone();
    net.child.train();
  });

  test('what is kept out on purpose', () => {
    class Student extends Silent {
      teacher: () => nn.Module;
      [key: symbol]: unknown;
      constructor(teacher: nn.Module) {
        super();
        this.teacher = () => teacher;
        this[Symbol('teacher')] = [teacher];
        Object.defineProperty(this, 'hidden', { value: [teacher] });
      }
    }
    new Student(linear()).train();
  });
});

describe('#private fields', () => {
  const run = (model: nn.Module): void => {
    model.train();
    (model.forward as (x: Tensor) => unknown).call(model, x);
  };

  test('what they hold shows in the first recorded forward, once a class', () => {
    class Net extends nn.Module {
      #fc = linear();
      bn = new nn.BatchNorm1d(2);
      forward(input: Tensor): Tensor {
        return this.bn.forward(this.#fc.forward(input));
      }
    }
    const net = new Net();
    net.eval();
    noGrad(() => net.forward(x));
    expect(warnings()).toEqual([]);
    run(net);
    expect(warnings()).toEqual([
      'Net: forward uses a Parameter of shape [2] that is not registered, maybe in a #private field (#fc): ' +
        'parameters(), stateDict(), train() and eval() do not reach it. Make the field a public or a TypeScript ' +
        'private one.',
    ]);
    run(net);
    run(new Net());
    expect(Object.hasOwn(net, 'forward')).toBe(false);
  });

  test('of a forward that is asynchronous, when it has come to its end', async () => {
    class Net extends nn.Module {
      #bn = new nn.BatchNorm1d(2);
      async forward(input: Tensor): Promise<Tensor> {
        return this.#bn.forwardAsync(input);
      }
    }
    const net = new Net();
    net.train();
    await net.forward(x);
    expect(warnings()).toEqual([
      expect.stringContaining('Net: forward uses a Parameter of shape [2]'),
    ]);
    await expect(new Net().train().forward(tensor([[1, 2]]))).rejects.toThrow('more than 1 value');
  });

  test('no reason: what came deep in an argument', () => {
    class Head extends nn.Module {
      #calls = 0;
      fc = linear();
      forward({ batch }: { batch: { views: Map<string, readonly Tensor[]> } }): Tensor {
        this.#calls++;
        return this.fc.forward(batch.views.get('left')![this.#calls - 1]!);
      }
    }
    const head = new Head();
    head.train();
    const encoder = linear(); // newer than the head
    head.forward({ batch: { views: new Map([['left', [encoder.forward(x)]]]) } });
  });

  test('several of them, in a list, in a child', () => {
    class Block extends nn.Module {
      readonly #layers = [linear(), linear()];
      forward(input: Tensor): Tensor {
        return this.#layers.reduce((y, layer) => layer.forward(y), input);
      }
    }
    run(new nn.Sequential(new Block(), linear()));
    expect(warnings()).toEqual([expect.stringMatching(/^Block: forward uses .*\(#layers\)/)]);
  });

  test('no reason: numbers, what is registered too, what was handed in, what came as an argument', () => {
    class Plain extends nn.Module {
      #calls = 0;
      fc = linear();
      readonly #same = this.fc;
      forward(input: Tensor): Tensor {
        if (this.#calls++ > 9) return input;
        return this.#same.forward(input);
      }
    }
    class Pair extends nn.Module {
      readonly #teacher: nn.Linear;
      fc = linear();
      constructor(teacher: nn.Linear) {
        super();
        this.#teacher = teacher;
      }
      forward(input: Tensor): Tensor {
        return functional.mseLoss(this.fc.forward(input), this.#teacher.forward(input));
      }
    }
    class Called extends nn.Module {
      #calls = 0;
      fc = linear();
      forward(input: Tensor, other?: nn.Linear, more?: { y: Tensor }): Tensor {
        if (this.#calls++ > 9) return input;
        const y = this.fc.forward(other === undefined ? input : other.forward(input));
        return more === undefined ? y : functional.add(y, more.y);
      }
    }
    const models = [new Plain(), new Pair(linear())];
    for (const model of models) run(model);
    const called = new Called();
    called.train();
    const later = linear();
    called.forward(later.forward(x), later, { y: later.forward(x) });
  });

  test('a recurrent use of a graph from before stops at its argument', () => {
    class Cell extends nn.Module {
      #steps = 0;
      fc = linear();
      forward(state: Tensor): Tensor {
        if (this.#steps++ > 9) return state;
        return this.fc.forward(state);
      }
    }
    const cell = new Cell();
    cell.train();
    const encoder = linear();
    let state = encoder.forward(x);
    for (let i = 0; i < 3; i++) state = cell.forward(state);
  });
});
