// What a pickle can make here: plain data, and nothing that acts. Objects are told apart by class, so
// that a file cannot pass one for another. A file can ask for millions of them: they are kept small, and
// containers have no array before something is put in.
import type { Budget } from '../budget.js';
import { quoted } from '../sentences.js';

export type Value = null | boolean | number | bigint | string | PyObject;

export abstract class PyObject {
  /** How it reads in a message: 'a tuple'. */
  abstract get kind(): string;
}

const NOTHING: readonly Value[] = [];

export class Tuple extends PyObject {
  /** Set by whoever has checked that the items are sizes: a tuple may be used many times. */
  areSizes = false;
  constructor(readonly items: readonly Value[]) {
    super();
  }

  override get kind(): string {
    return 'a tuple';
  }
}

export class List extends PyObject {
  private held: Value[] | null = null;

  get items(): readonly Value[] {
    return this.held ?? NOTHING;
  }

  /** Takes the array over. */
  extend(items: Value[]): void {
    if (this.held === null) this.held = items;
    else for (const item of items) this.held.push(item);
  }

  override get kind(): string {
    return 'a list';
  }
}

/**
 * dict, or OrderedDict with the attributes that were set on it. An array of keys and values, in the order in
 * which they were set, and no hash table: hashes of ints are the same in every process, so a file could
 * choose its keys to have all the same.
 */
export class Dict extends PyObject {
  private held: Value[] | null = null;
  /** Its `__dict__`: where a state dict keeps `_metadata`. */
  attributes: Dict | null = null;
  constructor(readonly ordered: boolean) {
    super();
  }

  /** Takes the array over: a key, its value, and so on. */
  set(items: Value[]): void {
    if (this.held === null) this.held = items;
    else for (const item of items) this.held.push(item);
  }

  /** How many times a key was set. */
  get size(): number {
    return this.held === null ? 0 : this.held.length / 2;
  }

  /** Keys and values as they were set: a key that was set twice is there twice. */
  *entries(): Generator<[key: Value, value: Value], void, void> {
    const items = this.held ?? NOTHING;
    for (let i = 0; i < items.length; i += 2) yield [items[i]!, items[i + 1]!];
  }

  /** The value of a name, from a walk through all of them. */
  get(name: string): Value | undefined {
    const items = this.held ?? NOTHING;
    for (let i = items.length - 2; i >= 0; i -= 2) {
      if (items[i] === name) return items[i + 1];
    }
    return undefined;
  }

  override get kind(): string {
    return this.ordered ? 'an OrderedDict' : 'a dict';
  }
}

export class Float extends PyObject {
  constructor(readonly value: number) {
    super();
  }

  override get kind(): string {
    return 'a float';
  }
}

/** A value of which only its kind is known. It takes whatever is put into it, and keeps nothing. */
export class OpaqueValue extends PyObject {
  constructor(override readonly kind: string) {
    super();
  }
}

/** A name of the file's that is not on our list, a class or a function: never looked up, never called. */
export class Foreign extends PyObject {
  private made: ForeignObject | null = null;
  constructor(
    private readonly module: string,
    private readonly name: string,
  ) {
    super();
  }

  /** 'argparse.Namespace', or the beginning of a long one. */
  get path(): string {
    return `${this.module.slice(0, 61)}.${this.name.slice(0, 61)}`;
  }

  /** The path in quotes. */
  get called(): string {
    return quoted(this.path);
  }

  override get kind(): string {
    return `the name ${this.called}`;
  }

  /** What a call of it stands for: one is like another. */
  get object(): ForeignObject {
    return (this.made ??= new ForeignObject(this));
  }
}

/** What a foreign class or function would have made. */
export class ForeignObject extends PyObject {
  constructor(readonly of: Foreign) {
    super();
  }

  override get kind(): string {
    return `an object of ${this.of.called}`;
  }
}

/** For whom a function works, and what it may use. */
export interface Caller {
  readonly who: string;
  readonly budget: Budget;
}

/** One of the names that a file may call: with plain data, for plain data. */
export class Callable extends PyObject {
  constructor(readonly call: (caller: Caller, args: readonly Value[]) => Value) {
    super();
  }

  override get kind(): string {
    return 'a function';
  }
}

export function kindOf(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'boolean') return 'a bool';
  if (typeof value === 'string') return 'a str';
  return typeof value === 'object' ? value.kind : 'an int';
}
