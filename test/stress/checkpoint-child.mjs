// A process that reads checkpoints with the built package, one after another, and says of each what came of
// it and what it cost. checkpoint-children.ts starts it. In: 4 bytes of length, 1 of format, the file. Out: a
// line of JSON for each.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { decodeSafetensors } =
  /** @type {typeof import('../../src/checkpoint/safetensors/read.js')} */ (
    require('../../dist/cjs/checkpoint/safetensors/read.js')
  );
const { encodeSafetensors } =
  /** @type {typeof import('../../src/checkpoint/safetensors/write.js')} */ (
    require('../../dist/cjs/checkpoint/safetensors/write.js')
  );
const { decodeTorch } = /** @type {typeof import('../../src/checkpoint/torch/torch.js')} */ (
  require('../../dist/cjs/checkpoint/torch/torch.js')
);

const WARM_UP = 200;

/**
 * @param {number} format
 * @param {Uint8Array} bytes
 */
function decode(format, bytes) {
  if (format === 1) return decodeSafetensors('T', bytes);
  return decodeTorch('T', bytes, format === 2 ? 'model' : undefined);
}

/** @type {Record<string, string>} */
const OWN = { F32: 'float32', F64: 'float64', I32: 'int32', I64: 'int64' };

/**
 * What a state dict has otherwise than a reader that trusts the file finds in it, or nothing.
 * @param {Uint8Array} file
 * @param {ReturnType<typeof decodeTorch>} state
 */
function wrongHeader(file, state) {
  const bytes = Buffer.from(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  /** @type {Record<string, { dtype: string, shape: number[], data_offsets: number[] }>} */
  const header = JSON.parse(bytes.toString('utf8', 8, start));
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  if (tensors.length !== state.size) return 'another number of tensors';
  for (const [name, { dtype, shape, data_offsets: offsets }] of tensors) {
    const made = state.get(name);
    if (made?.shape.join() !== shape.join()) return `another shape of ${name}`;
    if (OWN[dtype] === undefined) continue;
    const [from = 0, to = 0] = offsets;
    const { buffer, byteOffset, byteLength } = made.data;
    const isSame = bytes
      .subarray(start + from, start + to)
      .equals(Buffer.from(buffer, byteOffset, byteLength));
    if (made.dtype !== OWN[dtype] || !isSame) return `other values of ${name}`;
  }
  const saved = encodeSafetensors('T', state);
  const again = encodeSafetensors('T', decodeSafetensors('T', saved));
  return Buffer.compare(saved, again) === 0 ? null : 'saved differently the second time';
}

/**
 * A hash of everything that a state dict holds.
 * @param {ReturnType<typeof decodeTorch>} state
 */
function contentsOf(state) {
  const hash = createHash('sha1');
  for (const [name, { dtype, shape, data }] of state) {
    hash.update(`${JSON.stringify(name)} ${dtype} ${shape.join()}\n`);
    hash.update(data);
  }
  return hash.digest('hex');
}

/**
 * What in a state dict does not agree with itself, or nothing.
 * @param {ReturnType<typeof decodeTorch>} state
 */
function wrong(state) {
  if (!(state instanceof Map)) return 'no Map';
  for (const [name, { data, shape }] of state) {
    if (typeof name !== 'string') return 'a key that is no string';
    if (data.length !== shape.reduce((product, size) => product * size, 1)) return 'a wrong length';
  }
  return null;
}

const PROTOTYPES = [Object, Array, Map, Set, String, Number, Uint8Array].map(
  (each) => /** @type {object} */ (each.prototype),
);
const ownKeys = () => PROTOTYPES.map((each) => Reflect.ownKeys(each).map(String).join()).join(' ');
const keysBefore = ownKeys();

let idle = 0;
const peak = () => process.resourceUsage().maxRSS * 1024;

/**
 * @param {number} format
 * @param {Uint8Array} bytes
 * @returns {import('./checkpoint-children.js').Verdict}
 */
function judge(format, bytes) {
  let outcome;
  let [message, contents] = ['', ''];
  const start = process.cpuUsage();
  let ms = 0;
  let grown = 0;
  const measure = () => {
    const { user, system } = process.cpuUsage(start);
    ms = (user + system) / 1000;
    grown = peak() - idle;
  };
  try {
    const state = decode(format, bytes);
    measure();
    outcome = wrong(state) ?? (format === 1 ? wrongHeader(bytes, state) : null) ?? 'read';
    contents = contentsOf(state);
  } catch (error) {
    measure();
    message = error instanceof Error ? error.message : '';
    const isOurs = error instanceof RangeError && /^T: expected [^]+, got [^]+\.$/.test(message);
    outcome = isOurs ? 'refused' : `an error that is not ours: ${String(error)}`;
    if (message.length > 2000) outcome = `a message of ${message.length} characters`;
  }
  if (ownKeys() !== keysBefore) outcome = 'a changed prototype';
  return { outcome, message: message.slice(0, 300), contents, ms, grown };
}

/** @type {Buffer} */
let pending = Buffer.alloc(0);
process.stdin.on('data', (/** @type {Buffer} */ chunk) => {
  pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
  while (pending.length >= 5) {
    const length = pending.readUInt32LE(0);
    if (pending.length < 5 + length) return;
    const [format, bytes] = [pending[4] ?? 0, Uint8Array.from(pending.subarray(5, 5 + length))];
    pending = pending.subarray(5 + length);
    if (idle === 0) {
      // The first file is a valid one, read until the code is compiled and the heap has its usual size.
      for (let i = 0; i < WARM_UP; i++) judge(format, bytes);
      idle = peak();
    }
    process.stdout.write(`${JSON.stringify(judge(format, bytes))}\n`);
  }
});
