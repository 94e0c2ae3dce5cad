// The state of an addon and of tensors, in a child process: how it begins, and its bits.
import { createHash, type Hash } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';

import type { nn, Tensor } from 'evenkeel';

import type { Package } from '../operations/row.js';

/** What a call must leave alone when it fails, and the call: it returns what it computed. */
export interface Made {
  readonly kept: readonly (nn.Module | Tensor)[];
  readonly call: () => readonly unknown[] | Promise<readonly unknown[]>;
}
export type Maker = (evenkeel: Package) => Made | Promise<Made>;

/** Of the built package. */
export const FOLDER = dirname(process.env['EVENKEEL_TEST_BUILT'] ?? '');

/** As right after loading: an instance of the addon without scratch, an empty pool. */
export function cold(evenkeel: Package, path = process.env['EVENKEEL_TEST_ADDON']!): void {
  const { native } = evenkeel;
  const { threads } = native;
  const loaded = { exports: {} };
  process.dlopen(loaded, path);
  const control = createRequire(`${FOLDER}/`)('./addon/control.js') as { addon: object };
  Object.assign(control.addon, loaded.exports);
  native.setThreads(threads);
  native.memory.trim();
}

/** A copy of the addon is another library: with threads of its own, which have not begun. */
export function unbegun(evenkeel: Package): void {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-cold-'));
  copyFileSync(process.env['EVENKEEL_TEST_ADDON']!, `${folder}/evenkeel.node`);
  cold(evenkeel, `${folder}/evenkeel.node`);
  rmSync(folder, { recursive: true });
}

const known = new Map<string, Float32Array>();

export function numbers(shape: readonly number[], seed: number): Float32Array {
  const key = [seed, ...shape].join();
  let values = known.get(key);
  if (values === undefined) {
    const length = shape.reduce((a, b) => a * b, 1);
    values = Float32Array.from({ length }, (_, i) => Math.sin(i * 0.7 + seed) * 3 + 7);
    known.set(key, values);
  }
  return values.slice();
}

function put(hash: Hash, value: unknown): Hash {
  if (value === null || value === undefined) return hash.update('none');
  if (typeof value !== 'object' || !('expandedValue' in value)) return hash.update(inspect(value));
  // A gradient of one value has no array yet, and reading `data` would make one.
  const { expandedValue } = value;
  if (typeof expandedValue !== 'number') return hash.update((value as unknown as Tensor).data);
  return hash.update(new Float32Array((value as unknown as Tensor).numel).fill(expandedValue));
}

export const bitsOf = (values: readonly unknown[]): string =>
  values.reduce<Hash>(put, createHash('sha256')).digest('hex');

/** The bits of modules and tensors, their gradients included. */
export function stateOf(subjects: Made['kept']): string {
  return bitsOf(
    subjects.flatMap((subject) =>
      'namedParameters' in subject
        ? [...subject.parameters(), ...subject.buffers()].flatMap((each) => [each, each.grad])
        : [subject, subject.grad],
    ),
  );
}
