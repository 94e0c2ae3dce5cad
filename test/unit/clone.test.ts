// clone(): PyTorch's deepcopy of a module: memory of its own, the same sharing inside.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { UNINITIALIZED } from '../../src/nn/module/internals.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const batch = tensor([
  [1, 2],
  [3, 6],
]);

class Net extends nn.Module {
  first = new nn.Linear(2, 2);
  again = this.first;
  bn = new nn.BatchNorm1d(2, { momentum: null, eps: 1e-3 });
  drop = new nn.Dropout(0.25);
  rest = new nn.Sequential(new nn.Linear(2, 2, { bias: false }), new nn.ReLU());
  loss = new nn.MSELoss({ reduction: 'sum' });
  list = [this.first, { inner: new Map([['bn', this.bn]]) }] as const;
  seen = new Set([1]);
  bytes = new Uint8Array([1, 2]);
  when = new Date(0);
  scale = (x: number): number => 2 * x;

  constructor() {
    super();
    this.registerBuffer('tmp', tensor([4]), { persistent: false });
  }

  forward(x: Tensor): Tensor {
    return this.rest.forward(this.bn.forward(this.again.forward(this.first.forward(x))));
  }
}

describe('a clone', () => {
  test('computes the same bits and shares no memory, no gradient', () => {
    const net = new Net();
    functional.sum(net.forward(batch)).backward();
    net.bn.weight!.requiresGrad = false;
    net.bn.eval();
    const copy = net.clone();
    expect(copy).toBeInstanceOf(Net);
    expect(copy.toString()).toBe(net.toString());
    expect([copy.bn.training, copy.rest.training, copy.bn.momentum, copy.bn.eps]).toEqual([
      false,
      true,
      null,
      1e-3,
    ]);
    expect([...copy.parameters()].map(({ grad }) => grad)).toEqual([null, null, null, null, null]);
    expect([...copy.namedParameters()].map(([name, p]) => [name, p.requiresGrad])).toEqual(
      [...net.namedParameters()].map(([name, p]) => [name, p.requiresGrad]),
    );
    expect([...copy.namedBuffers()].map(([name]) => name)).toContain('tmp');
    expect([...copy.stateDict().keys()]).toEqual([...net.stateDict().keys()]);
    expect([...copy.eval().forward(batch).data]).toEqual([...net.eval().forward(batch).data]);
    const unchanged = snapshot(net);
    for (const each of copy.stateDict().values())
      each.data.fill(each.dtype === 'int64' ? (9n as never) : (9 as never));
    copy.train().forward(batch);
    unchanged();
  });

  test('keeps what is shared inside shared, and copies containers', () => {
    const net = new Net();
    const copy = net.clone();
    expect(copy.again).toBe(copy.first);
    expect(copy.list[0]).toBe(copy.first);
    expect(copy.list[1].inner.get('bn')).toBe(copy.bn);
    expect(copy.first).not.toBe(net.first);
    copy.seen.add(2);
    copy.bytes[0] = 9;
    expect([[...net.seen], [...net.bytes]]).toEqual([[1], [1, 2]]);
    expect([copy.scale, copy.when]).toEqual([net.scale, net.when]);
    expect(copy.when).toBe(net.when);
  });

  test('a Sequential chains its own layers, a loss keeps its options, a FrozenBatchNorm1d its buffers', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
    const copy = model.clone();
    expect([...copy][0]).toBe([...copy.children()][0]);
    expect([...copy][0]).not.toBe([...model][0]);
    expect(
      new nn.MSELoss({ reduction: 'sum' })
        .clone()
        .forward(tensor([3]), tensor([1]))
        .item(),
    ).toBe(4);
    expect(
      new nn.CrossEntropyLoss({ reduction: 'sum' })
        .clone()
        .forward(
          tensor([
            [0, 0],
            [0, 0],
          ]),
          [0, 1],
        )
        .item(),
    ).toBeCloseTo(2 * Math.log(2), 6);
    const frozen = new nn.FrozenBatchNorm1d(2);
    const other = frozen.clone();
    other.weight.data.fill(7 as never);
    expect([[...frozen.weight.data], [...other.weight.data]]).toEqual([
      [1, 1],
      [7, 7],
    ]);
  });

  test('has the same hooks, called with the clone; later ones are its own', () => {
    const relu = new nn.ReLU();
    const modules: nn.Module[] = [];
    const handle = relu.registerForwardHook((module) => void modules.push(module));
    const copy = relu.clone();
    handle.remove();
    relu.forward(batch);
    copy.forward(batch);
    expect(modules).toEqual([copy]);
    expect(modules[0]).toBe(copy);
  });
});

describe('what cannot be cloned', () => {
  test('a result among the properties', () => {
    const net = new Net() as Net & { y: Tensor };
    net.y = functional.sum(net.forward(batch));
    expect(thrownBy(() => net.clone())).toBe(
      'Error: Module.clone: Only Tensors created explicitly by the user (graph leaves) support the deepcopy ' +
        'protocol at the moment; detach() the one that is a property of the module.',
    );
  });

  class Secret extends nn.Module {
    readonly #width: number;
    constructor(width: number) {
      super();
      this.#width = width;
    }
    get width(): number {
      return this.#width;
    }
    forward(): void {
      // nothing
    }
  }

  test('a class with #private members, unless it brings its own clone()', () => {
    expect(thrownBy(() => new nn.Sequential(new Secret(3) as never).clone())).toBe(
      'TypeError: Secret.clone: expected a class without #private members, which a copy cannot have, got ' +
        "function Secret: make them TypeScript's private, or override clone().",
    );
    class Open extends Secret {
      override clone(): this {
        return new Open(this.width) as this;
      }
    }
    const model = new nn.Sequential(new Open(3) as never);
    expect((model.clone().at(0) as unknown as Open).width).toBe(3);
  });

  class Lazy extends nn.Module {
    bn: nn.BatchNorm1d | null = null;
    override get [UNINITIALIZED](): boolean {
      return this.bn === null;
    }
    forward(x: Tensor): Tensor {
      this.bn ??= new nn.BatchNorm1d(x.shape[1]!);
      return this.bn.forward(x);
    }
  }

  test.each<[string, (model: nn.Module) => unknown]>([
    ['namedParameters', (model) => [...model.parameters()]],
    ['namedBuffers', (model) => [...model.buffers()]],
    ['stateDict', (model) => model.stateDict()],
    ['clone', (model) => model.clone()],
  ])('a module that waits for its first forward: %s', (method, call) => {
    const model = new nn.Sequential(new nn.ReLU(), new Lazy());
    expect(thrownBy(() => call(model))).toBe(
      `Error: Sequential.${method}: Attempted to use an uninitialized parameter of '1' (Lazy); run a first ` +
        'forward to initialize it.',
    );
    expect(
      String(
        model
          .eval()
          .train()
          .apply(() => undefined),
      ),
    ).toContain('(1): Lazy()');
    expect([...model.modules()].length).toBe(3);
    model.forward(batch);
    expect(call(model)).toBeDefined();
  });
});
