// The functions of `functional` that have no call of their own in operations.mjs, by name, and layers: the arguments of each.
// @ts-nocheck
import { arg, some } from './arguments.mjs';
import { below, chance, one } from './draw.mjs';
import { batch, input } from './inputs.mjs';
import { evenkeel } from './package.mjs';
import { made, result } from './world.mjs';

const { functional, nn, tensor } = evenkeel;

const of = (...shape) => arg(() => input(shape));
const like = (x) => arg(() => (x?.numel < 100 ? input(x.shape) : input()));
const dim = () => one([0, 1, -1, [0, 1], 2]);
const count = () => 1 + below(4);
const whole = (shape, below_ = 3) =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => below(below_)),
    shape,
  );
const index = (...shape) =>
  arg(() => one([whole(shape), [0, 1, 2, 0].slice(0, shape[0]), whole(shape)]));
const reduction = () => one(['mean', 'sum', 'none']);
const signal = () => of(2, 4, 8);
const alone = () => [arg(input)];
const two = () => {
  const a = arg(batch);
  return [a, arg(() => (chance(2) ? a : one([1, 0.5, input()])))];
};
const along = () => [arg(input), some({ dim, keepdim: true })];
const window = () => ({ stride: count, padding: () => below(2), ceilMode: true, dilation: count });

const share = (names, row) => Object.fromEntries(names.map((name) => [name, row]));
const chosen = (options) => () => [arg(input), some(options)];

/** Arguments by the name of a function. */
const FUNCTIONS = {
  ...share(['neg', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'abs', 'sigmoid', 'tanh'], alone),
  ...share(['silu', 'relu6', 'logSigmoid', 'mish', 'argsort', 'flatten'], alone),
  ...share(['sub', 'div', 'maximum', 'minimum', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'pow'], two),
  ...share(['any', 'all', 'amax', 'amin', 'logsumexp', 'argmax', 'argmin', 'max', 'min'], along),
  ...share(['var', 'std'], chosen({ dim, keepdim: true, correction: () => below(3) })),
  ...share(['softmax', 'logSoftmax', 'glu'], chosen({ dim })),
  ...share(['clamp', 'clip'], chosen({ min: -1, max: 1 })),
  ...share(['isnan', 'isinf', 'isfinite', 'floor', 'ceil', 'round', 'trunc', 'sign'], alone),
  cumsum: () => [arg(input), arg(dim)],
  t: () => [of(4, 3)],
  gelu: chosen({ approximate: () => one(['none', 'tanh']) }),
  leakyRelu: chosen({ negativeSlope: 0.2 }),
  elu: chosen({ alpha: 0.5 }),
  softplus: chosen({ beta: 2, threshold: 5 }),
  hardtanh: chosen({ minVal: -2, maxVal: 0.5 }),
  prelu: () => [arg(batch), of(one([1, made.c]))],
  sort: chosen({ dim, descending: true }),
  topk: () => [arg(input), arg(count), some({ dim, largest: false })],
  where: () => [arg(() => whole([4, 3], 2)), of(4, 3), of(3)],
  maskedFill: () => [of(4, 3), arg(() => whole([4, 3], 2)), arg(2.5)],
  cat: () => [arg(() => [of(2, 3), of(1, 3)]), some({ dim })],
  stack: () => [arg(() => [of(2, 3), of(2, 3)]), some({ dim })],
  split: () => [arg(input), arg(count), some({ dim })],
  chunk: () => [arg(input), arg(count), some({ dim })],
  narrow: () => [of(4, 3), arg(dim), arg(() => below(3)), arg(count)],
  select: () => [of(4, 3), arg(dim), arg(() => below(3))],
  unbind: () => [of(4, 3), some({ dim })],
  ...share(['repeat', 'tile'], () => [of(2, 3), arg(() => [count(), count(), below(3)])]),
  transpose: () => [arg(input), arg(dim), arg(dim)],
  permute: () => [of(2, 3, 4), arg(() => one([[2, 0, 1], [0, 0, 1]]))], // prettier-ignore
  squeeze: () => [of(1, 3, 1), arg(dim)],
  unsqueeze: () => [arg(input), arg(dim)],
  expand: () => [of(3, 1), arg(() => [2, 3, count()])],
  flip: () => [arg(input), arg(dim)],
  pad: () => [signal(), arg(() => [below(3), below(3)]), some({ mode: () => one(['constant', 'reflect', 'replicate', 'circular']), value: 3 })], // prettier-ignore
  matmul: () => [of(4, 3), of(3, 2)],
  mm: () => [of(4, 3), of(3, 2)],
  ...share(['dot', 'outer'], () => [of(3), of(3)]),
  ...share(['equal', 'allclose'], two),
  bmm: () => [of(2, 4, 3), of(2, 3, 2)],
  indexSelect: () => [of(4, 3), arg(dim), index(4)],
  indexAdd: () => [of(3, 3), arg(0), index(4), of(4, 3)],
  gather: () => [of(4, 3), arg(dim), arg(() => whole([2, 3]))],
  oneHot: () => [index(4), arg(3), some({ dtype: () => one(['int64', 'float32']) })],
  normalize: chosen({ p: () => one([1, 2, 3]), dim, eps: 1e-3 }),
  conv1d: () => [signal(), of(6, 4, 3), one([null, of(6)]), some({ stride: count, padding: () => one([0, 1, 'same']), dilation: count, groups: 1 })], // prettier-ignore
  convTranspose1d: () => [signal(), of(4, 2, 3), null, some({ stride: count, padding: 1, outputPadding: () => below(3), dilation: count })], // prettier-ignore
  maxPool1d: () => [signal(), arg(count), some(window())],
  avgPool1d: () => [signal(), arg(count), some({ ...window(), countIncludePad: false })],
  ...share(['adaptiveAvgPool1d', 'adaptiveMaxPool1d'], () => [signal(), arg(count)]),
  statisticsPooling: () => [signal(), some({ lengths: [3, 8], eps: 1e-5 })],
  interpolate: () => [signal(), some({ size: count, scaleFactor: 2, mode: () => one(['nearest', 'linear']), alignCorners: true })], // prettier-ignore
  embedding: () => [arg(() => whole([2, 5])), of(3, 4), some({ paddingIdx: () => below(3) })],
  embeddingBag: () => [arg(() => whole([2, 5])), of(3, 4), some({ mode: () => one(['sum', 'mean']) })], // prettier-ignore
  layerNorm: () => [signal(), arg(() => [8]), some({ weight: () => of(8), eps: 1e-3 })],
  groupNorm: () => [signal(), arg(() => one([1, 2, 3])), some({ bias: () => of(4) })],
  instanceNorm: () => [signal(), some({ eps: 1e-3 })],
  dropout1d: () => [signal(), some({ p: 0.5, training: true })],
  ...share(['l1Loss', 'binaryCrossEntropyWithLogits', 'klDiv', 'smoothL1Loss', 'huberLoss'], () => {
    const x = arg(batch);
    return [x, like(x), some({ reduction })];
  }),
  binaryCrossEntropy() {
    const x = arg(() => functional.sigmoid(batch()));
    return [x, arg(() => (x?.numel < 100 ? functional.sigmoid(x) : x)), some({ reduction })];
  },
  nllLoss: () => [of(4, 3), index(4), some({ reduction, ignoreIndex: 1, weight: [1, 2, 3] })],
  cosineSimilarity: () => [of(4, 3), of(4, 3), some({ dim, eps: 1e-3 })],
  cosineEmbeddingLoss: () => [of(4, 3), of(4, 3), arg([1, -1, 1, 1]), some({ reduction, margin: 0.5 })], // prettier-ignore
  tripletMarginLoss: () => [of(4, 3), of(4, 3), of(4, 3), some({ reduction, p: 1, swap: true })],
};

/** Layers by name: the arguments of the constructor, and those of forward. */
const LAYERS = {
  Conv1d: [() => [arg(4), arg(6), arg(count), some({ stride: count, groups: 2, bias: false, padding: () => one([1, 'same']), paddingMode: () => one(['reflect', 'circular']) })], () => [signal()]], // prettier-ignore
  ConvTranspose1d: [() => [arg(4), arg(2), arg(count), some({ stride: count, groups: 2 })], () => [signal()]], // prettier-ignore
  LazyConv1d: [() => [arg(6), arg(count), some({ stride: count })], () => [signal()]],
  Embedding: [() => [arg(3), arg(4), some({ paddingIdx: 1 })], () => [arg(() => whole([2, 5]))]],
  EmbeddingBag: [() => [arg(3), arg(4), some({ mode: 'sum' })], () => [arg(() => whole([2, 5]))]],
  PReLU: [() => [some({ numParameters: 4, init: 0.5 })], () => [signal()]],
  LayerNorm: [() => [arg(8), some({ eps: 1e-3, bias: false })], () => [signal()]],
  GroupNorm: [() => [arg(2), arg(4), some({ affine: false })], () => [signal()]],
  InstanceNorm1d: [() => [arg(4), some({ affine: true })], () => [signal()]],
  MaxPool1d: [() => [arg(count), some(window())], () => [signal()]],
  Flatten: [() => [some({ startDim: 1, endDim: -1 })], () => [signal()]],
  Unflatten: [() => [arg(1), arg(() => [2, 2])], () => [signal()]],
  Upsample: [() => [some({ scaleFactor: 2, mode: 'linear' })], () => [signal()]],
  BCEWithLogitsLoss: [() => [some({ posWeight: [1, 2, 3] })], () => [of(4, 3), of(4, 3)]],
};

/** What a call returns may be several tensors. */
function results(returned) {
  for (const each of Array.isArray(returned) ? returned : [returned?.values ?? returned])
    result(each);
}

const calls = Object.entries(FUNCTIONS).map(([name, row]) => [
  `functional.${name}`,
  () => results(functional[name](...row())),
]);
const layers = Object.entries(LAYERS).map(([name, [make, row]]) => [
  `nn.${name}`,
  () => results(new nn[name](...make()).forward(...row())),
]);

const custom = () => {
  const backward = (_context, gradient) => [arg(() => gradient)];
  const forward = (context, x) => {
    context.saveForBackward(arg(x));
    return arg(() => functional.mul(x, 2));
  };
  const twice = functional.custom({ name: arg('twice'), forward: arg(() => forward), backward });
  return result(twice(arg(input)));
};

export const FUNCTION_OPERATIONS = {
  ...Object.fromEntries([...calls, ...layers]),
  'functional.custom': custom,
};
