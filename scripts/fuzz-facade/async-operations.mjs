// The calls beside the event loop, by name, and what is done to them and their memory while they are
// under way.
// @ts-nocheck
import { MARK } from '../../test/helpers/hostile.mjs';
import { arg, lengthsFor, ofState, some, stateFor, takeAway } from './arguments.mjs';
import { below, chance, numbers, one } from './draw.mjs';
import { accept, found } from './findings.mjs';
import { flights, launch } from './flights.mjs';
import { drawn } from './hostile.mjs';
import { placed, shapeFor } from './inputs.mjs';
import { evenkeel, options } from './package.mjs';
import { choices, made, result } from './world.mjs';

const { functional, nn, noGrad, scope, tensor } = evenkeel;

/** What is copied at the call; more in turns. */
const COPIED_AT_ONCE = 2 ** 20;

/** Starts a forward of this layer, of that input or of a new one. */
function fly(layer, given = null) {
  Object.assign(drawn, { hostile: false, forged: false });
  const dtype = chance(15) ? one(['float32', 'float64']) : layer.dtype;
  const input = given ?? placed(shapeFor(layer, chance(2)), dtype);
  const x = arg(() => input.x);
  if (x === input.x && given === null && chance(3)) x.requiresGrad = true;
  const used = {};
  const options = some(
    {
      signal: () => signalFor(used),
      transfer: () => (used.transfer = true),
      relu: () => (used.relu = true),
      lengths: () => (used.lengths = lengthsFor(x, layer.layout)),
    },
    x,
  );
  const shape = [...input.x.shape];
  const right = x === input.x && !drawn.hostile;
  input.touched ||= drawn.hostile; // a getter that takes x away, maybe
  const flight = launch({
    name: 'forwardAsync',
    layer,
    part: layer,
    start: () => layer.forwardAsync(x, options),
    controller: used.controller,
    doomed: used.aborted,
    input: right ? input : null,
    large: input.values.length >= 32 * 1024,
    replay: right ? replayOf(layer, input.values, shape, used) : null,
    moves: right && moves(layer),
  });
  abortSoon(flight);
}

/** Whether a forward moves the running statistics. */
function moves({ frozen, updateStatistics, training, trackRunningStats, runningMean }) {
  if (frozen) return false;
  if (updateStatistics !== 'auto') return updateStatistics;
  return training && trackRunningStats && runningMean !== null;
}

/** A signal, now and then aborted already. */
function signalFor(used) {
  used.controller = new AbortController();
  used.aborted = chance(12);
  if (used.aborted) abort(used.controller);
  return used.controller.signal;
}

function abortSoon(flight) {
  const { controller } = flight;
  if (controller === undefined || !chance(4)) return;
  if (chance(2)) {
    flight.doomed ||= flight.name === 'forwardAsync'; // backwardAsync of a leaf is over by now
    abort(controller);
  } else queueMicrotask(() => abort(controller));
}

/** The same at once, on another layer; returns the output where that does not depend on what came before. */
function replayOf(layer, values, shape, { relu = false, lengths: given }) {
  const choose = choices(layer);
  const lengths = given && [...(given.data ?? given)]; // a scope may take the tensor back
  const { training, frozen, normalizeBy, runningMean } = layer;
  const byBatch =
    !frozen && (normalizeBy === 'batch' || (normalizeBy === 'auto' && (training || !runningMean)));
  if (made.open?.layer === layer) return () => null; // collected, and moves nothing before the commit
  return (twin) => {
    choose(twin);
    const y = twin.forward(tensor(values.slice(), shape), { relu, lengths });
    return byBatch && layer.singleValue === 'throw' ? y : null;
  };
}

function abort(controller) {
  controller.abort(one([undefined, new Error(MARK), 'enough', Symbol('s'), 0]));
}

function flyBack() {
  if (made.results.length === 0) return;
  Object.assign(drawn, { hostile: false, forged: false });
  const y = one(made.results);
  const input = placed(y.shape, y.dtype);
  const gradient = arg(() => (y.numel === 1 && chance(2) ? undefined : input.x));
  const used = {};
  const options = some({ retainGraph: true, signal: () => signalFor(used) }, input.x);
  const flight = launch({
    name: 'backwardAsync',
    part: 'gradients',
    start: () => y.backwardAsync(gradient, options),
    controller: used.controller,
    doomed: used.aborted,
    input: gradient === input.x && !drawn.hostile ? input : null,
    large: y.numel >= 32 * 1024,
    replay: null,
  });
  abortSoon(flight);
}

const CALLS = {
  forwardAsync: () => one([(body) => body(), scope, noGrad])(() => fly(one(made.norms))),
  'forwardAsync, many at once': () => {
    const layer = one(made.norms);
    for (let i = 2 + below(10); i > 0; i--) fly(chance(3) ? one(made.norms) : layer);
  },
  'forwardAsync of the same input': () => {
    const layer = one(made.norms);
    const input = placed(shapeFor(layer, chance(2)), layer.dtype);
    for (let i = 2 + below(3); i > 0; i--) fly(layer, input);
  },
  'forwardAsync of no size': () => {
    const lazy = new nn.LazyBatchNorm1d();
    launch({
      name: 'forwardAsync of no size',
      start: async () => {
        try {
          await lazy.forwardAsync(placed([4, made.c]).x);
        } catch (error) {
          if (lazy.numFeatures === 0) accept('forwardAsync of no size');
          throw error;
        }
        found('a lazy layer without a size has computed something');
      },
    });
  },
  backwardAsync: flyBack,
};

/** Done to a call under way; nothing happens where there is none that it could be done to. */
const underWay = (meddle) => () => {
  const able = flights.filter(({ input }) => input && !input.x.disposed && !ofState(input.x));
  if (able.length > 0) meddle(one(able).input);
};

const CHANGES = [
  (layer) => layer.train(!layer.training),
  (layer) => layer.freeze(),
  (layer) => layer.unfreeze(),
  (layer) => layer.resetRunningStats(),
  (layer) => layer.loadStateDict(stateFor(layer)),
  (layer) => layer.requiresGrad_(chance(2)),
  (layer) => void layer.weight?.data.fill(1 + below(9)),
  (layer) => void layer.bias?.data.fill(below(9)),
  (layer) => void layer.runningVar?.data.fill(below(9)),
  (layer) => (layer.momentum = one([null, 0.5])),
  (layer) => (layer.eps = one([1, 1e-3])),
  (layer) => result(layer.forward(placed(shapeFor(layer, chance(3)), layer.dtype).x)),
];

const MEDDLING = {
  abort: () => {
    const able = flights.filter(({ controller }) => controller);
    if (able.length > 0) abort(one(able).controller);
  },
  'detach under way': underWay((input) => {
    input.touched = true;
    takeAway(input.x);
  }),
  'shrink under way': underWay((input) => {
    const { buffer } = input.x.data;
    input.touched = true;
    const able = buffer instanceof ArrayBuffer && buffer.resizable && buffer.byteLength > 8;
    if (able) buffer.resize(below(2) * 8);
  }),
  'dispose under way': underWay(({ x }) => x.dispose()),
  'look under way': underWay(({ x }) => void x.data),
  'write under way': underWay((input) => {
    const { x, kind, values } = input;
    const seen = ['shared', 'growable'].includes(kind) || values.byteLength > COPIED_AT_ONCE;
    // What the user may not do, and is not noticed: whatever comes of it, it is no crash.
    for (const flight of flights) if (seen && flight.input === input) flight.replay = null;
    input.touched = true;
    if (x.data.byteLength > 0) x.data.fill(below(9));
  }),
  'its layer changes under way': () => {
    const able = flights.filter(({ layer }) => layer);
    if (able.length > 0) one(CHANGES)(one(able).layer);
  },
  'an operation writes under way': underWay((input) => {
    const { x } = input;
    if (options.undisturbed || x.requiresGrad || x.shape.length < 2 || x.data.byteLength === 0)
      return;
    const Kind = x.dtype === 'float32' ? Float32Array : Float64Array;
    const other = tensor(Kind.from(numbers(x.numel)), x.shape);
    input.touched = true;
    functional.batchNorm(other, null, null, { training: true, out: x });
  }),
};

const VIRTUAL = {
  'a virtual batch is opened': () => {
    if (made.open !== null) return;
    const layer = one(made.norms);
    made.open = { layer, batch: nn.virtualBatch(layer) };
  },
  'and closed': () => {
    const { open } = made;
    made.open = null;
    if (chance(2)) open?.batch.discard();
    else open?.batch.commit();
  },
};

export const ASYNC_OPERATIONS = { ...CALLS, ...MEDDLING, ...VIRTUAL };
