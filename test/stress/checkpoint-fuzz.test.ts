// Damaged and malicious checkpoints: one of our errors or a right result, soon, in bounded memory, and
// nothing of the process changed. `node scripts/fuzz-checkpoints.mjs` runs more of them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { decodeSafetensors } from '../../src/checkpoint/safetensors-read.js';
import { encodeSafetensors } from '../../src/checkpoint/safetensors-write.js';
import { decodeTorch } from '../../src/checkpoint/torch.js';
import type { StateDict } from '../../src/index.js';
import { numelOf } from '../../src/check.js';
import { Mutator, type Mutant, type Valid } from './checkpoint-mutants.js';

const RUNS = Number(process.env['EVENKEEL_FUZZ_RUNS'] ?? 10_000);
const SEED = Number(process.env['EVENKEEL_FUZZ_SEED'] ?? 1);
/** Files of a few KB: those that are right take 0.1 ms. */
const MOST_MS = 50;
/** From here on it is asked again whether it was the input or the machine. */
const DOUBTED_MS = 5;

const folder = new URL('../golden/data/checkpoints/', import.meta.url);
const valid: Valid[] = readdirSync(folder)
  .filter((name) => !name.endsWith('.json'))
  .map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(new URL(name, folder))),
    ...(name === 'checkpoint.pt' ? { key: 'model' } : {}),
  }));

function decode({ of, bytes }: { of: Valid; bytes: Uint8Array }): StateDict {
  return of.name.endsWith('.safetensors')
    ? decodeSafetensors('fuzz', bytes)
    : decodeTorch('fuzz', bytes, of.key);
}

/** Everything that a state dict holds, as text. */
const contents = (state: StateDict): string =>
  [...state]
    .map(([name, { dtype, shape, data }]) => {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return `${JSON.stringify(name)} ${dtype} ${shape.join()} ${bytes.toString('base64')}`;
    })
    .join('\n');

const originals = new Map(valid.map((of) => [of.name, contents(decode({ of, bytes: of.bytes }))]));

const PROTOTYPES = [Object, Array, Map, Set, String, Number, Uint8Array].map(
  (each) => each.prototype as object,
);
const ownKeys = (): string =>
  PROTOTYPES.map((each) => Reflect.ownKeys(each).map(String).join()).join(' ');
const keysBefore = ownKeys();

const tally = { loaded: 0, refused: 0, slowest: 0, mostBytes: 0 };

/** Runs one; returns what is wrong with the outcome, or nothing. */
function judge(mutant: Mutant): string | null {
  let state: StateDict;
  const start = performance.now();
  try {
    state = decode(mutant);
  } catch (error) {
    tally.refused++;
    const { name, message } = error as Error;
    const ours = /^fuzz: expected [^]+, got [^]+\.$/.test(message) && name === 'RangeError';
    return timed(mutant, performance.now() - start) ?? (ours ? null : `${name}: ${message}`);
  }
  tally.loaded++;
  return timed(mutant, performance.now() - start) ?? wrong(mutant, state);
}

function timed(mutant: Mutant, first: number): string | null {
  let least = first;
  // a neighbour or the collector may have taken the time: what is slow is slow again
  for (let again = 0; least > DOUBTED_MS && again < 3; again++) {
    const start = performance.now();
    try {
      decode(mutant);
    } catch {
      // judged already
    }
    least = Math.min(least, performance.now() - start);
  }
  tally.slowest = Math.max(tally.slowest, least);
  return least > MOST_MS ? `took ${least} ms` : null;
}

function wrong(mutant: Mutant, state: StateDict): string | null {
  if (!(state instanceof Map)) return 'no Map';
  let bytes = 0;
  for (const [name, { data, shape }] of state) {
    if (typeof name !== 'string') return 'a key that is no string';
    if (data.length !== numelOf(shape)) return `${name}: ${data.length} for ${shape.join()}`;
    bytes += data.byteLength;
  }
  const isTorch = !mutant.of.name.endsWith('.safetensors');
  tally.mostBytes = Math.max(tally.mostBytes, bytes);
  if (!isTorch)
    return bytes > 4 * mutant.bytes.length ? `${bytes} bytes` : wrongHeader(mutant, state);
  if (!mutant.sealed || hasNoChecksum(mutant.bytes)) return null;
  return contents(state) === originals.get(mutant.of.name) ? null : 'other values, unseen';
}

/** Against a reader that trusts the file; and written again, it is the same. */
function wrongHeader({ bytes }: Mutant, state: StateDict): string | null {
  const length = Number(Buffer.from(bytes).readBigUInt64LE());
  const text = Buffer.from(bytes.subarray(8, 8 + length)).toString();
  const own: Record<string, string> = {
    F32: 'float32',
    F64: 'float64',
    I32: 'int32',
    I64: 'int64',
  };
  const header = new Map(
    Object.entries(JSON.parse(text) as Record<string, Entry>).filter(
      ([name]) => name !== '__metadata__',
    ),
  );
  if (header.size !== state.size) return 'another number of tensors';
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [start, end],
    },
  ] of header) {
    const made = state.get(name);
    if (made?.shape.join() !== shape.join()) return `${name}: another shape`;
    if (own[dtype] === undefined) continue;
    const expected = Buffer.from(bytes.subarray(8 + length + start, 8 + length + end));
    const { buffer, byteOffset, byteLength } = made.data;
    if (
      made.dtype !== own[dtype] ||
      !expected.equals(Buffer.from(buffer, byteOffset, byteLength))
    ) {
      return `${name}: other values`;
    }
  }
  const saved = encodeSafetensors('fuzz', state);
  const again = encodeSafetensors('fuzz', decodeSafetensors('fuzz', saved));
  return Buffer.compare(saved, again) === 0 ? null : 'saved differently the second time';
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** An entry whose recorded checksum is 0: PyTorch's way of having none. */
function hasNoChecksum(archive: Uint8Array): boolean {
  const bytes = Buffer.from(archive);
  for (let at = bytes.indexOf('PK\x01\x02'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4)) {
    if (at + 20 <= bytes.length && bytes.readUInt32LE(at + 16) === 0) return true;
  }
  return false;
}

test(
  `${RUNS} damaged checkpoints, seed ${SEED}`,
  async () => {
    const mutator = new Mutator(SEED, valid);
    for (let run = 0; run < RUNS; run++) {
      const mutant = mutator.next();
      const problem = judge(mutant);
      if (problem !== null) {
        const kept = process.env['EVENKEEL_FUZZ_KEEP'];
        if (kept !== undefined) writeFileSync(kept, mutant.bytes);
        throw new Error(`seed ${SEED}, run ${run}, of ${mutant.of.name}: ${problem}`);
      }
      if (run % 1000 === 999) {
        expect(ownKeys()).toBe(keysBefore);
        expect(Object.keys({})).toEqual([]);
        await setImmediate(); // the runner asks for a sign of life
      }
    }
    // neither door is closed: all refused, or all loaded, would show nothing
    expect(tally.loaded).toBeGreaterThan(RUNS / 50);
    expect(tally.refused).toBeGreaterThan(RUNS / 2);
    const report = process.env['EVENKEEL_FUZZ_REPORT'];
    const { rss } = process.memoryUsage();
    if (report !== undefined) writeFileSync(report, JSON.stringify({ ...tally, rss }));
  },
  60_000 + RUNS,
);
