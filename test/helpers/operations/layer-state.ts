// Rows of what changes a layer, and of what is made of layers.
import type * as types from 'evenkeel';

import { row, type Operation, type Package } from './row.js';

const isMethod = true;

export function layerStateOf({ nn, tensor, Tensor }: Package): Operation[] {
  type BatchNorm = types.nn.BatchNorm1d;
  const matrix = (): types.Tensor => tensor(Float32Array.of(1, -2, 3, 4, 5, -6), [3, 2]);
  const vector = (): types.Tensor => tensor(Float32Array.of(0.5, 2));
  const norm = (): [BatchNorm] => [new nn.BatchNorm1d(2)];
  const evaluating = (): BatchNorm => new nn.BatchNorm1d(2).eval();
  const set = <
    Name extends
      'eps' | 'momentum' | 'normalizeBy' | 'updateStatistics' | 'numBatchesTracked' | 'training',
  >(
    name: Name,
    value: BatchNorm[Name],
  ): Operation =>
    row(
      `BatchNorm.${name} =`,
      () => [...norm(), value],
      (layer, given) => (layer[name] = given),
      { isMethod },
    );
  const hook = (
    name: `register${'ForwardPre' | 'Forward' | 'FullBackward' | 'FullBackwardPre'}Hook`,
  ): Operation =>
    row(
      `Module.${name}`,
      () => [...norm(), () => undefined],
      (layer, call: () => undefined) => layer[name](call).remove(),
      { isMethod },
    );
  return [
    ...[
      set('eps', 0.25),
      set('momentum', 0.5),
      set('normalizeBy', 'batch'),
      set('training', false),
    ],
    ...[set('updateStatistics', false), set('numBatchesTracked', 5)],
    row('BatchNorm.resetRunningStats', norm, (layer) => layer.resetRunningStats(), { isMethod }),
    row('BatchNorm.resetParameters', norm, (layer) => layer.resetParameters(), { isMethod }),
    row('BatchNorm.unfreeze', norm, (layer) => layer.unfreeze(), { isMethod }),
    row('BatchNorm.freeze', norm, (layer, options) => layer.freeze(options).unfreeze(), {
      isMethod,
      options: () => ({ affine: false }),
    }),
    row(
      'Module.train',
      () => [...norm(), false],
      (layer, mode) => layer.train(mode),
      { isMethod },
    ),
    row(
      'Module.requiresGrad_',
      () => [...norm(), false],
      (layer, flag) => layer.requiresGrad_(flag),
      { isMethod },
    ),
    row('Module.shareMemory', norm, (layer) => layer.shareMemory(), { isMethod }),
    row('Module.clone', norm, (layer) => layer.clone(), { isMethod }),
    row('Module.toString', norm, (layer) => String(layer), { isMethod }),
    row(
      'Module.loadStateDict, into it',
      () => [...norm(), evaluating().stateDict()],
      (layer, state, options) => layer.loadStateDict(state, options),
      { isMethod, options: () => ({ strict: false, assign: true }) },
    ),
    row(
      'Module.registerParameter',
      () => [...norm(), 'p', new nn.Parameter(vector())],
      (layer, name, p) => {
        layer.clone().registerParameter(name, p);
      },
      { isMethod },
    ),
    row(
      'Module.registerModule',
      () => [...norm(), 'm', new nn.ReLU()],
      (layer, name, module) => {
        layer.clone().registerModule(name, module);
      },
      { isMethod },
    ),
    row(
      'Module.apply',
      () => [...norm(), () => undefined],
      (layer, visit: () => undefined) => layer.apply(visit),
      { isMethod },
    ),
    ...[hook('registerForwardPreHook'), hook('registerForwardHook')],
    ...[hook('registerFullBackwardHook'), hook('registerFullBackwardPreHook')],
    row('nn.FrozenBatchNorm1d.from', norm, (layer) => nn.FrozenBatchNorm1d.from(layer)),
    row(
      'nn.foldBatchNorm',
      () => [new nn.Linear(3, 2).eval(), evaluating()],
      (linear, layer) => nn.foldBatchNorm(linear, layer),
    ),
    row(
      'nn.foldBatchNorm, before',
      () => [evaluating(), new nn.Linear(2, 3).eval()],
      (layer, linear) => nn.foldBatchNorm(layer, linear),
    ),
    row('nn.convertSyncBatchNorm', norm, (layer) => nn.convertSyncBatchNorm(layer)),
    row('nn.virtualBatch', norm, (layer) => {
      const open = nn.virtualBatch(layer);
      try {
        layer.forward(matrix());
        open.commit();
      } finally {
        open.discard();
      }
    }),
    row('nn.snapshotStatistics', norm, (layer) => nn.snapshotStatistics(layer).rollback()),
    row(
      'nn.transaction',
      () => [...norm(), () => undefined],
      (layer, body: () => undefined) => nn.transaction(layer, body),
    ),
    row(
      'nn.transaction, of a forward',
      () => [...norm(), matrix()],
      (layer, x) => nn.transaction(layer, () => layer.forward(x)),
    ),
    row(
      'nn.softUpdate',
      () => [...norm(), ...norm(), 0.5],
      (target, source, tau) => nn.softUpdate(target, source, tau),
    ),
    row(
      'new nn.Sequential',
      () => [new nn.ReLU(), new nn.Linear(2, 2)],
      (first, second) => String(new nn.Sequential(first, second)),
    ),
    row(
      'new nn.Parameter',
      () => [vector(), false],
      (x: types.Tensor, flag) => {
        return new nn.Parameter(x instanceof Tensor ? x.detach() : x, flag);
      },
    ),
  ];
}
