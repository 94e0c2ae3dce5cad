// A field of a user's class may have any name that is not documented: what is internal has a symbol for a name.
import { describe, expect, test } from 'vitest';

import { data, functional, nn, optim, tensor, type Tensor } from '../../src/index.js';

const MODULE = `training apply buffers children clone eval extraRepr forward forwardAsync getBuffer loadStateDict modules namedBuffers
  namedChildren namedModules namedParameters parameters registerBuffer registerForwardHook registerForwardPreHook
  registerFullBackwardHook registerFullBackwardPreHook registerModule registerParameter requiresGrad_ shareMemory
  stateDict toString train zeroGrad`;
const BATCH_NORM = `${MODULE} affine bias dtype eps freeze frozen layout momentum nonFinite normalizeBy
  numBatchesTracked numFeatures resetParameters resetRunningStats runningMean runningVar singleValue skippedBatches
  trackRunningStats unfreeze updateStatistics weight num_batches_tracked running_mean running_var track_running_stats`;
const LIST = `${MODULE} at delete extend insert length pop push set`;
const DICT = `${MODULE} clear delete entries get has keys pop set size update values`;
// The names of hyperparameters, however they are spelled, are refused, but in classes that extend one (torch-habits.test.ts).
const OPTIMIZER = `paramGroups addParamGroup loadStateDict stateDict step stepAsync zeroGrad lr learningRate learning_rate
  maximize weightDecay weight_decay`;
const SGD = `${OPTIMIZER} momentum dampening nesterov`;
const ADAM = `${OPTIMIZER} betas eps`;

const parameters = (): nn.Parameter[] => [new nn.Parameter(tensor([1]))];
const set = (): data.TensorDataset => new data.TensorDataset(tensor([1, 2]));

/** Everything a user may extend, and the members that it documents. */
const KINDS: readonly [object, string][] = [
  [new nn.BatchNorm1d(1), BATCH_NORM],
  [new nn.BatchNorm2d(1), BATCH_NORM],
  [new nn.LazyBatchNorm1d(), BATCH_NORM],
  [
    new nn.FrozenBatchNorm1d(1),
    `${MODULE} bias dtype eps layout numFeatures runningMean runningVar running_mean running_var weight`,
  ],
  [new nn.Linear(1, 1), `${MODULE} bias inFeatures outFeatures resetParameters weight`],
  [new nn.Dropout(), `${MODULE} p`],
  [new nn.ReLU(), MODULE],
  [new nn.Sigmoid(), MODULE],
  [new nn.GELU(), `${MODULE} approximate`],
  [new nn.LeakyReLU(), `${MODULE} negativeSlope`],
  [new nn.ELU(), `${MODULE} alpha`],
  [new nn.Softplus(), `${MODULE} beta threshold`],
  [new nn.Hardtanh(), `${MODULE} maxVal minVal`],
  [new nn.Softmax({ dim: 1 }), `${MODULE} dim`],
  [new nn.GLU(), `${MODULE} dim`],
  [new nn.PReLU(), `${MODULE} init numParameters resetParameters weight`],
  [new nn.MSELoss(), MODULE],
  [new nn.CrossEntropyLoss(), `${MODULE} weight`],
  [new nn.BCEWithLogitsLoss(), `${MODULE} pos_weight weight`],
  [new nn.CosineSimilarity(), MODULE],
  [new nn.Sequential(), LIST],
  [new nn.ModuleList(), LIST],
  [new nn.ParameterList(), LIST],
  [new nn.ModuleDict(), DICT],
  [new nn.ParameterDict(), DICT],
  [new optim.SGD(parameters(), { lr: 1 }), SGD],
  [new optim.Adam(parameters()), ADAM],
  [new optim.AdamW(parameters()), ADAM],
  [set(), 'get length rows tensors'],
  [new data.DataLoader(set()), 'batchSize dataset dropLast length shuffle'],
];

/** Names of an object's own members and of its classes'. */
function namesOf(instance: object): string[] {
  const names = new Set<string>();
  let at: object | null = instance;
  for (; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  names.delete('constructor');
  return [...names].sort();
}

test.each(
  KINDS.map(([instance, documented]) => [instance.constructor.name, instance, documented] as const),
)('%s has no member with a name but the documented ones', (_, instance, documented) => {
  const known = documented.split(/\s+/);
  expect(namesOf(instance).filter((name) => !known.includes(name))).toEqual([]);
});

/** What members were called when they were strings, and what they may be called in a user's class. */
const FIELDS = [
  ...[
    'who',
    'uninitialized',
    'record',
    'planLoad',
    'checkState',
    'aroundAsync',
    'inside',
    'hooks',
    'around',
  ],
  ...[
    'kind',
    'channels',
    'withBias',
    'withStatistics',
    'addedToVar',
    'newestWeight',
    'normalizing',
    'updating',
  ],
  ...[
    'learned',
    'createState',
    'requireRunning',
    'normalizesByRunning',
    'updates',
    'moveStatistics',
    'statistics',
  ],
  ...[
    'checkStatistics',
    'nextWeight',
    'countBatch',
    'plainAsync',
    'decide',
    'normalizeThenUpdate',
    'learn',
  ],
  ...[
    'refuseNonFinite',
    'forget',
    'missing',
    'eager',
    'adopt',
    'buffer',
    'options',
    'chain',
    'layers',
    'slots',
  ],
  ...[
    'defaults',
    'checkGroup',
    'prepare',
    'update',
    'checkGradient',
    'decoupled',
    'fixed',
    'kept',
    'keep',
    'state',
  ],
  ...['findNonFinite', 'optionalState', 'name', 'version', 'map', 'items', 'wrapper', 'known'],
];

const x = tensor([
  [1, 2],
  [3, 5],
]);

/** A class with a field of that name, of every sort of value. */
function withField<T extends object>(make: () => T, name: string, value: unknown): T {
  const instance = make();
  Object.defineProperty(instance, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  return instance;
}

describe.each(FIELDS)('a field %s', (name) => {
  test.each<[string, () => nn.Module, (module: never) => unknown]>([
    ['BatchNorm1d', () => new nn.BatchNorm1d(2), (m: nn.BatchNorm1d) => m.forward(x)],
    ['LazyBatchNorm1d', () => new nn.LazyBatchNorm1d(), (m: nn.LazyBatchNorm1d) => m.forward(x)],
    [
      'FrozenBatchNorm1d',
      () => new nn.FrozenBatchNorm1d(2),
      (m: nn.FrozenBatchNorm1d) => m.forward(x),
    ],
    ['Linear', () => new nn.Linear(2, 2), (m: nn.Linear) => m.forward(x)],
    [
      'Sequential',
      () => new nn.Sequential(new nn.Linear(2, 2)),
      (m: nn.Sequential) => m.forward(x),
    ],
    ['MSELoss', () => new nn.MSELoss(), (m: nn.MSELoss) => m.forward(x, x)],
    [
      'CrossEntropyLoss',
      () => new nn.CrossEntropyLoss(),
      (m: nn.CrossEntropyLoss) => m.forward(x, [0, 1]),
    ],
    [
      'ModuleDict',
      () => new nn.ModuleDict({ a: new nn.Linear(2, 2) }),
      (m: nn.ModuleDict) => m.get('a'),
    ],
  ])('of a %s', (kind, make, use) => {
    if (kind === 'ModuleDict' && name === 'update') return; // documented there
    for (const value of [[], 5, null, 'text', () => 7]) {
      const module = withField(make, name, value);
      const plain = make();
      use(plain as never);
      use(module as never);
      expect([...module.stateDict().keys()]).toEqual([...plain.stateDict().keys()]);
      module.loadStateDict(plain.stateDict());
      expect(String(module)).toBe(String(plain));
      const copy = module.eval().clone();
      expect((copy as unknown as Record<string, unknown>)[name]).toEqual(value);
      use(copy as never);
      if (module instanceof nn.BatchNorm1d) {
        module.freeze().unfreeze().train();
        const batch = nn.virtualBatch(module);
        use(module as never);
        batch.commit();
        nn.snapshotStatistics(module).rollback();
        nn.updateBatchNorm(module, [x]);
        module.resetParameters();
      }
    }
  });

  test.each<[string, (own: nn.Parameter[]) => optim.SGD | optim.Adam]>([
    ['SGD', (own) => new optim.SGD(own, { lr: 1, momentum: 0.5 })],
    ['Adam', (own) => new optim.Adam(own)],
    ['AdamW', (own) => new optim.AdamW(own)],
  ])('of an %s', (_, make) => {
    for (const value of [[], 5, null, () => 7]) {
      const results = [true, false].map((plain) => {
        const own = parameters();
        const optimizer = plain ? make(own) : withField(() => make(own), name, value);
        for (let i = 0; i < 2; i++) {
          optimizer.zeroGrad();
          functional.sum(own[0] as Tensor).backward();
          optimizer.step();
        }
        optimizer.loadStateDict(optimizer.stateDict());
        optimizer.addParamGroup({ params: parameters() });
        return own[0]!.item();
      });
      expect(results[0]).toBe(results[1]);
    }
  });
});
