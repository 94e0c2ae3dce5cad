// What kind of object a value is, and properties that refuse an assignment.
import { isPromise } from 'node:util/types';

import { wrongKind } from './sentences.js';

/**
 * Makes an assignment to these getters of a class an error in our words: the engine's sentence names neither the
 * layer nor a way out, and code that is not strict hears nothing.
 *
 * @param hint - What to do instead, by name.
 */
export function refuseAssignment(
  constructor: { readonly prototype: object },
  hints: Readonly<Record<string, string>>,
): void {
  for (const [name, hint] of Object.entries(hints)) {
    const property = Object.getOwnPropertyDescriptor(constructor.prototype, name)!;
    Object.defineProperty(constructor.prototype, name, {
      ...property,
      set(this: object, value: unknown) {
        throw wrongKind(this.constructor.name, `${name} to be left as it is (${hint})`, value);
      },
    });
  }
}

/** Whether a value is an object of no class: a literal, of any realm, or without a prototype. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || isObjectPrototype(prototype);
}

/** Whether what stands where a tensor may is options: a plain object, and no other library's array. */
export function isOptions(value: unknown): value is object {
  return isPlainObject(value) && !('data' in value);
}

/** Whether this is some realm's Object.prototype: it has no prototype, and methods of its own. */
function isObjectPrototype(value: object): boolean {
  return Object.getPrototypeOf(value) === null && Object.hasOwn(value, 'hasOwnProperty');
}

/** Whether an object is an instance of a class that the language has: of Map, but not of a subclass. */
export function isBuiltIn(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const above = prototype === null ? null : (Object.getPrototypeOf(prototype) as object | null);
  return above !== null && isObjectPrototype(above);
}

/** Whether a value is a promise, or passes for one with `await`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (isPromise(value)) return true;
  const canHave = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return canHave && typeof (value as { then?: unknown }).then === 'function';
}

/** What a body returned: its result, but for a promise, which would outlive what the call set up. */
export function synchronous<Result>(who: string, result: Result): Result {
  if (isThenable(result)) {
    // Nobody waits for it any more, and a rejection that nobody takes ends the process.
    if (isPromise(result)) result.catch(() => undefined);
    throw new TypeError(`${who}: expected a synchronous function, got one that returns a promise.`);
  }
  return result;
}
