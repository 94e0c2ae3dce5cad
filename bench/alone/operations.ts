// What each operation takes as a native call, without JavaScript's part and without memory of its output: at 1 MB and at
// 64 MB, in turns with a bare copy or a bare read of the same buffers, and with another build of the addon where one is
// given. After a build:
//
//   npx tsx bench/alone/operations.ts [--only exp,softmax] [--rows 256,16384] [--rounds 60] [--beside other.node]
//                                     [--save docs/native-operations.json]
//
// Longer than 250 lines because it is a list of calls.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { native as own, randn } from 'evenkeel';
import { format } from 'prettier';

import type { Addon } from '../../src/addon/types.js';
import { describeMachine } from '../machine.js';
import { clock, spreadOf } from '../measure.js';
import type { Measured, NativeOperations } from '../native-operations.js';
import { table } from './turns.js';

const COLUMNS = 1024;
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rows: { type: 'string', default: '256,16384' },
    rounds: { type: 'string', default: '60' },
    beside: { type: 'string' },
    save: { type: 'string' },
  },
});

/** The buffers of one size; x is above 0. */
interface Buffers {
  readonly rows: number;
  readonly n: number;
  readonly a: Float32Array;
  readonly x: Float32Array;
  readonly b: Float32Array;
  readonly y: Float32Array;
  readonly mask: Int32Array;
  readonly marks: Int32Array;
  readonly places: BigInt64Array;
}
type Call = (native: Addon, buffers: Buffers) => void;
/** What a call is compared with: it cannot be without reading and writing that much. */
type Bare = 'copy' | 'read' | 'copy and a read' | 'copy and two reads';

interface Operation {
  readonly bare: Bare;
  readonly call: Call;
}

/** The codes of pointwise operations: their places among those of a kind in the table of the kernels. */
const formulas = readFileSync(
  new URL('../../native/kernels/pointwise.inc', import.meta.url),
  'utf8',
);
const [unaryNames, binaryNames] = [
  /^(?:UNARY|TRANSCENDENTAL|IN_TWO|POWER)\((\w+),/gm,
  /^(?:BINARY|TRANSCENDENTAL_GRADIENT|IN_DOUBLE_GRADIENT|POWER_GRADIENT)\((\w+),/gm,
].map((line) => [...formulas.matchAll(line)].map(([, name]) => name!));
function codeOf(names: readonly string[] | undefined, name: string): number {
  const code = names?.indexOf(name) ?? -1;
  if (code < 0) throw new RangeError(`expected an operation of pointwise.inc, got '${name}'.`);
  return code;
}
/** Of CompareCode in native/kernels/arithmetic.h. */
const GREATER = 4;

function unary(name: string, p = 0, q = 0, from: 'a' | 'x' = 'a'): Operation {
  const code = codeOf(unaryNames, name);
  return { bare: 'copy', call: (native, { [from]: x, y, n }) => native.unary(x, y, n, code, p, q) };
}
function binary(name: string, p = 0, q = 0): Operation {
  const code = codeOf(binaryNames, name);
  return {
    bare: 'copy and a read',
    call: (native, { a, b, y, n }) => native.binary(a, b, y, n, n, n, code, p, q, null, 0),
  };
}
/** With a row or a column as the other operand: its strides. */
function broadcast(name: string, strides: readonly [number, number]): Operation {
  const code = codeOf(binaryNames, name);
  return {
    bare: 'copy',
    call: (native, { rows, a, b, y, n }) => {
      const layout = new Float64Array([rows, COLUMNS, COLUMNS, 1, ...strides]);
      const length = strides[0] === 0 ? COLUMNS : rows;
      native.binary(a, b.subarray(0, length), y, n, length, n, code, 0, 0, layout, 2);
    },
  };
}
/** `code`: src/functional/reductions/reduce.ts. */
const reduction = (code: number, along: 'all' | 'rows' | 'columns'): Operation => ({
  bare: 'read',
  call: (native, { rows, a, y, n }) => {
    const [outer, size, inner] =
      along === 'all' ? [1, n, 1] : along === 'rows' ? [rows, COLUMNS, 1] : [1, rows, COLUMNS];
    native.reduce(a, y.subarray(0, outer * inner), code, outer, size, inner, 1);
  },
});
const softmax = (log: boolean): Operation => ({
  bare: 'copy',
  call: (native, { rows, a, y }) => native.softmax(a, y, log, rows, COLUMNS, 1),
});
const softmaxGradient = (log: boolean): Operation => ({
  bare: 'copy and a read',
  call: (native, { rows, a, b, y }) => native.softmaxBackward(a, b, y, log, rows, COLUMNS, 1),
});

const OPERATIONS: Readonly<Record<string, Operation>> = {
  relu: { bare: 'copy', call: (native, { a, y, n }) => native.relu(a, y, n) },
  neg: unary('neg'),
  abs: unary('abs'),
  clamp: unary('clamp', -1, 1),
  leakyRelu: unary('leaky_relu', 0.01),
  addNumber: unary('plus', 0.5),
  square: unary('square'),
  sqrt: unary('sqrt', 0, 0, 'x'),
  rsqrt: unary('rsqrt', 0, 0, 'x'),
  reciprocal: unary('divide', 1, 0, 'x'),
  cube: unary('cube', 3, 0, 'x'),
  pow: unary('pow', 2.5, 0, 'x'),
  exp: unary('exp'),
  log: unary('log', 0, 0, 'x'),
  log1p: unary('log1p', 0, 0, 'x'),
  sigmoid: unary('sigmoid'),
  tanh: unary('tanh'),
  silu: unary('silu'),
  gelu: unary('gelu'),
  geluTanh: unary('gelu_tanh'),
  softplus: unary('softplus', 1, 20),
  elu: unary('elu', 1),
  logSigmoid: unary('log_sigmoid'),
  mish: unary('mish'),
  add: binary('add'),
  div: binary('div'),
  maximum: binary('maximum'),
  gt: {
    bare: 'copy and a read',
    call: (native, { a, b, marks, n }) => native.compare(a, b, marks, n, n, n, GREATER, null, 0),
  },
  where: {
    bare: 'copy and two reads',
    call: (native, { a, b, mask, y, n }) => native.choose(a, b, mask, y, n, n, n, n, null, 0),
  },
  addRow: broadcast('add', [0, 1]),
  mulColumn: broadcast('mul', [1, 0]),
  sigmoidGradient: binary('sigmoid_gradient'),
  tanhGradient: binary('tanh_gradient'),
  siluGradient: binary('silu_gradient'),
  geluGradient: binary('gelu_gradient'),
  geluTanhGradient: binary('gelu_tanh_gradient'),
  softplusGradient: binary('softplus_gradient', 1, 20),
  eluGradient: binary('elu_gradient', 1),
  logSigmoidGradient: binary('log_sigmoid_gradient'),
  mishGradient: binary('mish_gradient'),
  softmax: softmax(false),
  logSoftmax: softmax(true),
  softmaxGradient: softmaxGradient(false),
  logSoftmaxGradient: softmaxGradient(true),
  logsumexp: reduction(4, 'rows'),
  sum: reduction(0, 'all'),
  sumRows: reduction(0, 'rows'),
  sumColumns: reduction(0, 'columns'),
  varRows: reduction(2, 'rows'),
  varColumns: reduction(2, 'columns'),
  amaxRows: reduction(6, 'rows'),
  amaxColumns: reduction(6, 'columns'),
  argmaxRows: {
    bare: 'read',
    call: (native, { rows, a, places }) => native.extremeIndices(a, places, true, rows, COLUMNS, 1),
  },
};

const BARE: Readonly<Record<Bare, Call>> = {
  copy: (native, { a, y, n }) => native.bareCopy(a, y, n),
  read: (native, { a, n }) => void native.bareRead(a, n),
  'copy and a read': (native, buffers) => {
    native.bareRead(buffers.b, buffers.n);
    BARE.copy(native, buffers);
  },
  'copy and two reads': (native, buffers) => {
    native.bareRead(asFloats(buffers.mask), buffers.n);
    BARE['copy and a read'](native, buffers);
  },
};

const asFloats = ({ buffer, byteOffset, length }: Int32Array): Float32Array =>
  new Float32Array(buffer as ArrayBuffer, byteOffset, length);

/** Memory as the package gives it to outputs. */
function buffersOf(rows: number): Buffers {
  const n = rows * COLUMNS;
  const random = (): Float32Array => randn([n]).data as Float32Array;
  const words = (): Int32Array => {
    const { buffer, byteOffset } = random();
    return new Int32Array(buffer, byteOffset, n);
  };
  const [a, b, y, x, mask] = [random(), random(), random(), random(), words()];
  for (let i = 0; i < n; i++) {
    x[i] = Math.abs(x[i]!) + 0.01;
    mask[i] = a[i]! > b[i]! ? 1 : 0;
  }
  return { rows, n, a, x, b, y, mask, marks: words(), places: new BigInt64Array(rows) };
}

function load(path: string): Addon {
  const library: { exports: unknown } = { exports: {} };
  process.dlopen(library, resolve(path));
  const loaded = library.exports as Addon;
  loaded.configure('', own.threads);
  return loaded;
}

/** µs a call of a turn of `TURN` µs. What comes before lets the other addon's threads go to sleep. */
const [REST, TURN] = [300, 250];
function turnOf(call: () => void): number {
  const begin = clock();
  do call();
  while (clock() - begin < REST);
  const start = clock();
  let calls = 0;
  do {
    call();
    calls++;
  } while (clock() - start < TURN);
  return (clock() - start) / calls;
}

/** Of the fastest tenth: what else runs on the machine only adds. */
const fastest = (values: readonly number[]): number => spreadOf(Float64Array.from(values)).p10;
const addon = load(fileURLToPath(new URL('../../build/Release/evenkeel.node', import.meta.url)));
const ROUNDS = Number(options.rounds);
const builds = [addon, ...(options.beside === undefined ? [] : [load(options.beside)])];
const only = options.only === '' ? Object.keys(OPERATIONS) : options.only.split(',');
const results: Record<string, Measured[]> = {};
for (const rows of options.rows.split(',').map(Number)) {
  const buffers = buffersOf(rows);
  const titles = ['bare', 'µs', 'share', ...(builds.length > 1 ? ['beside', 'this/beside'] : [])];
  const row = table(20, titles);
  for (const name of only) {
    const operation = OPERATIONS[name];
    if (operation === undefined) throw new RangeError(`expected an operation, got '${name}'.`);
    const bare = (): void => BARE[operation.bare](addon, buffers);
    const calls = [bare, ...builds.map((native) => () => operation.call(native, buffers))];
    const rounds = Array.from({ length: rows > 4096 ? ROUNDS / 4 : ROUNDS }, (_, round) => {
      const order = round % 2 === 0 ? calls : [...calls].reverse();
      const times = new Map(order.map((call) => [call, turnOf(call)]));
      return calls.map((call) => times.get(call)!);
    });
    const [bareTime = 0, ours = 0, other = 0] = calls.map((_, i) =>
      fastest(rounds.map((times) => times[i]!)),
    );
    const share = bareTime / ours;
    const compared = builds.length > 1 ? [other, ours / other] : [];
    row(`${name} ${rows}`, [bareTime, ours, share, ...compared]);
    const measured = { bytes: 4 * buffers.n, bare: bareTime, ours, share };
    results[name] = [...(results[name] ?? []), measured];
  }
}
if (options.save !== undefined) {
  const date = new Date().toISOString().slice(0, 10);
  const machine = { date, ...describeMachine(), node: process.versions.node };
  const bare = Object.fromEntries(only.map((name) => [name, OPERATIONS[name]!.bare]));
  const saved: NativeOperations = { machine, bare, results };
  writeFileSync(options.save, await format(JSON.stringify(saved), { parser: 'json' }));
}
