// Every operation and layer of the package. To add one, add one row to operationsOf (or callsOf, if it returns no
// tensor): its name, its inputs, the call, in `options` a right value for each option, and in `later` a call of its own
// beside the event loop. These then check it:
//   test/unit/every-operation   at once and beside the event loop, gradients, central differences
//   test/unit/own-results       its result is a tensor of its own
//   test/unit/handed-out        its shape is frozen
//   test/unit/undefined-options an option that is undefined is one that is left out
//   test/unit/hostile-arguments a wrong input or option is refused in a sentence and changes nothing
//   test/stress/faults-memory   no memory for any of the arrays that it asks for
// Longer than 250 lines because each operation has a row.
// A test fails when something in `functional`, or a layer in `nn`, has no row.
import { activationsOf } from './activations.js';
import { convolutionsOf } from './convolution.js';
import { optimizersOf } from './optimizers.js';
import { row, withLater, type Operation, type Package } from './row.js';
import { schedulesOf } from './schedules.js';
import { stateOf } from './state.js';
import { lossesOf } from './training.js';

/** Of the last dimension of inputs, and of the layers. */
const SIZE = 2;

/** What returns a tensor, or a promise of one. */
export function operationsOf(evenkeel: Package): Operation[] {
  const { functional, nn, tensor, Tensor } = evenkeel;
  type Tensor = InstanceType<typeof Tensor>;
  const matrix = (): Tensor => tensor(Float32Array.of(1, -2, 3, 4, 5, -6), [3, SIZE]);
  const square = (): Tensor => tensor(Float32Array.of(1, -2, 3, 4), [SIZE, SIZE]);
  const vector = (): Tensor => tensor(Float32Array.of(0.5, 2));
  const labels = (): Tensor => tensor(Int32Array.of(1, 0, 1));
  const steps = (): Tensor =>
    tensor(
      Float32Array.from({ length: 12 }, (_, i) => (i * 7) % 5),
      [2, SIZE, 3],
    );
  const ungraded = (x: Tensor): Tensor => (x instanceof Tensor ? x.detach() : x);
  const one = (): [Tensor] => [matrix()];
  const two = (): [Tensor, Tensor] => [matrix(), matrix()];
  const vectorOf3 = (): Tensor => tensor(Float32Array.of(0.5, 2, -1));
  const along = (): Record<string, unknown> => ({ dim: 0, keepdim: true });
  const reduction = (): Record<string, unknown> => ({ reduction: 'sum' });

  /** A user's own layer that returns its input. */
  class ReturnsItsInput extends nn.Module {
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const double = functional.custom({
    name: 'double',
    forward: (_context, x: Tensor) => functional.add(x, x),
    backward: (_context, gradient) => functional.add(gradient, gradient),
  });
  const normOptions = (): Record<string, unknown> => ({
    ...{ eps: 0.5, momentum: null, affine: false, bias: false, trackRunningStats: false },
    ...{ dtype: 'float32', layout: 'NCL', nonFinite: 'skip', singleValue: 'running' },
  });
  const lazyOptions = (): Record<string, unknown> => ({
    eps: 0.5,
    momentum: 0.5,
    affine: false,
    bias: false,
    dtype: 'float32',
  });
  const forwardOptions = (): Record<string, unknown> => ({
    relu: true,
    lengths: [3, 1],
    mask: undefined,
  });

  return [
    row('functional.add', two, functional.add),
    row('functional.mul', two, functional.mul),
    row('functional.sum', one, functional.sum),
    row('functional.sum, of one value', () => [tensor(5)], functional.sum, { isIdentity: true }),
    row('functional.mean', one, functional.mean),
    row('functional.mean, of one value', () => [tensor(5)], functional.mean, { isIdentity: true }),
    row('functional.reshape', () => [matrix(), [6]], functional.reshape),
    row('functional.reshape, as it was', () => [matrix(), [3, SIZE]], functional.reshape, {
      isIdentity: true,
    }),
    row('functional.reshape, of int32', () => [labels(), [3]], functional.reshape),
    row('functional.add, of int32', () => [labels(), labels()], functional.add),
    row('functional.flatten', () => [matrix()], functional.flatten),
    row('functional.argsort', () => [matrix()], functional.argsort),
    row('functional.relu', one, functional.relu),
    row('functional.sub', two, functional.sub),
    row('functional.div', two, functional.div),
    row('functional.maximum', two, functional.maximum),
    row('functional.minimum', two, functional.minimum),
    ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map((name) =>
      row(`functional.${name}`, two, functional[name]),
    ),
    ...(['neg', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'abs', 'sigmoid', 'tanh'] as const).map(
      (name) => row(`functional.${name}`, one, functional[name]),
    ),
    ...(['silu', 'relu6', 'logSigmoid', 'mish'] as const).map((name) =>
      row(`functional.${name}`, one, functional[name]),
    ),
    row('functional.pow', () => [matrix(), 2], functional.pow),
    row('functional.pow, of a number', () => [2, matrix()], functional.pow),
    row(
      'functional.pow, of tensors',
      () => [functional.abs(matrix()).detach(), matrix()],
      functional.pow,
    ),
    row('functional.clamp', () => [matrix(), { min: -9, max: 9 }], functional.clamp),
    row('functional.clip', () => [matrix(), { min: -9, max: 9 }], functional.clip),
    ...(['isnan', 'isinf', 'isfinite'] as const).map((name) =>
      row(`functional.${name}`, one, functional[name]),
    ),
    ...(['floor', 'ceil', 'round', 'trunc', 'sign'] as const).map((name) =>
      row(`functional.${name}`, one, functional[name]),
    ),
    row('functional.cumsum', () => [matrix(), 0], functional.cumsum),
    row('functional.any', one, functional.any, { options: along }),
    row('functional.all', one, functional.all, { options: along }),
    row('functional.gelu', one, functional.gelu, { options: () => ({ approximate: 'tanh' }) }),
    row('functional.leakyRelu', one, functional.leakyRelu, {
      options: () => ({ negativeSlope: 0.2 }),
    }),
    row('functional.elu', one, functional.elu, { options: () => ({ alpha: 0.5 }) }),
    row('functional.softplus', one, functional.softplus, {
      options: () => ({ beta: 2, threshold: 5 }),
    }),
    row('functional.hardtanh', one, functional.hardtanh, {
      options: () => ({ minVal: -2, maxVal: 2 }),
    }),
    row('functional.prelu', () => [matrix(), vector()], functional.prelu),
    row('functional.glu', one, functional.glu, { options: () => ({ dim: 1 }) }),
    row('functional.softmax', () => [matrix(), { dim: 1 }], functional.softmax),
    row('functional.logSoftmax', () => [matrix(), { dim: 0 }], functional.logSoftmax),
    ...(['sum', 'mean', 'amax', 'amin', 'logsumexp'] as const).map((name) =>
      row(`functional.${name}, over a dimension`, one, functional[name], { options: along }),
    ),
    ...(['var', 'std'] as const).map((name) =>
      row(`functional.${name}`, one, functional[name], {
        options: () => ({ ...along(), correction: 0 }),
      }),
    ),
    row('functional.max', one, (x) => functional.max(x)),
    row('functional.min', one, (x) => functional.min(x)),
    ...(['max', 'min'] as const).map((name) =>
      row(
        `functional.${name}, along a dimension`,
        () => [matrix(), { dim: 1 }],
        (x, options) => functional[name](x, options).values,
      ),
    ),
    row('functional.argmax', one, functional.argmax, { options: along }),
    row('functional.argmin', one, functional.argmin, { options: along }),
    row('functional.sort', one, (x, options) => functional.sort(x, options).values, {
      options: () => ({ dim: 0, descending: true }),
    }),
    row(
      'functional.topk',
      () => [matrix(), 2],
      (x, k, options) => functional.topk(x, k, options).values,
      {
        options: () => ({ dim: 0, largest: false }),
      },
    ),
    row('functional.matmul', () => [matrix(), square()], functional.matmul),
    row('functional.mm', () => [matrix(), square()], functional.mm),
    row('functional.dot', () => [vectorOf3(), vectorOf3()], functional.dot),
    row(
      'functional.outer',
      () => [vectorOf3()],
      (x) => functional.outer(x, functional.narrow(x, 0, 0, SIZE)),
    ),
    row(
      'functional.bmm',
      () => [steps(), functional.transpose(steps(), 1, 2).detach()],
      functional.bmm,
    ),
    row('functional.where', () => [labels(), vectorOf3(), vectorOf3()], functional.where),
    row('functional.maskedFill', () => [vectorOf3(), labels(), 5], functional.maskedFill),
    row('functional.cat', two, (a, b, options) => functional.cat([a, b], options), {
      options: () => ({ dim: 1 }),
    }),
    row('functional.stack', two, (a, b, options) => functional.stack([a, b], options), {
      options: () => ({ dim: 1 }),
    }),
    row(
      'functional.split',
      () => [matrix(), 2],
      (x, size, options) => functional.split(x, size, options)[0]!,
      {
        options: () => ({ dim: 1 }),
      },
    ),
    row(
      'functional.chunk',
      () => [matrix(), 2],
      (x, count, options) => functional.chunk(x, count, options)[0]!,
      {
        options: () => ({ dim: 1 }),
      },
    ),
    row('functional.narrow', () => [matrix(), 0, 0, 3], functional.narrow, { isIdentity: true }),
    row('functional.select', () => [matrix(), 0, 1], functional.select),
    row('functional.unbind', one, (x, options) => functional.unbind(x, options)[0]!, {
      options: () => ({ dim: 1 }),
    }),
    row('functional.t', one, functional.t),
    row('functional.repeat', () => [matrix(), [2, 1, 3]], functional.repeat),
    row('functional.tile', () => [matrix(), [2]], functional.tile),
    row('functional.transpose', () => [matrix(), 0, 1], functional.transpose),
    row('functional.permute', () => [matrix(), [0, 1]], functional.permute, { isIdentity: true }),
    row('functional.squeeze', one, (x) => functional.squeeze(x), { isIdentity: true }),
    row('functional.unsqueeze', () => [matrix(), 1], functional.unsqueeze),
    row('functional.expand', () => [matrix(), [2, 3, 2]], functional.expand),
    row('functional.flip', () => [matrix(), [0]], functional.flip),
    row('functional.pad', () => [matrix(), [1, 1]], functional.pad, {
      options: () => ({ mode: 'replicate', value: 5 }),
    }),
    row('functional.indexSelect', () => [matrix(), 0, [0, 2]], functional.indexSelect),
    row('functional.indexAdd', () => [matrix(), 1, [0, 0], matrix()], functional.indexAdd),
    row('functional.gather', () => [vectorOf3(), 0, labels()], functional.gather),
    row('functional.oneHot', () => [labels(), 2], functional.oneHot, {
      options: () => ({ dtype: 'float32' }),
    }),
    row('functional.normalize', one, functional.normalize, {
      options: () => ({ p: 1, dim: 0, eps: 0.5 }),
    }),
    row('functional.norm', one, functional.norm, {
      options: () => ({ ...along(), p: 3 }),
    }),
    row('functional.cdist', () => [matrix(), square()], functional.cdist, {
      options: () => ({ p: 1 }),
    }),
    row('functional.maskedSelect', () => [vectorOf3(), labels()], functional.maskedSelect),
    row('functional.nonzero', () => [labels()], functional.nonzero),
    row('functional.custom', one, double),
    row('functional.linear', () => [matrix(), square(), vector()], functional.linear),
    row('functional.dropout', one, functional.dropout, {
      options: () => ({ p: 0.25, training: false }),
    }),
    row('functional.dropout, p = 0', one, (x) => functional.dropout(x, { p: 0 }), {
      isIdentity: true,
    }),
    row('functional.dropout, evaluating', one, (x) => functional.dropout(x, { training: false }), {
      isIdentity: true,
    }),
    ...lossesOf(evenkeel),
    row('functional.mseLoss', two, functional.mseLoss, { options: reduction }),
    row('functional.crossEntropy', () => [matrix(), labels()], functional.crossEntropy, {
      options: () => ({ ...reduction(), ignoreIndex: 1 }),
    }),
    row(
      'functional.batchNorm, training',
      () => [steps(), null, null],
      (x, mean, variance, options?: object) =>
        functional.batchNorm(x, mean, variance, { training: true, ...options }),
      {
        options: () => ({
          ...{ weight: vector(), bias: vector(), momentum: 0.5, eps: 0.5, relu: true },
          ...{ out: steps(), lengths: [3, 1], mask: undefined },
        }),
      },
    ),
    row(
      'functional.batchNorm',
      () => [matrix(), vector(), vector()],
      (x, mean, variance, options) =>
        functional.batchNorm(x, ungraded(mean), ungraded(variance), options),
      {
        options: () => ({
          weight: vector(),
          bias: vector(),
          training: true,
          momentum: 0.5,
          eps: 0.5,
          relu: true,
        }),
      },
    ),

    row('nn.AveragedModel', one, (x) => new nn.AveragedModel(new nn.Linear(SIZE, SIZE)).forward(x)),
    row('nn.ReLU', one, (x) => new nn.ReLU().forward(x)),
    ...activationsOf(evenkeel),
    ...convolutionsOf(evenkeel),
    row(
      'nn.Dropout',
      () => [matrix(), 0.5],
      (x, p) => new nn.Dropout(p).forward(x),
    ),
    row('nn.Dropout, p = 0', one, (x) => new nn.Dropout(0).forward(x), { isIdentity: true }),
    row('nn.Dropout, evaluating', one, (x) => new nn.Dropout().eval().forward(x), {
      isIdentity: true,
    }),
    row('nn.Linear', one, (x, options) => new nn.Linear(SIZE, SIZE, options).forward(x), {
      options: () => ({ bias: false, dtype: 'float32' }),
    }),
    row('nn.Sequential', one, (x) => new nn.Sequential().forward(x), { isIdentity: true }),
    row(
      'nn.Sequential, of int32',
      () => [labels()],
      (x) => new nn.Sequential().forward(x),
    ),
    row('nn.Sequential, nested', one, (x) => new nn.Sequential(new nn.Sequential()).forward(x), {
      isIdentity: true,
    }),
    row(
      'nn.Sequential, evaluating',
      one,
      (x) => new nn.Sequential(new nn.Dropout(), new nn.Dropout(0)).eval().forward(x),
      { isIdentity: true },
    ),
    row(
      'nn.Sequential, of a user’s own layer',
      one,
      (x) => new nn.Sequential(new ReturnsItsInput()).forward(x),
      {
        isIdentity: true,
      },
    ),
    row('nn.BatchNorm1d', one, (x, options) => new nn.BatchNorm1d(SIZE, options).forward(x), {
      options: normOptions,
    }),
    row('nn.BatchNorm1d, evaluating', one, (x) => new nn.BatchNorm1d(SIZE).eval().forward(x)),
    row('nn.BatchNorm1d, frozen', one, (x) => new nn.BatchNorm1d(SIZE).freeze().forward(x)),
    row(
      'nn.BatchNorm1d, its forward',
      () => [steps()],
      (x, options) => new nn.BatchNorm1d(SIZE).forward(x, options),
      {
        options: forwardOptions,
      },
    ),
    row(
      'nn.BatchNorm1d, into out',
      () => [matrix(), matrix()],
      (x, out) =>
        new nn.BatchNorm1d(SIZE).requiresGrad_(false).forward(ungraded(x), { out: ungraded(out) }),
    ),
    row(
      'nn.BatchNorm1d, its forwardAsync',
      () => [steps()],
      (x, options) => new nn.BatchNorm1d(SIZE).forwardAsync(x, options),
      {
        options: () => ({
          ...forwardOptions(),
          signal: new AbortController().signal,
          transfer: true,
        }),
      },
    ),
    row('nn.BatchNorm1d, evaluating with forwardAsync', one, (x) =>
      new nn.BatchNorm1d(SIZE).eval().forwardAsync(x),
    ),
    row(
      'nn.BatchNorm2d',
      () => [tensor(Float32Array.of(1, 2, 3, 5), [2, 1, 2, 1])],
      (x) => new nn.BatchNorm2d(1).forward(x),
    ),
    row(
      'nn.BatchNorm3d',
      () => [tensor(Float32Array.of(1, 2, 3, 5), [2, 1, 2, 1, 1])],
      (x) => new nn.BatchNorm3d(1).forward(x),
    ),
    row(
      'nn.SyncBatchNorm',
      () => [tensor(Float32Array.of(1, 2, 3, 5), [4, 1])],
      (x) => new nn.SyncBatchNorm(1).forward(x),
    ),
    row(
      'nn.FrozenBatchNorm1d',
      one,
      (x, options) => new nn.FrozenBatchNorm1d(SIZE, options).forward(x),
      {
        options: () => ({ eps: 0.5, dtype: 'float32', layout: 'NCL' }),
      },
    ),
    row(
      'nn.FrozenBatchNorm1d, its forward',
      () => [steps()],
      (x, options) => new nn.FrozenBatchNorm1d(SIZE).forward(x, options),
      { options: forwardOptions },
    ),
    row('nn.LazyBatchNorm1d', one, (x, options) => new nn.LazyBatchNorm1d(options).forward(x), {
      options: lazyOptions,
    }),
    row(
      'nn.CrossEntropyLoss',
      () => [matrix(), labels()],
      (x, y, options) => new nn.CrossEntropyLoss(options).forward(x, y),
      {
        options: () => ({ ...reduction(), ignoreIndex: 1 }),
      },
    ),
    row('nn.MSELoss', two, (a, b, options) => new nn.MSELoss(options).forward(a, b), {
      options: reduction,
    }),

    row(
      'tensor',
      () => [[1, 2, 3, 4]],
      (values, options) => tensor(values, options),
      {
        options: () => ({ dtype: 'float64', requiresGrad: true }),
      },
    ),
    row(
      'tensor, with a shape',
      () => [new Float32Array(4), [2, 2]],
      (values, shape) => tensor(values, shape),
    ),
    row(
      'Tensor.from',
      () => [],
      (options?: object) => Tensor.from({ data: new Float32Array(2), dims: [2], ...options }),
      {
        options: () => ({ shape: [2], stride: [1], strides: [1], offset: 0 }),
      },
    ),
    row(
      'Tensor.from, of an object',
      () => [{ data: new Float32Array(6), shape: [2, 3] }],
      (from) => Tensor.from(from),
    ),
    row('Tensor.detach', one, (x) => x.detach(), { isMethod: true }),
    row('Tensor.clone', one, (x) => x.clone(), { isMethod: true }),
    ...(['float64', 'float32', 'int64'] as const).map((dtype) =>
      row(
        `Tensor.to, ${dtype}`,
        () => [matrix(), dtype],
        (x, to) => x.to(to),
        { isMethod: true, isIdentity: dtype === 'float32' },
      ),
    ),
    ...(['float', 'double', 'int', 'long'] as const).map((name) =>
      row(
        `Tensor.${name}`,
        () => [labels()],
        (x) => x[name](),
        { isMethod: true },
      ),
    ),
    row(
      'Tensor.view',
      () => [matrix(), [2, -1]],
      (x, shape) => x.view(shape),
      { isMethod: true },
    ),
    row('nn.Parameter', one, (x) => new nn.Parameter(ungraded(x))),
  ];
}

/** What returns something else; it is compared by its text (see textOf). */
export function callsOf(evenkeel: Package): Operation[] {
  return withLater([
    ...changesOf(evenkeel),
    ...optimizersOf(evenkeel),
    ...schedulesOf(evenkeel),
    ...stateOf(evenkeel),
  ]);
}

function changesOf({ data, functional, nn, optim, tensor, Tensor }: Package): Operation[] {
  type Tensor = InstanceType<typeof Tensor>;
  const x = (): Tensor => tensor([[1, 2], [3, 5], [4, 4]], { requiresGrad: true }); // prettier-ignore
  const parameter = (): InstanceType<typeof nn.Parameter> => {
    const made = new nn.Parameter(tensor([1, 2]));
    made.grad = tensor([0.5, -1]);
    return made;
  };
  type Parameters = InstanceType<typeof nn.Parameter>[];
  const parameters = (): [Parameters] => [[parameter()]];
  return [
    row('functional.equal', () => [tensor([1, 2]), tensor([1, 2])], functional.equal),
    row('functional.allclose', () => [tensor([1, 2]), tensor([1, 2])], functional.allclose, {
      options: () => ({ rtol: 0.5, atol: 0.5, equalNan: true }),
    }),
    row(
      'BatchNorm1d.freeze',
      () => [],
      (options) => new nn.BatchNorm1d(2).freeze(options).weight!.requiresGrad,
      {
        options: () => ({ affine: false }),
      },
    ),
    row(
      'Tensor.backward',
      () => [undefined],
      (gradient, options) => {
        const leaf = x();
        functional.sum(leaf).backward(gradient, options);
        return leaf.grad;
      },
      {
        options: () => ({ retainGraph: true }),
        later: async (gradient, options) => {
          const leaf = x();
          await functional.sum(leaf).backwardAsync(gradient, options);
          return leaf.grad;
        },
      },
    ),
    row(
      'Module.registerBuffer',
      () => ['b', tensor([1])],
      (name, buffer, options) => {
        const relu = new nn.ReLU();
        relu.registerBuffer(name, buffer, options);
        return relu;
      },
      { options: () => ({ persistent: false }) },
    ),
    row(
      'Module.zeroGrad',
      () => [],
      (options) => {
        const linear = new nn.Linear(1, 1);
        linear.weight.grad = tensor([[1]]);
        linear.zeroGrad(options);
        return linear.weight.grad;
      },
      { options: () => ({ setToNone: false }) },
    ),
    row(
      'Module.loadStateDict',
      () => [new nn.BatchNorm1d(2).stateDict()],
      (state, options) => {
        const target = new nn.BatchNorm1d(2);
        target.loadStateDict(state, options);
        return target.weight!.data === state.get('weight')!.data;
      },
      { options: () => ({ strict: false, assign: true }) },
    ),
    row(
      'nn.updateBatchNorm',
      () => [new nn.BatchNorm1d(2), [x()]],
      (module, batches, options) => nn.updateBatchNorm(module, batches, options),
      { options: () => ({ input: (batch: unknown) => batch }) },
    ),
    row('Optimizer.step', parameters, (params, options) => new optim.SGD(params).step(options), {
      options: () => ({ nonFinite: 'skip' }),
      later: (params, options) => new optim.SGD(params).stepAsync(options),
    }),
    row(
      'Optimizer.zeroGrad',
      parameters,
      (params, options) => {
        new optim.SGD(params).zeroGrad(options);
        return params[0]!.grad;
      },
      { options: () => ({ setToNone: false }) },
    ),
    row(
      'data.DataLoader',
      () => [[[1], [2], [3]]],
      (rows, options) =>
        [...new data.DataLoader(new data.TensorDataset(rows), options)].map(([each]) =>
          each.toArray(),
        ),
      { options: () => ({ batchSize: 2, shuffle: true, dropLast: true }) },
    ),
  ];
}
