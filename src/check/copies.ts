// Two copies of this package in one process: two versions in node_modules, a bundle beside a plain import,
// or one file loaded twice by a module registry such as Jest's. Their classes differ, so `instanceof` says
// no, their gradients do not meet, and `train()` of one does not reach the modules of the other. A value of
// the other copy is recognised here by a mark that every copy of every version puts on its classes.

/** Where a copy of the package is. */
interface Copy {
  version: string;
  folder: string;
}

/** What a marked class is called, and the copy it belongs to. Other versions read it: keep its form. */
interface Mark {
  readonly kind: string;
  readonly copy: Readonly<Copy>;
}

const MARK = Symbol.for('evenkeel.copy');

/** This copy. Another load of the same files has another object here. */
const here: Copy = { version: 'of unknown version', folder: __dirname };

/** @internal Says where this copy is, for the sentence that refuses another one's values. */
export function nameThisCopy(version: string, folder: string): void {
  here.version = version;
  here.folder = folder;
}

/** @internal Marks a class, and all that extends it, as belonging to this copy. */
export function mark(constructor: { readonly prototype: object }, kind: string): void {
  const value: Mark = { kind, copy: here };
  Object.defineProperty(constructor.prototype, MARK, { value });
}

function markOf(value: unknown): Mark | null {
  if (typeof value !== 'object' || value === null || !(MARK in value)) return null;
  const found = (value as { readonly [MARK]: unknown })[MARK] as Mark | null | undefined;
  return typeof found?.kind === 'string' && typeof (found.copy as Copy | null) === 'object'
    ? found
    : null;
}

/** @internal What a value of this or another copy is ('Tensor', 'Module', …); null for all else. */
export function markedKind(value: unknown): string | null {
  return markOf(value)?.kind ?? null;
}

/** @internal What a value of another copy of this package is ('Tensor', 'Module', …); null for all else. */
export function foreignKind(value: unknown): string | null {
  const found = markOf(value);
  return found === null || found.copy === here ? null : found.kind;
}

/**
 * @internal The error for a value of another copy, or null where it is none.
 *
 * @param what - What was expected: 'a Tensor', 'layer 0 to be a Module'.
 */
export function foreignError(who: string, what: string, value: unknown): TypeError | null {
  const found = markOf(value);
  if (found === null || found.copy === here) return null;
  const { version, folder } = found.copy;
  const other = folder === here.folder ? 'the same folder, loaded a second time' : folder;
  return new TypeError(
    `${who}: expected ${what}, got a ${found.kind} of another copy of evenkeel: two copies are loaded in ` +
      `this process, ${here.version} in ${here.folder} and ${version} in ${other}, and gradients, modes ` +
      'and states do not cross from one to the other; load one copy (`npm dedupe`; mark evenkeel as ' +
      'external in the bundler; in Jest do not pass values across jest.resetModules() or ' +
      'jest.isolateModules(); or copy the values: Tensor.from({ data: t.data, shape: t.shape })).',
  );
}

/** @internal Throws where `value` is of another copy. */
export function refuseForeign(who: string, what: string, value: unknown): void {
  const error = foreignError(who, what, value);
  if (error !== null) throw error;
}
