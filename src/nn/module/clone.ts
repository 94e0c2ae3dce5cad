// Module.clone(): a deep copy with memory of its own, as Python's copy.deepcopy makes it. It knows a
// module by the symbol its inside is kept under, not by its class.
import { isMap, isSet } from 'node:util/types';

import * as check from '../../check/index.js';
import { Parameter, Tensor } from '../../tensor/tensor.js';
import { AFTER_COPY, INSIDE } from './internals.js';
import { classesOf, privateNames } from './private-members.js';

/** What clone needs of a module. */
export interface Cloneable {
  readonly [INSIDE]: { copy(each: <T>(value: T) => T): unknown };
  clone(): unknown;
  /** Lets go of what belongs to the module that was copied. */
  [AFTER_COPY]?(): void;
}

/** Deep copy of `root`. A module below that brings a clone() of its own is asked for it. */
export function cloneModule<M extends Cloneable>(root: M, plain: () => unknown): M {
  const copies = new Map<unknown, unknown>();
  const copy = <T>(value: T): T => {
    if (typeof value !== 'object' || value === null) return value;
    if (!copies.has(value)) copyObject(value);
    return copies.get(value) as T;
  };
  const copyObject = (value: object): void => {
    const made = (fresh: object): void => void copies.set(value, fresh);
    if (value instanceof Tensor) made(copyTensor(value));
    else if (isCloneable(value)) {
      if (value !== root && value.clone !== plain) made(value.clone() as object);
      else copyModule(value, made, copy);
    } else copyContainer(value, made, copy);
  };
  return copy(root);
}

function isCloneable(value: object): value is Cloneable {
  return INSIDE in value;
}

function copyTensor(tensor: Tensor): Tensor {
  if (tensor.operation !== null) {
    throw new Error(
      'Module.clone: Only Tensors created explicitly by the user (graph leaves) support the deepcopy ' +
        'protocol at the moment; detach() the one that is a property of the module.',
    );
  }
  const copy = tensor.copied();
  if (tensor instanceof Parameter) return new Parameter(copy, tensor.requiresGrad);
  copy.requiresGrad = tensor.requiresGrad;
  return tensor.kept ? copy.keep() : copy;
}

function copyModule(
  module: Cloneable,
  made: (fresh: object) => void,
  copy: <T>(value: T) => T,
): void {
  refusePrivate(module);
  const fresh = Object.create(Object.getPrototypeOf(module) as object) as object;
  made(fresh);
  for (const key of Reflect.ownKeys(module)) {
    const property = Object.getOwnPropertyDescriptor(module, key)!;
    if (key === INSIDE) property.value = module[INSIDE].copy(copy);
    else if ('value' in property) property.value = copy(property.value as unknown);
    Object.defineProperty(fresh, key, property);
  }
  (fresh as Cloneable)[AFTER_COPY]?.();
}

/** Arrays, plain objects, Map, Set, typed arrays; an instance of another class stays the same. */
function copyContainer(
  value: object,
  made: (fresh: object) => void,
  copy: <T>(value: T) => T,
): void {
  if (Array.isArray(value)) {
    const fresh: unknown[] = [];
    made(fresh);
    for (const each of value as unknown[]) fresh.push(copy(each));
  } else if (isMap(value) && check.isBuiltIn(value)) {
    const fresh = new Map<unknown, unknown>();
    made(fresh);
    for (const [key, each] of value) fresh.set(copy(key), copy(each));
  } else if (isSet(value) && check.isBuiltIn(value)) {
    const fresh = new Set<unknown>();
    made(fresh);
    for (const each of value) fresh.add(copy(each));
  } else if (check.arrayKind(value) !== undefined) {
    made((value as Uint8Array).slice());
  } else if (check.isPlainObject(value)) {
    const fresh = Object.create(Object.getPrototypeOf(value) as object | null) as Record<
      string,
      unknown
    >;
    made(fresh);
    for (const [key, each] of Object.entries(value)) fresh[key] = copy(each);
  } else {
    made(value);
  }
}

/**
 * A `#private` member belongs to the object its class constructed: a copy would fail later, somewhere
 * else. The source says so; that of a class compiled to before ES2022 does not.
 */
function refusePrivate(module: Cloneable): void {
  for (const constructor of classesOf(module)) {
    if (privateNames(constructor).length === 0) continue;
    throw new TypeError(
      `${constructor.name}.clone: expected a class without #private members, which a copy cannot have, ` +
        `got ${check.describe(constructor)}: make them TypeScript's private, or override clone().`,
    );
  }
}
