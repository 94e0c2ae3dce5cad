// The arguments of one call: right but for a few.
// @ts-nocheck
import { detach, trap } from '../../test/helpers/hostile.mjs';
import { below, chance, one } from './draw.mjs';
import { drawn, hostile } from './hostile.mjs';
import { input, lengthsOf } from './inputs.mjs';
import { evenkeel } from './package.mjs';
import { made } from './world.mjs';

const { tensor } = evenkeel;

/** What is right, or made by that function; now and then what is not. */
export const arg = (right) => (chance(7) ? hostile() : rightly(right));
const rightly = (right) => (typeof right === 'function' ? right() : right);

/** An options object of some of these, which may itself be wrong; now and then reading it takes x away. */
export function some(choices, x = null) {
  if (chance(14)) return hostile();
  const options = {};
  const names = Object.keys(choices);
  for (const name of names) if (chance(3)) options[name] = arg(choices[name]);
  if (chance(40)) {
    drawn.hostile = true;
    options[one(['momentun', 'constructor', '__proto__', 'toString'])] = hostile();
  }
  if (chance(40)) trapOf(options, one(names), trap);
  if (x !== null && chance(30)) {
    const name = one(names);
    const right = rightly(choices[name]);
    trapOf(options, name, () => {
      if (chance(2)) takeAway(x);
      else if (x instanceof evenkeel.Tensor && !ofState(x)) x.dispose();
      return right;
    });
  }
  return options;
}

function trapOf(options, name, get) {
  drawn.hostile = true;
  Object.defineProperty(options, name, { enumerable: true, configurable: true, get });
}

/** The shape of x, which may be no tensor at all: then that of a batch that is right for some layer. */
const shapeOf = (x) => (Array.isArray(x?.shape) ? x.shape : [4, 1, 3]);

/** Lengths, right ones, or whose reading takes the input's memory away. */
export function lengthsFor(x, layout = 'NCL') {
  const right = lengthsOf(shapeOf(x), layout);
  return one([
    () => right,
    () => [...right],
    () => tensor(right, [right.length]),
    () => BigInt64Array.from(right, BigInt),
    () => tensor(right, [right.length], { dtype: 'int64' }),
    () => Uint8Array.from(right),
    () => hostile(),
    () => {
      drawn.hostile = true;
      const get = (target, name) => {
        if (name === '0') takeAway(x);
        return target[name];
      };
      return new Proxy([...right], { get });
    },
  ])();
}

/** Flags, right ones, or whose reading takes the input's memory away. */
export function maskFor(x, layout = 'NCL') {
  const [n = 4, ...rest] = shapeOf(x);
  const l = rest.length < 2 ? 1 : (rest[layout === 'NLC' ? 0 : 1] ?? 1);
  const right = Int32Array.from({ length: Math.min(n * l, 1e5) }, () => below(2));
  return one([
    () => right,
    () => [...right].map(Boolean),
    () => Array.from({ length: Math.min(n, 1e5) }, (_, i) => right.slice(i * l, (i + 1) * l)),
    () => tensor(right, rest.length < 2 ? [right.length] : [right.length / l, l]),
    () => hostile(),
    () => {
      drawn.hostile = true;
      const get = (target, name) => {
        if (name === '0') takeAway(x);
        return target[name];
      };
      return new Proxy([...right], { get });
    },
  ])();
}

/** Transfers the memory of x away, unless it is that of the state. */
export function takeAway(x) {
  const { buffer } = x?.data ?? {};
  if (buffer instanceof ArrayBuffer && buffer.byteLength > 0 && !ofState(x)) detach(x.data);
}

/** Whether x lies in memory of the world's, which stays. */
export function ofState(x) {
  const { buffer } = x.data;
  return (
    made.outs.some(({ data }) => data.buffer === buffer) ||
    [...made.layers, made.linear].some((layer) =>
      [...layer.stateDict().values()].some(({ data }) => data.buffer === buffer),
    )
  );
}

export function stateFor(layer) {
  const own = new Map();
  for (const [key, { data, shape }] of layer.stateDict()) own.set(key, tensor(data.slice(), shape));
  for (let i = below(3); i > 0; i--) {
    const key = one([...own.keys(), 'extra', '__proto__', 'weight', 'num_batches_tracked']);
    if (chance(3)) own.delete(key);
    else own.set(key, chance(2) ? apart(hostile()) : input());
  }
  return own;
}

/** Not in memory of the world's: two layers that share it by `assign` would both change with one. */
function apart(value) {
  try {
    return ofState(value) ? input() : value;
  } catch {
    return value; // is no tensor
  }
}
