// The tape: which operation made a value, and the walk back from a result to the leaves. It knows an
// interface of what it differentiates; Tensor implements it.
import * as check from '../check/index.js';

/** A value the tape can carry. */
export interface Variable {
  readonly requiresGrad: boolean;
  /** The operation that made it, or null: a leaf. */
  readonly operation: Operation | null;
  /** Counts changes in place; a saved value that has changed since makes backward an error. */
  readonly version: number;
  /** Its memory has been given back; a saved value that has been makes backward an error. */
  readonly disposed: boolean;
}

/**
 * What the walk asks of gradients and leaves. V is the variable's own type. The walk is the one holder
 * of each gradient it carries, and gives it up to `add`, `accumulate` or `release`.
 */
export interface Arithmetic<V extends Variable> {
  /** a + b, maybe in the memory of one of them; takes both. */
  add(a: V, b: V): V;
  /** Adds a gradient that is ready to a leaf's; takes it, and cannot fail. */
  accumulate(leaf: V, gradient: V): void;
  /** The same gradient for one more holder. */
  share(gradient: V): V;
  /** Nobody needs this gradient any more. */
  release(gradient: V): void;
  /** What `accumulate` is to take for this gradient; throws where that could not be added. Takes it. */
  ready(leaf: V, gradient: V): V;
  /** That `gradient` has the shape and dtype of `value`. */
  check(operation: string, value: V, gradient: V): void;
  /** What a hook returned, as a gradient to go on with; throws unless it is like the one before. */
  replacement(returned: unknown, before: V): V;
}

/** Sees a whole gradient; may return another. */
type Hook = (gradient: never) => unknown;

/** Hooks by what receives the gradient: kept here, so that a tensor without any is no larger. */
const hooks = new WeakMap<Source, Set<{ readonly call: Hook }>>();
let hooked = false;

/** @internal Calls `hook` with the whole gradient of `variable` in each backward from here on. */
export function addHook(variable: Variable, hook: Hook): { remove(): void } {
  const source = variable.operation ?? variable;
  const list = hooks.get(source) ?? new Set();
  const entry = { call: hook };
  hooks.set(source, list.add(entry));
  hooked = true;
  return {
    remove: () => {
      list.delete(entry);
    },
  };
}

/** The gradient after the hooks of what receives it, in their order; they do not record. */
function afterHooks<V extends Variable>(source: Source, given: V, arithmetic: Arithmetic<V>): V {
  const list = hooked ? hooks.get(source) : undefined;
  if (list === undefined) return given;
  let gradient = given;
  for (const { call } of [...list]) {
    const returned = unrecorded(() =>
      (call as (gradient: V) => unknown)(arithmetic.share(gradient)),
    );
    if (returned === undefined || returned === null) continue;
    const next = arithmetic.replacement(returned, gradient);
    arithmetic.release(gradient);
    gradient = next;
  }
  return gradient;
}

let walks = 0;
let walk = 0;

/** @internal Which walk is going on: what a walk that failed has left behind is not of the next. */
export function currentWalk(): number {
  return walk;
}

function inWalk<Result>(id: number, body: () => Result): Result {
  const outer = walk;
  walk = id;
  try {
    return body();
  } finally {
    walk = outer;
  }
}

/** What a walk that does not block asks of an operation: to differentiate beside the event loop if it can. */
export interface Later {
  readonly signal: AbortSignal | null;
}

/**
 * The inputs' gradients from the output's: each a new value that nobody else holds, or the output's
 * gradient itself. `needs[i]` says whether input i gets one; a part for any other input is ignored.
 */
type Backward = (
  gradient: never,
  needs: readonly boolean[],
  later?: Later,
) => readonly (Variable | null)[] | Promise<readonly (Variable | null)[]>;

/** Where a gradient goes: to the operation that made a variable, or to a leaf. */
type Source = Operation | Variable;

interface Saved {
  readonly value: Variable;
  readonly version: number;
}

/** One recorded operation: a node of the graph. Later operations have higher `order`. */
export class Operation {
  private static made = 0;
  readonly order = Operation.made++;
  private backward: Backward | null;
  private saved: readonly Saved[];
  /** Whether each input gets a gradient. Noted now: flags that change later change nothing, as in PyTorch. */
  private readonly needs: readonly boolean[];
  /** Where it goes, or null: noted now, because a disposed input forgets its maker. */
  sources: readonly (Source | null)[];

  constructor(
    readonly name: string,
    public inputs: readonly (Variable | null)[],
    saved: readonly Variable[],
    backward: Backward,
  ) {
    this.backward = backward;
    this.sources = inputs.map((input) => (input?.requiresGrad ? (input.operation ?? input) : null));
    this.needs = this.sources.map((source) => source !== null);
    this.saved = saved.map((value) => ({ value, version: value.version }));
  }

  /** The gradients of the inputs, given the output's. */
  differentiate<V extends Variable>(gradient: V): readonly (V | null)[] {
    type Now = (gradient: V, needs: readonly boolean[]) => readonly (V | null)[];
    return (this.ready() as Now)(gradient, this.needs);
  }

  /** The same beside the event loop, where the operation can: what it saved must stay until then. */
  async differentiateLater<V extends Variable>(
    gradient: V,
    later: Later,
  ): Promise<readonly (V | null)[]> {
    type Both = (
      gradient: V,
      needs: readonly boolean[],
      later: Later,
    ) => readonly (V | null)[] | Promise<readonly (V | null)[]>;
    return (this.ready() as Both)(gradient, this.needs, later);
  }

  /** What differentiates, and that it and all it saved are there and unchanged. */
  ready(): Backward {
    const { backward } = this;
    if (backward === null) {
      throw new Error(
        `${this.name}: Trying to backward through the graph a second time, but what it saved was freed ` +
          'by the first. Pass { retainGraph: true } to the first backward to keep it.',
      );
    }
    for (const { value, version } of this.saved) {
      if (value.disposed) {
        throw new Error(
          `${this.name}: one of the variables needed for gradient computation has been disposed of.`,
        );
      }
      if (value.version !== version) {
        throw new Error(
          `${this.name}: one of the variables needed for gradient computation has been modified by an ` +
            `inplace operation: it is at version ${value.version}; expected version ${version} instead.`,
        );
      }
    }
    return backward;
  }

  /** Forgets what it saved, and the rest of the graph: a result that is kept keeps only itself. */
  free(): void {
    this.backward = null;
    this.saved = this.inputs = this.sources = [];
  }
}

let recording = true;

/** Whether operations are being recorded (they are, outside `noGrad`). */
export function isGradEnabled(): boolean {
  return recording;
}

/**
 * Runs `body` without recording: what it computes has no gradient. BatchNorm in training mode still
 * moves its running statistics; only `eval()` holds them still.
 *
 * @param body - Synchronous: recording is switched back on when it returns or throws.
 * @throws {TypeError} when `body` returns a promise.
 * @example
 * ```ts
 * const model = new nn.Linear(3, 2);
 * const x = tensor([[1, 2, 3]]);
 * model.forward(x).requiresGrad; // => true
 * noGrad(() => model.forward(x)).requiresGrad; // => false
 * ```
 */
export function noGrad<Result>(body: () => Result): Result {
  if (typeof body !== 'function') throw check.wrongKind('noGrad', 'a function', body);
  return unrecorded(() => check.synchronous('noGrad', body()));
}

function unrecorded<Result>(body: () => Result): Result {
  const before = recording;
  recording = false;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/** Whether an operation on these inputs has to be recorded. */
export function needsGrad(...inputs: readonly (Variable | null)[]): boolean {
  return recording && inputs.some((input) => input?.requiresGrad === true);
}

/** Walks back from `root`. Leaves get their gradients at the end, once nothing can fail any more. */
export function walkBack<V extends Variable>(
  root: V,
  gradient: V,
  arithmetic: Arithmetic<V>,
  retainGraph: boolean,
): void {
  inWalk(++walks, () => {
    const steps = walkSteps(root, gradient, arithmetic, retainGraph);
    for (let step = steps.next(); step.done !== true;) {
      const [operation, whole] = step.value;
      step = steps.next(operation.differentiate(whole));
    }
  });
}

/** The same walk; what an operation differentiates beside the event loop does not block it. */
export async function walkBackAsync<V extends Variable>(
  root: V,
  gradient: V,
  arithmetic: Arithmetic<V>,
  retainGraph: boolean,
  later: Later,
): Promise<void> {
  const id = ++walks;
  const walked: Operation[] = [];
  // Another walk may have freed the graph while this one waited.
  const steps = walkSteps(root, gradient, arithmetic, retainGraph, () => {
    for (const operation of walked) operation.ready();
  });
  for (let step = inWalk(id, () => steps.next()); step.done !== true;) {
    const [operation, whole] = step.value;
    const parts = await inWalk(id, () => operation.differentiateLater(whole, later));
    check.notAborted(later.signal);
    walked.push(operation);
    step = inWalk(id, () => steps.next(parts));
  }
}

/**
 * Asks for the parts of one operation after another: last-made first, so that each sees its whole
 * gradient.
 */
function* walkSteps<V extends Variable>(
  root: V,
  gradient: V,
  arithmetic: Arithmetic<V>,
  retainGraph: boolean,
  beforeLeaves?: () => void,
): Generator<readonly [Operation, V], void, readonly (V | null)[]> {
  const gradients = new Map<Source, V>();
  const leaves: V[] = [];
  const give = (source: Source, value: V): void => {
    const before = gradients.get(source);
    if (before === undefined && !(source instanceof Operation)) leaves.push(source as V);
    gradients.set(source, before === undefined ? value : arithmetic.add(before, value));
  };

  give(root.operation ?? root, gradient);
  const order = operationsFrom(root);
  for (const operation of order) {
    const sum = gradients.get(operation);
    if (sum === undefined) continue;
    gradients.delete(operation);
    const whole = afterHooks(operation, sum, arithmetic);
    const parts = yield [operation, whole];
    operation.inputs.forEach((input, i) => {
      const part = parts[i];
      const source = operation.sources[i];
      if (part === null || part === undefined || source === null || source === undefined) return;
      arithmetic.check(operation.name, input as Variable as V, part);
      give(source, part === whole ? arithmetic.share(part) : part);
    });
    arithmetic.release(whole);
  }

  beforeLeaves?.();
  if (hooked) {
    for (const leaf of leaves)
      gradients.set(leaf, afterHooks(leaf, gradients.get(leaf)!, arithmetic));
  }
  // A leaf that has stopped requiring grad since the forward keeps the `grad` it has, as in PyTorch.
  const takers = leaves.filter((leaf) => leaf.requiresGrad);
  for (const leaf of takers) gradients.set(leaf, arithmetic.ready(leaf, gradients.get(leaf)!));
  for (const leaf of takers) {
    arithmetic.accumulate(leaf, gradients.get(leaf)!);
    gradients.delete(leaf);
  }
  for (const unused of gradients.values()) arithmetic.release(unused);
  if (!retainGraph) for (const operation of order) operation.free();
}

/** Every operation behind `root`, last made first: a stack, because graphs are deeper than one. */
function operationsFrom(root: Variable): Operation[] {
  const seen = new Set<Operation>();
  const stack = root.operation === null ? [] : [root.operation];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const source of next.sources) if (source instanceof Operation) stack.push(source);
  }
  return [...seen].sort((a, b) => b.order - a.order);
}
