// What the machine allows: the bare passes over the same buffers that a case cannot do without, on the
// same threads. They move bytes and compute nothing, so doubles are passed as pairs of floats.
//
// [N, C] reads twice, for statistics and to apply them; one channel of [N, C, L] stays in cache in
// between. The passes of a sum are run one after another.
import { addon } from '../src/addon/control.js';

import type { Case } from './cases.js';
import type { Contender } from './contender.js';
import type { Floats, Job } from './data.js';
import { turnsOf } from './measure.js';
import { OPERATIONS } from './operations.js';

export type Pass = 'read x' | 'read dy' | 'read other' | 'x to out' | 'x to dx';

/** The passes of a case; none for a step, which is mostly matrix multiplication. */
export function passesOf({
  mode,
  shape,
  layout,
  operation,
}: Pick<Case, 'mode' | 'shape' | 'layout' | 'operation'>): readonly Pass[] {
  if (mode === 'gradient') return ['read dy', 'x to dx'];
  if (operation !== null) return OPERATIONS[operation]!.passes;
  const rows = shape.length === 2 || layout === 'NLC';
  const forward: Pass[] = rows ? ['read x', 'x to out'] : ['x to out'];
  const backward: Pass[] = rows
    ? ['read x', 'read dy', 'read dy', 'x to dx']
    : ['read dy', 'x to dx'];
  if (mode === 'step') return [];
  if (mode === 'evaluate') return ['x to out'];
  if (mode === 'forward') return forward;
  if (mode === 'frozen') return ['x to dx'];
  return mode === 'backward' ? backward : [...forward, ...backward];
}

/** How often the passes touch each byte of x's size: a copy reads it and writes it. */
export function touches(passes: readonly Pass[]): number {
  return passes.reduce((sum, pass) => sum + (pass.startsWith('read') ? 1 : 2), 0);
}

export const LIMIT = 'limit';

/** The contenders `limit` (the case's passes) and `copy` (one memcpy), where those differ. */
export function limitContenders({ case: each, x, dy }: Job): Contender[] {
  const passes = passesOf(each);
  if (passes.length === 0) return [];
  const source = asFloats(x);
  const gradient = dy === null ? source : asFloats(dy);
  const target = new Float32Array(source.length);
  const copy = (): void => addon.limitCopy(source, target, source.length);
  const run: Record<Pass, () => void> = {
    'read x': () => void addon.limitRead(source, source.length),
    'read dy': () => void addon.limitRead(gradient, gradient.length),
    'read other': () => void addon.limitRead(gradient, gradient.length),
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
