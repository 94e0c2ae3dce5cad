// One tree: a child, a parameter or a buffer is in one place, and what forward uses is what every other method
// sees; a tree that is none is refused by all of them.
import { describe, expect, test } from 'vitest';

import type { Tensor } from '../../src/index.js';
import { functional, nn, tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

/** y = x + value. */
class Add extends nn.Module {
  readonly value: nn.Parameter;
  constructor(value: number) {
    super();
    this.value = new nn.Parameter(tensor([value]));
  }
  forward(x: Tensor): Tensor {
    return functional.add(x, this.value);
  }
  override extraRepr(): string {
    return String(this.value.item());
  }
}

class Holder extends nn.Module {
  [name: string]: unknown;
  forward(x: Tensor): Tensor {
    return (this.a as nn.Layer).forward(x);
  }
}

/** What each method says is in a module, which has to be the same. */
function views(model: nn.Module): Record<string, unknown> {
  const children = [...model.namedChildren()];
  return {
    children: children.map(([name, child]) => `${name}:${child.extraRepr()}`),
    repr: [...model.toString().matchAll(/\((\w+)\): Add\((-?\d+)\)/g)].map(
      ([, a, b]) => `${a}:${b}`,
    ),
    state: [...model.stateDict()].map(([key, value]) => `${key.split('.')[0]}:${value.item()}`),
    parameters: [...model.namedParameters()].map(
      ([key, value]) => `${key.split('.')[0]}:${value.item()}`,
    ),
  };
}

function expectAll(model: nn.Module, list: string[]): void {
  expect(views(model)).toEqual({ children: list, repr: list, state: list, parameters: list });
}

const valueOf = (layer: nn.Module | undefined): number => Number(layer?.extraRepr());
const zero = (): Tensor => tensor([0]);

describe('Sequential is its children', () => {
  const model = (): nn.Sequential => new nn.Sequential(new Add(1), new Add(20));
  const cases: [string, (model: nn.Sequential) => unknown, string[]][] = [
    [
      'registerModule in the place of one',
      (m) => m.registerModule('1', new Add(5)),
      ['0:1', '1:5'],
    ],
    [
      'registerModule of a further one',
      (m) => m.registerModule('2', new Add(5)),
      ['0:1', '1:20', '2:5'],
    ],
    [
      'registerModule under a word',
      (m) => m.registerModule('last', new Add(5)),
      ['0:1', '1:20', 'last:5'],
    ],
    ['assigning', (m) => Object.assign(m, { 0: new Add(5) }), ['0:5', '1:20']],
    ['assigning null', (m) => Object.assign(m, { 0: null }), ['1:20']],
    ['deleting', (m) => Reflect.deleteProperty(m, '0'), ['1:20']],
    ['set', (m) => m.set(-1, new Add(5)), ['0:1', '1:5']],
    ['push', (m) => m.push(new Add(5), new Add(6)), ['0:1', '1:20', '2:5', '3:6']],
    ['insert', (m) => m.insert(1, new Add(5)), ['0:1', '1:5', '2:20']],
    ['pop', (m) => m.pop(0), ['0:20']],
    ['delete', (m) => m.delete(-1), ['0:1']],
  ];
  test.each(cases)('%s', (_, change, list) => {
    const changed = model();
    change(changed);
    for (const each of [changed, changed.clone()]) {
      expectAll(each, list);
      const values = list.map((name) => Number(name.split(':')[1]));
      expect(each.forward(zero()).item()).toBe(values.reduce((a, b) => a + b, 0));
      expect(each.length).toBe(list.length);
      expect([...each].map((layer) => valueOf(layer))).toEqual(values);
      expect(valueOf(each.at(-1))).toBe(values.at(-1));
      each.eval();
      expect([...each].map(({ training }) => training)).toEqual(values.map(() => false));
    }
  });

  test('a child of a subclass is a layer, and one layer may stand in two places', () => {
    class Tail extends nn.Sequential {
      tail = new Add(300);
    }
    const shared = new Add(1);
    const model = new Tail(shared, shared);
    expect(model.forward(zero()).item()).toBe(302);
    expect([...model.stateDict().keys()]).toEqual(['0.value', '1.value', 'tail.value']);
  });
});

describe('what takes the place of a child or a parameter', () => {
  class Net extends nn.Module {
    fc: unknown = new nn.Linear(2, 2);
    scale: unknown = new nn.Parameter(tensor([1]));
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const walked = (): Net => {
    const net = new Net();
    net.eval();
    return net;
  };
  const walks: Record<string, (net: Net) => unknown> = {
    parameters: (net) => [...net.parameters()],
    stateDict: (net) => net.stateDict(),
    train: (net) => net.train(),
    repr: (net) => String(net),
    clone: (net) => net.clone(),
  };

  test.each(Object.entries(walks))('%s refuses what is neither', (_, walk) => {
    for (const value of [5, 'fc', {}, tensor([1]), [new nn.Linear(2, 2)]]) {
      const net = walked();
      net.fc = value;
      expect(thrownBy(() => walk(net))).toMatch(
        /^TypeError: Net: expected child module 'fc' to be a Module or null \(cannot assign another value as child module\), got .*\.$/,
      );
    }
    for (const value of [5, tensor([1])]) {
      const net = walked();
      net.scale = value;
      expect(thrownBy(() => walk(net))).toMatch(
        /^TypeError: Net: expected parameter 'scale' to be a Parameter or null \(cannot assign another value as parameter\), got .*\.$/,
      );
    }
  });

  test('null, modules and parameters are taken', () => {
    for (const value of [null, undefined, new nn.ReLU(), new nn.Parameter(tensor([1]))]) {
      const net = walked();
      net.fc = value;
      net.scale = null;
      expect([...net.namedParameters()].map(([name]) => name)).toEqual(
        value instanceof nn.Parameter ? ['fc'] : [],
      );
    }
  });
});

describe('a name is one child', () => {
  test('registerModule, then assigning, then deleting', () => {
    const model = new Holder();
    model.registerModule('a', new Add(1));
    expectAll(model, ['a:1']);
    expect(model.forward(zero()).item()).toBe(1);
    model.a = new Add(2);
    expectAll(model, ['a:2']);
    expect(model.forward(zero()).item()).toBe(2);
    model.registerModule('a', new Add(3));
    expectAll(model, ['a:3']);
    expect(model.forward(zero()).item()).toBe(3);
    model.a = null;
    expectAll(model, []);
    model.registerModule('a', new Add(4));
    delete model.a;
    expectAll(model, []);
  });

  test('a field of the class, registered in the constructor', () => {
    class Declared extends nn.Module {
      fc!: Add; // defined as undefined, after super()
      w!: nn.Parameter;
      b!: Tensor;
      constructor() {
        super();
        this.registerModule('fc', new Add(1));
        this.registerParameter('w', new nn.Parameter(tensor([2])));
        this.registerBuffer('b', tensor([3]));
      }
      forward(): void {
        // nothing
      }
    }
    const model = new Declared();
    expect([...model.stateDict()].map(([key, value]) => [key, value.item()])).toEqual([
      ['w', 2],
      ['b', 3],
      ['fc.value', 1],
    ]);
    expect([model.fc.value.item(), model.w.item(), model.b.item()]).toEqual([1, 2, 3]);
  });

  test('a Parameter over a Module, and a Module over a Parameter', () => {
    const model = new Holder();
    model.a = new Add(1);
    model.a = new nn.Parameter(tensor([7]));
    expect([...model.stateDict().keys()]).toEqual(['a']);
    expect([...model.children()]).toEqual([]);
    expect(() => model.registerModule('a', new Add(1))).toThrow("attribute 'a' already exists");
    model.a = new Add(2);
    expectAll(model, ['a:2']);
  });

  test('registering a name of another kind is refused', () => {
    const model = new Holder();
    model.registerBuffer('b', tensor([1]));
    model.a = new Add(1);
    for (const register of [
      () => model.registerModule('b', new Add(1)),
      () => model.registerParameter('b', new nn.Parameter(tensor([1]))),
      () => model.registerBuffer('a', tensor([1])),
      () => model.registerParameter('a', new nn.Parameter(tensor([1]))),
      () => model.registerParameter('__proto__', null),
      () => model.registerModule('training', new Add(1)),
    ]) {
      expect(thrownBy(register)).toMatch(/^RangeError: .* already exists\)\.$/);
    }
    expect([...model.stateDict().keys()]).toEqual(['b', 'a.value']);
  });
});

describe("a buffer's name is its property", () => {
  const model = (): Holder => {
    const holder = new Holder();
    holder.registerBuffer('b', tensor([1]), { persistent: false });
    return holder;
  };

  test('reading, and assigning a tensor or null', () => {
    const holder = model();
    expect(holder.b).toBe(holder.getBuffer('b'));
    const next = tensor([2]);
    holder.b = next;
    expect(holder.getBuffer('b')).toBe(next);
    expect([...holder.namedBuffers()]).toEqual([['b', next]]);
    expect([...holder.stateDict().keys()]).toEqual([]); // not persistent, as before
    const copy = holder.clone();
    copy.b = tensor([3]);
    expect([holder.getBuffer('b')!.item(), copy.getBuffer('b')!.item()]).toEqual([2, 3]);
    holder.b = null;
    expect([holder.b, holder.getBuffer('b'), [...holder.buffers()]]).toEqual([null, null, []]);
  });

  test.each([
    ['a number', 5, '5'],
    ['a Parameter', new nn.Parameter(tensor([1])), 'an instance of Parameter'],
    ['a Module', new nn.ReLU(), 'an instance of ReLU'],
    ['nothing', undefined, 'undefined'],
  ])('%s is refused', (_, value, got) => {
    const holder = model();
    expect(thrownBy(() => (holder.b = value))).toBe(
      `TypeError: Holder.b: expected a Tensor or null for the buffer 'b', got ${got}.`,
    );
    expect(holder.getBuffer('b')!.item()).toBe(1);
  });

  test('it cannot be deleted or defined anew', () => {
    const holder = model();
    expect(() => delete holder.b).toThrow(TypeError);
    class Over extends nn.BatchNorm1d {
      running_mean = 5;
    }
    expect(() => new Over(1)).toThrow(TypeError);
    expect([...holder.namedBuffers()].map(([name]) => name)).toEqual(['b']);
  });
});

describe('a cycle', () => {
  class Part extends nn.Module {
    parent: nn.Module | null = null;
    fc = new nn.Linear(1, 1);
    forward(): void {
      // nothing
    }
  }
  class Whole extends nn.Module {
    part = new Part();
    forward(): void {
      // nothing
    }
  }
  const whole = (): Whole => {
    const model = new Whole();
    model.part.parent = model;
    return model;
  };
  const sentence =
    "Error: Whole: expected a tree of modules, got a cycle: 'part.parent' is the Whole itself (keep a reference " +
    'back in a function, such as () => parent).';

  test.each<[string, (model: Whole) => unknown]>([
    ['stateDict', (model) => model.stateDict()],
    ['loadStateDict', (model) => model.loadStateDict(new Map())],
    ['toString', (model) => model.toString()],
    ['clone', (model) => model.clone()],
    ['apply', (model) => model.apply((each) => (each.training = false))],
    ['train', (model) => model.train(false)],
    ['parameters', (model) => [...model.parameters()]],
    ['buffers', (model) => [...model.buffers()]],
    ['modules', (model) => [...model.modules()]],
    ['namedModules', (model) => [...model.namedModules()]],
    ['zeroGrad', (model) => model.zeroGrad()],
    ['requiresGrad_', (model) => model.requiresGrad_(false)],
    ['shareMemory', (model) => model.shareMemory()],
  ])('%s says where it is, and has changed nothing', (_, call) => {
    const model = whole();
    expect(thrownBy(() => call(model))).toBe(sentence);
    expect([model.training, model.part.training, model.part.fc.training]).toEqual([
      true,
      true,
      true,
    ]);
    expect(model.part.fc.weight.requiresGrad).toBe(true);
  });

  test('further down, and through containers', () => {
    const inner = new Whole();
    const model = new nn.Sequential(new nn.ModuleList([inner]));
    inner.part.parent = inner;
    expect(thrownBy(() => model.stateDict())).toBe(
      "Error: Sequential: expected a tree of modules, got a cycle: '0.0.part.parent' is '0.0' again (keep a " +
        'reference back in a function, such as () => parent).',
    );
  });

  test('is refused where it is registered', () => {
    const [outer, inner] = [new nn.Sequential(), new nn.Sequential()];
    outer.push(inner);
    const refused = /cycle: '0(\.0)?' is the Sequential itself/;
    expect(() => inner.push(outer)).toThrow(refused);
    expect(() => inner.registerModule('0', outer)).toThrow(refused);
    expect(() => outer.set(0, outer)).toThrow(refused);
    expect(() =>
      new nn.ModuleDict().update([['a', inner]]).set('b', new nn.ModuleList([outer])),
    ).not.toThrow();
    const dict = new nn.ModuleDict();
    inner.push(dict);
    expect(() => dict.set('up', outer)).toThrow("cycle: 'up.0.0' is the ModuleDict itself");
    expect([outer.length, inner.length, dict.size]).toEqual([1, 1, 0]);
  });

  test('a module under two names is none', () => {
    const shared = new Add(1);
    const model = new nn.Sequential(shared, new nn.Sequential(shared));
    expect([...model.stateDict().keys()]).toEqual(['0.value', '1.0.value']);
    expect(model.toString().match(/Add\(1\)/g)).toHaveLength(2);
  });
});

describe('a removed hook leaves nothing', () => {
  test('forward is the one of the class again, whatever hook it was', () => {
    const bn = new nn.BatchNorm1d(2);
    const handles = [
      bn.registerForwardHook(() => undefined),
      bn.registerForwardPreHook(() => undefined),
      bn.registerFullBackwardHook(() => undefined),
      bn.registerFullBackwardPreHook(() => undefined),
    ];
    expect(Object.hasOwn(bn, 'forward')).toBe(true);
    for (const handle of handles) handle.remove();
    expect(Object.hasOwn(bn, 'forward')).toBe(false);
    expect(bn.forward).toBe(nn.BatchNorm1d.prototype.forward);
    handles[0]!.remove(); // a second time
    let calls = 0;
    bn.registerForwardHook(() => {
      calls++;
    });
    handles[0]!.remove();
    bn.forward(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(calls).toBe(1);
  });

  test('a BatchNorm and the ReLU behind it are one pass again', () => {
    const bn = new nn.BatchNorm1d(1);
    const fused: unknown[] = [];
    const model = new nn.Sequential(bn, new nn.ReLU());
    bn.registerForwardHook((_, inputs) => fused.push(inputs[1])).remove();
    const y = model.forward(tensor([[1], [3]], { requiresGrad: true }));
    expect(y.operation!.name).not.toBe('relu');
    expect(fused).toEqual([]);
  });

  test('a forward of the instance comes back, and one that was put before it stays', () => {
    class Arrow extends nn.Module {
      forward = (x: Tensor): Tensor => functional.add(x, tensor([1]));
    }
    const arrow = new Arrow();
    const { forward } = arrow;
    const keys = Object.keys(arrow);
    arrow.registerForwardHook(() => undefined).remove();
    expect(arrow.forward).toBe(forward);
    expect(Object.keys(arrow)).toEqual(keys);

    const add = new Add(1);
    const calls: string[] = [];
    const handle = add.registerForwardHook(() => void calls.push('first'));
    const hooked = add.forward.bind(add);
    add.forward = (x: Tensor) => hooked(x);
    handle.remove();
    expect(add.forward(zero()).item()).toBe(1);
    add.registerForwardHook(() => void calls.push('second'));
    expect(add.forward(zero()).item()).toBe(1);
    expect(calls).toEqual(['second']);
  });

  test('a hook that removes itself, and the clone that keeps its own', () => {
    const add = new Add(1);
    let calls = 0;
    const handle = add.registerForwardHook(() => {
      calls++;
      handle.remove();
    });
    const copy = add.clone();
    add.forward(zero());
    add.forward(zero());
    expect([calls, Object.hasOwn(add, 'forward'), Object.hasOwn(copy, 'forward')]).toEqual([
      1,
      false,
      true,
    ]);
    copy.forward(zero());
    expect(calls).toBe(2);
  });
});
