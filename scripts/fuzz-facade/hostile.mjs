// Wrong arguments of every kind: memory that is detached, shrunk, shared or of another type, forgeries, proxies,
// getters that throw or take memory away, arrays of another realm, huge sizes, symbols.
// @ts-nocheck
import { createContext, runInContext } from 'node:vm';

import { below, chance, numbers, one } from './draw.mjs';
import { batch, input } from './inputs.mjs';
import { evenkeel } from './package.mjs';
import { made } from './world.mjs';

const { nn, tensor, Tensor } = evenkeel;

/** What hostile values throw themselves. */
export const MARK = 'thrown by the argument';
/** What the call's arguments have among them: something wrong; something that any error may answer. */
export const drawn = { hostile: false, forged: false };

export function hostile() {
  drawn.hostile = true;
  return one(HOSTILE)();
}

/** Passes for one of our own objects, or of the engine's, and is none. */
function forgery(value) {
  drawn.forged = true;
  return value;
}

export function trap() {
  throw new Error(MARK);
}

export function detached(array) {
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function shrunk(Kind, count) {
  const buffer = new ArrayBuffer(count * 8 + 16, { maxByteLength: count * 16 + 16 });
  const view = chance(2) ? new Kind(buffer) : new Kind(buffer, 8, count);
  return { view, shrink: () => buffer.resize(one([0, 8, count * 2])) };
}

/** Where the engine has it: Node 24 and later. */
const Float16 = globalThis.Float16Array ?? Uint16Array;

/** No number is a size that a large machine has the memory for: 2^31 features take 34 GB, and are no mistake. */
const VALUES = [
  () =>
    one([
      NaN,
      Infinity,
      -Infinity,
      -0,
      -1,
      0.5,
      -(2 ** 31) - 1,
      2 ** 47,
      2 ** 53,
      1e308,
      5e-324,
      3,
    ]),
  () => one([null, undefined, true, false, '', '3', 'float32', 'batch', 5n, -(2n ** 70n)]),
  () => Symbol('s'),
  () => one([{}, [], [[]], [1, 'a'], [[1], [2, 3]], new Map(), new Set([1]), new Date(), /x/]),
  () => one([() => 0, class {}, Promise.resolve(1), new WeakMap(), Object.create(null)]),
  () => one([Object(3), Object('3'), Object(true), Object(5n), Object(Symbol('s'))]),
  () =>
    one([
      1,
      [1, 2, 3, 4],
      [
        [0, 1],
        [2, 3],
      ],
    ]),
  () => [NaN, -1, 2 ** 40],
  () => [2 ** 26, 2 ** 26, 2 ** 26],
  () => ({ valueOf: trap, toString: trap, [Symbol.toPrimitive]: trap }),
];

const LOOKALIKES = [
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
  () => {
    const data = numbers(4);
    return {
      data,
      get shape() {
        if (data.byteLength > 0) detached(data);
        return [4];
      },
    };
  },
  () => ({
    data: numbers(4),
    shape: one([[2, 2], [5], () => [4], 'x', null, { length: 2 }, [2 ** 53]]),
    strides: one([undefined, [1, 2], [NaN, 1], [-2, 1], [2 ** 52, 1], 'x', 5, { length: 2 ** 32 }]),
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
  () => Object.defineProperty([1, 2], 1, { get: trap }),
  () => forgery(new Proxy(input(), {})),
  () => forgery(new Proxy(numbers(4), {})),
  () => forgery(new Proxy([1, 2, 3, 4], {})),
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
  () => forgery(Object.create(AbortSignal.prototype)),
  () =>
    forgery({
      __proto__: Tensor.prototype,
      shape: [4, made.c],
      dtype: 'float32',
      numel: 4 * made.c,
    }),
];

const realm = createContext({ take: (buffer) => structuredClone(buffer, { transfer: [buffer] }) });

/** Of another realm: no `instanceof` knows them. */
const OTHER_REALM = [
  'new Float32Array(4)',
  'new Float64Array(4)',
  'new Int32Array(4)',
  '[1, 2, 3, 4]',
  '({ data: new Float32Array(4), shape: [2, 2] })',
  '(() => { const a = new Float32Array(4); take(a.buffer); return a; })()',
  'new Float32Array(new SharedArrayBuffer(16))',
  'new Error("x")',
  '({})',
].map((source) => () => runInContext(source, realm));

const ARRAYS = [
  () =>
    new (class extends Float32Array {
      get length() {
        return 1e9;
      }
      get byteOffset() {
        return 2 ** 40;
      }
    })(4),
  () =>
    new (class extends Float32Array {
      static get [Symbol.species]() {
        return one([Float64Array, Array, null]);
      }
      get buffer() {
        return new ArrayBuffer(0);
      }
    })(4),
  () =>
    one([
      ...[new Uint8Array(4), new Uint8ClampedArray(4), new Int32Array(4), new BigInt64Array(2)],
      ...[new Float16(4), Buffer.alloc(8), new DataView(new ArrayBuffer(8)), new ArrayBuffer(16)],
      ...[new SharedArrayBuffer(16), new Float64Array(4), new BigUint64Array(1)],
    ]),
  () => detached(numbers(4)),
  () => {
    const { view, shrink } = shrunk(Float32Array, 4);
    shrink();
    return view;
  },
  () => new Float32Array(new SharedArrayBuffer(16 * made.c)),
  () => one(OTHER_REALM)(),
];

const TENSORS = [
  () => tensor(new Float32Array(new SharedArrayBuffer(16 * made.c)), [4, made.c]),
  () => {
    const x = batch();
    const { data } = x;
    if (data.buffer instanceof ArrayBuffer) detached(data);
    return x;
  },
  () => {
    const { view, shrink } = shrunk(Float32Array, 4 * made.c);
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
];

const SIGNALS = [
  () => ({ aborted: one([true, false]), reason: 1, addEventListener: trap, throwIfAborted: trap }),
  () => new EventTarget(),
  () => new AbortController(),
  () => forgery(new Proxy(new AbortController().signal, {})),
  ...['addEventListener', 'removeEventListener', 'throwIfAborted'].map(
    (name) => () => Object.assign(new AbortController().signal, { [name]: trap }),
  ),
  () => Object.assign(new AbortController().signal, { addEventListener: (_, stop) => stop() }),
  () => Object.defineProperty(AbortSignal.abort(), 'reason', { get: trap }),
  () => AbortSignal.abort(one([undefined, MARK, new Error(MARK)])),
  () => AbortSignal.timeout(below(3)),
];

const HOSTILE = [...VALUES, ...LOOKALIKES, ...ARRAYS, ...TENSORS, ...SIGNALS];
