// What an episode's calls work on: a few layers, optimisers, outputs and results. Its state, by part and in
// bytes, is what a refused call may not change.
// @ts-nocheck
import { below, numbers, one } from './draw.mjs';
import { evenkeel } from './package.mjs';

const { native, nn, optim, tensor, Tensor } = evenkeel;

/** The episode's world. */
export let made;

export function makeWorld() {
  const c = 1 + below(6);
  const lazy = new nn.LazyBatchNorm1d();
  lazy.forward(tensor(numbers(2 * c), [2, c]));
  const norms = [
    new nn.BatchNorm1d(c, one([{}, { affine: false }, { momentum: null }, { bias: false }])),
    new nn.BatchNorm1d(c, {
      nonFinite: one(['propagate', 'throw', 'skip']),
      singleValue: one(['throw', 'running']),
    }),
    new nn.BatchNorm1d(c, { dtype: 'float64', layout: one(['NCL', 'NLC']) }),
    new nn.BatchNorm1d(c, { trackRunningStats: false }),
    new nn.BatchNorm2d(c),
    new nn.BatchNorm3d(c, { affine: false }),
    lazy,
  ];
  const linear = new nn.Linear(c, 3);
  const layers = [...norms, new nn.FrozenBatchNorm1d(c)];
  const parameters = [...layers, linear].flatMap((layer) => [...layer.parameters()]);
  made = {
    c,
    norms,
    layers,
    linear,
    optimizers: [new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 }), new optim.Adam(parameters)],
    outs: [tensor(new Float32Array(4 * c), [4, c]), tensor(new Float32Array(12 * c), [4, c, 3])],
    results: [],
    /** Asked for once: walking the modules for each snapshot took a third of the time. */
    held: [...layers, linear].map((layer) => ({
      layer,
      parameters: [...layer.parameters()],
      buffers: [...layer.buffers()],
    })),
    /** An open virtual batch, and its layer. */
    open: null,
  };
}

/** A result that later calls may take up. */
export function result(y) {
  if (y instanceof Tensor && y.numel < 1e6) {
    if (!y.disposed && y.data.byteLength !== y.numel * y.data.BYTES_PER_ELEMENT)
      throw new Error('a result without its elements');
    made.results.push(y);
    if (made.results.length > 6) made.results.shift();
  }
  return y;
}

const bytesOf = ({ data: { buffer, byteOffset, byteLength } }) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** What a forward of this layer moves. */
export function statistics(layer, buffers = [...layer.buffers()]) {
  return Buffer.concat([...buffers.map(bytesOf), Buffer.from(String(layer.skippedBatches))]);
}

/** The whole state: [part, bytes]. A layer stands for what its forwards move. */
export function snapshot() {
  const moved = [];
  const gradients = [];
  const rest = [];
  let flags = `${native.threads} ${native.memory.limit} ${Tensor.length}`;
  for (const { layer, parameters, buffers } of made.held) {
    moved.push([layer, statistics(layer, buffers)]);
    for (const parameter of parameters) {
      const { gradient } = parameter;
      rest.push(bytesOf(parameter));
      gradients.push(gradient === null ? Buffer.from('none') : bytesOf(gradient));
      flags += parameter.requiresGrad;
    }
    const { training, eps, momentum, normalizeBy, updateStatistics, frozen } = layer;
    flags += [training, eps, momentum, normalizeBy, updateStatistics, frozen].join();
  }
  for (const out of made.outs) rest.push(bytesOf(out));
  for (const optimizer of made.optimizers) {
    const { state } = optimizer.stateDict();
    for (const value of Object.values(state).flatMap((each) => Object.values(each))) {
      rest.push(typeof value === 'number' ? Buffer.from(`${value}`) : bytesOf(value));
    }
    const groups = optimizer.paramGroups.map(
      ({ params, ...others }) => `${params.length}${JSON.stringify(others)}`,
    );
    flags += groups.join();
  }
  return [
    ...moved,
    ['gradients', Buffer.concat(gradients)],
    ['parameters, outputs or settings', Buffer.concat([...rest, Buffer.from(flags)])],
  ];
}

/** The first part that differs but for those excepted, or undefined. */
export function difference(before, after, excepted = new Set()) {
  const found = after.find(
    ([part, bytes], i) => !excepted.has(part) && !bytes.equals(before[i][1]),
  );
  return typeof found?.[0] === 'object' ? found[0].constructor.name : found?.[0];
}

/** Sets a layer of the same kind as another one was at the time of a call. */
export function choices(layer) {
  const { training, eps, momentum, normalizeBy, updateStatistics, frozen } = layer;
  const [weight, bias] = [layer.weight, layer.bias].map((each) => each?.data.slice() ?? null);
  return (twin) => {
    twin.unfreeze().train(training);
    Object.assign(twin, { eps, momentum, normalizeBy, updateStatistics });
    if (frozen) twin.freeze();
    if (weight !== null) twin.weight.data.set(weight);
    if (bias !== null) twin.bias.data.set(bias);
  };
}
