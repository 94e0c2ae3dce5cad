// Which options a layer's forward takes beside its input, so that a Sequential can hand them on: a class says so
// in its static `forwardOptions`.
import * as check from '../../check/index.js';
import { INSIDE, KNOWN_OPTIONS } from './internals.js';
import { childrenOf, type Node } from './tree.js';

type Options = Readonly<Record<string, unknown>>;
interface Class {
  readonly name: string;
  readonly forwardOptions?: readonly string[];
}

/** What the options of a forward need of a module. */
interface Layered extends Node {
  readonly forward: unknown;
  /** What it hands on, where that depends on the instance. */
  [KNOWN_OPTIONS]?(): readonly string[];
}

/**
 * The options of a layer's forward; null where nobody has said: a forward that is newer than the
 * `forwardOptions` that its class inherits does not have to take them.
 */
export function forwardOptionsOf(layer: Layered): readonly string[] | null {
  return handsOn(layer) ? layer[KNOWN_OPTIONS]!() : declaredOptions(layer);
}

function declaredOptions(layer: Layered): readonly string[] | null {
  if (hasOwnForward(layer)) return ownOptions(layer.constructor);
  for (const prototype of prototypesOf(layer)) {
    const own = ownOptions(prototype.constructor);
    if (own !== null || Object.hasOwn(prototype, 'forward')) return own;
  }
  return null;
}

/** Whether its forward is the one that hands options on to its layers. */
function handsOn(layer: Layered): boolean {
  if (hasOwnForward(layer)) return false;
  for (const prototype of prototypesOf(layer)) {
    if (Object.hasOwn(prototype, KNOWN_OPTIONS)) return true;
    if (ownOptions(prototype.constructor) !== null || Object.hasOwn(prototype, 'forward'))
      return false;
  }
  return false;
}

function hasOwnForward(layer: Layered): boolean {
  return Object.hasOwn(layer, 'forward') && layer.forward !== layer[INSIDE].hooks?.wrapper;
}

function* prototypesOf(layer: Layered): Generator<object> {
  let prototype = Object.getPrototypeOf(layer) as object | null;
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
    yield prototype;
  }
}

function ownOptions(constructor: object): readonly string[] | null {
  if (!Object.hasOwn(constructor, 'forwardOptions')) return null;
  return (constructor as Class).forwardOptions ?? null;
}

/** Whether `layer` or something in it takes an option of that name. */
function concerns(layer: Layered, name: string): boolean {
  const known = forwardOptionsOf(layer) ?? (layer.constructor as Class).forwardOptions;
  if (known?.includes(name) === true) return true;
  return [...childrenOf(layer)].some(([, child]) => concerns(child, name));
}

/**
 * What each of `layers` gets of `options`. Everything is checked before the first of them runs.
 *
 * @throws {TypeError} for an option that none of them takes, or one that a layer might need and does not say
 * that it takes.
 */
export function handOn(
  who: string,
  layers: readonly Layered[],
  options: unknown,
): (Options | undefined)[] {
  const known = [...new Set(layers.flatMap((layer) => forwardOptionsOf(layer) ?? []))];
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw check.wrongKind(who, `an options object { ${known.join(', ')} }`, options);
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name] of given) refuseLost(who, layers, name);
  if (known.length > 0) check.options(who, Object.fromEntries(given), known);
  else if (given[0] !== undefined) {
    throw new TypeError(
      `${who}: expected no options, because none of its layers takes any, got '${given[0][0]}'.`,
    );
  }
  return layers.map((layer) => {
    const takes = forwardOptionsOf(layer);
    const own = given.filter(([name]) => takes?.includes(name) === true);
    return own.length === 0 ? undefined : Object.fromEntries(own);
  });
}

/** That `name` does not get lost in a layer of somebody else's that has a use for it inside. */
function refuseLost(who: string, layers: readonly Layered[], name: string): void {
  layers.forEach((layer, i) => {
    if (handsOn(layer)) {
      const inner = Array.from(childrenOf(layer), ([, child]) => child);
      refuseLost(who, inner, name);
      return;
    }
    if (declaredOptions(layer) !== null || !concerns(layer, name)) return;
    const { name: of } = layer.constructor;
    throw new TypeError(
      `${who}: expected layer ${i} (${of}) to take '${name}', which a layer in it takes, got a class that ` +
        `does not say so: give its forward an options argument, and the class ` +
        `static forwardOptions = ['${name}'].`,
    );
  });
}
