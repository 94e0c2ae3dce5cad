// What the machine allows: the bare passes over the same buffers that a case cannot do without, on the
// same threads. They move bytes and compute nothing, so doubles are passed as pairs of floats.
import { addon } from '../src/addon/control.js';

import type { Contender } from './contender.js';
import type { Floats, Job } from './data.js';
import { turnsOf } from './measure.js';
import { LIMIT, passesOf, type Pass } from './passes.js';

/** The contenders `limit` (the case's passes) and `copy` (one memcpy), where those differ. */
export function limitContenders({ case: each, x, dy }: Job): Contender[] {
  const passes = passesOf(each);
  if (passes.length === 0) return [];
  const source = asFloats(x);
  const gradient = dy === null ? source : asFloats(dy);
  const target = new Float32Array(source.length);
  const mask = new Float32Array(passes.includes('read mask') ? source.length : 0).fill(1);
  const copy = (): void => addon.bareCopy(source, target, source.length);
  const run: Record<Pass, () => void> = {
    'read x': () => void addon.bareRead(source, source.length),
    'read dy': () => void addon.bareRead(gradient, gradient.length),
    'read other': () => void addon.bareRead(gradient, gradient.length),
    'read mask': () => void addon.bareRead(mask, mask.length),
    'x to out': copy,
    'x to dx': copy,
  };
  const calls = passes.map((pass) => run[pass]);
  const all = (): void => {
    for (const call of calls) call();
  };
  const limit = { who: LIMIT, how: passes.join(', '), name: LIMIT, turn: turnsOf(all) };
  const memcpy = { who: 'copy', how: 'read, write', name: 'copy', turn: turnsOf(copy) };
  return passes.length === 1 ? [limit] : [limit, memcpy];
}

function asFloats({ buffer, byteOffset, byteLength }: Floats): Float32Array {
  return new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
}
