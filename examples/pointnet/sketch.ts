// Digits as points, drawn in characters.
import { Canvas } from '../terminal/canvas.js';
import type { PointSets } from './points.js';

/** A digit is 14 characters wide and 7 lines high. */
export const SKETCH = { columns: 14, lines: 7 } as const;

/** Digit `index` of these. */
export function sketch(digits: PointSets, index: number): string[] {
  const canvas = new Canvas(SKETCH.columns, SKETCH.lines);
  const [xs, ys] = coordinates(digits, index);
  xs.forEach((x, i) => {
    const across = Math.round(((x + 1) / 2) * (canvas.width - 1));
    const down = Math.round(((1 - ys[i]!) / 2) * (canvas.height - 1));
    canvas.dot(across, down);
  });
  return canvas.lines();
}

/** x and y of each of its points, from -1 to 1. */
export function coordinates(digits: PointSets, index: number): [xs: number[], ys: number[]] {
  const [points] = digits.rows([index]);
  const values = Array.from(points.data as Float32Array);
  return [values.slice(0, values.length / 2), values.slice(values.length / 2)];
}
