// The synchronous calls of layers, by name: making them, forward, their choices and state.
// @ts-nocheck
import { arg, lengthsFor, maskFor, some, stateFor } from './arguments.mjs';
import { below, chance, one } from './draw.mjs';
import { batch, perChannel, placed, shapeFor } from './inputs.mjs';
import { evenkeel } from './package.mjs';
import { made, result } from './world.mjs';

const { nn } = evenkeel;

const MAKING = {
  'new BatchNorm': () => {
    const Kind = one([nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d]);
    const choices = {
      eps: 1e-5,
      momentum: null,
      affine: true,
      bias: false,
      trackRunningStats: true,
      dtype: 'float64',
      layout: 'NLC',
      nonFinite: 'skip',
      singleValue: 'running',
    };
    return chance(4) ? new nn.LazyBatchNorm1d(some(choices)) : new Kind(arg(3), some(choices));
  },
  'new FrozenBatchNorm1d': () =>
    new nn.FrozenBatchNorm1d(arg(3), some({ eps: 0, dtype: 'float32', layout: 'NCL' })),
  'FrozenBatchNorm1d.from': () => nn.FrozenBatchNorm1d.from(arg(() => one(made.norms))),
  foldBatchNorm: () => {
    const first = chance(2);
    const linear = arg(() => new nn.Linear(...(first ? [3, made.c] : [made.c, 3])).eval());
    const norm = arg(() => new nn.BatchNorm1d(made.c).eval());
    return first ? nn.foldBatchNorm(linear, norm) : nn.foldBatchNorm(norm, linear);
  },
  'new Linear': () => new nn.Linear(arg(3), arg(2), some({ bias: false, dtype: 'float64' })),
  'new Dropout': () => new nn.Dropout(arg(0.5)),
  'new Sequential': () => {
    const relu = arg(() => new nn.ReLU());
    return new nn.Sequential(
      relu,
      arg(() => new nn.Linear(2, 2)),
    );
  },
  'new Parameter': () => new nn.Parameter(arg(perChannel), arg(true)),
};

const REGISTERING = {
  registerBuffer: () =>
    new nn.BatchNorm1d(2).registerBuffer(
      arg('another'),
      arg(perChannel),
      some({ persistent: true }),
    ),
  registerParameter: () => {
    const layer = new nn.BatchNorm1d(2);
    return layer.registerParameter(
      arg('another'),
      arg(() => new nn.Parameter(perChannel())),
    );
  },
  registerModule: () => {
    const layer = new nn.BatchNorm1d(2);
    return layer.registerModule(
      arg('another'),
      arg(() => new nn.ReLU()),
    );
  },
  registerForwardHook: () =>
    new nn.BatchNorm1d(2).registerForwardHook(arg(() => () => undefined)).remove(),
};

const FORWARD = {
  forward: () => {
    const layer = one(made.layers);
    const dtype = chance(12) ? one(['float32', 'float64']) : layer.dtype;
    const x = arg(() => placed(shapeFor(layer), dtype).x);
    if (x instanceof evenkeel.Tensor && chance(3) && !x.disposed) x.requiresGrad = true;
    if (chance(2)) return result(layer.forward(x));
    const choices = {
      out: () => one(made.outs),
      relu: true,
      lengths: () => lengthsFor(x, layer.layout),
      mask: () => maskFor(x, layer.layout),
    };
    return result(layer.forward(x, some(choices, x)));
  },
  'Linear.forward': () => result(made.linear.forward(arg(() => placed([4, made.c]).x))),
};

const STATE = {
  'eps, momentum': () => {
    one(made.norms)[one(['eps', 'momentum'])] = arg(() => one([0.25, 1e-3, 1]));
  },
  normalizeBy: () => {
    one(made.norms).normalizeBy = arg(() => one(['auto', 'batch', 'running']));
  },
  updateStatistics: () => {
    one(made.norms).updateStatistics = arg(() => one(['auto', true, false]));
  },
  numBatchesTracked: () => {
    one(made.norms).numBatchesTracked = arg(() => below(9));
  },
  resetRunningStats: () => one(made.norms).resetRunningStats(),
  train: () => one(made.layers).train(arg(() => !chance(3))),
  freeze: () => {
    const layer = one(made.norms).freeze(some({ affine: true }));
    if (!chance(4)) layer.unfreeze();
  },
  unfreeze: () => one(made.norms).unfreeze(),
  requiresGrad_: () => one(made.layers).requiresGrad_(arg(true)),
  shareMemory: () => one(made.layers).shareMemory(),
  'Module.zeroGrad': () => one(made.layers).zeroGrad(some({ setToNone: () => chance(2) })),
  loadStateDict: () => {
    const layer = one(made.layers);
    layer.loadStateDict(
      arg(() => stateFor(layer)),
      some({ strict: () => chance(2), assign: () => chance(2) }),
    );
  },
  virtualBatch: () => {
    const open = nn.virtualBatch(arg(() => made.layers[0]));
    try {
      made.layers[0].forward(batch());
      open.commit();
    } finally {
      open.discard();
    }
  },
  snapshotStatistics: () => nn.snapshotStatistics(arg(() => one(made.layers))).rollback(),
  transaction: () => {
    const body = () => () => made.layers[0].forward(arg(batch));
    return nn.transaction(
      arg(() => made.layers[0]),
      arg(body),
    );
  },
};

export const LAYER_OPERATIONS = { ...MAKING, ...REGISTERING, ...FORWARD, ...STATE };
