// Loading a state dict: the modules are walked with their paths, everything is checked and converted
// first, then copied, or assigned, in one go. It knows sites, not Module. Longer than 250 lines because each way a
// state dict can be wrong has its sentence.
import { isMap } from 'node:util/types';

import * as check from '../../check/index.js';
import { refuseForeign } from '../../check/copies.js';
import { isFloating } from '../../memory/dtype.js';
import { revived, StateDict } from '../../tensor/state-dict.js';
import { Tensor, type DType, type TensorData } from '../../tensor/tensor.js';
import { prefixHint } from './prefix-hint.js';
import { pythonString } from './repr.js';

export interface LoadStateDictOptions {
  /** Refuse missing and unexpected keys (default) rather than report them. */
  strict?: boolean | undefined;
  /** Share the memory of the state's tensors rather than copy it (default): for weights that Workers share. */
  assign?: boolean | undefined;
}

/** What a load found. `String(result)` is what PyTorch prints. */
export class LoadResult {
  constructor(
    readonly missingKeys: readonly string[],
    readonly unexpectedKeys: readonly string[],
  ) {}

  toString(): string {
    const { missingKeys, unexpectedKeys } = this;
    if (missingKeys.length + unexpectedKeys.length === 0) return '<All keys matched successfully>';
    const list = (keys: readonly string[]): string => `[${keys.map(pythonString).join(', ')}]`;
    return `_IncompatibleKeys(missing_keys=${list(missingKeys)}, unexpected_keys=${list(unexpectedKeys)})`;
  }
}

/** How one module wants to be loaded. */
export interface LoadPlan {
  /** Its entries by local name, some dropped or adapted. */
  readonly entries: ReadonlyMap<string, Tensor>;
  /** Tensors to load into instead of its own: those of a module that takes its size from the entries. */
  readonly targets?: ReadonlyMap<string, Tensor>;
  /** Called when everything is copied; must not throw. */
  readonly commit?: () => void;
}

/** A module at one of its paths, as loading sees it. */
export interface LoadSite {
  readonly path: string;
  /** Its layout of keys: what its own state dict would say. */
  readonly version: number;
  /** Its parameters and persistent buffers by local name. */
  readonly own: () => ReadonlyMap<string, Tensor>;
  readonly plan: (entries: ReadonlyMap<string, Tensor>, version: number | null) => LoadPlan;
  readonly checkState: (name: string, value: Tensor) => string | null;
}

interface Entry {
  readonly key: string;
  readonly target: Tensor;
  /** The state's own to be assigned, else a copy in the target's dtype. */
  readonly source: Tensor;
}

/** What the checks of all sites have found. */
interface Findings {
  readonly missing: string[];
  readonly unexpected: string[];
  readonly problems: string[];
  readonly entries: Entry[];
  readonly commits: (() => void)[];
}

/** How to get a Map of what else holds a state. */
function mapHint(state: unknown): string | undefined {
  if (check.isThenable(state)) return 'await it';
  if (Array.isArray(state)) return 'new Map(x), of [key, tensor] pairs';
  const isObject = typeof state === 'object' && state !== null && !(state instanceof Tensor);
  return isObject ? 'new Map(Object.entries(x))' : undefined;
}

/** Loads `state` into the sites, or throws with PyTorch's sentences and has changed nothing. */
export function loadInto(
  owner: string,
  sites: readonly LoadSite[],
  state: ReadonlyMap<string, Tensor>,
  options: LoadStateDictOptions,
): LoadResult {
  const who = `${owner}.loadStateDict`;
  check.options(who, options, ['strict', 'assign']);
  const { strict = true } = options;
  check.boolean(who, 'strict', strict);
  const assign = check.booleanOption(who, 'assign', options.assign);
  if (!isMap(state)) {
    throw check.wrongKind(who, 'state_dict to be dict-like (a Map)', state, mapHint(state));
  }
  refuseForeign(who, 'state_dict', state);
  const found: Findings = { missing: [], unexpected: [], problems: [], entries: [], commits: [] };
  const groups = bySite(sites, tensorsOf(who, state));
  for (const site of sites) {
    const version =
      state instanceof StateDict ? (state.modules.get(site.path)?.version ?? null) : null;
    const plan = site.plan(groups.get(site.path) ?? new Map(), version);
    examine(who, site, plan, { version, assign }, found);
  }
  refuseProblems(owner, strict, found);
  const { missing, unexpected, entries, commits } = found;
  // Once more: a Map of the caller's own or a check may have run code that took memory away.
  for (const { target, source, key } of entries) {
    target.attached(who, key);
    source.attached(who, key);
  }
  for (const { target, source } of entries) {
    if (assign) target.adoptMemoryOf(source);
    else overwrite(target, source);
  }
  for (const commit of commits) commit();
  return new LoadResult(missing, unexpected);
}

function tensorsOf(who: string, state: ReadonlyMap<unknown, unknown>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [key, value] of state) {
    if (typeof key !== 'string') throw check.wrongKind(who, 'state_dict with strings as keys', key);
    refuseForeign(who, `'${key}' to be a Tensor`, value);
    tensors.set(key, revived(value) ?? (value as Tensor)); // anything else is reported with its key
  }
  return tensors;
}

/** @throws {RangeError} in PyTorch's words, with every problem. */
function refuseProblems(owner: string, strict: boolean, found: Findings): void {
  const { missing, unexpected } = found;
  const problems = [...found.problems];
  if (strict && unexpected.length > 0) {
    problems.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpected)}.`);
  }
  if (strict && missing.length > 0) {
    problems.unshift(`Missing key(s) in state_dict: ${quoted(missing)}.`);
  }
  if (problems.length === 0) return;
  if (strict) problems.push(...prefixHint(found));
  throw new RangeError(`Error(s) in loading state_dict for ${owner}:\n\t${problems.join('\n\t')}`);
}

/** Each entry under the deepest module its key leads to, by what is left of the key there. */
function bySite(
  sites: readonly LoadSite[],
  state: ReadonlyMap<string, Tensor>,
): Map<string, Map<string, Tensor>> {
  const groups = new Map(sites.map(({ path }) => [path, new Map<string, Tensor>()]));
  for (const [key, value] of state) {
    let end = key.lastIndexOf('.');
    while (end > 0 && !groups.has(key.slice(0, end))) end = key.lastIndexOf('.', end - 1);
    if (end > 0) groups.get(key.slice(0, end))?.set(key.slice(end + 1), value);
    else groups.get('')?.set(key, value);
  }
  return groups;
}

function examine(
  who: string,
  site: LoadSite,
  { entries, targets, commit }: LoadPlan,
  { version, assign }: { readonly version: number | null; readonly assign: boolean },
  found: Findings,
): void {
  const own = targets ?? site.own();
  const keyOf = (name: string): string => (site.path === '' ? name : `${site.path}.${name}`);
  if (commit !== undefined) found.commits.push(commit);
  for (const name of entries.keys()) if (!own.has(name)) found.unexpected.push(keyOf(name));
  for (const [name, target] of own) {
    const key = keyOf(name);
    const source: unknown = entries.get(name);
    if (!entries.has(name)) {
      if (!isBackfilled(name, site.version, version)) found.missing.push(key);
    } else if (!(source instanceof Tensor)) {
      found.problems.push(
        `While copying the parameter named "${key}", expected a Tensor from checkpoint but received ` +
          `${check.describe(source)}.`,
      );
    } else if (!sameShape(source, target)) {
      found.problems.push(
        `size mismatch for ${key}: copying a param with shape ${check.shapeText(source.shape)} from ` +
          `checkpoint, the shape in current model is ${check.shapeText(target.shape)}.`,
      );
    } else {
      target.attached(who, key);
      const data = source.attached(who, key);
      const value = assign ? source : Tensor.uninitialized(target.shape, target.dtype);
      const problem =
        (assign
          ? otherDtype(source, target)
          : convert(data, value.attached(who), source.dtype, target.dtype)) ??
        site.checkState(name, value);
      if (problem === null) found.entries.push({ key, target, source: value });
      else found.problems.push(`While copying the parameter named "${key}", ${problem}.`);
    }
  }
}

/** Checkpoints from before PyTorch 0.4.1 lack the counter, and so may one that says no version. */
function isBackfilled(name: string, ours: number, version: number | null): boolean {
  return name === 'num_batches_tracked' && ours >= 2 && (version ?? 1) < 2;
}

/** Equal, or a scalar stored as [1] (PyTorch 0.3). */
function sameShape(source: Tensor, target: Tensor): boolean {
  const { shape } = source;
  if (target.shape.length === 0 && shape.length === 1 && shape[0] === 1) return true;
  return check.equalShapes(shape, target.shape);
}

/** A layer's dtype is fixed, and memory that is shared cannot be converted. */
function otherDtype(source: Tensor, target: Tensor): string | null {
  if (source.dtype === target.dtype) return null;
  return `expected ${target.dtype} (assign shares the memory as it is), got ${source.dtype}`;
}

function overwrite(target: Tensor, source: Tensor): void {
  (target.attached('loadStateDict') as Float64Array).set(
    source.attached('loadStateDict') as Float64Array,
  );
  target.markChanged();
}

/**
 * Writes `from` into `to` in its element type; returns what cannot be, or null. `to` is a copy: the
 * state may share memory with the module, and a failed load must change nothing.
 */
function convert(from: TensorData, to: TensorData, fromDtype: DType, dtype: DType): string | null {
  if (fromDtype === dtype) {
    (to as Float64Array).set(from as Float64Array);
    return null;
  }
  const whole = dtype === 'int64' ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
  const numbers = to as { [index: number]: number | bigint };
  for (let i = 0; i < from.length; i++) {
    const value = from[i]!;
    if (isFloating(dtype)) {
      numbers[i] = Number(value);
      continue;
    }
    const truncated = Math.trunc(Number(value));
    if (!(truncated >= -whole && truncated <= whole)) {
      const range = dtype === 'int64' ? '2^53 - 1' : '2^31 - 1';
      return `expected whole numbers of at most ${range}, got ${check.describe(value)}`;
    }
    numbers[i] = dtype === 'int64' ? BigInt(truncated) : truncated;
  }
  return null;
}

function quoted(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(', ');
}
