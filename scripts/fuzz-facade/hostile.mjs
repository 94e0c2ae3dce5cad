// Wrong arguments of every kind: those that are wrong for any call (test/helpers/hostile.mjs), and those that are wrong
// for what an episode works on.
// @ts-nocheck
import { detach, hostileOf } from '../../test/helpers/hostile.mjs';
import { below, chance, one } from './draw.mjs';
import { batch, input } from './inputs.mjs';
import { evenkeel } from './package.mjs';
import { made } from './world.mjs';

const { tensor, Tensor } = evenkeel;

/** What the call's arguments have among them: something wrong; something that any error may answer. */
export const drawn = { hostile: false, forged: false };

export function hostile() {
  drawn.hostile = true;
  if (chance(4)) return one(OF_THE_EPISODE)();
  const { make, isForged } = one(OF_ANY_CALL);
  if (isForged) drawn.forged = true;
  return make();
}

/** Passes for one of our own objects, and is none. */
function forgery(value) {
  drawn.forged = true;
  return value;
}

function shrunk(count) {
  const buffer = new ArrayBuffer(count * 8 + 16, { maxByteLength: count * 16 + 16 });
  const view = chance(2) ? new Float32Array(buffer) : new Float32Array(buffer, 8, count);
  return { view, shrink: () => buffer.resize(one([0, 8, count * 2])) };
}

const OF_ANY_CALL = [...hostileOf(evenkeel).values()];

const OF_THE_EPISODE = [
  () => forgery(new Proxy(input(), {})),
  () => forgery(new Proxy(one(made.layers), {})),
  () =>
    forgery({
      __proto__: Tensor.prototype,
      shape: [4, made.c],
      dtype: 'float32',
      numel: 4 * made.c,
    }),
  () => new Float32Array(new SharedArrayBuffer(16 * made.c)),
  () => tensor(new Float32Array(new SharedArrayBuffer(16 * made.c)), [4, made.c]),
  () => {
    const x = batch();
    if (x.data.buffer instanceof ArrayBuffer) detach(x.data);
    return x;
  },
  () => {
    const { view, shrink } = shrunk(4 * made.c);
    const rows = view.length / made.c;
    const x = tensor(view, Number.isInteger(rows) && rows >= 4 ? [rows, made.c] : [view.length]);
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
    const { buffer, byteOffset, length } = made.layers[0].runningVar.data;
    return tensor(new Float32Array(buffer, byteOffset, length), [made.c]);
  },
  () => AbortSignal.timeout(below(3)),
];
