// How much of what people write runs here: 38 training loops and 152 models that use BatchNorm1d, each a list of needs
// (survey/needs.json, taken down from public code; behind `/` is what is left where the backbone is frozen and runs elsewhere),
// against what the public door has. A need is looked up, and options are tried, so the figures cannot be ahead of the code.
//
//   node scripts/survey.mjs [--json | --table]: --table prints what is lacking, as docs/training.md has it.
//
// An upper bound: models and loops were counted apart, and from excerpts of the code.
import { readFileSync } from 'node:fs';

import * as evenkeel from 'evenkeel';

/** The needs of each, by its name. @typedef {Record<string, string>} Entries */

const { functional, optim, tensor } = evenkeel;

/** @param {string[]} paths @returns {() => boolean} whether all are there */
const has =
  (...paths) =>
  () =>
    paths.every((path) => {
      /** @type {unknown} */
      let at = evenkeel;
      for (const name of path.split('.')) {
        if ((typeof at !== 'object' && typeof at !== 'function') || at === null) return false;
        at = Reflect.get(at, name);
      }
      return at !== undefined;
    });

/** @param {() => unknown} body @returns {() => boolean} whether it is done */
const does = (body) => () => {
  try {
    body();
    return true;
  } catch {
    return false;
  }
};
const logits = () => tensor([[1, 2], [3, 4]]); // prettier-ignore
const always = () => true;
const never = () => false;

/**
 * Whether such a layer runs, and its weights learn.
 *
 * @param {ConstructorParameters<typeof evenkeel.nn.Conv1d>} args
 */
const convolves = (...args) =>
  does(() => {
    const layer = new evenkeel.nn.Conv1d(...args);
    const [channels] = args;
    functional
      .sum(layer.forward(tensor(new Float32Array(channels * 8).fill(1), [1, channels, 8])))
      .backward();
    if (layer.weight.grad === null) throw new Error('no gradient');
  });

const ARITHMETIC = ['sub', 'div', 'exp', 'log', 'sqrt', 'abs', 'pow', 'clamp'];
const arithmetic = has(...ARITHMETIC.map((name) => `functional.${name}`));

/** @type {Record<string, () => boolean>} */
const FEATURES = {
  // Losses.
  ce: has('nn.CrossEntropyLoss'),
  'ce:weight': does(() => functional.crossEntropy(logits(), [0, 1], { weight: [1, 2] })),
  'ce:smoothing': does(() => functional.crossEntropy(logits(), [0, 1], { labelSmoothing: 0.1 })),
  'ce:none': does(() => functional.crossEntropy(logits(), [0, 1], { reduction: 'none' })),
  'ce:soft': does(() => functional.crossEntropy(logits(), logits())),
  bcel: has('nn.BCEWithLogitsLoss'),
  'bcel:pos_weight': does(() =>
    functional.binaryCrossEntropyWithLogits(logits(), logits(), { posWeight: [1, 2] }),
  ),
  'bcel:none': does(() =>
    functional.binaryCrossEntropyWithLogits(logits(), logits(), { reduction: 'none' }),
  ),
  bce: has('nn.BCELoss'),
  nll: has('nn.NLLLoss'),
  mse: has('nn.MSELoss'),
  l1: has('nn.L1Loss'),
  smoothl1: has('nn.SmoothL1Loss'),
  cosine_sim: has('nn.CosineSimilarity'),
  focal: arithmetic,
  gp: never, // a gradient of a gradient
  // Optimisers and schedules; `manual` writes into param_groups.
  ...{ sgd: has('optim.SGD'), adam: has('optim.Adam'), adamw: has('optim.AdamW') },
  ...{ rmsprop: has('optim.RMSprop'), lars: has('optim.LARS'), user: always },
  'schedule:manual': has('optim.SGD'),
  'schedule:step': has('optim.lrScheduler.StepLR'),
  'schedule:plateau': has('optim.lrScheduler.ReduceLROnPlateau'),
  'schedule:cosine': has('optim.lrScheduler.CosineAnnealingLR'),
  'schedule:warmrestarts': has('optim.lrScheduler.CosineAnnealingWarmRestarts'),
  // The rest of a loop. Half precision is left out: nothing but speed depends on it.
  ...{ clip: has('nn.clipGradNorm_'), groups: has('optim.groups'), amp: always },
  earlystop: has('optim.EarlyStopping'),
  best: has('StateDict.prototype.clone'),
  optstate: does(() => optim.Optimizer.prototype.stateDict.name),
  droplast: has('data.DataLoader'),
  ...{ split: has('data.randomSplit'), sampler: has('data.WeightedRandomSampler') },
  ...{ collate: has('data.padSequence'), bnmomentum: has('nn.BatchNorm1d'), init: has('nn.init') },
  ...{ ema: has('nn.AveragedModel'), soft: has('nn.softUpdate'), syncbn: has('nn.SyncBatchNorm') },
  // Operations of models.
  ...{ sigmoid: has('nn.Sigmoid'), tanh: has('nn.Tanh'), leaky: has('nn.LeakyReLU') },
  ...{ gelu: has('nn.GELU'), silu: has('nn.SiLU'), elu: has('nn.ELU'), prelu: has('nn.PReLU') },
  ...{
    softplus: has('nn.Softplus'),
    softmax: has('functional.softmax'),
    glu: has('functional.glu'),
  },
  logsoftmax: has('functional.logSoftmax'),
  bcast: does(() => functional.add(logits(), tensor([1, 2]))),
  elem: arithmetic,
  reduce: has('functional.amax', 'functional.var', 'functional.max'),
  normalize: has('functional.normalize'),
  cat: has('functional.cat'),
  slice: has('functional.narrow', 'functional.split'),
  transpose: has('functional.transpose', 'functional.permute'),
  matmul: has('functional.matmul', 'functional.bmm'),
  index: has('functional.indexSelect', 'functional.gather'),
  ...{ topk: has('functional.topk'), mask: has('functional.where', 'functional.maskedFill') },
  ...{ onehot: has('functional.oneHot'), gnn: has('functional.indexAdd') },
  ...{ emb: has('nn.Embedding'), statpool: has('functional.var', 'functional.cat') },
  ...{ conv1x1: convolves(1, 2, 1), convk: convolves(1, 2, 3) },
  groups1d: convolves(2, 4, 3, { groups: 2 }),
  dil: convolves(1, 2, 3, { dilation: 2 }),
  same: convolves(1, 2, 4, { padding: 'same' }),
  padmode: convolves(1, 2, 3, { padding: 1, paddingMode: 'circular' }),
  ...{ convT: has('nn.ConvTranspose1d'), interp: has('functional.interpolate') },
  ...{ max1d: has('nn.MaxPool1d'), avg1d: has('nn.AvgPool1d') },
  ...{ adaptavg: has('nn.AdaptiveAvgPool1d'), adaptmax: has('nn.AdaptiveMaxPool1d') },
  ...{ layernorm: has('nn.LayerNorm'), attn: has('nn.MultiheadAttention'), rnn: has('nn.LSTM') },
  ...{ conv2d: has('nn.Conv2d'), gradreverse: has('functional.custom') },
  sparsemax: has('functional.custom', 'functional.sort'),
  ...{ gumbel: arithmetic, lgamma: never, doublebackward: never },
};

/** Of a loop `custom` is a loss of tensor operations, of a model an operation that no library has. */
const LOOPS = { ...FEATURES, custom: arithmetic };
const MODELS = {
  ...FEATURES,
  groups: FEATURES.groups1d ?? never,
  custom: has('functional.custom'),
};

/**
 * @param {string} id
 * @param {string} needs
 * @param {Record<string, () => boolean>} features
 * @returns {string | null} the first need that is not there
 */
function missing(id, needs, features) {
  const lacks = needs.split('/').map((part) =>
    part.split(' ').find((need) => {
      if (need === '') return false;
      const feature = features[need];
      if (feature === undefined)
        throw new Error(`${id} needs '${need}', which the script does not know`);
      return !feature();
    }),
  );
  return lacks.every((need) => need !== undefined) ? (lacks.at(-1) ?? null) : null;
}

/**
 * @param {Entries} entries
 * @param {Record<string, () => boolean>} features
 */
function judged(entries, features) {
  const rows = Object.entries(entries).map(([id, needs]) => ({
    id,
    missing: missing(id, needs, features),
  }));
  const complete = rows.filter((row) => row.missing === null).length;
  return { complete, of: rows.length, rows };
}

/** @type {unknown} */
const table = JSON.parse(readFileSync(new URL('survey/needs.json', import.meta.url), 'utf8'));
const needs = /** @type {{ loops: Entries, models: Entries }} */ (table);

/** Not of the package's own field, where that must run here. */
const OTHER_FIELDS = ['conv2d', 'attn', 'rnn', 'gnn'];
const ownField = Object.fromEntries(
  Object.entries(needs.models).filter(([, of]) => {
    const words = of.split('/').at(-1)?.split(' ') ?? [];
    return !words.some((word) => OTHER_FIELDS.includes(word));
  }),
);

const result = {
  loops: judged(needs.loops, LOOPS),
  models: judged(needs.models, MODELS),
  ownField: judged(ownField, MODELS),
};

/** What a reader calls the needs that are not met. @type {Record<string, string>} */
const WORDS = {
  attn: 'attention (`nn.MultiheadAttention`)',
  conv2d: 'convolution over two dimensions (`nn.Conv2d`)',
  doublebackward: 'a gradient of a gradient, in the model',
  gp: 'a gradient of a gradient, in the loss (gradient penalty)',
  lgamma: 'the logarithm of the gamma function (`torch.lgamma`)',
  rnn: 'recurrent layers (`nn.LSTM`, `nn.GRU`)',
};

/** How many loops and models lack each need first, the most frequent first. */
function lackingTable() {
  const lacking = [...result.loops.rows, ...result.models.rows].flatMap((row) => row.missing ?? []);
  /** @param {{ rows: { missing: string | null }[] }} of @param {string} need */
  const count = ({ rows }, need) => rows.filter(({ missing: lacks }) => lacks === need).length;
  const all = [...new Set(lacking)].map((need) => ({
    what: WORDS[need] ?? need,
    loops: count(result.loops, need),
    models: count(result.models, need),
  }));
  all.sort((a, b) => b.loops + b.models - a.loops - a.models || (a.what < b.what ? -1 : 1));
  return [
    '| lacks first | loops | models |',
    '| --- | --- | --- |',
    ...all.map(({ what, loops, models }) => `| ${what} | ${loops} | ${models} |`),
    `| nothing: runs complete | ${result.loops.complete} of ${result.loops.of} | ${result.models.complete} of ${result.models.of} |`,
  ].join('\n');
}

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(result));
} else if (process.argv.includes('--table')) {
  console.log(lackingTable());
} else {
  for (const [name, { complete, of, rows }] of Object.entries(result)) {
    for (const row of name === 'ownField' ? [] : rows) {
      console.log(`${row.id}  ${row.missing === null ? 'runs complete' : `lacks ${row.missing}`}`);
    }
    console.log(
      `${name}: ${complete} of ${of} run complete, ${Math.round((100 * complete) / of)} %\n`,
    );
  }
}
