// Whether operations are recorded.
import * as check from '../check/index.js';
import type { Variable } from './operation.js';

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

/** @internal `noGrad` for functions of ours. */
export function unrecorded<Result>(body: () => Result): Result {
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
