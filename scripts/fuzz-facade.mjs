// Calls the public door at random, with arguments that are right but for a few: detached and shrunk memory,
// proxies, getters that throw or take memory away, huge sizes, symbols. A call that is refused must leave
// every layer, gradient and output as it was, to the bit, and say so in one of our sentences.
//
//   node scripts/fuzz-facade.mjs [--runs N] [--seed S] [--episode E] [--package DIR]
//
// An episode is a small world and some calls on it; --episode repeats one. Prints one line; exits with 1
// on a finding. The types are wrong on purpose here, and not checked.
// @ts-nocheck
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    episode: { type: 'string' },
    package: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
  },
});
const runs = Number(options.runs);
const seed = Number(options.seed);
const evenkeel = createRequire(import.meta.url)(join(options.package, 'dist', 'cjs', 'index.js'));
const { data, functional, keep, manualSeed, native, nn, noGrad, optim, scope, tensor, Tensor } =
  evenkeel;

const CALLS = 40;
/** What hostile values throw themselves: theirs to throw, not ours to reword. */
const MARK = 'thrown by the argument';
/** The engine's own words for what nobody can look into, iterate or call; the addon's for an empty shape like [2^52, 0, 2^52]. */
const ENGINE =
  /proxy that has been revoked|shape to be at most 2\^53|%TypedArray%\.prototype\.values on a detached|Class constructors? .*'new'/;
/** Drawn for this call: something that passes for one of our own objects and is none. Any error will do. */
let forged = false;
function forgery(value) {
  forged = true;
  return value;
}
const SENTENCE = /^(Error\(s\) in loading state_dict for |[A-Za-z][\w.$ ]*: )[^]*\.$/;

let state = 0;
/** Mulberry32: whole numbers below n. */
function below(n) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const one = (list) => list[below(list.length)];
const chance = (n) => below(n) === 0;

let made;
let accepted = 0;
let refused = 0;
const findings = new Map();
const byOperation = new Map();

function run(episode) {
  state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(episode + 1, 0x85ebca6b)) >>> 0;
  made = world();
  const table = operations();
  let before = snapshot();
  for (let call = 0; call < CALLS; call++) {
    const [name, operation] = one(table);
    const count = byOperation.get(name) ?? { accepted: 0 };
    byOperation.set(name, count);
    forged = false;
    try {
      operation();
      accepted++;
      count.accepted++;
    } catch (error) {
      refused++;
      judge(name, error, { episode, call });
      if (!snapshot().equals(before))
        found(`${name} was refused and has changed something`, { episode, call });
    }
    before = snapshot();
  }
}

function judge(name, error, example) {
  const message = error instanceof Error ? error.message : String(error);
  if (message === MARK || ENGINE.test(message)) return;
  const known = error instanceof Error && ['TypeError', 'RangeError', 'Error'].includes(error.name);
  if (known && forged) return;
  if (known && SENTENCE.test(message) && !message.startsWith('evenkeel addon')) return;
  if (options.episode !== undefined) console.error(error);
  found(`${name}: ${error?.name}: ${message.replace(/\d+/g, '#').slice(0, 150)}`, example);
}

function found(text, example) {
  const entry = findings.get(text) ?? { count: 0, example };
  entry.count++;
  findings.set(text, entry);
}

// ---- The world ---------------------------------------------------------------------------------------

function world() {
  const c = 1 + below(6);
  const bn = new nn.BatchNorm1d(
    c,
    one([{}, { affine: false }, { momentum: null }, { bias: false }]),
  );
  const layers = [
    bn,
    new nn.BatchNorm1d(c, {
      nonFinite: one(['propagate', 'throw', 'skip']),
      singleValue: one(['throw', 'running']),
    }),
    new nn.BatchNorm1d(c, { dtype: 'float64', layout: one(['NCL', 'NLC']) }),
    new nn.BatchNorm1d(c, { trackRunningStats: false }),
    new nn.BatchNorm2d(c),
    new nn.BatchNorm3d(c, { affine: false }),
    new nn.FrozenBatchNorm1d(c),
  ];
  const linear = new nn.Linear(c, 3);
  const parameters = [...layers, linear].flatMap((layer) => [...layer.parameters()]);
  return {
    c,
    layers,
    linear,
    optimizers: [new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 }), new optim.Adam(parameters)],
    outs: [tensor(new Float32Array(4 * c), [4, c]), tensor(new Float32Array(12 * c), [4, c, 3])],
    results: [],
    open: [],
  };
}

/** Everything that a refused call may not change, in bytes. */
function snapshot() {
  const parts = [];
  const add = (each) => {
    const { buffer, byteOffset, byteLength } = each;
    parts.push(new Uint8Array(buffer, byteOffset, byteLength));
  };
  let flags = '';
  for (const layer of [...made.layers, made.linear]) {
    for (const [, parameter] of layer.namedParameters()) {
      add(parameter.data);
      if (parameter.gradient !== null) add(parameter.gradient.data);
      flags += `${parameter.requiresGrad}${parameter.gradient === null}`;
    }
    for (const [, buffer] of layer.namedBuffers()) add(buffer.data);
    const { training, eps, momentum, normalizeBy, updateStatistics, frozen, skippedBatches } =
      layer;
    flags += [
      training,
      eps,
      momentum,
      normalizeBy,
      updateStatistics,
      frozen,
      skippedBatches,
    ].join();
  }
  for (const out of made.outs) add(out.data);
  for (const { paramGroups } of made.optimizers) {
    flags += paramGroups
      .map(({ params, ...rest }) => `${params.length}${JSON.stringify(rest)}`)
      .join();
  }
  flags += `${native.threads} ${native.memory.limit} ${Tensor.length}`;
  parts.push(Buffer.from(flags));
  return Buffer.concat(parts);
}

// ---- Arguments ---------------------------------------------------------------------------------------

const numbers = (count) => Float32Array.from({ length: count }, () => (below(2048) - 1024) / 64);
const sizes = () => {
  const { c } = made;
  return one([
    [4, c],
    [4, c],
    [4, c, 3],
    [1, c],
    [0, c],
    [2, c, 2, 2],
    [1, c, 2, 1, 3],
    [c],
    [4, 3],
    [],
  ]);
};
function input(shape = sizes()) {
  const count = shape.reduce((a, b) => a * b, 1);
  const float = numbers(count);
  const options = chance(3) ? { requiresGrad: true } : {};
  return tensor(chance(6) ? Float64Array.from(float) : float, shape, options);
}
const batch = () =>
  input(
    one([
      [4, made.c],
      [4, made.c, 3],
    ]),
  );
const perChannel = () => tensor(numbers(made.c).map(Math.abs), [made.c]);

/** What is right, or now and then what is not. */
const arg = (right) => (chance(7) ? hostile() : right());
/** An options object of some of these, which may itself be wrong. */
function some(choices) {
  if (chance(14)) return hostile();
  const options = {};
  for (const [name, right] of Object.entries(choices)) if (chance(3)) options[name] = arg(right);
  if (chance(40)) options[one(['momentun', 'constructor', '__proto__', 'toString'])] = hostile();
  if (chance(40))
    Object.defineProperty(options, one(Object.keys(choices)), { enumerable: true, get: trap });
  return options;
}

function trap() {
  throw new Error(MARK);
}
function detached(array) {
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}
function shrunk(Kind, count) {
  const buffer = new ArrayBuffer(count * 8 + 16, { maxByteLength: count * 16 + 16 });
  const view = chance(2) ? new Kind(buffer) : new Kind(buffer, 8, count);
  return { view, shrink: () => buffer.resize(one([0, 8, count * 2])) };
}

function hostile() {
  return one(HOSTILE)();
}
const HOSTILE = [
  () => one([NaN, Infinity, -Infinity, -0, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, 5e-324, 3]),
  () => one([null, undefined, true, false, '', '3', 'float32', 'batch', 5n, -(2n ** 70n)]),
  () => Symbol('s'),
  () => one([{}, [], [[]], [1, 'a'], [[1], [2, 3]], new Map(), new Set([1]), new Date(), /x/]),
  () => one([() => 0, class {}, Promise.resolve(1), new WeakMap(), Object.create(null)]),
  () => [NaN, -1, 2 ** 40],
  () => [2 ** 26, 2 ** 26, 2 ** 26],
  () => ({ valueOf: trap, toString: trap, [Symbol.toPrimitive]: trap }),
  () => ({
    get data() {
      return trap();
    },
    shape: [1],
  }),
  () => ({
    data: numbers(4),
    get shape() {
      return trap();
    },
  }),
  () => ({
    data: numbers(4),
    shape: one([[2, 2], [5], () => [4], 'x', null, { length: 2 }, [2 ** 53]]),
    strides: one([undefined, [1, 2], [NaN, 1], [-2, 1], [2 ** 52, 1], hostileText()]),
    offset: one([0, 1, -1, NaN, '0']),
  }),
  () => ({ length: 4, 0: 1, 1: 1, 2: 1, 3: 1 }),
  () => ({ length: one([-1, 2 ** 53, NaN, 1e9]) }),
  () => ({
    get length() {
      return trap();
    },
    [Symbol.iterator]: trap,
  }),
  () => forgery(new Proxy(input(), {})),
  () => forgery(new Proxy(numbers(4), {})),
  () => forgery(new Proxy(one(made.layers), {})),
  () => new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap }),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => forgery(Object.create(Tensor.prototype)),
  () => forgery(Object.create(nn.BatchNorm1d.prototype)),
  () => forgery(Object.create(nn.Parameter.prototype)),
  () => forgery(Object.create(Float32Array.prototype)),
  () =>
    forgery({
      __proto__: Tensor.prototype,
      shape: [4, made.c],
      dtype: 'float32',
      numel: 4 * made.c,
    }),
  () =>
    new (class extends Float32Array {
      get length() {
        return 1e9;
      }
    })(4),
  () =>
    one([
      new Uint8Array(4),
      new DataView(new ArrayBuffer(8)),
      new Int32Array(4),
      new BigInt64Array(2),
      Buffer.alloc(8),
    ]),
  () => detached(numbers(4)),
  () => {
    const { view, shrink } = shrunk(Float32Array, 4);
    shrink();
    return view;
  },
  () => new Float32Array(new SharedArrayBuffer(16 * made.c)),
  () => tensor(new Float32Array(new SharedArrayBuffer(16 * made.c)), [4, made.c]),
  () => {
    const x = batch();
    detached(x.data);
    return x;
  },
  () => {
    const { view, shrink } = shrunk(Float32Array, 4 * made.c);
    const x = tensor(view, [
      view.length / made.c >= 4 && view.length % made.c === 0 ? view.length / made.c : view.length,
      ...(view.length % made.c === 0 && view.length / made.c >= 4 ? [made.c] : []),
    ]);
    shrink();
    return x;
  },
  () => {
    const x = batch();
    x.dispose();
    return x;
  },
  () => tensor(new Int32Array(4 * made.c), [4, made.c]),
  () => tensor(new BigInt64Array(made.c), [made.c]),
  () => tensor(new Float32Array(0), one([[0, 2 ** 52], [2 ** 31, 0], [0]])),
  () => input(),
  () => one(made.layers),
  () => one(made.outs),
  () => made.layers[0].runningMean,
  () => made.layers[0].weight,
  // Overlaps the state by an element.
  () => {
    const held = made.layers[0].runningVar.data;
    return tensor(new Float32Array(held.buffer, held.byteOffset, held.length), [made.c]);
  },
  () =>
    one([
      1,
      [1, 2, 3, 4],
      [
        [0, 1],
        [2, 3],
      ],
    ]),
];
const hostileText = () => one(['x', 5, { length: 2 ** 32 }]);

/** Lengths, right ones, or whose reading takes the input's memory away. */
function lengthsFor(x) {
  const right = Int32Array.from({ length: Math.min(x?.shape?.[0] ?? 4, 100) }, () => below(4));
  return one([
    () => right,
    () => [...right],
    () => tensor(right, [right.length]),
    () => hostile(),
    () =>
      new Proxy([...right], {
        get: (target, name) => {
          if (name === '0') takeAway(x);
          return target[name];
        },
      }),
  ])();
}
function takeAway(x) {
  const { buffer } = x?.data ?? {};
  if (buffer instanceof ArrayBuffer && buffer.byteLength > 0 && !shared(buffer))
    structuredClone(buffer, { transfer: [buffer] });
}
/** The state's own memory stays. */
function shared(buffer) {
  return (
    made.outs.some(({ data: each }) => each.buffer === buffer) ||
    [...made.layers, made.linear].some((layer) =>
      [...layer.stateDict().values()].some(({ data: each }) => each.buffer === buffer),
    )
  );
}

function stateFor(layer) {
  const own = new Map();
  for (const [key, { data: each, shape }] of layer.stateDict())
    own.set(key, tensor(each.slice(), shape));
  for (let i = below(3); i > 0; i--) {
    const key = one([...own.keys(), 'extra', '__proto__', 'weight', 'num_batches_tracked']);
    if (chance(3)) own.delete(key);
    else own.set(key, chance(2) ? hostile() : input());
  }
  return own;
}

// ---- The operations ----------------------------------------------------------------------------------

function result(y) {
  if (y instanceof Tensor && y.numel < 1e6) {
    if (!y.disposed && y.data.length !== y.numel) throw new Error('a result without its elements');
    made.results.push(y);
    if (made.results.length > 6) made.results.shift();
  }
  return y;
}

function operations() {
  return (operations.table ??= [
    [
      'tensor',
      () =>
        result(
          tensor(
            arg(() => numbers(4)),
            arg(() => [2, 2]),
            some({ dtype: () => 'float32', requiresGrad: () => true }),
          ),
        ),
    ],
    ['Tensor.from', () => void Tensor.from(arg(() => ({ data: numbers(6), shape: [2, 3] })))],
    [
      'functional.batchNorm',
      () => {
        const x = arg(batch);
        const known = chance(3);
        const mean = known ? null : arg(perChannel);
        const variance = known ? null : arg(perChannel);
        result(
          functional.batchNorm(
            x,
            mean,
            variance,
            some({
              weight: perChannel,
              bias: perChannel,
              training: () => true,
              momentum: () => 0.5,
              eps: () => 1e-3,
              relu: () => true,
              out: () => one(made.outs),
              lengths: () => lengthsFor(x),
            }),
          ),
        );
      },
    ],
    ['functional.relu', () => result(functional.relu(arg(input)))],
    [
      'functional.add',
      () => {
        const a = arg(batch);
        result(
          functional.add(
            a,
            arg(() => a),
          ),
        );
      },
    ],
    [
      'functional.mul',
      () => {
        const a = arg(batch);
        result(
          functional.mul(
            a,
            arg(() => a),
          ),
        );
      },
    ],
    ['functional.sum', () => result(functional.sum(arg(input)))],
    ['functional.mean', () => result(functional.mean(arg(input)))],
    [
      'functional.reshape',
      () =>
        result(
          functional.reshape(
            arg(() => input([4, 3])),
            arg(() => [3, 4]),
          ),
        ),
    ],
    [
      'functional.linear',
      () =>
        result(
          functional.linear(
            arg(() => input([4, 3])),
            arg(() => input([2, 3])),
            arg(() => null),
          ),
        ),
    ],
    [
      'functional.dropout',
      () => result(functional.dropout(arg(batch), some({ p: () => 0.5, training: () => true }))),
    ],
    [
      'functional.mseLoss',
      () => {
        const a = arg(batch);
        result(
          functional.mseLoss(
            a,
            arg(() => a),
            some({ reduction: () => 'sum' }),
          ),
        );
      },
    ],
    [
      'functional.crossEntropy',
      () =>
        result(
          functional.crossEntropy(
            arg(() => input([4, 3])),
            arg(() => Int32Array.of(0, 1, 2, 0)),
            some({ reduction: () => 'mean', ignoreIndex: () => 1 }),
          ),
        ),
    ],
    [
      'new BatchNorm',
      () =>
        new (one([nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d]))(
          arg(() => 3),
          some({
            eps: () => 1e-5,
            momentum: () => null,
            affine: () => true,
            bias: () => false,
            trackRunningStats: () => true,
            dtype: () => 'float64',
            layout: () => 'NLC',
            nonFinite: () => 'skip',
            singleValue: () => 'running',
          }),
        ),
    ],
    [
      'new FrozenBatchNorm1d',
      () =>
        new nn.FrozenBatchNorm1d(
          arg(() => 3),
          some({ eps: () => 0, dtype: () => 'float32', layout: () => 'NCL' }),
        ),
    ],
    ['FrozenBatchNorm1d.from', () => nn.FrozenBatchNorm1d.from(arg(() => made.layers[0]))],
    [
      'foldBatchNorm',
      () =>
        nn.foldBatchNorm(
          arg(() => new nn.Linear(3, made.c).eval()),
          arg(() => new nn.BatchNorm1d(made.c).eval()),
        ),
    ],
    [
      'new Linear',
      () =>
        new nn.Linear(
          arg(() => 3),
          arg(() => 2),
          some({ bias: () => false, dtype: () => 'float64' }),
        ),
    ],
    ['new Dropout', () => new nn.Dropout(arg(() => 0.5))],
    [
      'new Sequential',
      () =>
        new nn.Sequential(
          arg(() => new nn.ReLU()),
          arg(() => new nn.Linear(2, 2)),
        ),
    ],
    [
      'forward',
      () => {
        const layer = one(made.layers);
        const rank =
          layer.constructor.name === 'BatchNorm2d'
            ? [2, made.c, 2, 2]
            : layer.constructor.name === 'BatchNorm3d'
              ? [1, made.c, 2, 1, 3]
              : null;
        let x = arg(rank === null ? batch : () => input(rank));
        if (
          layer.dtype === 'float64' &&
          x instanceof Tensor &&
          x.dtype === 'float32' &&
          !x.disposed &&
          x.data.length === x.numel &&
          !chance(8)
        )
          x = tensor(Float64Array.from(x.data), x.shape);
        if (chance(2)) result(layer.forward(x));
        else
          result(
            layer.forward(
              x,
              some({ out: () => one(made.outs), relu: () => true, lengths: () => lengthsFor(x) }),
            ),
          );
      },
    ],
    ['Linear.forward', () => result(made.linear.forward(arg(() => input([4, made.c]))))],
    [
      'eps, momentum',
      () => {
        one(made.layers.slice(0, 6))[one(['eps', 'momentum'])] = arg(() => 0.25);
      },
    ],
    [
      'normalizeBy',
      () => {
        one(made.layers.slice(0, 6)).normalizeBy = arg(() => one(['auto', 'batch', 'running']));
      },
    ],
    [
      'updateStatistics',
      () => {
        one(made.layers.slice(0, 6)).updateStatistics = arg(() => one(['auto', true, false]));
      },
    ],
    [
      'numBatchesTracked',
      () => {
        one(made.layers.slice(0, 6)).numBatchesTracked = arg(() => below(9));
      },
    ],
    ['train', () => one(made.layers).train(arg(() => chance(2)))],
    [
      'freeze',
      () => {
        one(made.layers.slice(0, 6))
          .freeze(some({ affine: () => true }))
          .unfreeze();
      },
    ],
    ['requiresGrad_', () => one(made.layers).requiresGrad_(arg(() => true))],
    ['shareMemory', () => one(made.layers).shareMemory()],
    ['Module.zeroGrad', () => one(made.layers).zeroGrad(some({ setToNone: () => chance(2) }))],
    [
      'loadStateDict',
      () => {
        const layer = one(made.layers);
        layer.loadStateDict(
          arg(() => stateFor(layer)),
          some({ strict: () => chance(2), assign: () => chance(2) }),
        );
      },
    ],
    [
      'registerBuffer',
      () =>
        new nn.BatchNorm1d(2).registerBuffer(
          arg(() => 'another'),
          arg(perChannel),
          some({ persistent: () => true }),
        ),
    ],
    [
      'registerParameter',
      () =>
        new nn.BatchNorm1d(2).registerParameter(
          arg(() => 'another'),
          arg(() => new nn.Parameter(perChannel())),
        ),
    ],
    [
      'registerModule',
      () =>
        new nn.BatchNorm1d(2).registerModule(
          arg(() => 'another'),
          arg(() => new nn.ReLU()),
        ),
    ],
    [
      'registerForwardHook',
      () => new nn.BatchNorm1d(2).registerForwardHook(arg(() => () => undefined)).remove(),
    ],
    [
      'new Parameter',
      () =>
        new nn.Parameter(
          arg(perChannel),
          arg(() => true),
        ),
    ],
    [
      'backward',
      () => {
        if (made.results.length === 0) return;
        const y = one(made.results);
        y.backward(
          arg(() =>
            y.numel === 1
              ? undefined
              : tensor(
                  (y.dtype === 'float32' ? numbers : (n) => Float64Array.from(numbers(n)))(y.numel),
                  y.shape,
                ),
          ),
          some({ retainGraph: () => true }),
        );
      },
    ],
    [
      'tensor methods',
      () => {
        const x = input();
        one([
          () => x.item(),
          () => x.toArray(),
          () => x.clone(),
          () => x.detach(),
          () => x.shareMemory_(),
          () => String(x),
        ])();
      },
    ],
    [
      'requiresGrad',
      () => {
        const x = input();
        x.requiresGrad = arg(() => true);
      },
    ],
    [
      'new optimizer',
      () =>
        new (one([optim.SGD, optim.Adam, optim.AdamW]))(
          arg(() => made.linear.parameters()),
          some({ lr: () => 0.1, weightDecay: () => 0.1, maximize: () => true }),
        ),
    ],
    [
      'addParamGroup',
      () =>
        new optim.SGD(made.linear.parameters()).addParamGroup(
          arg(() => ({ params: [new nn.Parameter(perChannel())], lr: arg(() => 0.5) })),
        ),
    ],
    ['step', () => one(made.optimizers).step()],
    [
      'step with a wrong group',
      () => {
        const optimizer = new optim.SGD(made.linear.parameters(), { lr: 0.01 });
        optimizer.paramGroups[0].lr = arg(() => 0.5);
        optimizer.step();
      },
    ],
    [
      'Optimizer.zeroGrad',
      () => one(made.optimizers).zeroGrad(some({ setToNone: () => chance(2) })),
    ],
    [
      'virtualBatch',
      () => {
        const open = nn.virtualBatch(arg(() => made.layers[0]));
        try {
          made.layers[0].forward(batch());
          open.commit();
        } finally {
          open.discard();
        }
      },
    ],
    ['snapshotStatistics', () => nn.snapshotStatistics(arg(() => one(made.layers))).rollback()],
    [
      'transaction',
      () =>
        nn.transaction(
          arg(() => made.layers[0]),
          arg(() => () => made.layers[0].forward(arg(batch))),
        ),
    ],
    ['noGrad', () => noGrad(arg(() => () => 1))],
    ['scope', () => scope(arg(() => () => keep(arg(input))))],
    ['manualSeed', () => manualSeed(arg(() => 3))],
    [
      'setThreads',
      () => {
        native.setThreads(arg(() => 1 + below(4)));
      },
    ],
    [
      'memory.limit',
      () => {
        native.memory.limit = arg(() => 2 ** 20 + below(100));
      },
    ],
    [
      'DataLoader',
      () => {
        const set = new data.TensorDataset(
          arg(() => input([4, 3])),
          arg(() => tensor(Int32Array.of(0, 1, 2, 0), [4])),
        );
        for (const each of new data.DataLoader(
          set,
          some({ batchSize: () => 2, shuffle: () => true, dropLast: () => true }),
        ))
          void each;
      },
    ],
  ]);
}

// ---- All of it ---------------------------------------------------------------------------------------

const first = options.episode === undefined ? 0 : Number(options.episode);
const last = options.episode === undefined ? Math.ceil(runs / CALLS) : first + 1;
for (let episode = first; episode < last; episode++) run(episode);

for (const [text, { count, example }] of findings) {
  console.error(
    `${text}\n  ${count} times; to repeat: --seed ${seed} --episode ${example.episode}, call ${example.call}`,
  );
}
const total = accepted + refused;
console.log(
  `facade: ${total} calls of ${operations().length} operations, ${accepted} accepted, ${refused} refused ` +
    `with state kept, ${findings.size} findings; seed ${seed}`,
);
const silent = [...byOperation].filter(([, { accepted: count }]) => count === 0);
if (options.episode === undefined && total >= 20000 && silent.length > 0) {
  console.error(`never accepted: ${silent.map(([name]) => name).join(', ')}`);
  process.exitCode = 1;
}
if (findings.size > 0) process.exitCode = 1;
