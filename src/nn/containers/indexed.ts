// What Sequential, ModuleList and ParameterList have in common: children or parameters under the names 0, 1, 2, …
import * as check from '../../check/index.js';
import { Parameter } from '../../tensor/tensor.js';
import { HOLDS, SLOTS, WHO } from '../module/internals.js';
import { Module } from '../module/module.js';
import { refuseReplacement } from '../module/replaced.js';
import { isModule, refuseCycle } from '../module/tree.js';

const CHECK_ITEM = Symbol('checkItem');
const CHECK_OPEN = Symbol('checkOpen');
const RENUMBER = Symbol('renumber');
const INDEX = Symbol('index');

/** What it holds: 'a Module' or 'a Parameter'. */
export const ITEM_KIND = Symbol('itemKind');

/** Modules or parameters in order, under the names 0, 1, 2, … */
export abstract class Indexed<Item extends Module | Parameter> extends Module {
  /** The i-th, as of an array: `model[0]`. Counting from the end is `at(-1)`. */
  [index: number]: Item;

  /** @internal */
  abstract readonly [ITEM_KIND]: 'Module' | 'Parameter';

  /** @internal What is under a number is an item. */
  override [HOLDS](name: string): 'Module' | 'Parameter' | undefined {
    return isIndex(name) ? this[ITEM_KIND] : undefined;
  }

  /** How many there are. */
  get length(): number {
    return itemsOf(this).length;
  }

  /** The i-th; counts from the end when negative. */
  at(i: number): Item | undefined {
    return itemsOf<Item>(this).at(i)?.[1];
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return itemsOf<Item>(this)
      .map(([, item]) => item)
      .values();
  }

  /** Adds at the end. */
  push(...items: Item[]): this {
    return this.extend(items);
  }

  /** Adds all of them at the end. */
  extend(items: Iterable<Item>): this {
    const who = `${this[WHO]}.extend`;
    const list = [...(check.iterable(who, 'items', items) as Iterable<Item>)];
    // Behind the highest number, which is not the length where somebody has deleted a property.
    const numbers = itemsOf(this).map(([name]) => (isIndex(name) ? Number(name) : -1));
    let next = Math.max(-1, ...numbers) + 1;
    this[CHECK_ITEM](who, list, next);
    this[CHECK_OPEN](who);
    for (const item of list) define(this, String(next++), item);
    return this;
  }

  /** Puts `item` in the place of the i-th, which counts from the end when negative. */
  set(i: number, item: Item): this {
    const who = `${this[WHO]}.set`;
    const items = itemsOf(this);
    const index = this[INDEX](who, i, items.length);
    this[CHECK_ITEM](who, [item], index);
    define(this, items[index]![0], item);
    return this;
  }

  /** Puts `item` before the i-th, which counts from the end when negative. */
  insert(i: number, item: Item): this {
    const who = `${this[WHO]}.insert`;
    const items = itemsOf<Item>(this);
    const index = this[INDEX](who, i, items.length, 1);
    this[CHECK_ITEM](who, [item], index);
    const next = items.map(([, each]) => each);
    next.splice(index, 0, item);
    this[RENUMBER](who, next);
    return this;
  }

  /** Takes the i-th out, the last one by default, and returns it; those behind it move up. */
  pop(i = -1): Item {
    const who = `${this[WHO]}.pop`;
    const items = itemsOf<Item>(this).map(([, each]) => each);
    const [taken] = items.splice(this[INDEX](who, i, items.length), 1);
    this[RENUMBER](who, items);
    return taken!;
  }

  /** Takes the i-th out, which counts from the end when negative; those behind it move up. */
  delete(i: number): void {
    this.pop(i);
  }

  private [INDEX](who: string, i: unknown, length: number, more = 0): number {
    if (typeof i !== 'number') throw check.wrongKind(who, 'an index', i);
    const index = i < 0 ? i + length : i;
    if (!Number.isInteger(i) || index < 0 || index >= length + more) {
      throw check.wrongValue(
        who,
        `an index from ${-length} to ${length - 1 + more} (index out of range)`,
        check.describe(i),
      );
    }
    return index;
  }

  private [CHECK_ITEM](who: string, items: readonly unknown[], first: number): void {
    const kind = this[ITEM_KIND];
    for (const [i, item] of items.entries()) {
      const right = kind === 'Module' ? item instanceof Module : item instanceof Parameter;
      if (!right) throw check.wrongKind(who, `a ${kind}`, item);
      if (item instanceof Module) refuseCycle(who, this, String(first + i), item);
    }
  }

  /** That properties may be added: of a frozen list, taking all out and putting them back would lose them. */
  private [CHECK_OPEN](who: string): void {
    if (Object.isExtensible(this)) return;
    throw new TypeError(`${who}: expected a ${this[WHO]} that may change, got one that is frozen.`);
  }

  private [RENUMBER](who: string, items: readonly Item[]): void {
    this[CHECK_OPEN](who);
    const names = itemsOf(this).map(([name]) => name);
    const other = names.find((name) => !isIndex(name));
    if (other !== undefined) {
      throw check.wrongValue(who, 'all of it to be named by numbers', `'${other}'`);
    }
    for (const name of names) Reflect.deleteProperty(this, name);
    items.forEach((item, i) => {
      define(this, String(i), item);
    });
  }
}

/** Names and items, in order. */
export function itemsOf<Item extends Module | Parameter>(list: Indexed<Item>): [string, Item][] {
  const items: [string, Item][] = [];
  const modules = list[ITEM_KIND] === 'Module';
  for (const [name, value] of list[SLOTS]()) {
    if (modules ? isModule(value) : value instanceof Parameter) items.push([name, value as Item]);
    else refuseReplacement(list, name, value);
  }
  return items;
}

function isIndex(name: string): boolean {
  return /^(0|[1-9]\d*)$/.test(name);
}

function define(list: object, name: string, value: unknown): void {
  const property = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(list, name, property);
}
