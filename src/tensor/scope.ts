// A scope: what is made inside is given back at its end, but for what comes out of it. The pool takes large arrays
// back by itself (memory/pool.ts); this, `using` and dispose() also do it for small ones, and sooner.
import { isMap, isSet } from 'node:util/types';

import * as check from '../check/index.js';
import { collect, Tensor, ValuesAndIndices } from './tensor.js';

/**
 * Runs `body` and disposes of every tensor made inside, except
 * - those it returns: a Tensor, or Tensors in arrays, plain objects, Maps, Sets or what `max(dim)` gives;
 * - parameters, registered buffers, optimiser state, and the `grad` of leaves;
 * - those given to `keep`.
 *
 * One around each training step makes a loop whose memory is flat, and warm: from the second step on
 * every output is written where the step before had it. Scopes nest: what the inner one returns belongs
 * to the outer one. A body that throws is cleaned up after as well.
 *
 * A graph does not keep what it saved: call `backward()` inside.
 *
 * @param body - Synchronous.
 * @throws {TypeError} when `body` returns a promise.
 * @example
 * ```ts
 * const x = tensor([1, 2, 3]);
 * const y = scope(() => {
 *   const square = functional.mul(x, x); // disposed of at the end
 *   return functional.add(square, x);
 * });
 * y.toArray(); // => [2, 6, 12]
 * ```
 */
export function scope<Result>(body: () => Result): Result {
  if (typeof body !== 'function') throw check.wrongKind('scope', 'a function', body);
  const made: Tensor[] = [];
  const outer = collect(made);
  const returned = new Set<unknown>();
  try {
    const result = check.synchronous('scope', body());
    findTensors(result, returned);
    return result;
  } finally {
    collect(outer);
    for (const tensor of made) {
      if (tensor.kept) continue;
      if (returned.has(tensor)) outer?.push(tensor);
      else tensor.dispose();
    }
  }
}

/**
 * Takes a tensor out of every scope it was made in: for state that outlives a step, such as an average
 * of the weights. From here on only `dispose()` gives it back.
 *
 * @example
 * ```ts
 * let best = tensor([0]);
 * scope(() => {
 *   best = keep(functional.add(best, tensor([5])));
 * });
 * best.item(); // => 5
 * ```
 */
export function keep(tensor: Tensor): Tensor {
  if (!((tensor as unknown) instanceof Tensor)) throw check.wrongKind('keep', 'a Tensor', tensor);
  return tensor.keep();
}

/** Adds every Tensor that can be reached from `value`, and the containers on the way, to `seen`. */
function findTensors(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Tensor) return;
  if (isMap(value)) {
    for (const [key, each] of value) {
      findTensors(key, seen);
      findTensors(each, seen);
    }
  } else if (Array.isArray(value) || isSet(value)) {
    for (const each of value) findTensors(each, seen);
  } else if (value instanceof ValuesAndIndices || check.isPlainObject(value)) {
    for (const each of Object.values(value)) findTensors(each, seen);
  }
}
