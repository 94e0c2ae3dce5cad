// Digits as sets of points: where the ink is, not a picture of it.
import { data, tensor, type Tensor } from 'evenkeel';

import type { Digits } from '../digits/data.js';

export const POINTS = 96;
const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** Points [N, 2, 96], both coordinates from -1 to 1, and labels [N]. */
export type PointSets = data.TensorDataset<[points: Tensor, labels: Tensor]>;

/**
 * Each digit as 96 points, drawn where its pixels are dark: a pixel is drawn in proportion to its ink, and the point
 * lies anywhere inside it. Drawn once, from a stream of its own, so that a digit's points are the same in every run.
 *
 * @param count - Of the digits, the first ones. Default all.
 */
export function asPoints(digits: Digits, count: number = digits.length): PointSets {
  const [pictures, labels] = digits.tensors as readonly [Tensor, Tensor];
  const ink = pictures.data as Float32Array;
  const points = new Float32Array(count * POINTS * 2);
  const random = uniform(1);
  const upTo = new Float64Array(PIXELS);
  for (let n = 0; n < count; n++) {
    let total = 0;
    for (let p = 0; p < PIXELS; p++) upTo[p] = total += ink[n * PIXELS + p]!;
    for (let i = 0; i < POINTS; i++) {
      const pixel = firstAbove(upTo, random() * total);
      const at = 2 * n * POINTS + i;
      points[at] = (2 * ((pixel % SIDE) + random())) / SIDE - 1;
      points[at + POINTS] = 1 - (2 * (Math.floor(pixel / SIDE) + random())) / SIDE;
    }
  }
  const first = (labels.data as Int32Array).slice(0, count);
  return new data.TensorDataset(tensor(points, [count, 2, POINTS]), tensor(first));
}

/** Index of the first of these ascending sums that is above `value`. */
function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Numbers from 0 to below 1: mulberry32. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
