// The gallery: small networks trained on real digits, each with a mistake that is met in public code, and beside it
// the same without the mistake.
// Longer than 250 lines because each network of the gallery is one function.
import {
  checkpoint,
  data,
  functional,
  manualSeed,
  nn,
  noGrad,
  optim,
  tensor,
  type Tensor,
} from 'evenkeel';
import { diagnose, diagnoseCheckpoint, watch, type FindingId, type Report } from 'evenkeel/doctor';

import {
  batches,
  digitNet,
  fit,
  layerOf,
  PIXELS,
  test,
  train,
  trained,
  type Digits,
} from './digits.js';

type Found = readonly FindingId[] | Promise<readonly FindingId[]>;

export interface Exhibit {
  readonly id: FindingId;
  readonly mistake: string;
  readonly sick: (seed: number) => Found;
  readonly healthy: (seed: number) => Found;
}

const idsOf = ({ findings }: Report): FindingId[] => findings.map(({ id }) => id);

const made = new Map<string, nn.Sequential>();

/** A copy of the network of that name and seed, which is trained once. */
function copyOf(name: string, seed: number, make: () => nn.Sequential): nn.Sequential {
  const key = `${name} ${seed}`;
  const model = made.get(key) ?? make();
  made.set(key, model);
  return model.clone();
}

const plain = (seed: number): nn.Sequential => copyOf('plain', seed, () => trained(seed));
const byTest = (model: nn.Module, batchSize = 100): FindingId[] =>
  idsOf(diagnose(model, batches(test, batchSize)));
const forTraining = (
  model: nn.Module,
  from: Digits,
  batchSize = 32,
  dropLast = false,
): FindingId[] => {
  const loader = new data.DataLoader(from, { batchSize, shuffle: true, dropLast });
  return idsOf(diagnose(model.train(), loader, { purpose: 'training' }));
};
const first = (digits: Digits, rows: number): Digits => {
  const [x, labels] = digits.rows(Array.from({ length: rows }, (_, i) => (i * 7) % digits.length));
  return new data.TensorDataset(x, labels);
};

/** What `watch` finds while `body` trains the model. */
function watched(model: nn.Module, body: () => void): FindingId[] {
  const seen: FindingId[] = [];
  const watching = watch(model, { onFinding: ({ id }) => seen.push(id) });
  body();
  watching.stop();
  return [...new Set([...seen, ...idsOf(watching.report())])];
}

function newNet(seed: number, options?: Parameters<typeof digitNet>[0]): nn.Sequential {
  manualSeed(seed);
  return digitNet(options);
}

const learned = (parameters: Iterable<nn.Parameter>): nn.Parameter[] =>
  [...parameters].filter((parameter) => parameter.requiresGrad);

function sgd(model: nn.Module, lr = 0.05): optim.SGD {
  return new optim.SGD(learned(model.parameters()), { lr, momentum: 0.9 });
}

const lossOf = (model: nn.Sequential, x: Tensor, labels: Tensor): Tensor =>
  functional.crossEntropy(model.forward(x), labels);

/** Other pixels: as if nobody had scaled them. */
const unscaled = (): Digits => {
  const [x, labels] = test.tensors as [Tensor, Tensor];
  return new data.TensorDataset(
    tensor(
      Float32Array.from(x.data as Float32Array, (each) => 3 * each + 1),
      [test.length, PIXELS],
    ),
    labels,
  );
};

/** All but the last Linear is frozen by requiresGrad alone. */
function fineTuned(seed: number, hold: (layer: nn.BatchNorm1d) => void): FindingId[] {
  const model = plain(seed);
  for (const [name, parameter] of model.namedParameters()) {
    parameter.requiresGrad = name.startsWith('8.');
  }
  for (const index of [1, 5]) hold(layerOf(model, index));
  return watched(model, () => fit(model, { epochs: 1, from: first(train, 640) }));
}

function held(seed: number, again: boolean): FindingId[] {
  const model = plain(seed).train();
  const hold = (): void => [1, 5].forEach((index) => layerOf(model, index).eval());
  hold();
  return watched(model, () => {
    fit(model, {
      epochs: 2,
      from: first(train, 640),
      lr: 0.005,
      epoch: (epoch) => {
        if (epoch > 0) model.train();
        if (again) hold();
      },
    });
  });
}

/** Trains and validates each epoch. */
function validated(seed: number, evaluate: (model: nn.Sequential) => void): FindingId[] {
  const model = newNet(seed);
  return watched(model, () =>
    fit(model, {
      from: first(train, 1600),
      epoch: (epoch) => {
        if (epoch > 0) evaluate(model);
        if (epoch > 0) noGrad(() => [...batches(test, 250)].forEach(([x]) => model.forward(x)));
        model.train();
      },
    }),
  );
}

function accumulated(seed: number, collect: boolean): FindingId[] {
  const model = newNet(seed);
  const optimizer = sgd(model);
  return watched(model, () => {
    for (let step = 0; step < 20; step++) {
      optimizer.zeroGrad();
      const virtual = collect ? nn.virtualBatch(model) : null;
      for (const [x, labels] of batches(first(train, 128))) lossOf(model, x, labels).backward();
      virtual?.commit();
      optimizer.step();
    }
  });
}

/** The discriminator of a GAN: real and made up pictures, each with its own forward and backward. */
function adversarial(seed: number): FindingId[] {
  manualSeed(seed);
  const generator = new nn.Sequential(
    new nn.Linear(16, 32),
    new nn.BatchNorm1d(32),
    new nn.ReLU(),
    new nn.Linear(32, PIXELS),
  );
  const judge = digitNet();
  const [optG, optD] = [sgd(generator, 0.01), sgd(judge, 0.01)];
  const noise = (): Tensor =>
    tensor(
      Float32Array.from({ length: 32 * 16 }, () => Math.sin(1e4 * ++draws)),
      [32, 16],
    );
  let draws = seed;
  const fill = (label: number): Int32Array => new Int32Array(32).fill(label);
  return watched(generator, () => {
    const found = watched(judge, () => {
      for (const [x] of batches(first(train, 1600))) {
        optD.zeroGrad();
        functional.crossEntropy(judge.forward(x), fill(1)).backward();
        const fake = noGrad(() => generator.forward(noise()));
        functional.crossEntropy(judge.forward(fake), fill(0)).backward();
        optD.step();
        optG.zeroGrad();
        functional.crossEntropy(judge.forward(generator.forward(noise())), fill(1)).backward();
        optG.step();
      }
    });
    if (found.length > 0) throw new Error(`in the discriminator: ${found.join()}`);
  });
}

/** Two stages; `shared`: with one BatchNorm for both. */
class TwoStages extends nn.Module {
  first = new nn.Linear(PIXELS, 32);
  bn = new nn.BatchNorm1d(32);
  second = new nn.Linear(32, 32);
  own: nn.BatchNorm1d | null;
  unused: nn.BatchNorm1d | null = null;
  last = new nn.Linear(32, 10);

  constructor(shared: boolean) {
    super();
    this.own = shared ? null : new nn.BatchNorm1d(32);
  }

  forward(x: Tensor): Tensor {
    const h = functional.relu(this.bn.forward(this.first.forward(x)));
    const g = this.second.forward(h);
    return this.last.forward(functional.relu((this.own ?? this.bn).forward(g)));
  }
}

function stages(seed: number, shared: boolean, unused = false): TwoStages {
  manualSeed(seed);
  const model = new TwoStages(shared);
  if (unused) model.unused = new nn.BatchNorm1d(32);
  fit(model, { epochs: 2 });
  return model;
}

const fileOf = async (state: ReadonlyMap<string, Tensor>): Promise<FindingId[]> =>
  idsOf(await diagnoseCheckpoint(checkpoint.encodeSafetensors(state)));

/** Variances as 8-bit numbers of one scale for the layer, as converters for the browser make them. */
function quantised(seed: number): nn.Sequential {
  const model = plain(seed);
  const variance = layerOf(model, 1).runningVar!.data as Float32Array;
  variance[3] = 1e-4; // a weak channel: its weight makes up for it
  const scale = Math.max(...variance) / 255;
  variance.forEach((each, c) => (variance[c] = Math.round(each / scale) * scale));
  return model;
}

function onInput(seed: number): nn.Sequential {
  return copyOf('onInput', seed, () => {
    manualSeed(seed);
    const model = new nn.Sequential(new nn.BatchNorm1d(PIXELS, { eps: 1e-2 * 0.9 }), ...digitNet());
    fit(model, { epochs: 1 });
    return model;
  });
}

export const EXHIBITS: readonly Exhibit[] = [
  {
    id: 'evaluated-in-training-mode',
    mistake: 'eval() is not called before testing',
    sick: (seed: number): Found => byTest(plain(seed).train()),
    healthy: (seed: number): Found => byTest(plain(seed)),
  },
  {
    id: 'evaluated-in-training-mode',
    mistake: 'validation without eval(), seen in training',
    sick: (seed: number): Found => validated(seed, () => undefined),
    healthy: (seed: number): Found => validated(seed, (model) => model.eval()),
  },
  {
    id: 'moved-in-evaluation',
    mistake: 'the same, and the statistics move',
    sick: (seed: number): Found => validated(seed, (model) => model.train()),
    healthy: (seed: number): Found => validated(seed, (model) => model.eval()),
  },
  {
    id: 'moved-in-evaluation',
    mistake: 'model.training = false instead of eval()',
    sick: (seed: number): Found => {
      const model = plain(seed).train();
      model.training = false;
      return byTest(model);
    },
    healthy: (seed: number): Found => byTest(plain(seed), 50),
  },
  {
    id: 'never-tracked',
    mistake: 'an average of weights without buffers',
    sick: (seed: number): Found => {
      const average = newNet(seed).eval();
      const parameters = new Map(plain(seed).namedParameters());
      average.loadStateDict(parameters, { strict: false });
      return byTest(average);
    },
    healthy: (seed: number): Found => {
      const average = newNet(seed).eval();
      average.loadStateDict(plain(seed).stateDict());
      return byTest(average);
    },
  },
  {
    id: 'never-tracked',
    mistake: 'statistics reset before saving (from the file alone)',
    sick: (seed: number): Found => {
      const model = plain(seed);
      for (const index of [1, 5]) layerOf(model, index).resetRunningStats();
      return fileOf(model.stateDict());
    },
    healthy: (seed: number): Found => fileOf(plain(seed).stateDict()),
  },
  {
    id: 'small-batch-statistics',
    mistake: 'no running statistics, tested in batches of 4',
    sick: (seed: number): Found => byTest(untracked(seed), 4),
    healthy: (seed: number): Found => byTest(untracked(seed), 250),
  },
  {
    id: 'momentum-convention',
    mistake: 'Keras’ momentum 0.99',
    sick: (seed: number): Found => byTest(trained(seed, { batchNorm: { momentum: 0.99 } })),
    healthy: (seed: number): Found => byTest(trained(seed, { batchNorm: { momentum: 0.05 } })),
  },
  {
    id: 'momentum-convention',
    mistake: 'eps given for momentum: 1e-3',
    sick: (seed: number): Found => byTest(trained(seed, { batchNorm: { momentum: 1e-3 } })),
    healthy: (seed: number): Found => byTest(trained(seed, { batchNorm: { eps: 1e-3 } })),
  },
  {
    id: 'momentum-convention',
    mistake: 'momentum given for eps: 0.8',
    sick: (seed: number): Found =>
      byTest(trained(seed, { batchNorm: { eps: 0.8 } }, { epochs: 2 })),
    healthy: (seed: number): Found =>
      byTest(trained(seed, { batchNorm: { momentum: 0.2 } }, { epochs: 2 })),
  },
  {
    id: 'stale-statistics',
    mistake: 'statistics trail the weights after one epoch',
    sick: (seed: number): Found =>
      byTest(trained(seed, { batchNorm: { momentum: 0.003 } }, { epochs: 1 })),
    healthy: (seed: number): Found => byTest(trained(seed, {}, { epochs: 1 })),
  },
  {
    id: 'stale-statistics',
    mistake: 'train() once, eval() in every epoch: learns by running statistics from epoch 2 on',
    sick: (seed: number): Found => {
      const model = newNet(seed);
      return watched(model, () => {
        model.train();
        fit(model, {
          epoch: (epoch) => {
            if (epoch > 0) model.eval();
          },
        });
      });
    },
    healthy: (seed: number): Found => {
      const model = newNet(seed);
      return watched(model, () => fit(model));
    },
  },
  {
    id: 'stale-statistics',
    mistake: 'a target network that takes parameters and keeps its buffers',
    sick: (seed: number): Found => {
      const target = newNet(seed);
      fit(target, { epochs: 1, lr: 0.01, from: first(train, 640) });
      target.loadStateDict(new Map(plain(seed).namedParameters()), { strict: false });
      return byTest(target);
    },
    healthy: (seed: number): Found => {
      const target = newNet(seed);
      target.loadStateDict(plain(seed).stateDict());
      return byTest(target.eval(), 64);
    },
  },
  {
    id: 'statistics-drift',
    mistake: 'test data that are not scaled as in training (BatchNorm on the input)',
    sick: (seed: number): Found => idsOf(diagnose(onInput(seed), batches(unscaled(), 100))),
    healthy: (seed: number): Found => byTest(onInput(seed)).filter((id) => id !== 'dead-channel'),
  },
  {
    id: 'statistics-drift',
    mistake: 'test data of another scale (told by the training data beside)',
    sick: (seed: number): Found =>
      idsOf(diagnose(plain(seed), batches(unscaled(), 100), { reference: batches(train, 100) })),
    healthy: (seed: number): Found =>
      idsOf(diagnose(plain(seed), batches(test, 100), { reference: batches(train, 100) })),
  },
  {
    id: 'statistics-drift',
    mistake: 'training data sorted by class, not shuffled',
    sick: (seed: number): Found => {
      const model = newNet(seed);
      return watched(model, () => fit(model, { shuffle: false }));
    },
    healthy: (seed: number): Found => {
      const model = newNet(seed);
      return watched(model, () => fit(model, { lr: 0.1 }));
    },
  },
  {
    id: 'frozen-but-moving',
    mistake: 'a backbone frozen by requiresGrad alone',
    sick: (seed: number): Found => fineTuned(seed, () => undefined),
    healthy: (seed: number): Found => fineTuned(seed, (layer) => layer.freeze()),
  },
  {
    id: 'thawed-by-train',
    mistake: 'layers held by eval(), and train() of the model',
    sick: (seed: number): Found => held(seed, false),
    healthy: (seed: number): Found => held(seed, true),
  },
  {
    id: 'non-finite-statistics',
    mistake: 'a batch with NaN, skipped after forward',
    sick: (seed: number): Found =>
      poisoned(seed, (model, x) => {
        model.forward(x);
      }),
    healthy: (seed: number): Found =>
      poisoned(seed, (model, x) => {
        const before = nn.snapshotStatistics(model);
        model.forward(x);
        before.rollback();
      }),
  },
  {
    id: 'negative-variance',
    mistake: 'weights extrapolated, statistics with them',
    sick: (seed: number): Found => {
      const model = plain(seed);
      const variance = layerOf(model, 1).runningVar!.data as Float32Array;
      variance.forEach((each, c) => (variance[c] = each - 1.5 * (variance[(c + 1) % 48] ?? 0)));
      return byTest(model);
    },
    healthy: (seed: number): Found => byTest(plain(seed), 200),
  },
  {
    id: 'dead-channel',
    mistake: 'variances quantised to 8 bits (from the file alone)',
    sick: (seed: number): Found => fileOf(quantised(seed).stateDict()),
    healthy: (seed: number): Found => fileOf(plain(seed).stateDict()),
  },
  {
    id: 'exploding-gain',
    mistake: 'the same, with data',
    sick: (seed: number): Found => byTest(quantised(seed)),
    healthy: (seed: number): Found => byTest(plain(seed)),
  },
  {
    id: 'batch-of-one',
    mistake: 'a last batch of one',
    sick: (seed: number): Found => forTraining(plain(seed), first(train, 321)),
    healthy: (seed: number): Found => forTraining(plain(seed), first(train, 321), 32, true),
  },
  {
    id: 'ragged-batch',
    mistake: 'a last batch of 3 behind batches of 64',
    sick: (seed: number): Found => forTraining(plain(seed), first(train, 643), 64),
    healthy: (seed: number): Found => forTraining(plain(seed), first(train, 680), 64),
  },
  {
    id: 'double-update',
    mistake: 'the model called again on the batch, for its accuracy',
    sick: (seed: number): Found => {
      const model = newNet(seed);
      const optimizer = sgd(model);
      return watched(model, () => {
        for (const [x, labels] of batches(first(train, 640))) {
          const loss = lossOf(model, x, labels);
          model.forward(x);
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
        }
      });
    },
    healthy: adversarial,
  },
  {
    id: 'double-update',
    mistake: 'one layer in two places',
    sick: (seed: number): Found => byTest(stages(seed, true)),
    healthy: (seed: number): Found => byTest(stages(seed, false)),
  },
  {
    id: 'accumulation-momentum',
    mistake: 'gradients of 4 micro-batches',
    sick: (seed: number): Found => accumulated(seed, false),
    healthy: (seed: number): Found => accumulated(seed, true),
  },
  {
    id: 'dropout-before-batchnorm',
    mistake: 'Dropout between two BatchNorms',
    sick: (seed: number): Found => byTest(trained(seed, { before: 0.5 })),
    healthy: (seed: number): Found => byTest(trained(seed, { behind: 0.5 })),
  },
  {
    id: 'decayed-batchnorm',
    mistake: 'one group with weight decay',
    sick: (seed: number): Found => {
      const model = plain(seed);
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, weightDecay: 1e-3 });
      return idsOf(diagnose(model, batches(test, 100), { optimizer }));
    },
    healthy: (seed: number): Found => {
      const model = plain(seed);
      const norms = [1, 5].flatMap((index) => [...layerOf(model, index).parameters()]);
      const others = [...model.parameters()].filter((each) => !norms.includes(each));
      const groups = [{ params: others, weightDecay: 1e-3 }, { params: norms }];
      const optimizer = new optim.SGD(groups, { lr: 0.1 });
      return idsOf(diagnose(model, batches(test, 100), { optimizer }));
    },
  },
  {
    id: 'counter-missing',
    mistake: 'a file of an old PyTorch',
    sick: (seed: number): Found =>
      fileOf(new Map([...plain(seed).stateDict()].filter(([key]) => !key.endsWith('tracked')))),
    healthy: (seed: number): Found => fileOf(plain(seed).stateDict()),
  },
  {
    id: 'unused-layer',
    mistake: 'a layer that forward does not call',
    sick: (seed: number): Found => byTest(stages(seed, false, true)),
    healthy: (seed: number): Found => byTest(stages(seed, false)),
  },
  {
    id: 'unused-layer',
    mistake: 'the same, from the file alone',
    sick: (seed: number): Found => fileOf(stages(seed, false, true).stateDict()),
    healthy: (seed: number): Found => fileOf(stages(seed, false).stateDict()),
  },
];

function untracked(seed: number): nn.Sequential {
  const batchNorm = { trackRunningStats: false };
  return copyOf('untracked', seed, () => trained(seed, { batchNorm }, { epochs: 1 }));
}

function poisoned(seed: number, skip: (model: nn.Sequential, x: Tensor) => void): FindingId[] {
  const model = plain(seed).train();
  return watched(model, () => {
    const x = tensor(new Float32Array(32 * PIXELS).fill(NaN), [32, PIXELS]);
    skip(model, x);
  });
}

/** Nothing is wrong with these, and it does not look quite usual. */
export const HEALTHY: Readonly<Record<string, (seed: number) => Found>> = {
  'batches of 8': (seed) => byTest(trained(seed, {}, { batchSize: 8, epochs: 2 })),
  'batches of 4': (seed) => byTest(trained(seed, {}, { batchSize: 4, epochs: 2, lr: 0.01 })),
  '3 epochs': (seed) => byTest(trained(seed, {}, { epochs: 3 })),
  'momentum null, a rate that falls': (seed) => {
    const model = newNet(seed, { batchNorm: { momentum: null } });
    fit(model, { epochs: 3 });
    model.apply((each) => {
      if (each instanceof nn.BatchNorm) each.resetRunningStats();
    });
    fit(model, { epochs: 1, lr: 0.005 });
    return byTest(model);
  },
  'momentum 0.01, many batches': (seed) =>
    byTest(trained(seed, { batchNorm: { momentum: 0.01 } }, { batchSize: 8, epochs: 2, lr: 0.01 })),
  'Dropout behind BatchNorm': (seed) => byTest(trained(seed, { behind: 0.3 })),
  'tested one by one': (seed) => idsOf(diagnose(plain(seed), batches(first(test, 200), 1))),
  'tested without labels': (seed) =>
    idsOf(
      diagnose(
        plain(seed),
        [...batches(test, 100)].map(([x]) => x),
      ),
    ),
  'no data': (seed) => idsOf(diagnose(plain(seed))),
  'not trained yet': (seed) => idsOf(diagnose(newNet(seed))),
  'in training': (seed) => forTraining(plain(seed), train),
  recalibrated: (seed) => {
    const model = plain(seed);
    nn.updateBatchNorm(model, batches(train, 100));
    return byTest(model);
  },
  'statistics recomputed between epochs, watched': (seed) => {
    const model = newNet(seed);
    return watched(model, () =>
      fit(model, {
        epochs: 2,
        epoch: (epoch) => {
          if (epoch > 0) nn.updateBatchNorm(model, batches(train, 100));
          model.train();
        },
      }),
    );
  },
};
