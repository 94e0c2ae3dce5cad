// Modules and parameters that a module uses and does not have: in an array, an object, a Map, a Set or a
// #private field no walk of the tree comes to them, so they are not trained, saved or switched to evaluation.
// That is never meant and never an error by itself, so it is a warning, once for a class and a field.
// What is meant to be out of reach is in a function, a property that is not enumerable, or one with a symbol
// for a name: these are not searched.
// Longer than 250 lines because all places where a walk looks for what it does not reach are listed here.
import { isMap, isSet } from 'node:util/types';

import { isGradEnabled, Operation } from '../../autograd/index.js';
import { isThenable } from '../../check/index.js';
import { MADE, Parameter, Tensor } from '../../tensor/tensor.js';
import { addHook, type Hooked } from './hooks.js';
import { HAS_MODE, INSIDE, SLOTS, WHO } from './internals.js';
import { classesOf, privateNames } from './private-members.js';
import { isModule, parametersOf, type Node } from './tree.js';

/** How deep containers are searched, how many of the elements of each, and how many of a field's in all. */
const DEPTH = 4;
const ELEMENTS = 1000;
const ELEMENTS_OF_FIELD = 10_000;

/** What has been warned of, or needs no search any more: fields by class. */
const done = new WeakMap<object, Set<string>>();

/** True the first time for a class and a field. */
function firstTime(module: Node, field: string): boolean {
  const fields = done.get(module.constructor) ?? new Set();
  done.set(module.constructor, fields);
  if (fields.has(field)) return false;
  fields.add(field);
  return true;
}

function warn(module: Node, sentence: string): void {
  process.emitWarning(`${module[WHO]}: ${sentence}`, {
    type: 'EvenkeelWarning',
    code: 'EVENKEEL_UNREGISTERED_MODULE',
  });
}

/** Searches the fields of modules. Each time: a container may have been filled since, or put in the place of null. */
export function warnOfUnregistered(tree: readonly (readonly [string, Node & Hooked])[]): void {
  let reach: Set<unknown> | null = null;
  const inReach = (value: unknown): boolean => (reach ??= reachOf(tree)).has(value);
  for (const [, module] of tree) {
    const inside = module[INSIDE];
    if (!inside.searched) watchFirstForward(module);
    inside.searched = true;
    for (const [field, value] of Object.entries(module)) {
      if (isLearnedTensor(value)) {
        if (firstTime(module, field)) warnOfTensor(module, field);
        continue;
      }
      if (!isContainer(value) || done.get(module.constructor)?.has(field) === true) continue;
      const found = search(field, value, { owner: module, inReach, left: ELEMENTS_OF_FIELD });
      if (found !== null && firstTime(module, field)) warnOfField(module, field, found);
    }
  }
}

/** A leaf that requires grad: what PyTorch takes for a parameter as little as we do. */
function isLearnedTensor(value: unknown): boolean {
  return (
    value instanceof Tensor &&
    !(value instanceof Parameter) &&
    value.requiresGrad &&
    value.operation === null
  );
}

function reachOf(tree: readonly (readonly [string, Node])[]): Set<unknown> {
  const reach = new Set<unknown>();
  for (const [, module] of tree) {
    reach.add(module);
    for (const [, parameter] of parametersOf(module)) reach.add(parameter);
  }
  return reach;
}

interface Found {
  readonly path: string;
  readonly value: Node | Parameter;
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isModule(value)) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value) || isSet(value)) return true;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

interface Search {
  readonly owner: Node;
  readonly inReach: (value: unknown) => boolean;
  /** How many elements may still be looked at. */
  left: number;
}

/** The first module or parameter in a container that is out of reach and would be missed. */
function search(path: string, container: object, all: Search, depth = DEPTH): Found | null {
  let left = ELEMENTS;
  for (const [key, value] of elementsOf(container)) {
    if (left-- === 0 || all.left-- <= 0) return null;
    if (isModule(value)) {
      if (!all.inReach(value) && isMissed(value, all.owner)) return { path: path + at(key), value };
    } else if (value instanceof Parameter) {
      if (!all.inReach(value)) return { path: path + at(key), value };
    } else if (depth > 1 && isContainer(value)) {
      const found = search(path + at(key), value, all, depth - 1);
      if (found !== null) return found;
    }
  }
  return null;
}

/** What comes behind a container's path in that of an element: an index has brackets. */
function at(key: string | number): string {
  return typeof key === 'number' ? `[${key}]` : key;
}

/** The elements of a container, with an index or what comes behind its path in theirs. */
function* elementsOf(container: object): Generator<[string | number, unknown]> {
  if (Array.isArray(container) || isSet(container)) {
    let i = 0;
    for (const value of container as Iterable<unknown>) yield [i++, value];
  } else if (isMap(container)) {
    for (const [key, value] of container) {
      yield [`.get(${typeof key === 'string' ? `'${key}'` : '…'})`, value];
      yield ['.keys()', key];
    }
  } else {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(container))) {
      yield [`.${key}`, property.value];
    }
  }
}

/**
 * Whether it matters that no walk comes to `module`: it has state, or evaluates otherwise than it trains. One
 * that has `owner` in it is a reference back.
 */
function isMissed(module: Node, owner: Node): boolean {
  const below = new Set<Node>();
  const visit = (each: Node): void => {
    if (below.has(each)) return;
    below.add(each);
    for (const [, value] of each[SLOTS]()) if (isModule(value)) visit(value);
  };
  visit(module);
  if (below.has(owner)) return false;
  return [...below].some(
    (each) =>
      HAS_MODE in each ||
      each[INSIDE].buffers.size > 0 ||
      [...each[SLOTS]()].some(([, value]) => value instanceof Parameter),
  );
}

function warnOfTensor(module: Node, field: string): void {
  warn(
    module,
    `the field '${field}' holds a Tensor that requires grad and is no Parameter: parameters(), stateDict() and ` +
      'optimizers do not find it. If it is to be learned, make it one: new nn.Parameter(tensor).',
  );
}

function warnOfField(module: Node, field: string, { path, value }: Found): void {
  if (value instanceof Parameter) {
    warn(
      module,
      `the field '${field}' holds a Parameter (${path}) that is not registered: parameters(), stateDict() and ` +
        'optimizers do not find it. Assign it to a property of its own, or use an nn.ParameterList or an ' +
        'nn.ParameterDict.',
    );
    return;
  }
  warn(
    module,
    `the field '${field}' holds a module (${path}, a ${value[WHO]}) that is not registered: parameters(), ` +
      'stateDict(), train() and eval() do not reach it. Assign it to a property of its own, or use an ' +
      'nn.ModuleList or an nn.ModuleDict.',
  );
}

// ---- #private fields ---------------------------------------------------------------------------------

const PRIVATE = '#';

/**
 * What a #private field holds shows when it is used: the first recorded forward of a class that has such
 * fields is looked at, by a hook that takes itself away.
 */
function watchFirstForward(module: Node & Hooked): void {
  if (done.get(module.constructor)?.has(PRIVATE) === true) return;
  const names = [...classesOf(module)].flatMap((each) => privateNames(each));
  if (names.length === 0) return;
  const handle = addHook(module, 'post', (_, inputs, output) => {
    if (!isGradEnabled()) return;
    handle.remove();
    const look = (result: unknown): void => {
      warnOfPrivate(module, names, unownedIn(result, module, inputs as readonly unknown[]));
    };
    // Whoever called forward hears of a rejection.
    if (isThenable(output)) output.then(look, () => undefined);
    else look(output);
  });
}

function warnOfPrivate(module: Node, names: readonly string[], parameter: Parameter | null): void {
  if (parameter === null || !firstTime(module, PRIVATE)) return;
  warn(
    module,
    `forward uses a Parameter of shape [${parameter.shape.join(', ')}] that is not registered, maybe in a ` +
      `#private field (${[...new Set(names)].join(', ')}): parameters(), stateDict(), train() and eval() do ` +
      'not reach it. Make the field a public or a TypeScript private one.',
  );
}

/**
 * A parameter that an output was computed from and that `module` does not have. One that is older than the
 * module was handed to it: a teacher, or the other half of a pair. What came in as an argument is not its own
 * either.
 */
function unownedIn(output: unknown, module: Node, inputs: readonly unknown[]): Parameter | null {
  const own = new Set<unknown>();
  const seen = new Set<unknown>();
  const take = (each: Node): void => {
    if (own.has(each)) return;
    own.add(each);
    for (const [, value] of each[SLOTS]()) {
      if (isModule(value)) take(value);
      else if (value instanceof Parameter) own.add(value);
    }
  };
  take(module);
  for (const input of inputs) {
    if (isModule(input)) take(input);
    for (const each of valuesOf(input)) {
      own.add(each);
      if (each.operation !== null) seen.add(each.operation);
    }
  }
  const open: unknown[] = valuesOf(output).map((each) => each.operation ?? each);
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (seen.has(each)) continue;
    seen.add(each);
    if (each instanceof Operation) open.push(...each.sources);
    else if (each instanceof Parameter && !own.has(each)) {
      if (each[MADE] >= module[INSIDE].parametersBefore) return each;
    }
  }
  return null;
}

/** A tensor, or the tensors in arrays, plain objects, Maps and Sets, as deep as fields are searched. */
function valuesOf(value: unknown, depth = DEPTH): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (depth === 0 || !isContainer(value)) return [];
  const found: Tensor[] = [];
  let left = ELEMENTS;
  for (const [, each] of elementsOf(value)) {
    if (left-- === 0) break;
    if (typeof each === 'object') found.push(...valuesOf(each, depth - 1));
  }
  return found;
}
