// Values that are right for next to nothing, each made anew: the tests of one call and the fuzzer of the public door
// take them from here. And what a refusal has to look like. JavaScript, so that a script needs no compiler for it.
// Longer than 250 lines because it is a list of values.
import { createContext, runInContext } from 'node:vm';

/** @typedef {import('./operations/row.js').Package} Package */
/** @typedef {Readonly<Record<string, () => unknown>>} Makers */
/**
 * `isForged`: it passes for an object of ours, or of the engine's, and is none: any error may answer it.
 * @typedef {{ readonly make: () => unknown, readonly isForged: boolean }} Hostile
 */

/** What hostile values throw themselves. */
export const MARK = 'thrown by the argument';

/** @returns {never} */
export function trap() {
  throw new Error(MARK);
}

/**
 * Takes the memory of an array away.
 * @template {ArrayBufferView} A
 * @param {A} array
 */
export function detach(array) {
  const { buffer } = array;
  structuredClone(buffer, { transfer: [/** @type {ArrayBuffer} */ (buffer)] });
  return array;
}

/** @typedef {ArrayBuffer & { resize(to: number): void }} Resizable of ES2024, which the types of this project are not */
const ResizableBuffer = /** @type {new (bytes: number, options: object) => Resizable} */ (
  /** @type {unknown} */ (ArrayBuffer)
);

const numbers = () => Float32Array.of(1, -2, 0.5, 4);

/** No number is a size that a large machine has the memory for: 2^31 features take 34 GB, and are no mistake. */
const NUMBERS = [
  ...[NaN, Infinity, -Infinity, -0, 0, -1, 0.5, -0.5, 3, 1e308, 5e-324],
  ...[-(2 ** 31) - 1, 2 ** 47, 2 ** 53],
];
const LITERALS = [null, undefined, true, false, '', '3', 'x', 'float32', 'batch', 'constructor'];

/** @type {Makers} */
const OBJECTS = {
  'a BigInt': () => 5n,
  'a BigInt of 71 bits': () => -(2n ** 70n),
  'a symbol': () => Symbol('s'),
  'an empty object': () => ({}),
  'an empty list': () => [],
  'a list of an empty list': () => [[]],
  'a list with a text in it': () => [1, 'a'],
  'a ragged list': () => [[1], [2, 3]],
  'a list of numbers': () => [1, 2, 3, 4],
  'a list of NaN and more': () => [NaN, -1, 2 ** 40],
  'a list of huge sizes': () => [2 ** 26, 2 ** 26, 2 ** 26],
  'a list with a getter that throws': () => Object.defineProperty([1, 2], 1, { get: trap }),
  'a Map': () => new Map(),
  'a Set': () => new Set([1]),
  'a Date': () => new Date(),
  'a RegExp': () => /x/,
  'a function': () => () => 1,
  'a class': () => Map,
  'a promise': () => Promise.resolve(1),
  'a WeakMap': () => new WeakMap(),
  'an object without a prototype': () => /** @type {unknown} */ (Object.create(null)),
  'a boxed number': () => /** @type {unknown} */ (Object(3)),
  'a boxed text': () => /** @type {unknown} */ (Object('3')),
  'a boxed boolean': () => /** @type {unknown} */ (Object(true)),
  'a boxed BigInt': () => /** @type {unknown} */ (Object(5n)),
  'a boxed symbol': () => /** @type {unknown} */ (Object(Symbol('s'))),
  'what throws when it is converted': () => ({
    valueOf: trap,
    toString: trap,
    [Symbol.toPrimitive]: trap,
  }),
  'a Proxy that throws': () =>
    new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap }),
  'a revoked Proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'like an array': () => ({ length: 4, 0: 1, 1: 1, 2: 1, 3: 1 }),
  'of length -1': () => ({ length: -1 }),
  'of length 2^53': () => ({ length: 2 ** 53 }),
  'of length NaN': () => ({ length: NaN }),
  'of a length that throws': () =>
    Object.defineProperty({ [Symbol.iterator]: trap }, 'length', { get: trap }),
};

/**
 * What another library's tensor may look like.
 * @type {Makers}
 */
const LOOKALIKES = {
  'data that throws': () => Object.defineProperty({ shape: [1] }, 'data', { get: trap }),
  'a shape that throws': () => Object.defineProperty({ data: numbers() }, 'shape', { get: trap }),
  'a shape that takes data away': () => {
    const data = numbers();
    const get = () => {
      if (data.byteLength > 0) detach(data);
      return [4];
    };
    return Object.defineProperty({ data }, 'shape', { get });
  },
  ...Object.fromEntries(
    [[2, 2], [5], () => [4], 'x', null, { length: 2 }, [2 ** 53]].map((shape, i) => [
      `data and shape ${i}`,
      () => ({ data: numbers(), shape }),
    ]),
  ),
  ...Object.fromEntries(
    [[1, 2], [NaN, 1], [-2, 1], [2 ** 52, 1], 'x', 5, { length: 2 ** 32 }].map((strides, i) => [
      `data and strides ${i}`,
      () => ({ data: numbers(), shape: [2, 2], strides, offset: [0, 1, -1, NaN, '0'][i] }),
    ]),
  ),
};

/** Of another realm: no `instanceof` knows them. */
const realm = createContext({ structuredClone });
const OTHER_REALM = [
  ...['new Float32Array(4)', 'new Float64Array(4)', 'new Int32Array(4)', '[1, 2, 3, 4]', '({})'],
  '({ data: new Float32Array(4), shape: [2, 2] })',
  '(() => { const a = new Float32Array(4); structuredClone(a, { transfer: [a.buffer] }); return a; })()',
  ...['new Float32Array(new SharedArrayBuffer(16))', 'new Error("x")', 'new Map()'],
];

class Lies extends Float32Array {
  /**
   * @override
   * @returns {any}
   */
  get length() {
    return 1e9;
  }
  /** @override */
  get byteOffset() {
    return 2 ** 40;
  }
}
class NoBuffer extends Float32Array {
  static get [Symbol.species]() {
    return /** @type {any} */ (Array);
  }
  /** @override */
  get buffer() {
    return new ArrayBuffer(0);
  }
}
/** Where the engine has it: Node 24 and later. */
const { Float16Array: Float16 = Uint16Array } =
  /** @type {{ Float16Array?: Uint16ArrayConstructor }} */ (globalThis);

/** @type {Makers} */
const ARRAYS = {
  'an array that lies': () => new Lies(4),
  'an array without its buffer': () => new NoBuffer(4),
  'a Uint8Array': () => new Uint8Array(4),
  'a Uint8ClampedArray': () => new Uint8ClampedArray(4),
  'an Int32Array': () => new Int32Array(4),
  'a BigInt64Array': () => new BigInt64Array(2),
  'a BigUint64Array': () => new BigUint64Array(1),
  'a Float16Array': () => new Float16(4),
  'a Float64Array': () => new Float64Array(4),
  'a Buffer': () => Buffer.alloc(8),
  'a DataView': () => new DataView(new ArrayBuffer(8)),
  'an ArrayBuffer': () => new ArrayBuffer(16),
  'a SharedArrayBuffer': () => new SharedArrayBuffer(16),
  'shared memory': () => new Float32Array(new SharedArrayBuffer(32)),
  'a detached array': () => detach(numbers()),
  'a shrunk array': () => {
    const buffer = new ResizableBuffer(48, { maxByteLength: 80 });
    const view = new Float32Array(buffer, 8, 4);
    buffer.resize(8);
    return view;
  },
};

/** @type {Makers} */
const SIGNALS = {
  'like a signal': () => ({
    ...{ aborted: false, reason: 1 },
    ...{ addEventListener: trap, throwIfAborted: trap },
  }),
  'an EventTarget': () => new EventTarget(),
  'an AbortController': () => new AbortController(),
  ...Object.fromEntries(
    ['addEventListener', 'removeEventListener', 'throwIfAborted'].map((name) => [
      `a signal whose ${name} throws`,
      () => Object.assign(new AbortController().signal, { [name]: trap }),
    ]),
  ),
  'a signal that aborts when it is listened to': () =>
    Object.assign(new AbortController().signal, {
      /** @type {(_: string, stop: () => void) => void} */
      addEventListener: (_, stop) => stop(),
    }),
  'a signal whose reason throws': () =>
    Object.defineProperty(AbortSignal.abort(), 'reason', { get: trap }),
  'an aborted signal': () => AbortSignal.abort(),
  'a signal aborted with a text': () => AbortSignal.abort(MARK),
  'a signal aborted with an error': () => AbortSignal.abort(new Error(MARK)),
  'a signal that is over soon': () => AbortSignal.timeout(1),
};

/** @type {(evenkeel: Package) => Makers} */
function tensorsOf({ tensor }) {
  const small = () => tensor(Float32Array.of(0.5, 2));
  return {
    'a tensor of no elements': () => tensor(new Float32Array(0), [0, 2 ** 40]),
    'a tensor of no elements, either way': () => tensor(new Float32Array(0), [2 ** 47, 0]),
    'a tensor of int32': () => tensor(new Int32Array(8), [4, 2]),
    'a tensor of int64': () => tensor(new BigInt64Array(2), [2]),
    'a disposed tensor': () => {
      const disposed = small();
      disposed.dispose();
      return disposed;
    },
    'a tensor whose memory was transferred': () => {
      const moved = small();
      detach(moved.data);
      return moved;
    },
  };
}

/** @type {(evenkeel: Package) => Makers} */
function forgeriesOf({ nn, tensor, Tensor }) {
  /** @type {(prototype: object) => () => unknown} */
  const made = (prototype) => () => /** @type {unknown} */ (Object.create(prototype));
  return {
    'a Proxy of a tensor': () => new Proxy(tensor([1, 2]), {}),
    'a Proxy of an array': () => new Proxy(numbers(), {}),
    'a Proxy of a list': () => new Proxy([1, 2, 3, 4], {}),
    'a Proxy of a layer': () => new Proxy(new nn.BatchNorm1d(2), {}),
    'a Proxy of a signal': () => new Proxy(new AbortController().signal, {}),
    'with the prototype of Tensor': made(Tensor.prototype),
    'with the prototype of BatchNorm1d': made(nn.BatchNorm1d.prototype),
    'with the prototype of Parameter': made(nn.Parameter.prototype),
    'with the prototype of Float32Array': made(Float32Array.prototype),
    'with the prototype of AbortSignal': made(AbortSignal.prototype),
    'with the prototype of Tensor, and more': () =>
      /** @type {unknown} */ (
        Object.create(Tensor.prototype, {
          shape: { value: [4, 2] },
          dtype: { value: 'float32' },
          numel: { value: 8 },
        })
      ),
  };
}

/**
 * Hostile values by their names.
 * @param {Package} evenkeel
 * @returns {ReadonlyMap<string, Hostile>}
 */
export function hostileOf(evenkeel) {
  /** @type {Map<string, Hostile>} */
  const all = new Map();
  /** @type {(kinds: Makers, isForged?: boolean) => void} */
  const add = (kinds, isForged = false) => {
    for (const [name, make] of Object.entries(kinds)) all.set(name, { make, isForged });
  };
  for (const value of [...NUMBERS, ...LITERALS]) {
    const name = typeof value === 'string' ? `'${value}'` : String(value);
    add({ [Object.is(value, -0) ? '-0' : name]: () => value });
  }
  add(OBJECTS);
  add(LOOKALIKES);
  add(ARRAYS);
  for (const source of OTHER_REALM) {
    add({
      [`${source} of another realm`]: () => /** @type {unknown} */ (runInContext(source, realm)),
    });
  }
  add(SIGNALS);
  add(tensorsOf(evenkeel));
  add(forgeriesOf(evenkeel), true);
  return all;
}

/** `<Who>: expected <what>, got <actual>.`, or another sentence of the kind. */
const SENTENCE = /^(Error\(s\) in loading state_dict for |[A-Za-z][\w.$ ]*: )[^]*\.$/;

/**
 * The engine's own words for what nobody can look into, iterate or call, and for options that inherit from an
 * AbortController; the addon's for an empty shape like [2^52, 0, 2^52].
 */
const ENGINE =
  /proxy that has been revoked|shape to be at most 2\^53|%TypedArray%\.prototype\.values on a detached|onstructors? .*'new'|private member #signal/;

/**
 * What is wrong with an error that a call was refused with, in words; null: it is one of our sentences, or the
 * argument's own.
 * @param {unknown} error
 * @param {boolean} isForged
 */
export function complaint(error, isForged) {
  const message = error instanceof Error ? error.message : String(error);
  if (message === MARK || ENGINE.test(message)) return null;
  // The reason of a signal: nothing else is called so.
  if (error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name)) return null;
  if (error instanceof Error && ['TypeError', 'RangeError', 'Error'].includes(error.name)) {
    if (isForged) return null;
    if (SENTENCE.test(message) && !message.startsWith('evenkeel addon')) return null;
  }
  return error instanceof Error ? `${error.name}: ${message}` : message;
}
