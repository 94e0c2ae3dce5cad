// A batch of single samples, as PyTorch's default_collate makes it.
import * as check from '../check/index.js';
import { refuseForeign } from '../check/copies.js';
import { stack } from '../functional/index.js';
import { widerDtypeOf, type NumberArray } from '../memory/dtype.js';
import { targetDtype, valuesOf } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';

/** What stays as it is: an array of these. */
type Kept =
  | string
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never) => unknown);

/** A batch of samples of this kind: `[Tensor, Tensor]` of `[Tensor, number]`, `{ x: Tensor }` of `{ x: number }`. */
export type Collated<Item> = [Item] extends [Kept]
  ? Item[]
  : Item extends Tensor | number | bigint | NumberArray
    ? Tensor
    : Item extends Kept
      ? Item[]
      : { -readonly [Key in keyof Item]: Collated<Item[Key]> };

/**
 * A batch of samples, as a DataLoader makes it unless it is told otherwise; in a `collate` of your own, for the part of it that
 * is as usual. It is PyTorch's `default_collate`:
 *
 * | samples, or a field of each | become |
 * |---|---|
 * | tensors of one shape and dtype | a tensor with one more dimension, the first |
 * | typed arrays of one kind and length | such a tensor |
 * | numbers | a tensor: int32 where all are whole, as class targets are (int64 for larger ones), float32 otherwise |
 * | BigInts | an int64 tensor |
 * | arrays of one length | an array: field by field |
 * | plain objects with the same names | an object: field by field |
 * | strings, booleans, null and all else | an array of them |
 *
 * An array of numbers is an array, too: one tensor for each of its places. What is to be one tensor, such as features, is a
 * tensor or a typed array in each sample. A target of a regression that may be whole is `Float32Array.of(y)` or `tensor(y)`.
 *
 * @throws {TypeError | RangeError} for samples that are not alike, with which sample and field it is.
 * @example
 * ```ts
 * const [x, label] = data.defaultCollate([[tensor([1, 2]), 0], [tensor([3, 4]), 1]]);
 * x.toArray(); // => [[1, 2], [3, 4]]
 * [label.dtype, label.toArray()]; // => ['int32', [0, 1]]
 * ```
 */
export function defaultCollate<Item>(items: readonly (Item | [])[]): Collated<Item> {
  const who = 'defaultCollate';
  if (!Array.isArray(items)) throw check.wrongKind(who, 'an array of samples', items);
  return collated(who, items, items.keys(), new Set()) as Collated<Item>;
}

/**
 * @internal The same.
 *
 * @param names - The number of each sample, for messages.
 * @param fractions - Fields of numbers that have held a fraction: float32 from then on, even where a batch has none. Written.
 */
export function collated(
  who: string,
  items: readonly unknown[],
  names: Iterable<number>,
  fractions: Set<string>,
): unknown {
  if (items.length === 0) {
    throw check.wrongValue(who, 'at least one sample in a batch (or your own collate)', 'none');
  }
  const numbers = [...names];
  items.forEach((each, i) => {
    if (each === null || each === undefined)
      throw check.wrongKind(who, `sample ${numbers[i]} to be there`, each);
  });
  return new Collate(who, numbers, fractions).field(items, '', 0);
}

/** What a field can be. */
type Kind = 'tensor' | 'number' | 'bigint' | 'typed array' | 'array' | 'object' | 'other';

const KIND_NAMES: Readonly<Record<Kind, string>> = {
  tensor: 'a Tensor',
  number: 'a number',
  bigint: 'a BigInt',
  'typed array': 'a typed array',
  array: 'an array',
  object: 'a plain object',
  other: 'what has no numbers and no fields',
};

class Collate {
  readonly #who: string;
  readonly #numbers: readonly number[];
  readonly #fractions: Set<string>;

  constructor(who: string, numbers: readonly number[], fractions: Set<string>) {
    this.#who = who;
    this.#numbers = numbers;
    this.#fractions = fractions;
  }

  /** One field of every sample; `path` is where it is: '', '[0]', '[0].x'. */
  field(values: readonly unknown[], path: string, depth: number): unknown {
    if (depth > check.MOST_DIMENSIONS) {
      throw check.wrongValue(this.#who, `at most ${check.MOST_DIMENSIONS} fields in one another`, 'more'); // prettier-ignore
    }
    const kind = this.#kindOf(values, path);
    switch (kind) {
      case 'tensor':
        return this.#tensors(values as Tensor[], path);
      case 'typed array':
        return this.#arrays(values as NumberArray[], path);
      case 'number':
        return this.#ofNumbers(values as number[], path);
      case 'bigint':
        return valuesOf(this.#who, values, 'int64');
      case 'array':
        return this.#tuples(values as unknown[][], path, depth);
      case 'object':
        return this.#objects(values as Record<string, unknown>[], path, depth);
      case 'other':
        return [...values];
    }
  }

  #tensors(values: readonly Tensor[], path: string): Tensor {
    const [first] = values as readonly [Tensor];
    this.#alike(values, path, (each) => `a Tensor of ${each.dtype}`);
    this.#alike(values, path, ({ shape }) => `shape ${check.shapeText(shape)}`);
    check.rank(this.#who, first.shape.length + 1);
    values.forEach((each, i) => each.attached(this.#who, this.#at(i, path)));
    return stack(values);
  }

  #arrays(values: readonly NumberArray[], path: string): Tensor {
    this.#alike(values, path, (each) => `${check.arrayKind(each)!}(${check.arrayLength(each)})`);
    values.forEach((each) => check.present(this.#who, each));
    return valuesOf(this.#who, values, widerDtypeOf(values[0]!));
  }

  #ofNumbers(values: readonly number[], path: string): Tensor {
    const whole = targetDtype(values);
    if (whole === undefined) this.#fractions.add(path);
    return valuesOf(this.#who, values, this.#fractions.has(path) ? 'float32' : whole!);
  }

  #tuples(values: readonly (readonly unknown[])[], path: string, depth: number): unknown[] {
    this.#alike(values, path, ({ length }) => `an array of ${length}`);
    return Array.from(
      values[0]!,
      (_, field) =>
      this.field(values.map((each) => each[field]), `${path}[${field}]`, depth + 1), // prettier-ignore
    );
  }

  #objects(
    values: readonly Readonly<Record<string, unknown>>[],
    path: string,
    depth: number,
  ): Record<string, unknown> {
    const names = values.map((each) => Object.keys(each));
    names.forEach((own, i) => {
      const differs = (a: string[], b: string[]): string | undefined => a.find((name) => !b.includes(name)); // prettier-ignore
      const missing = differs(names[0]!, own);
      const further = differs(own, names[0]!);
      if (missing === undefined && further === undefined) return;
      const what = `${this.#at(i, path)} to have the fields of sample ${this.#numbers[0]}`;
      const got = missing === undefined ? `'${further}' too` : `none named '${missing}'`;
      throw check.wrongValue(this.#who, what, got);
    });
    return Object.fromEntries(
      names[0]!.map((name) => [
        name,
        this.field(values.map((each) => each[name]), `${path}.${name}`, depth + 1), // prettier-ignore
      ]),
    );
  }

  /** The one kind of all values. */
  #kindOf(values: readonly unknown[], path: string): Kind {
    const [kind] = values.map((each) => {
      refuseForeign(this.#who, 'a Tensor', each);
      return kindOf(each);
    }) as [Kind];
    const other = values.findIndex((each) => kindOf(each) !== kind);
    if (other < 0) return kind;
    const what = `${this.#at(other, path)} to be ${KIND_NAMES[kind]} like that of sample ${this.#numbers[0]}`;
    throw check.wrongKind(this.#who, what, values[other]);
  }

  /** That all values are of one description. */
  #alike<Value>(values: readonly Value[], path: string, describe: (value: Value) => string): void {
    const expected = describe(values[0]!);
    const other = values.findIndex((each) => describe(each) !== expected);
    if (other < 0) return;
    const what = `${this.#at(other, path)} to be ${expected.replace(/^shape/, 'of shape')} like that of sample ${this.#numbers[0]}`;
    const hint = ' (each sample of a batch is of equal size: data.padSequence in your own collate)';
    throw check.wrongValue(this.#who, what + hint, describe(values[other]!));
  }

  /** 'sample 3', 'field [0].x of sample 3'. */
  #at(i: number, path: string): string {
    const sample = `sample ${this.#numbers[i]}`;
    return path === '' ? sample : `field ${path.replace(/^\./, '')} of ${sample}`;
  }
}

function kindOf(value: unknown): Kind {
  if (typeof value === 'number' || typeof value === 'bigint') return typeof value as Kind;
  if (typeof value !== 'object' || value === null) return 'other';
  if (value instanceof Tensor) return 'tensor';
  if (check.arrayKind(value) !== undefined) return 'typed array';
  if (Array.isArray(value)) return 'array';
  return check.isPlainObject(value) ? 'object' : 'other';
}
