// What a step asks of the gradients before any parameter moves.
import { addon } from '../addon/control.js';
import * as check from '../check/index.js';
import { deferred, perform } from '../run/deferral.js';
import { isOfShare } from '../tensor/shares.js';
import { floats, type Parameter, type Tensor } from '../tensor/tensor.js';

export interface StepOptions {
  /**
   * What a gradient that is NaN or infinite does: move its parameter there, as in PyTorch ('propagate', default);
   * an error ('throw') or nothing but the result `false` ('skip'), before any parameter has moved.
   */
  nonFinite?: 'propagate' | 'throw' | 'skip' | undefined;
}

export interface StepAsyncOptions extends StepOptions {
  /** Stops the step where it is, waiting or running. */
  signal?: AbortSignal | undefined;
}

export function policyOf(
  who: string,
  options: StepOptions | undefined,
): 'propagate' | 'throw' | 'skip' {
  const { nonFinite = 'propagate' } = options ?? {};
  return check.oneOf(who, 'nonFinite', nonFinite, ['propagate', 'throw', 'skip']);
}

export function checkGradient(who: string, parameter: Parameter): void {
  const { gradient: grad } = parameter;
  if (grad === null) return;
  check.sameShape(who, 'a gradient', grad, parameter.shape);
  check.sameDtype(who, 'the gradient', grad, parameter.dtype);
  grad.attached(who);
  parameter.attached(who);
}

let hasWarned = false;

/** Once: PyTorch sums the gradients of replicas in `backward`, so that a program from there does not ask for it. */
export function warnOfShares(who: string, parameters: readonly Parameter[]): void {
  if (hasWarned || !parameters.some(isOfShare)) return;
  hasWarned = true;
  process.emitWarning(
    `${who}: the gradients are those of this process's share of the batch, and the replicas drift apart: ` +
      'call replica.reduceGradients() between backward and step.',
    { type: 'EvenkeelWarning', code: 'EVENKEEL_GRADIENTS_OF_A_SHARE' },
  );
}

/** Where `backward` has run since the last step, and gave nothing to any of these, which learn. */
export function warnOfNoGradients(who: string): void {
  process.emitWarning(
    `${who}: no parameter has a gradient, although a backward has run since the last step, and nothing moves. Maybe ` +
      'zeroGrad() came between backward() and step(), or the model has other parameters than those that the optimizer ' +
      'was made of: a layer was replaced, or a copy is trained.',
    { type: 'EvenkeelWarning', code: 'EVENKEEL_NO_GRADIENTS' },
  );
}

/** Where a gradient is not finite, in words; null where all are. */
export function findNonFinite(parameters: readonly Parameter[]): string | null {
  for (const [i, { gradient, shape }] of parameters.entries()) {
    const at = gradient === null ? -1 : firstNonFinite(gradient);
    if (at < 0) continue;
    return `${floats(gradient!)[at]} at index ${at} of parameter ${i} (shape ${check.shapeText(shape)})`;
  }
  return null;
}

/** The first element that is NaN or infinite, or -1. */
function firstNonFinite(gradient: Tensor): number {
  const data = floats(gradient);
  // A finite sum, which is computed in double, has finite terms; the reverse is true of float32 alone.
  if (Number.isFinite(addon.sum(data, gradient.numel))) return -1;
  return data.findIndex((element) => !Number.isFinite(element));
}

/** Whether the sum of each gradient is finite, found beside the event loop: then its terms are. */
export async function areFinite(
  who: string,
  parameters: readonly Parameter[],
  signal: AbortSignal | null,
): Promise<boolean> {
  let finite = true;
  await deferred(signal, () => {
    for (const { gradient } of parameters) {
      if (gradient === null) continue;
      perform(
        { who, work: gradient.numel, reads: { 'a gradient': gradient }, writes: [] },
        (native, arrayOf) => native.sum(arrayOf(gradient), gradient.numel),
        (_, sum) => {
          finite &&= Number.isFinite(sum);
        },
      );
    }
  });
  return finite;
}
