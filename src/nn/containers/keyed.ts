// What ModuleDict and ParameterDict have in common. The names are the user's data, so any will do that can be
// part of a path: they are no properties, where they could hide a method, and keep the order in which they came.
import * as check from '../../check/index.js';
import { Parameter } from '../../tensor/tensor.js';
import { INSIDE, SLOTS, WHO } from '../module/internals.js';
import { Module } from '../module/module.js';
import { checkKey, isModule, refuseCycle } from '../module/tree.js';

const MAP = Symbol('map');
const CHECK = Symbol('check');

/** What it holds: 'a Module' or 'a Parameter'. */
export const VALUE_KIND = Symbol('valueKind');

type Items = Record<string, Module | Parameter>;
type Key<T> = keyof T & string;
/** What is under a name: undefined may be where the type does not say which names there are. */
type Found<T, K extends keyof T> = string extends keyof T ? T[K] | undefined : T[K];

/** Modules or parameters by name. */
export abstract class Keyed<T extends Items> extends Module {
  /** @internal */
  abstract readonly [VALUE_KIND]: 'Module' | 'Parameter';
  private readonly [MAP] = new Map<string, T[Key<T>]>();

  /** @internal Its entries, then what a subclass has assigned to properties. */
  override [SLOTS](): Iterable<readonly [string, unknown]> {
    const own = Object.entries(this) as [string, unknown][];
    for (const [name, value] of own) {
      if (!this[MAP].has(name) || !(isModule(value) || value instanceof Parameter)) continue;
      throw new Error(
        `${this[WHO]}: expected one thing named '${name}', got two: an entry and a property.`,
      );
    }
    return [...this[MAP], ...own];
  }

  /** How many entries there are. */
  get size(): number {
    return this[MAP].size;
  }

  get<K extends Key<T>>(key: K): Found<T, K> {
    return this[MAP].get(key) as Found<T, K>;
  }

  has(key: string): boolean {
    return this[MAP].has(key);
  }

  /** Adds an entry, or replaces the one of that name in its place. */
  set<K extends Key<T>>(key: K, value: T[K]): this {
    this[CHECK](`${this[WHO]}.set`, key, value);
    this[MAP].set(key, value);
    return this;
  }

  /** Sets all of them. */
  update(entries: Partial<T> | Iterable<readonly [string, T[Key<T>]]>): this {
    const who = `${this[WHO]}.update`;
    const list = entriesOf(who, entries);
    for (const [key, value] of list) this[CHECK](who, key, value);
    for (const [key, value] of list) this[MAP].set(key, value);
    return this;
  }

  /** Whether there was an entry of that name to delete. */
  delete(key: Key<T>): boolean {
    return this[MAP].delete(key);
  }

  /**
   * Deletes an entry and returns it.
   *
   * @throws {RangeError} where there is none.
   */
  pop<K extends Key<T>>(key: K): T[K] {
    const value = this[MAP].get(key);
    if (value === undefined) {
      throw check.wrongValue(`${this[WHO]}.pop`, 'the name of an entry', check.describe(key));
    }
    this[MAP].delete(key);
    return value as T[K];
  }

  clear(): void {
    this[MAP].clear();
  }

  keys(): IterableIterator<Key<T>> {
    return this[MAP].keys() as IterableIterator<Key<T>>;
  }

  values(): IterableIterator<T[Key<T>]> {
    return this[MAP].values();
  }

  entries(): IterableIterator<[Key<T>, T[Key<T>]]> {
    return this[MAP].entries() as IterableIterator<[Key<T>, T[Key<T>]]>;
  }

  /** Names and what they stand for, as of a Map. */
  [Symbol.iterator](): IterableIterator<[Key<T>, T[Key<T>]]> {
    return this.entries();
  }

  private [CHECK](who: string, key: unknown, value: unknown): void {
    checkKey(who, key);
    const kind = this[VALUE_KIND];
    const right = kind === 'Module' ? value instanceof Module : value instanceof Parameter;
    if (!right) throw check.wrongKind(who, `a ${kind} for '${key}'`, value);
    const own: unknown = Object.getOwnPropertyDescriptor(this, key)?.value;
    if (isModule(own) || own instanceof Parameter || this[INSIDE].buffers.has(key)) {
      throw check.wrongValue(who, 'a new name', `'${key}' (attribute '${key}' already exists)`);
    }
    if (value instanceof Module) refuseCycle(who, this, key, value);
  }
}

function entriesOf(who: string, entries: unknown): readonly (readonly [string, never])[] {
  if (typeof entries !== 'object' || entries === null) {
    throw check.wrongKind(who, 'an object or pairs of names and values', entries);
  }
  if (!(Symbol.iterator in entries)) return Object.entries(entries) as [string, never][];
  const list = [...(entries as Iterable<unknown>)];
  for (const pair of list) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw check.wrongKind(who, 'pairs of a name and a value', pair);
    }
  }
  return list as [string, never][];
}
