// The synchronous calls, by name: tensors, functions, and what trains.
// @ts-nocheck
import { arg, lengthsFor, maskFor, some } from './arguments.mjs';
import { below, chance, numbers, one } from './draw.mjs';
import { batch, input, perChannel, placed } from './inputs.mjs';
import { evenkeel } from './package.mjs';
import { made, result } from './world.mjs';

const { data, functional, keep, manualSeed, native, nn, noGrad, optim, scope, tensor, Tensor } =
  evenkeel;

const matrix = () => input([4, 3]);

/** A function of two operands, which are often the same. */
const ofTwo = (call) => () => {
  const a = arg(batch);
  return result(
    call(
      a,
      arg(() => a),
    ),
  );
};

/** What a backward from y starts with. */
const gradientFor = (y) => () =>
  y.numel === 1 && chance(2) ? undefined : placed(y.shape, y.dtype).x;

const TENSORS = {
  tensor: () => {
    const values = arg(() => numbers(4));
    const dtype = () => one(['float32', 'float64', 'int32', 'int64']);
    return result(tensor(values, arg([2, 2]), some({ dtype, requiresGrad: true })));
  },
  'Tensor.from': () => Tensor.from(arg(() => ({ data: numbers(6), shape: [2, 3] }))),
  'tensor methods': () => {
    const x = input();
    return one([
      () => x.item(),
      () => x.toArray(),
      () => x.clone(),
      () => x.detach(),
      () => x.shareMemory_(),
      () => String(x),
      () => result(x.to(arg(() => one(['float32', 'float64', 'int64'])))),
      () => x.size(arg(0)),
      () => x.view(arg(1), arg(-1)),
      () => x.flatten(arg(0), arg(-1)),
    ])();
  },
  'copy_, fill_': () => {
    const x = input();
    if (chance(3))
      return result(x.fill_(arg(() => one([3, -0.5, tensor(Float32Array.of(2), [])]))));
    return result(x.copy_(arg(() => (chance(2) ? input(x.shape) : input()))));
  },
  requiresGrad: () => {
    input().requiresGrad = arg(true);
  },
  backward: () => {
    if (made.results.length === 0) return;
    const y = one(made.results);
    y.backward(arg(gradientFor(y)), some({ retainGraph: true }));
  },
};

const FUNCTIONS = {
  'functional.batchNorm': () => {
    const x = arg(batch);
    const known = chance(3);
    const mean = known ? null : arg(perChannel);
    const variance = known ? null : arg(perChannel);
    const choices = {
      weight: perChannel,
      bias: perChannel,
      training: true,
      momentum: 0.5,
      eps: 1e-3,
      relu: true,
      activation: () => one(['silu', { name: 'prelu', weight: perChannel() }]),
      out: () => one(made.outs),
      lengths: () => lengthsFor(x),
      mask: () => maskFor(x, 'NCL'),
    };
    return result(functional.batchNorm(x, mean, variance, some(choices, x)));
  },
  'functional.relu': () => result(functional.relu(arg(input))),
  'functional.add': ofTwo(functional.add),
  'functional.mul': ofTwo(functional.mul),
  'functional.sum': () => result(functional.sum(arg(input))),
  'functional.mean': () => result(functional.mean(arg(input))),
  'functional.reshape': () => result(functional.reshape(arg(matrix), arg([3, 4]))),
  'functional.norm': () =>
    result(functional.norm(arg(input), some({ p: () => one([1, 2, 3]), dim: 0, keepdim: true }))),
  'functional.cdist': ofTwo((a, b) => functional.cdist(a, b, some({ p: 1 }))),
  'functional.cosineSimilarity': ofTwo((a, b) =>
    functional.cosineSimilarity(a, b, some({ dim: 0 })),
  ),
  'functional.maskedSelect': () => {
    const x = batch();
    const mask = () => functional.gt(x.detach(), 0);
    const [from, flags] = [arg(() => x), arg(mask)];
    return result(functional.maskedSelect(from, flags));
  },
  'functional.nonzero': () => functional.nonzero(arg(input)),
  'functional.linear': () =>
    result(
      functional.linear(
        arg(matrix),
        arg(() => input([2, 3])),
        arg(null),
      ),
    ),
  'functional.dropout': () =>
    result(functional.dropout(arg(batch), some({ p: 0.5, training: true }))),
  'functional.mseLoss': ofTwo((a, b) => functional.mseLoss(a, b, some({ reduction: 'sum' }))),
  'functional.crossEntropy': () => {
    const labels = one([
      ...[Int32Array.of(0, 1, 2, 0), Uint8Array.of(0, 1, 2, 0), [0, 1, 2, 0], [0n, 1n, 2n, 0n]],
      ...[BigInt64Array.of(0n, 1n, 2n, 0n), tensor([0, 1, 2, 0], { dtype: 'int64' })],
    ]);
    const options = some({ reduction: 'mean', ignoreIndex: 1 });
    return result(functional.crossEntropy(arg(matrix), arg(labels), options));
  },
};

const TRAINING = {
  'new optimizer': () => {
    const Kind = one([optim.SGD, optim.Adam, optim.AdamW]);
    const parameters = arg(() => made.linear.parameters());
    return new Kind(parameters, some({ lr: 0.1, weightDecay: 0.1, maximize: true }));
  },
  addParamGroup: () => {
    const group = () => ({ params: [new nn.Parameter(perChannel())], lr: arg(0.5) });
    return new optim.SGD(made.linear.parameters()).addParamGroup(arg(group));
  },
  step: () => one(made.optimizers).step(some({ nonFinite: 'throw' })),
  'Optimizer.loadStateDict': () => {
    const optimizer = one(made.optimizers);
    const { state, param_groups } = optimizer.stateDict();
    for (const each of chance(3) ? Object.values(state) : []) {
      const name = one(Object.keys(each));
      if (chance(4)) each[name] = arg(each[name]);
    }
    for (const each of chance(3) ? param_groups : []) {
      const name = one(Object.keys(each));
      each[name] = arg(each[name]);
    }
    optimizer.loadStateDict(
      chance(9) ? arg(null) : { state: arg(state), param_groups: arg(param_groups) },
    );
  },
  'step with a wrong group': () => {
    const optimizer = new optim.SGD(made.linear.parameters(), { lr: 0.01 });
    optimizer.paramGroups[0].lr = arg(0.5);
    optimizer.step();
  },
  'Optimizer.zeroGrad': () => one(made.optimizers).zeroGrad(some({ setToNone: () => chance(2) })),
  DataLoader: () => {
    const labels = tensor(Int32Array.of(0, 1, 2, 0), [4]);
    const set = new data.TensorDataset(arg(matrix), arg(labels));
    const options = some({ batchSize: 2, shuffle: true, dropLast: true });
    for (const each of new data.DataLoader(set, options)) void each;
  },
  noGrad: () => noGrad(arg(() => () => 1)),
  scope: () => scope(arg(() => () => keep(arg(input)))),
  manualSeed: () => manualSeed(arg(3)),
  setThreads: () => native.setThreads(arg(() => 1 + below(4))),
  'memory.limit': () => {
    native.memory.limit = arg(() => 2 ** 20 + below(100));
  },
};

export const OPERATIONS = { ...TENSORS, ...FUNCTIONS, ...TRAINING };
