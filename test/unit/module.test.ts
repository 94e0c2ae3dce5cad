// The module tree: traversal, flags, registering and hooks.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

class Block extends nn.Module {
  fc = new nn.Linear(2, 2);
  bn = new nn.BatchNorm1d(2);

  forward(x: Tensor): Tensor {
    return this.bn.forward(this.fc.forward(x));
  }
}

class Net extends nn.Module {
  scale = new nn.Parameter(tensor([1, 1]));
  first = new Block();
  body = new nn.Sequential(new Block(), new nn.ReLU());
  head = new nn.Linear(2, 1, { bias: false });

  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(this.first.forward(x)));
  }
}

class Twice extends nn.Module {
  a = new nn.Linear(1, 1);
  b = this.a;

  forward(x: Tensor): Tensor {
    return this.b.forward(this.a.forward(x));
  }
}

const MODULES = [
  '',
  'first',
  'first.fc',
  'first.bn',
  'body',
  'body.0',
  'body.0.fc',
  'body.0.bn',
  'body.1',
  'head',
];
const block = (name: string): string[] =>
  ['fc.weight', 'fc.bias', 'bn.weight', 'bn.bias'].map((key) => `${name}.${key}`);

describe('traversal', () => {
  test('names are dotted and in the order of assignment', () => {
    const net = new Net();
    expect([...net.namedModules()].map(([name]) => name)).toEqual(MODULES);
    expect([...net.modules()].length).toBe(MODULES.length);
    expect([...net.namedChildren()].map(([name]) => name)).toEqual(['first', 'body', 'head']);
    expect([...net.children()]).toEqual([net.first, net.body, net.head]);
    expect([...net.namedParameters()].map(([name]) => name)).toEqual([
      'scale',
      ...block('first'),
      ...block('body.0'),
      'head.weight',
    ]);
    expect([...net.parameters()][0]).toBe(net.scale);
    const buffers = ['running_mean', 'running_var', 'num_batches_tracked'];
    expect([...net.namedBuffers()].map(([name]) => name)).toEqual([
      ...buffers.map((name) => `first.bn.${name}`),
      ...buffers.map((name) => `body.0.bn.${name}`),
    ]);
    expect([...net.buffers()][0]).toBe(net.first.bn.runningMean);
  });

  test('what occurs twice comes once, but keeps both keys in the state dict', () => {
    const twice = new Twice();
    expect([...twice.namedModules()].map(([name]) => name)).toEqual(['', 'a']);
    expect([...twice.namedParameters()].map(([name]) => name)).toEqual(['a.weight', 'a.bias']);
    expect([...twice.namedChildren()].map(([name]) => name)).toEqual(['a']);
    expect([...twice.stateDict().keys()]).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias']);
  });

  test('absent parameters and buffers are not listed', () => {
    const bn = new nn.BatchNorm1d(2, { bias: false, trackRunningStats: false });
    expect([...bn.namedParameters()].map(([name]) => name)).toEqual(['weight']);
    expect([...bn.namedBuffers()]).toEqual([]);
    const bare = new nn.BatchNorm1d(2, { affine: false });
    expect([bare.weight, bare.bias, [...bare.parameters()]]).toEqual([null, null, []]);
  });

  test('apply goes children first, then to this, and returns this', () => {
    const order: string[] = [];
    const model = new nn.Sequential(new nn.Sequential(new nn.ReLU()), new nn.Linear(1, 1));
    expect(model.apply((module) => order.push(module.constructor.name))).toBe(model);
    expect(order).toEqual(['ReLU', 'Sequential', 'Linear', 'Sequential']);
  });
});

describe('train, eval, requiresGrad_, zeroGrad', () => {
  test('train and eval reach every descendant and return this', () => {
    const net = new Net();
    const flags = (): boolean[] => [...new Set([...net.modules()].map(({ training }) => training))];
    expect(flags()).toEqual([true]);
    expect(net.eval()).toBe(net);
    expect(flags()).toEqual([false]);
    expect(net.train()).toBe(net);
    expect(flags()).toEqual([true]);
    net.first.eval();
    expect(flags().sort()).toEqual([false, true]);
    net.train(false);
    expect(flags()).toEqual([false]);
  });

  test.each([
    ['x', "'x'"],
    [1, '1'],
    [null, 'null'],
  ])('train(%j) is refused', (mode, got) => {
    const net = new Net().eval();
    expect(thrownBy(() => net.train(mode as never))).toBe(
      `TypeError: Net: expected a boolean (training mode is expected to be boolean), got ${got}.`,
    );
    expect([...net.modules()].some(({ training }) => training)).toBe(false);
  });

  test('requiresGrad_ reaches every parameter and no buffer', () => {
    const net = new Net();
    expect(net.requiresGrad_(false)).toBe(net);
    expect([...net.parameters()].some((each) => each.requiresGrad)).toBe(false);
    net.requiresGrad_();
    expect([...net.parameters()].every((each) => each.requiresGrad)).toBe(true);
    expect([...net.buffers()].some((each) => each.requiresGrad)).toBe(false);
  });

  test('zeroGrad: null, or zeros in the same memory', () => {
    const fc = new nn.Linear(2, 1);
    functional.sum(fc.forward(tensor([[1, 2]]))).backward();
    const { grad } = fc.weight;
    fc.zeroGrad({ setToNone: false });
    expect(fc.weight.grad).toBe(grad);
    expect(grad!.toArray()).toEqual([[0, 0]]);
    fc.zeroGrad();
    expect([fc.weight.grad, fc.bias!.grad]).toEqual([null, null]);
    fc.zeroGrad({ setToNone: false });
    expect(fc.weight.grad).toBeNull();
  });
});

describe('registering', () => {
  class Plain extends nn.Module {
    w = new nn.Parameter(tensor([1]));
    forward(): void {
      // nothing
    }
  }

  test('registerParameter is assigning; registerBuffer is state that is not learned', () => {
    const plain = new Plain();
    const parameter = new nn.Parameter(tensor([2]));
    plain.registerParameter('q', parameter);
    plain.registerBuffer('b', tensor([3]));
    plain.registerBuffer('tmp', tensor([4]), { persistent: false });
    plain.registerBuffer('none', null);
    expect((plain as unknown as { q: unknown }).q).toBe(parameter);
    expect([...plain.namedParameters()].map(([name]) => name)).toEqual(['w', 'q']);
    expect([...plain.namedBuffers()].map(([name]) => name)).toEqual(['b', 'tmp']);
    expect([...plain.stateDict().keys()]).toEqual(['w', 'q', 'b']);
    expect(plain.getBuffer('tmp')!.item()).toBe(4);
    expect([plain.getBuffer('none'), plain.getBuffer('absent')]).toEqual([null, null]);
    plain.registerBuffer('b', tensor([5]));
    expect(plain.stateDict().get('b')!.item()).toBe(5);
  });

  const name = (method: string, rest: string): string => `Plain.${method}: expected a ${rest}`;
  test.each<[string, (plain: Plain) => void, string]>([
    [
      'a name taken by a parameter',
      (plain) => plain.registerBuffer('w', tensor([1])),
      `RangeError: ${name('registerBuffer', "new name, got 'w' (attribute 'w' already exists).")}`,
    ],
    [
      'a name taken by a method',
      (plain) => plain.registerParameter('forward', null),
      `RangeError: ${name('registerParameter', "new name, got 'forward' (attribute 'forward' already exists).")}`,
    ],
    [
      'a dotted name',
      (plain) => plain.registerBuffer('a.b', null),
      `RangeError: ${name('registerBuffer', "name that is not empty and has no dot, got 'a.b'.")}`,
    ],
    [
      'an empty name',
      (plain) => plain.registerModule('', new nn.ReLU()),
      `RangeError: ${name('registerModule', "name that is not empty and has no dot, got ''.")}`,
    ],
    [
      'a number',
      (plain) => plain.registerBuffer(5 as never, null),
      `TypeError: ${name('registerBuffer', 'name, got 5.')}`,
    ],
  ])('%s is refused', (_, register, message) => {
    const plain = new Plain();
    expect(thrownBy(() => register(plain))).toBe(message);
    expect([...plain.stateDict().keys()]).toEqual(['w']);
  });

  test('a buffer that is no tensor is refused', () => {
    expect(() => new Plain().registerBuffer('b', 5 as never)).toThrow(TypeError);
  });

  test('a parameter must be floating', () => {
    expect(thrownBy(() => new nn.Parameter(tensor([1], { dtype: 'int32' })))).toBe(
      "TypeError: Parameter: expected a parameter to be float32 or float64, got int32 (x.to('float32') converts).",
    );
    expect(new nn.Parameter(tensor([1]), false).requiresGrad).toBe(false);
  });
});

describe('hooks', () => {
  const x = tensor([[-1, 2]]);

  test('run around forward in order, also inside a Sequential, until removed', () => {
    const relu = new nn.ReLU();
    const model = new nn.Sequential(relu);
    const calls: string[] = [];
    const handles = [
      relu.registerForwardPreHook((module, inputs) => {
        calls.push(`pre ${String(module === relu)} ${String(inputs[0] === x)}`);
        return undefined;
      }),
      relu.registerForwardHook((_, inputs, output) => {
        calls.push(`post ${String(inputs[0] === x)} ${String(output.toArray())}`);
      }),
      model.registerForwardHook(() => void calls.push('model')),
    ];
    model.forward(x);
    expect(calls).toEqual(['pre true true', 'post true 0,2', 'model']);
    for (const handle of handles) handle.remove();
    model.forward(x);
    expect(calls.length).toBe(3);
  });

  test('may replace the inputs and the output', () => {
    const relu = new nn.ReLU();
    relu.registerForwardPreHook(() => [tensor([[5, -6]])]);
    relu.registerForwardHook((_, __, output) => functional.add(output, tensor([[1, 1]])));
    expect(relu.forward(x).toArray()).toEqual([[6, 1]]);
  });

  test('leave names, children and the repr alone', () => {
    const block = new Block();
    block.registerForwardHook(() => undefined);
    expect([...block.namedModules()].map(([name]) => name)).toEqual(['', 'fc', 'bn']);
    expect(Object.keys(block)).not.toContain('forward');
  });

  test('that are no functions are refused', () => {
    expect(thrownBy(() => new nn.ReLU().registerForwardHook(5 as never))).toBe(
      'TypeError: ReLU: expected a hook function, got 5.',
    );
  });
});

describe('Sequential', () => {
  test('chains, counts, iterates and finds its layers', () => {
    const layers = [new nn.Linear(2, 3), new nn.ReLU(), new nn.Dropout(0)];
    const model = new nn.Sequential(...layers);
    expect([model.length, model.at(0), model.at(-1), model.at(9)]).toEqual([
      3,
      layers[0],
      layers[2],
      undefined,
    ]);
    expect([...model]).toEqual(layers);
    expect(model.forward(tensor([[1, 2]])).shape).toEqual([1, 3]);
  });

  test('takes modules only', () => {
    expect(thrownBy(() => new nn.Sequential(new nn.ReLU(), functional.relu as never))).toBe(
      'TypeError: Sequential: expected layer 1 to be a Module, got function relu.',
    );
  });
});
