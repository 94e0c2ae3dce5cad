// What two passes make of the same data: accuracy, and how far their outputs are apart.
import type { GivenBatch } from './batches.js';
import type { Output } from './passes.js';
import type { OutputDifference } from './report-types.js';

/** The class that a sample's output says: the largest of several, or whether a single one is above 0. */
function classOf({ data, width }: Output, sample: number): number {
  const start = sample * width;
  if (width === 1) return data[start]! > 0 ? 1 : 0;
  let best = 0;
  for (let i = 1; i < width; i++) if (data[start + i]! > data[start + best]!) best = i;
  return Number.isNaN(data[start + best]!) ? -1 : best;
}

/** Whether each sample is right; null without labels or outputs that could be classes. */
export function rightOf(
  batches: readonly GivenBatch[],
  outputs: readonly (Output | null)[],
): boolean[] | null {
  const right: boolean[] = [];
  for (const [i, { labels }] of batches.entries()) {
    const output = outputs[i] ?? null;
    if (labels === null || output === null) return null;
    if (labels.some((label) => label < 0 || label >= Math.max(2, output.width))) return null;
    for (const [sample, label] of labels.entries()) {
      right.push(classOf(output, sample) === label);
    }
  }
  return right;
}

export function accuracyOf(right: readonly boolean[] | null): number | null {
  if (right === null || right.length === 0) return null;
  return right.filter(Boolean).length / right.length;
}

/**
 * How surely `after` is right more often than `before` on the same samples: a standard score (McNemar 1947), below 0
 * where it is right less often.
 */
export function improvement(before: readonly boolean[], after: readonly boolean[]): number {
  let [won, lost] = [0, 0];
  for (const [i, was] of before.entries()) {
    if (was === after[i]) continue;
    if (was) lost++;
    else won++;
  }
  return won + lost === 0 ? 0 : (won - lost) / Math.sqrt(won + lost);
}

export function differenceOf(
  byBatch: readonly (Output | null)[],
  byRunning: readonly (Output | null)[],
): OutputDifference | null {
  let [largest, squares, sum, sumOfSquares, count, samples, others] = [0, 0, 0, 0, 0, 0, 0];
  let classes = true;
  for (const [i, a] of byBatch.entries()) {
    const b = byRunning[i] ?? null;
    if (a === null || b === null || a.data.length !== b.data.length) return null;
    for (let j = 0; j < a.data.length; j++) {
      const value = b.data[j]!;
      const difference = a.data[j]! - value;
      largest = Math.max(largest, Math.abs(difference));
      squares += difference * difference;
      sum += value;
      sumOfSquares += value * value;
    }
    count += a.data.length;
    const rows = a.data.length / a.width;
    classes &&= a.width > 1;
    for (let row = 0; row < rows; row++) if (classOf(a, row) !== classOf(b, row)) others++;
    samples += rows;
  }
  const rms = Math.sqrt(squares / count);
  const deviation = Math.sqrt(Math.max(0, sumOfSquares / count - (sum / count) ** 2));
  const relative = rms === 0 ? 0 : rms / deviation;
  return { largest, rms, relative, otherClass: classes ? others / samples : null };
}
