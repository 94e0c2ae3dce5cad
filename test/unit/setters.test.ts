// Every property that can be set refuses what it cannot be, in our words, and keeps what it was; those that a
// class's fields hold are checked where they are used. The list is made by reflection: a new property that is
// neither fails here.
import { describe, expect, test } from 'vitest';

import { data, functional, native, nn, optim, tensor, Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const HOSTILE: readonly unknown[] = [
  undefined,
  NaN,
  -1,
  Infinity,
  'x',
  '',
  5n,
  Symbol('s'),
  {},
  [],
  () => 0,
  new Float32Array(2),
  new Map(),
  Object.create(null),
];

/** Ours, and not the engine's. */
const OURS = /^(Type|Range)?Error: [\w.]+: expected .+, got [^]+\.$/;

const x = (): Tensor =>
  tensor([
    [1, 2],
    [3, 5],
  ]);

/** Fields that hold what modules are made of: anything may be assigned, and each use looks. */
const CHECKED_IN_USE: Readonly<Record<string, ((object: never) => unknown)[]>> = {
  'BatchNorm1d.weight': [
    (bn: nn.BatchNorm1d) => bn.forward(x()),
    (bn: nn.BatchNorm1d) => {
      bn.resetParameters();
    },
    (bn: nn.BatchNorm1d) => bn.freeze(),
  ],
  'BatchNorm1d.bias': [
    (bn: nn.BatchNorm1d) => bn.forward(x()),
    (bn: nn.BatchNorm1d) => {
      bn.resetParameters();
    },
    (bn: nn.BatchNorm1d) => bn.freeze(),
  ],
  'Linear.weight': [
    (linear: nn.Linear) => linear.forward(x()),
    (linear: nn.Linear) => {
      linear.resetParameters();
    },
  ],
  'Linear.bias': [
    (linear: nn.Linear) => linear.forward(x()),
    (linear: nn.Linear) => {
      linear.resetParameters();
    },
  ],
  'PReLU.weight': [
    (layer: nn.PReLU) => layer.forward(x()),
    (layer: nn.PReLU) => {
      layer.resetParameters();
    },
  ],
  'SGD.paramGroups': [
    (sgd: optim.SGD) => sgd.step(),
    (sgd: optim.SGD) => {
      sgd.zeroGrad();
    },
  ],
  'Adam.paramGroups': [
    (adam: optim.Adam) => adam.step(),
    (adam: optim.Adam) => {
      adam.zeroGrad();
    },
  ],
};

/** TypeScript's private and internal fields, by class: no part of the public door. */
const INTERNAL: Readonly<Record<string, readonly string[]>> = {
  Tensor: [
    ...['sizes', 'type', 'count', 'gradient', 'shownGrad', 'kept', 'memory', 'maker', 'wantsGrad'],
    ...['needsAtForward', 'views', 'base', 'view', 'made', 'of'],
    ...['T', 'requires_grad'], // operators.test.ts: a new tensor at each read, and one that cannot be read
  ],
  Module: ['chain', 'options', 'features', 'probability', 'chosen', 'kind'],
  BatchNorm1d: [
    ...['channels', 'withBias', 'withStatistics', 'addedToVar', 'newestWeight', 'normalizing'],
    ...['updating', 'learned'],
  ],
  Optimizer: ['defaults', 'slots', 'optionalState', 'fixed', 'decoupled'],
};
const internal = new Set(Object.values(INTERNAL).flat());

/** Names of public properties that an assignment reaches: fields, and accessors with a setter. */
function settable(object: object): string[] {
  const names = new Set<string>();
  for (
    let level: object | null = object;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      const isMethod = typeof property.value === 'function';
      const isChild = property.value instanceof nn.Module; // a model's own field
      if (!internal.has(name) && !isMethod && !isChild && name !== 'constructor') names.add(name);
    }
  }
  return [...names];
}

const parameter = (): nn.Parameter => {
  const made = new nn.Parameter(tensor([1, 2]));
  made.grad = tensor([0.5, 0.5]);
  return made;
};
const rows = new data.TensorDataset([[1], [2]], [0, 1]);

const OBJECTS: [string, () => object][] = [
  ['Tensor', () => tensor([1, 2])],
  ['Parameter', parameter],
  ['BatchNorm1d', () => new nn.BatchNorm1d(2)],
  ['BatchNorm2d', () => new nn.BatchNorm2d(2)],
  ['BatchNorm3d', () => new nn.BatchNorm3d(2)],
  ['FrozenBatchNorm1d', () => new nn.FrozenBatchNorm1d(2)],
  ['Linear', () => new nn.Linear(2, 2)],
  ['ReLU', () => new nn.ReLU()],
  ['Dropout', () => new nn.Dropout()],
  ['LeakyReLU', () => new nn.LeakyReLU()],
  ['GELU', () => new nn.GELU()],
  ['ELU', () => new nn.ELU()],
  ['Softplus', () => new nn.Softplus()],
  ['Hardtanh', () => new nn.Hardtanh()],
  ['Softmax', () => new nn.Softmax({ dim: 1 })],
  ['PReLU', () => new nn.PReLU({ numParameters: 2 })],
  ['Sequential', () => new nn.Sequential(new nn.ReLU())],
  ['CrossEntropyLoss', () => new nn.CrossEntropyLoss()],
  ['MSELoss', () => new nn.MSELoss()],
  ['SGD', () => new optim.SGD([parameter()])],
  ['Adam', () => new optim.Adam([parameter()])],
  ['TensorDataset', () => rows],
  ['DataLoader', () => new data.DataLoader(rows)],
  ['native.memory', () => native.memory],
];

/** What each takes of the list, and is right to. */
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const TAKES: Readonly<Record<string, (value: unknown) => boolean>> = {
  limit: (value) => value === Infinity,
  paramGroups: isEmptyList,
  params: isEmptyList,
  betas: (value) => value instanceof Float32Array, // two numbers, 0 and 0
};

describe.each(OBJECTS)('%s', (name, make) => {
  const properties = settable(make());

  for (const property of properties) {
    test(`${property} refuses what it cannot be`, () => {
      const general = name.replace(/[23]d$/, '1d');
      const uses = CHECKED_IN_USE[`${general}.${property}`];
      for (const value of HOSTILE) {
        if (TAKES[property]?.(value) === true) continue;
        const object = make() as Record<string, unknown>;
        const before = object[property];
        if (uses !== undefined && !/[23]d$/.test(name)) {
          for (const use of uses) {
            const fresh = make() as Record<string, unknown>;
            const old = fresh[property] as nn.Parameter;
            const state = stateOf(fresh, old);
            fresh[property] = value;
            expect(
              thrownBy(() => use(fresh as never)),
              String(use),
            ).toMatch(OURS);
            fresh[property] = old; // no walk of the tree comes past what it cannot be
            state();
          }
          continue;
        }
        if (uses !== undefined) continue;
        expect(
          thrownBy(() => (object[property] = value)),
          typeof value,
        ).toMatch(engineOrOurs(object, property));
        expect(object[property]).toBe(before);
      }
    });
  }
});

/** A property without a setter is the engine's to refuse; no other is. */
function engineOrOurs(object: object, name: string): RegExp {
  let level: object | null = object;
  let property: PropertyDescriptor | undefined;
  for (; level !== null && property === undefined;) {
    property = Object.getOwnPropertyDescriptor(level, name);
    level = Object.getPrototypeOf(level) as object | null;
  }
  const readOnly = property!.set === undefined && property!.writable !== true;
  return readOnly ? /Cannot (set|assign)/ : OURS;
}

function stateOf(object: object, old: unknown): () => void {
  const subjects = [object, old].filter(
    (each): each is nn.Module | Tensor => each instanceof nn.Module || each instanceof Tensor,
  );
  return snapshot(...subjects);
}

describe('Tensor.grad', () => {
  test.each<[string, () => unknown, string]>([
    [
      'a bare array',
      () => new Float32Array(2),
      'TypeError: Tensor.grad: expected a Tensor or null, got Float32Array of length 2.',
    ],
    [
      'undefined',
      () => undefined,
      'TypeError: Tensor.grad: expected a Tensor or null, got undefined.',
    ],
    [
      'another shape',
      () => tensor([1]),
      'RangeError: Tensor.grad: expected shape [2] (assigned grad has data of a different size), got shape [1].',
    ],
    [
      'another dtype',
      () => tensor([1, 2], { dtype: 'float64' }),
      "TypeError: Tensor.grad: expected a gradient to be float32 like its tensor, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'one that is detached',
      () => {
        const withoutMemory = tensor([1, 2]);
        withoutMemory.dispose();
        return withoutMemory;
      },
      'TypeError: Tensor.grad: expected a gradient to hold the 2 elements of shape [2], got 0 (its buffer was ' +
        'detached, shrunk or disposed of).',
    ],
  ])('refuses %s and keeps what it had', (_, make, message) => {
    const p = new nn.Parameter(tensor([1, 2]));
    functional.sum(p).backward();
    const before = p.gradient;
    expect(thrownBy(() => (p.grad = make() as Tensor))).toBe(message);
    expect(p.gradient).toBe(before);
    expect(before!.toArray()).toEqual([1, 1]); // not given back to the pool either
  });

  test('itself', () => {
    const p = new nn.Parameter(tensor([1]));
    expect(thrownBy(() => (p.grad = p))).toMatch(/can't assign Variable as its own grad/);
  });

  test('null and another gradient are taken', () => {
    const p = parameter();
    p.grad = tensor([3, 4]);
    expect(p.grad.toArray()).toEqual([3, 4]);
    p.grad = null;
    expect(p.grad).toBe(null);
  });
});

describe('what may be set', () => {
  test('as in PyTorch: p, layout, affine, nonFinite, inFeatures and the others take what they can be', () => {
    const bn = new nn.BatchNorm1d(2);
    Object.assign(bn, { layout: 'NLC', nonFinite: 'skip', singleValue: 'running', affine: false });
    bn.skippedBatches = 3;
    bn.trackRunningStats = false;
    bn.training = false;
    expect([bn.layout, bn.nonFinite, bn.singleValue, bn.affine, bn.skippedBatches]).toEqual([
      ...['NLC', 'skip', 'running', false, 3],
    ]);
    expect(bn.clone().skippedBatches).toBe(3);
    const dropout = new nn.Dropout();
    dropout.p = 0.25;
    expect(String(dropout)).toBe('Dropout(p=0.25, inplace=False)');
    const copy = dropout.clone();
    copy.p = 1;
    expect(dropout.p).toBe(0.25);
  });

  test("a class's own field stands before an accessor", () => {
    class Mine extends nn.Module {
      // @ts-expect-error -- TypeScript says so; JavaScript does not
      override training = true;
      forward(): boolean {
        return this.training;
      }
    }
    expect(new Mine().eval().forward()).toBe(false);
  });
});

describe('a counter that was registered since', () => {
  test.each([
    ['float32', tensor([0, 0])],
    ['two elements', tensor([0, 0], { dtype: 'int64' })],
  ])('%s: refused before anything moves', (_, counter) => {
    const bn = new nn.BatchNorm1d(2);
    bn.registerBuffer('num_batches_tracked', counter);
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(x()))).toMatch(
      /^(Type|Range)Error: BatchNorm1d: expected num_batches_tracked/,
    );
    unchanged();
  });
});

describe('hyperparameters', () => {
  const NAMES = {
    SGD: ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize', 'params'],
    Adam: ['lr', 'betas', 'eps', 'weightDecay', 'maximize', 'params'],
    AdamW: ['lr', 'betas', 'eps', 'weightDecay', 'maximize', 'params'],
  } as const;
  for (const [kind, names] of Object.entries(NAMES)) {
    test.each(names)(`${kind}: %s is checked by step, before a parameter moves`, (name) => {
      for (const value of [...HOSTILE, null]) {
        const p = parameter();
        const optimizer = new optim[kind as 'SGD']([p]);
        if (TAKES[name]?.(value) === true) continue;
        Object.assign(optimizer.paramGroups[0]!, { [name]: value });
        const unchanged = snapshot(p);
        expect(thrownBy(() => optimizer.step())).toMatch(OURS);
        unchanged();
      }
    });
  }

  test('zeroGrad checks its option', () => {
    const p = parameter();
    const optimizer = new optim.SGD([p]);
    const unchanged = snapshot(p);
    for (const value of ['no', 0, null]) {
      const options = { setToNone: value } as unknown as { setToNone: boolean };
      expect(thrownBy(() => optimizer.zeroGrad(options))).toMatch(/setToNone to be a boolean/);
      expect(thrownBy(() => new nn.Linear(1, 1).zeroGrad(options))).toMatch(
        /setToNone to be a boolean/,
      );
    }
    unchanged();
  });
});
