// The walk back from a result to the leaves, now or beside the event loop.
import * as check from '../check/index.js';
import type { Arithmetic } from './arithmetic.js';
import { afterHooks, hooked } from './hooks.js';
import { Operation, type Source, type Variable } from './operation.js';

let walks = 0;
let walk = 0;

/** @internal Which walk is going on: what a walk that failed has left behind is not of the next. */
export function currentWalk(): number {
  return walk;
}

/** @internal How many walks have been begun. */
export function walksMade(): number {
  return walks;
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

/** Walks back from `root`. Leaves get their gradients at the end, once nothing can fail any more. */
export function walkBack<V extends Variable>(
  root: V,
  gradient: V,
  arithmetic: Arithmetic<V>,
  retainGraph: boolean,
): void {
  const order = operationsFrom(root);
  for (const operation of order) operation.checkIdle();
  const walked: Operation[] = [];
  const entered = (operation: Operation): void => {
    operation.underWay = true;
    walked.push(operation);
  };
  inWalk(++walks, () => {
    const steps = walkSteps(root, gradient, arithmetic, { order, retainGraph, entered });
    try {
      for (let step = steps.next(); step.done !== true;) {
        step = steps.next(partsOf(step.value, arithmetic));
      }
    } finally {
      for (const operation of walked) operation.underWay = false;
    }
  });
}

/** What a step of a walk asks for: the gradients of an operation's inputs; nothing where it only pauses. */
function partsOf<V extends Variable>(
  step: Step<V>,
  arithmetic: Arithmetic<V>,
): readonly (V | null)[] {
  if (step === null) return [];
  const [operation, whole] = step;
  if (!operation.tidies) return operation.differentiate(whole);
  return arithmetic.tidy(() => operation.differentiate(whole));
}

/** How a walk beside the event loop is carried out. */
export interface Later {
  readonly signal: AbortSignal | null;
  /** Runs `body`, and settles when what it computes is there. */
  defer<Result>(body: () => Result): Promise<Result>;
}

/** The same walk beside the event loop: each operation's part is there before the next one is asked for. */
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
  const beforeLeaves = (): void => {
    for (const operation of walked) operation.checkedBackward();
  };
  const order = operationsFrom(root);
  const steps = walkSteps(root, gradient, arithmetic, { order, retainGraph, beforeLeaves });
  let step = await later.defer(() => inWalk(id, () => steps.next()));
  while (step.done !== true) {
    const { value } = step;
    check.notAborted(later.signal);
    if (value === null) {
      // The leaves' gradients: all of them now, or none.
      step = inWalk(id, () => steps.next([]));
      continue;
    }
    step = await later.defer(() => inWalk(id, () => steps.next(partsOf(value, arithmetic))));
    walked.push(value[0]);
  }
}

/** An operation and its whole gradient; null before the leaves get theirs. */
type Step<V extends Variable> = readonly [Operation, V] | null;

interface Walk {
  /** Every operation, last made first. */
  readonly order: readonly Operation[];
  readonly retainGraph: boolean;
  /** Called before an operation's hooks and its backward run. */
  readonly entered?: (operation: Operation) => void;
  readonly beforeLeaves?: () => void;
}

/**
 * Asks for the parts of one operation after another: last-made first, so that each sees its whole
 * gradient.
 */
function* walkSteps<V extends Variable>(
  root: V,
  gradient: V,
  arithmetic: Arithmetic<V>,
  { order, retainGraph, entered, beforeLeaves }: Walk,
): Generator<Step<V>, void, readonly (V | null)[]> {
  const gradients = new Map<Source, V>();
  const leaves: V[] = [];
  const give = (source: Source, value: V): void => {
    const before = gradients.get(source);
    if (before === undefined && !(source instanceof Operation)) leaves.push(source as V);
    gradients.set(source, before === undefined ? value : arithmetic.add(before, value));
  };

  give(root.operation ?? root, gradient);
  for (const operation of order) {
    const sum = gradients.get(operation);
    if (sum === undefined) continue;
    gradients.delete(operation);
    if (!retainGraph) entered?.(operation);
    const whole = afterHooks(operation, sum, arithmetic);
    const parts = yield [operation, whole];
    operation.inputs.forEach((input, i) => {
      const part = parts[i];
      const source = operation.sources[i];
      if (part === null || part === undefined || source === null || source === undefined) return;
      if (input !== null) arithmetic.check(operation.name, input, part);
      give(source, part === whole ? arithmetic.hold(part) : part);
    });
    arithmetic.release(whole);
  }

  yield null;
  beforeLeaves?.();
  if (hooked) {
    for (const leaf of leaves)
      gradients.set(leaf, afterHooks(leaf, gradients.get(leaf)!, arithmetic));
  }
  // A leaf that has stopped requiring grad since the forward keeps the `grad` it has, as in PyTorch.
  const takers = leaves.filter((leaf) => leaf.requiresGrad);
  for (const leaf of takers) gradients.set(leaf, arithmetic.prepare(leaf, gradients.get(leaf)!));
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
