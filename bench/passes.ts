// Which bare passes over its buffers a case cannot do without: names only; limits.ts makes them.
//
// [N, C] reads twice, for statistics and to apply them; one channel of [N, C, L] stays in cache in
// between. The passes of a sum are run one after another.
import type { Case } from './cases.js';
import { CONVOLUTIONS } from './convolutions.js';
import { OPERATIONS, type Pass } from './operations.js';

export type { Pass };

/** The passes of a case; none for a step or a convolution, which are mostly multiplication. */
export function passesOf({
  mode,
  shape,
  layout,
  operation,
}: Pick<Case, 'mode' | 'shape' | 'layout' | 'operation'>): readonly Pass[] {
  if (operation !== null && operation in CONVOLUTIONS) return [];
  if (mode === 'gradient' && OPERATIONS[operation!]!.group === 'pools') return ['x to dx'];
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
