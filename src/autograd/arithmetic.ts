// What the tape asks of the values that it carries.
import type { Like, Variable } from './operation.js';

/**
 * What the walk asks of gradients and leaves. V is the variable's own type. The walk is the one holder
 * of each gradient it carries, and gives it up to `add`, `accumulate` or `release`.
 */
export interface Arithmetic<V extends Variable> {
  /** a + b, maybe in the memory of one of them; takes both. */
  add(a: V, b: V): V;
  /** Adds to a leaf's gradient one that `prepare` has returned; takes it, and cannot fail. */
  accumulate(leaf: V, gradient: V): void;
  /** The same gradient for one more holder. */
  hold(gradient: V): V;
  /** Nobody needs this gradient any more. */
  release(gradient: V): void;
  /** What `accumulate` is to take for this gradient; throws where that could not be added. Takes it. */
  prepare(leaf: V, gradient: V): V;
  /** That `gradient` has the shape and dtype of `value`. */
  check(operation: string, value: Like, gradient: V): void;
  /** Runs a backward of ours, and disposes of what it makes beside the gradients. */
  tidy(body: () => readonly (V | null)[]): readonly (V | null)[];
  /** What a hook returned, as a gradient to go on with; throws unless it is like the one before. */
  replacement(returned: unknown, before: V): V;
}
