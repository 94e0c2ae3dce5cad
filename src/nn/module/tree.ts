// The tree of modules: what a module keeps, and the walks over it. It knows an interface of a module, not
// the class.
//
// A child or a parameter is an own enumerable property of its module, under its name; there is no second list.
// Whatever assigns, replaces or deletes that property has registered, replaced or removed the child, and what
// forward reads is what every walk finds. The order is that of JavaScript's properties: names that are whole
// numbers first, by size, then the others in the order in which they were first assigned. A ModuleDict, whose
// names are its user's data, keeps a Map instead (keyed.ts).
// A buffer is in a Map, and its name is an accessor to that (register.ts).
import * as check from '../../check/index.js';
import { Parameter, type Tensor } from '../../tensor/tensor.js';
import { INSIDE, SLOTS, UNINITIALIZED, WHO } from './internals.js';
import { isModule, type Node } from './node.js';
import { refuseForeignPart, refuseReplacement } from './replaced.js';

export { Inside, isModule, type Node, type Part } from './node.js';

/** Children under every name they have. */
export function* childrenOf<M extends Node>(module: M): Generator<[string, M]> {
  for (const [name, value] of module[SLOTS]()) {
    refuseReplacement(module, name, value);
    if (isModule(value)) yield [name, value as M];
    else refuseForeignPart(module, name, value);
  }
}

/** Own parameters. */
export function* parametersOf(module: Node): Generator<[string, Parameter]> {
  for (const [name, value] of module[SLOTS]()) {
    refuseReplacement(module, name, value);
    if (value instanceof Parameter) yield [name, value];
  }
}

/** Parameters of modules, under the names of those: a shared one comes once. */
export function* everyParameter(
  modules: readonly (readonly [string, Node])[],
): Generator<[string, Parameter]> {
  const seen = new Set<Parameter>();
  for (const [path, module] of modules) {
    for (const [name, parameter] of parametersOf(module)) {
      if (seen.has(parameter)) continue;
      seen.add(parameter);
      yield [join(path, name), parameter];
    }
  }
}

/** Buffers of modules, the non-persistent ones too. */
export function* everyBuffer(
  modules: readonly (readonly [string, Node])[],
): Generator<[string, Tensor]> {
  for (const [path, module] of modules) {
    for (const [name, { tensor }] of module[INSIDE].buffers) {
      if (tensor !== null) yield [join(path, name), tensor];
    }
  }
}

/** Own parameters and persistent buffers: what a state dict holds of one module. */
export function* stateOf(module: Node): Generator<[string, Tensor]> {
  yield* parametersOf(module);
  for (const [name, { tensor, persistent }] of module[INSIDE].buffers) {
    if (persistent && tensor !== null) yield [name, tensor];
  }
}

/** A module and the modules it is in, up to where the walk began. */
interface Trail {
  readonly path: string;
  readonly module: Node;
  readonly above: Trail | null;
}

/**
 * `root` and every module below it, each once, under its first path.
 *
 * @throws {Error} for a module that is below itself: it would have no end of paths and keys.
 */
export function everyModule<M extends Node>(
  root: M,
  prefix = '',
  seen = new Set<Node>(),
): [string, M][] {
  const found: [string, M][] = [];
  const visit = (path: string, module: M, above: Trail | null): void => {
    for (let trail = above; trail !== null; trail = trail.above) {
      if (trail.module === module) throw cycle(path, root, trail);
    }
    if (seen.has(module)) return;
    seen.add(module);
    found.push([path, module]);
    const trail = { path, module, above };
    for (const [name, child] of childrenOf(module)) visit(join(path, name), child, trail);
  };
  visit(prefix, root, null);
  return found;
}

function cycle(path: string, root: Node, { path: first, module, above }: Trail): Error {
  const again = above === null ? `the ${module[WHO]} itself` : `'${first}' again`;
  return new Error(
    `${root[WHO]}: expected a tree of modules, got a cycle: '${path}' is ${again} ` +
      '(keep a reference back in a function, such as () => parent).',
  );
}

/** That `module` can become the child `name` of `parent`: it does not have it in it. */
export function refuseCycle(who: string, parent: Node, name: string, module: Node): void {
  for (const [path, each] of everyModule(module)) {
    if (each !== parent) continue;
    throw new Error(
      `${who}: expected a tree of modules, got a cycle: '${path === '' ? name : join(name, path)}' is the ${parent[WHO]} itself ` +
        '(keep a reference back in a function, such as () => parent).',
    );
  }
}

/** `root` and every module below it under every path it has. A cycle has no end: see `everyModule`. */
export function* everyPath<M extends Node>(root: M, path = ''): Generator<[string, M]> {
  yield [path, root];
  for (const [name, child] of childrenOf(root)) yield* everyPath(child, join(path, name));
}

/** That every module knows its size. */
export function requireInitialized(
  root: Node,
  method: string,
  modules: readonly (readonly [string, Node])[],
): void {
  for (const [path, module] of modules) {
    if (!module[UNINITIALIZED]) continue;
    throw new Error(
      `${root[WHO]}.${method}: Attempted to use an uninitialized parameter` +
        `${path === '' ? '' : ` of '${path}' (${module[WHO]})`}; run a first forward to initialize it.`,
    );
  }
}

/**
 * That `name` can be registered.
 *
 * @param mayReplace - Whether what is there under that name is one that registering replaces.
 */
export function checkName(
  who: string,
  name: unknown,
  module: Node,
  mayReplace: (value: unknown) => boolean,
): void {
  checkKey(who, name);
  // A field that was declared, or null, waits for what it is to hold.
  const own = Object.getOwnPropertyDescriptor(module, name);
  const value: unknown = own?.value;
  if (
    own !== undefined &&
    'value' in own &&
    (value === null || value === undefined || mayReplace(value))
  )
    return;
  const taken = name in module || [...module[SLOTS]()].some(([each]) => each === name);
  if (taken) {
    throw check.wrongValue(who, 'a new name', `'${name}' (attribute '${name}' already exists)`);
  }
}

/** That `name` can be part of a path. */
export function checkKey(who: string, name: unknown): asserts name is string {
  if (typeof name !== 'string') throw check.wrongKind(who, 'a name', name);
  if (name === '' || name.includes('.')) {
    throw check.wrongValue(who, 'a name that is not empty and has no dot', check.describe(name));
  }
}

export function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}
