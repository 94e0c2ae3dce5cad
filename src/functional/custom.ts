// An operation of a user's own, with its gradient: torch.autograd.Function.
import { needsGrad, unrecorded } from '../autograd/index.js';
import * as check from '../check/index.js';
import { refuseForeign } from '../check/copies.js';
import { collect, Tensor } from '../tensor/tensor.js';

/** What forward hands over to backward. A property of one's own may hold anything; tensors in it are saved too. */
export interface CustomContext {
  /** Keeps tensors for backward: inputs, the result, or what forward has computed. A second call replaces the first's. */
  saveForBackward(...tensors: readonly Tensor[]): void;
  /** What `saveForBackward` was given, unchanged since: a backward after a change in place is an error. */
  readonly savedTensors: readonly Tensor[];
  /** Whether each argument of forward gets a gradient. */
  readonly needsInputGrad: readonly boolean[];
  [name: string]: unknown;
}

/** One entry for each argument of forward; a single one for the first of one. */
export type CustomGradients = Tensor | null | undefined | readonly (Tensor | null | undefined)[];

export interface CustomOperation<Args extends readonly unknown[]> {
  /** For errors and for `toString()` of a result. */
  name: string;
  /** The result, from tensors and anything else; nothing in it is recorded. */
  forward: (context: CustomContext, ...args: Args) => Tensor;
  /** d(loss)/d(each argument) from d(loss)/d(result), which it must not write into; null where there is none. */
  backward: (context: CustomContext, gradient: Tensor) => CustomGradients;
}

/**
 * An operation of your own: `forward` computes it, `backward` its gradient (PyTorch's `torch.autograd.Function`). It
 * works like any of the package: with `backward`, `backwardAsync`, hooks, `scope` and `noGrad`; a second backward
 * without `retainGraph` is an error.
 *
 * Both bodies run as if in a `scope`: tensors that they make are disposed of at the end, but for the result, what the
 * context holds, and what `keep` was given. docs/custom-operations.md has three examples.
 *
 * @param operation - `{ name, forward, backward }`, both functions synchronous.
 * @returns A function of the arguments of `forward` after the context. Those that are Tensors are its inputs.
 * @throws {TypeError} when called: where forward returns no Tensor, or a promise.
 * @throws {TypeError | RangeError} in backward: for another number of gradients than of arguments, and a gradient of
 * another kind, shape or dtype than its input, or for an argument that is no tensor.
 * @example
 * ```ts
 * const cube = functional.custom({
 *   name: 'cube',
 *   forward(context, x: Tensor) {
 *     context.saveForBackward(x);
 *     return functional.mul(functional.mul(x, x), x);
 *   },
 *   backward(context, gradient) {
 *     const [x] = context.savedTensors as [Tensor];
 *     const three = tensor(new Float32Array(x.numel).fill(3), x.shape);
 *     return functional.mul(gradient, functional.mul(three, functional.mul(x, x)));
 *   },
 * });
 * const x = tensor([1, 2], { requiresGrad: true });
 * functional.sum(cube(x)).backward();
 * x.grad?.toArray(); // => [3, 12]
 * ```
 */
export function custom<Args extends readonly unknown[]>(
  operation: CustomOperation<Args>,
): (...args: Args) => Tensor {
  const who = 'custom';
  if ((operation as unknown) === undefined) {
    throw check.wrongKind(who, 'an object { name, forward, backward }', operation);
  }
  check.options(who, operation, ['name', 'forward', 'backward']);
  const { name, forward, backward } = operation;
  if (typeof name !== 'string') throw check.wrongKind(who, 'name to be a string', name);
  if (name === '') throw check.wrongValue(who, 'name to have a letter', "''");
  if (typeof forward !== 'function') {
    throw check.wrongKind(who, 'forward to be a function', forward);
  }
  if (typeof backward !== 'function') {
    throw check.wrongKind(who, 'backward to be a function', backward);
  }
  return (...args) => {
    const inputs = args.map((each) => inputOf(name, each));
    const context = new Context(
      name,
      inputs.map((input) => needsGrad(input)),
    );
    const output = run(
      () => check.synchronous(name, forward(context, ...args)),
      (result) => [resultOf(name, result), ...context[HELD]()],
    );
    // Only what forward has made is the operation's own: an input, or a tensor of the user's, stays what it is.
    const y = output.made.has(output.result) ? output.result : output.result.detach();
    y.noteView(inputs);
    if (!needsGrad(...inputs)) return y;
    return y.recordAs(name, inputs, context[HELD](), (dy, needs) =>
      gradientsOf(name, inputs, needs, dy, (gradient) => backward(context, gradient)),
    );
  };
}

/** The input that an argument is; null where it is no tensor. */
function inputOf(who: string, value: unknown): Tensor | null {
  if (value instanceof Tensor) {
    value.present(who, 'an input');
    return value;
  }
  refuseForeign(who, 'a Tensor', value);
  return null;
}

const HELD = Symbol('held');

class Context implements CustomContext {
  readonly #who: string;
  #saved: readonly Tensor[] = [];
  readonly needsInputGrad: readonly boolean[];
  [name: string]: unknown;

  constructor(who: string, needsInputGrad: readonly boolean[]) {
    this.#who = who;
    this.needsInputGrad = Object.freeze(needsInputGrad);
  }

  saveForBackward(...tensors: readonly Tensor[]): void {
    for (const each of tensors) {
      if (!((each as unknown) instanceof Tensor)) {
        throw check.wrongKind(this.#who, 'saveForBackward to get Tensors', each);
      }
    }
    this.#saved = Object.freeze([...tensors]);
  }

  get savedTensors(): readonly Tensor[] {
    return this.#saved;
  }

  /** The tensors that backward may read. */
  [HELD](): Tensor[] {
    const own = Object.values(this).filter((each) => each instanceof Tensor);
    return [...new Set([...this.#saved, ...own])];
  }
}

interface Run<Result> {
  readonly result: Result;
  /** The tensors that it has made and that were not disposed of. */
  readonly made: ReadonlySet<unknown>;
}

/** Runs a function of the user's, unrecorded; disposes of what it made but for what `keeping` names. */
function run<Result>(
  body: () => Result,
  keeping: (result: Result) => readonly unknown[],
): Run<Result> {
  const list: Tensor[] = [];
  const outer = collect(list);
  let kept = new Set<unknown>();
  try {
    const result = unrecorded(body);
    kept = new Set(keeping(result));
    return { result, made: new Set(list) };
  } finally {
    collect(outer);
    for (const tensor of list) {
      if (tensor.kept) continue;
      if (kept.has(tensor)) outer?.push(tensor);
      else tensor.dispose();
    }
  }
}

function resultOf(who: string, result: unknown): Tensor {
  if (!(result instanceof Tensor)) {
    throw check.wrongKind(who, 'forward to return a Tensor', result);
  }
  check.floating(who, 'the result', result);
  result.present(who, 'the result');
  return result;
}

/** What backward returned, each part as a tensor that the walk owns. */
function gradientsOf(
  who: string,
  inputs: readonly (Tensor | null)[],
  needs: readonly boolean[],
  dy: Tensor,
  backward: (gradient: Tensor) => CustomGradients,
): (Tensor | null)[] {
  const parts: (Tensor | null)[] = [];
  run(
    () => {
      const given = dy.detach();
      const returned = check.synchronous(who, backward(given));
      const list: readonly unknown[] = Array.isArray(returned) ? returned : [returned];
      if (list.length !== inputs.length) {
        throw check.wrongValue(
          who,
          `backward to return ${inputs.length} gradients, one an argument (an incorrect number of gradients)`,
          String(list.length),
        );
      }
      for (const [i, each] of list.entries()) checkGradient(who, i, each, inputs[i] ?? null);
      for (const [i, each] of list.entries()) {
        const wanted = needs[i] === true && each instanceof Tensor;
        parts.push(!wanted ? null : each === given ? dy : each.detach());
      }
    },
    () => parts,
  );
  return parts;
}

function checkGradient(who: string, index: number, value: unknown, input: Tensor | null): void {
  if (value === null || value === undefined) return;
  const name = `gradient ${index} of backward`;
  if (input === null) {
    const what = `${name} to be null, as argument ${index} is no tensor`;
    throw check.wrongKind(who, what, value);
  }
  if (!(value instanceof Tensor))
    throw check.wrongKind(who, `${name} to be a Tensor or null`, value);
  if (!check.equalShapes(value.shape, input.shape)) {
    const shape = check.shapeText(input.shape);
    throw check.wrongValue(
      who,
      `${name} to have shape ${shape} like its input (returned an invalid gradient)`,
      `shape ${check.shapeText(value.shape)}`,
    );
  }
  check.dtype(who, name, value, input.dtype, ' like its input');
  if (value.expandedValue === null) value.present(who, name);
}
