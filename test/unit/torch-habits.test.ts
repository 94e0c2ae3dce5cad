// What people write on modules and optimisers who come from PyTorch, and from other libraries: it must not train wrong
// without a word, and the message says what to write instead.
import { inspect } from 'node:util';

import { data, functional, nn, optim, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test, vi } from 'vitest';

import { thrownBy } from '../helpers/snapshot.js';

const parameters = (): nn.Parameter[] => [...new nn.Linear(2, 2).parameters()];

describe('names of options from elsewhere', () => {
  const { SGD, Adam, AdamW, RMSprop, Adagrad, NAdam, LARS } = optim;

  test.each([SGD, Adam, AdamW, RMSprop, Adagrad, NAdam, LARS])('%o', (Optimizer) => {
    const of = (options: object): string => thrownBy(() => new Optimizer(parameters(), options));
    expect(of({ learning_rate: 1 })).toMatch(/got 'learning_rate' \(it is 'lr' here\)\.$/);
    expect(of({ learningRate: 1 })).toMatch(/got 'learningRate' \(it is 'lr' here\)\.$/);
    expect(of({ weight_decay: 1 })).toMatch(/'weight_decay' \(did you mean 'weightDecay'\?\)\.$/);
    expect(of({ beta1: 0.9 })).toMatch(/'beta1' \(it is betas: \[beta1, beta2\] here\)\.$/);
    expect(of({ fused: true })).toMatch(/'fused' \(leave it out: it does not change what /);
  });

  test('of a group', () => {
    const group = { params: parameters(), learning_rate: 1 };
    expect(thrownBy(() => new optim.SGD([group]))).toMatch(/\(it is 'lr' here\)\.$/);
  });

  test.each([
    ['num_workers', 'leave it out: a batch is made when it is asked for, and a data set may be asynchronous'], // prettier-ignore
    ['pinMemory', 'leave it out: nothing is copied to a device here'],
    ['collate_fn', "it is 'collate' here"],
  ])('of a DataLoader: %s', (name, hint) => {
    const set = new data.TensorDataset(tensor([[1]]));
    expect(thrownBy(() => new data.DataLoader(set, { [name]: 1 } as never))).toBe(
      'TypeError: DataLoader: expected options among batchSize, shuffle, dropLast, sampler, batchSampler, collate, ' +
        `got '${name}' (${hint}).`,
    );
  });
});

describe('a plain tensor where a parameter was, before any walk has seen it', () => {
  const layers: Record<string, () => nn.Module> = {
    Linear: () => new nn.Linear(2, 2),
    Conv1d: () => new nn.Conv1d(2, 2, 1),
    ConvTranspose1d: () => new nn.ConvTranspose1d(2, 2, 1),
    BatchNorm1d: () => new nn.BatchNorm1d(2),
    SyncBatchNorm: () => new nn.SyncBatchNorm(2),
    LayerNorm: () => new nn.LayerNorm(2),
    GroupNorm: () => new nn.GroupNorm(1, 2),
    InstanceNorm1d: () => new nn.InstanceNorm1d(2, { affine: true }),
    Embedding: () => new nn.Embedding(2, 2),
    EmbeddingBag: () => new nn.EmbeddingBag(2, 2),
    PReLU: () => new nn.PReLU(),
  };
  const walks: Record<string, (model: nn.Module) => unknown> = {
    'an optimiser': (model) => new optim.SGD(model.parameters()),
    stateDict: (model) => model.stateDict(),
    train: (model) => model.train(),
    loadStateDict: (model) => model.loadStateDict(new Map(), { strict: false }),
  };

  describe.each(Object.entries(layers))('%s', (name, make) => {
    test.each(Object.entries(walks))('%s refuses it', (_, walk) => {
      for (const value of [tensor([1, 2]), [1, 2]]) {
        const layer = make();
        const model = new nn.ModuleDict({ layer });
        Object.assign(layer, { weight: value });
        expect(thrownBy(() => walk(model))).toMatch(
          `TypeError: ${name}: expected parameter 'weight' to be a Parameter or null (cannot assign another value as parameter), got `,
        );
        Object.assign(layer, { weight: null });
        if (name !== 'PReLU' && !name.startsWith('Embedding')) walk(model); // null is none
      }
    });
  });

  test('the message says how to make one', () => {
    const layer = new nn.Linear(2, 1);
    Object.assign(layer, { bias: tensor([1]) });
    expect(thrownBy(() => layer.stateDict())).toBe(
      "TypeError: Linear: expected parameter 'bias' to be a Parameter or null (cannot assign another value as parameter), " +
        'got an instance of Tensor (new nn.Parameter(tensor) makes one; noGrad(() => parameter.copy_(tensor)) keeps the one there is).',
    );
  });

  test("fields of one's own class are free until a walk has seen a parameter there", () => {
    class Net extends nn.Module {
      weight: unknown = tensor([1]);
      forward(): void {
        // nothing
      }
    }
    expect([...new Net().train().parameters()]).toEqual([]);
  });

  test('a number of a list is an item of it', () => {
    const make = [
      () => new nn.Sequential(new nn.ReLU(), new nn.ReLU()),
      () => new nn.ModuleList([new nn.ReLU(), new nn.ReLU()]),
      () => new nn.ParameterList([new nn.Parameter(tensor([1])), new nn.Parameter(tensor([2]))]),
    ];
    for (const each of make) {
      for (const walk of [
        (list: nn.Module) => list.train(),
        (list: nn.Module) => [...(list as unknown as Iterable<unknown>)],
      ]) {
        const list = each();
        Object.assign(list, { 1: (x: unknown) => x });
        expect(thrownBy(() => walk(list))).toMatch(/^TypeError: \w+: expected .* '1' to be a (Module|Parameter) or null/); // prettier-ignore
      }
    }
  });
});

describe('an optimiser', () => {
  const { SGD, Adam, AdamW, RMSprop, Adagrad, NAdam, LARS } = optim;
  const all = [SGD, Adam, AdamW, RMSprop, Adagrad, NAdam, LARS];

  test.each(all)('%o refuses what belongs into a group', (Optimizer) => {
    const optimizer = new Optimizer(parameters());
    for (const name of ['lr', 'weightDecay', 'weight_decay', 'learningRate', 'learning_rate']) {
      const meant = name.startsWith('learning') ? 'lr' : name.replace('_d', 'D');
      expect(thrownBy(() => Object.assign(optimizer, { [name]: 0.5 }))).toBe(
        `TypeError: ${Optimizer.name}: expected optimizer.paramGroups[0].${meant}, which a step reads, to be set, got optimizer.${name}.`,
      );
    }
    expect(Object.keys(optimizer)).not.toContain('lr');
  });

  test.each(all)('%o has groups that refuse other spellings', (Optimizer) => {
    const [group] = new Optimizer(parameters()).paramGroups;
    for (const [name, meant] of [
      ['weight_decay', 'weightDecay'],
      ['learningRate', 'lr'],
      ['learning_rate', 'lr'],
      ['initial_lr', 'initialLr'],
    ] as const) {
      expect(thrownBy(() => Object.assign(group!, { [name]: 0.5 }))).toBe(
        `TypeError: ${Optimizer.name}: expected group.${meant}, got group.${name}.`,
      );
    }
  });

  test('groups look as they did, and make groups of another optimiser', () => {
    const [group] = new optim.SGD(parameters()).paramGroups;
    expect(inspect({ ...group, params: [] })).toBe(
      '{\n  lr: 0.001,\n  momentum: 0,\n  dampening: 0,\n  weightDecay: 0,\n  nesterov: false,\n  maximize: false,\n  params: []\n}',
    );
    expect(inspect(Object.assign(group!, { params: [] }))).toBe(inspect({ ...group }));
    expect(structuredClone(group)).toEqual({ ...group });
    expect(new optim.SGD([{ ...group!, params: parameters() }]).paramGroups[0]!.lr).toBe(0.001);
  });

  test('a class that extends one may have a field of that name', () => {
    class Own extends optim.SGD {
      constructor(lr: number) {
        super(parameters(), { lr });
        Object.assign(this, { lr });
      }
    }
    expect(Object.getOwnPropertyDescriptor(new Own(0.5), 'lr')!.value).toBe(0.5);
  });

  test.each(all)('new %o(parameters, { lr }, 0.9) is refused', (Optimizer) => {
    const Loose = Optimizer as unknown as new (...args: unknown[]) => object;
    expect(thrownBy(() => new Loose(parameters(), { lr: 1 }, 0.9))).toBe(
      `TypeError: ${Optimizer.name}: expected 2 arguments, got 3 (0.9).`,
    );
  });
});

describe('a schedule', () => {
  test('has one epoch after the other: step(epoch) is refused', () => {
    const optimizer = new optim.SGD(parameters(), { lr: 1 });
    const { StepLR, SequentialLR } = optim.lrScheduler;
    const steps = new StepLR(optimizer, { stepSize: 1 });
    const one = new SequentialLR(optimizer, { schedulers: [steps], milestones: [] });
    const before = optimizer.paramGroups[0]!.lr;
    for (const each of [steps, one] as unknown as { step: (...args: unknown[]) => void }[]) {
      expect(thrownBy(() => each.step(3))).toMatch(/^TypeError: \w+\.step: expected 0 arguments, got 1 \(3\)\.$/); // prettier-ignore
    }
    expect([optimizer.paramGroups[0]!.lr, steps.lastEpoch]).toEqual([before, 0]);
  });
});

describe('a module', () => {
  test('bn.track_running_stats = false is refused', () => {
    const bn = new nn.BatchNorm1d(2);
    expect(thrownBy(() => Object.assign(bn, { track_running_stats: false }))).toBe(
      'TypeError: BatchNorm1d: expected trackRunningStats, got track_running_stats.',
    );
  });

  test('eval(false) is no way to train', () => {
    const bn = new nn.BatchNorm1d(2);
    expect(thrownBy(() => (bn as unknown as { eval: (mode: boolean) => void }).eval(false))).toBe(
      'TypeError: BatchNorm1d.eval: expected 0 arguments, got 1 (false).',
    );
    expect(bn.training).toBe(true);
  });
});

describe('a step that finds no gradient', () => {
  const x = (): Tensor => tensor([[1, 2], [3, 5]]); // prettier-ignore
  const backward = (model: nn.Layer): void => functional.sum(model.forward(x())).backward();
  const warned = (body: () => void): string[] => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    try {
      body();
      return warn.mock.calls.map(([sentence]) => String(sentence).slice(0, 38));
    } finally {
      warn.mockRestore();
    }
  };
  const sentence = 'Adam.step: no parameter has a gradient';

  test('is a warning, once, where a backward has run since the last one', () => {
    for (const spoil of [
      (model: nn.Sequential, optimizer: optim.Adam) => {
        backward(model);
        optimizer.zeroGrad();
      },
      (model: nn.Sequential) => {
        model.set(0, new nn.Linear(2, 1));
        backward(model);
      },
      (model: nn.Sequential) => {
        backward(model.clone());
      },
    ]) {
      const model = new nn.Sequential(new nn.Linear(2, 1));
      const optimizer = new optim.Adam(model.parameters());
      const loop = (): void => {
        spoil(model, optimizer);
        optimizer.step();
      };
      const twice = (): void => {
        loop();
        loop();
      };
      expect(warned(twice)).toEqual([sentence]);
    }
  });

  test('is none without a backward, of a part that has gradients, or where nothing learns', () => {
    const model = new nn.Sequential(new nn.Linear(2, 1));
    const unused = new nn.Linear(2, 1);
    const both = new optim.Adam([...model.parameters(), ...unused.parameters()]);
    const frozen = new optim.Adam(new nn.Linear(2, 1).requiresGrad_(false).parameters());
    expect(
      warned(() => {
        both.step();
        backward(model);
        both.step();
        frozen.step();
      }),
    ).toEqual([]);
  });
});
