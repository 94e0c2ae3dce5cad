// A process that reads checkpoints with the built package, one after another, and says of each what came of
// it and what it cost. checkpoint-children.ts starts it. In: 4 bytes of length, 1 of format, the file. Out: a
// line of JSON for each.
import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { decodeSafetensors } =
  /** @type {typeof import('../../src/checkpoint/safetensors-read.js')} */ (
    require('../../dist/cjs/checkpoint/safetensors-read.js')
  );
const { decodeTorch } = /** @type {typeof import('../../src/checkpoint/torch.js')} */ (
  require('../../dist/cjs/checkpoint/torch.js')
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
  let message = '';
  const start = process.cpuUsage();
  try {
    outcome = wrong(decode(format, bytes)) ?? 'read';
  } catch (error) {
    message = error instanceof Error ? error.message : '';
    const isOurs = error instanceof RangeError && /^T: expected [^]+, got [^]+\.$/.test(message);
    outcome = isOurs ? 'refused' : `an error that is not ours: ${String(error)}`;
    if (message.length > 2000) outcome = `a message of ${message.length} characters`;
  }
  const { user, system } = process.cpuUsage(start);
  if (ownKeys() !== keysBefore) outcome = 'a changed prototype';
  const grown = peak() - idle;
  return { outcome, message: message.slice(0, 300), ms: (user + system) / 1000, grown };
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
