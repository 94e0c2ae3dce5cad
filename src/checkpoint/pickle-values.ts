// What a pickle can make here: plain data, and nothing that acts. Objects are told apart by class, so
// that a file cannot pass one for another.

export type Value = null | boolean | number | bigint | string | PyObject;

export abstract class PyObject {
  /** How it reads in a message: 'a tuple'. */
  abstract readonly kind: string;
}

export class Tuple extends PyObject {
  override readonly kind = 'a tuple';
  constructor(readonly items: readonly Value[]) {
    super();
  }
}

export class List extends PyObject {
  override readonly kind = 'a list';
  readonly items: Value[] = [];
}

/** dict, or OrderedDict with the attributes that were set on it. */
export class Dict extends PyObject {
  readonly entries = new Map<Value, Value>();
  /** Its `__dict__`: where a state dict keeps `_metadata`. */
  attributes: Dict | null = null;
  constructor(readonly ordered: boolean) {
    super();
  }

  override get kind(): string {
    return this.ordered ? 'an OrderedDict' : 'a dict';
  }

  /** The names among the keys. */
  names(): string[] {
    return [...this.entries.keys()].filter((key) => typeof key === 'string');
  }
}

/** A value that no state dict is made of: only what it is is known. */
export class Inert extends PyObject {
  constructor(override readonly kind: string) {
    super();
  }
}

/** One of the names that a file may call: with plain data, for plain data. */
export class Callable extends PyObject {
  override readonly kind = 'a function';
  constructor(readonly call: (who: string, args: readonly Value[]) => Value) {
    super();
  }
}

export function kindOf(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'boolean') return 'a bool';
  if (typeof value === 'string') return 'a str';
  return typeof value === 'object' ? value.kind : 'an int';
}
