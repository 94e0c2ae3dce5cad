// Classes with #private members: what they hold cannot be seen, nor copied without their constructor.
const COMMENTS_AND_STRINGS = /\/\*[^]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;

const known = new WeakMap<object, readonly string[]>();

/**
 * The #private names that the source of a class uses, once each. That of a class compiled to before ES2022
 * uses none.
 */
export function privateNames(constructor: object): readonly string[] {
  const before = known.get(constructor);
  if (before !== undefined) return before;
  const source = Function.prototype.toString.call(constructor).replace(COMMENTS_AND_STRINGS, '""');
  const uses = source.matchAll(/\.\s*(#[\p{ID_Start}_$][\p{ID_Continue}$]*)/gu);
  const names = [...new Set(Array.from(uses, ([, name = '']) => name))];
  known.set(constructor, names);
  return names;
}

/** The classes of an object, the most derived first. */
export function* classesOf(object: object): Generator<{ readonly name: string }> {
  let prototype = Object.getPrototypeOf(object) as object | null;
  for (; prototype !== null && prototype !== Object.prototype;) {
    yield prototype.constructor;
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
}
