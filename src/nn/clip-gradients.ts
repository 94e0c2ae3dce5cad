import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { floats, Parameter, type Tensor } from '../tensor/tensor.js';

export interface ClipGradNormOptions {
  /** 1, 2 (default) or Infinity: the largest magnitude. */
  normType?: number | undefined;
  /** Whether a norm that is NaN or infinite is an error, before anything has changed. Default false. */
  errorIfNonFinite?: boolean | undefined;
}

/**
 * Makes the gradients of all parameters together no longer than maxNorm: each is multiplied by
 * min(1, maxNorm / (norm + 1e-6)). The norm is summed in double, over all elements in order.
 *
 * Call it after `backward()` and before `optimizer.step()`. As in PyTorch a norm that is NaN makes all gradients NaN,
 * and an infinite one makes them 0 or NaN: see `errorIfNonFinite`, and `nonFinite` of `step`.
 *
 * @param parameters - Parameters, or one; those without a gradient do not count.
 * @param maxNorm - At least 0.
 * @returns The norm before.
 * @throws {RangeError} where the norm is not finite, with errorIfNonFinite. Nothing has changed then.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([0, 0]));
 * p.grad = tensor([3, 4]);
 * nn.clipGradNorm_([p], 1); // => 5
 * p.grad.toArray().map((each) => each.toFixed(3)); // => ['0.600', '0.800']
 * ```
 */
export function clipGradNorm_(
  parameters: Parameter | Iterable<Parameter>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): number {
  const who = 'clipGradNorm_';
  check.options(who, options, ['normType', 'errorIfNonFinite']);
  const { normType = 2, errorIfNonFinite = false } = options;
  check.numberBetween(who, 'maxNorm', maxNorm, 0, Infinity);
  check.boolean(who, 'errorIfNonFinite', errorIfNonFinite);
  if (normType !== 1 && normType !== 2 && normType !== Infinity) {
    throw check.wrongValue(who, 'normType to be 1, 2 or Infinity', check.describe(normType));
  }
  const gradients = gradientsOf(who, parameters);
  const norm = normOf(gradients, normType);
  if (errorIfNonFinite && !Number.isFinite(norm)) {
    throw check.wrongValue(
      who,
      'gradients of a finite norm (The total norm of gradients is non-finite, so it cannot be clipped)',
      `a norm of ${norm}`,
    );
  }
  const coefficient = maxNorm / (norm + 1e-6);
  if (coefficient >= 1) return norm;
  for (const gradient of gradients) {
    const data = floats(gradient);
    addon.scale(data, coefficient, data, gradient.numel);
    gradient.markChanged();
  }
  return norm;
}

/**
 * Moves each element of each gradient into [-clipValue, clipValue]. NaN stays NaN.
 *
 * @param parameters - Parameters, or one; those without a gradient do not count.
 * @param clipValue - At least 0.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([0, 0]));
 * p.grad = tensor([3, -0.25]);
 * nn.clipGradValue_([p], 1);
 * p.grad.toArray(); // => [1, -0.25]
 * ```
 */
export function clipGradValue_(
  parameters: Parameter | Iterable<Parameter>,
  clipValue: number,
  ...rest: undefined[]
): void {
  if (rest.length > 0) check.noMore('clipGradValue_', 2, rest);
  const who = 'clipGradValue_';
  check.numberBetween(who, 'clipValue', clipValue, 0, Infinity);
  for (const gradient of gradientsOf(who, parameters)) {
    const data = floats(gradient);
    addon.clipValues(data, clipValue, data, gradient.numel);
    gradient.markChanged();
  }
}

/** The gradients, each once, whose memory is there. */
function gradientsOf(who: string, parameters: unknown): Tensor[] {
  const list =
    parameters instanceof Parameter
      ? [parameters]
      : [...check.iterable(who, 'parameters', parameters)];
  if (list.length === 0 && isIterator(parameters)) {
    const what = 'parameters (an iterator is walked once: [...model.parameters()] is a list)';
    throw check.wrongValue(who, what, 'an iterator with none left');
  }
  const gradients: Tensor[] = [];
  for (const parameter of new Set(list)) {
    if (!(parameter instanceof Parameter)) throw check.wrongKind(who, 'Parameters', parameter);
    if (parameter.gradient === null) continue;
    parameter.gradient.attached(who, 'a gradient');
    gradients.push(parameter.gradient);
  }
  return gradients;
}

function isIterator(value: unknown): boolean {
  return typeof (value as { next?: unknown }).next === 'function';
}

function normOf(gradients: readonly Tensor[], type: number): number {
  const parts = gradients.map((each) => addon.normPart(floats(each), each.numel, type));
  if (type === Infinity) return parts.reduce((most, each) => Math.max(most, each), 0);
  const sum = parts.reduce((total, each) => total + each, 0);
  return type === 2 ? Math.sqrt(sum) : sum;
}
