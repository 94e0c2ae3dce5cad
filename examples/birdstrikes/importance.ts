// Which columns the network reads: what is lost when one of them is mixed among the strikes.
import { data, manualSeed, tensor } from 'evenkeel';

import { areaUnderCurve } from '../measures/binary.js';
import { CATEGORIES, NUMBERS, type Strikes } from './data.js';
import { logitsOf, type TableNet } from './model.js';

export interface Importance {
  readonly column: string;
  /** Of the area under the ROC curve. */
  readonly lost: number;
}

/** Numbers that say the same thing are mixed together. */
const TOGETHER: readonly (readonly [name: string, numbers: readonly number[]])[] = [
  ['Speed', [0, 1]],
  ['Year', [2]],
  ['Season', [3, 4]],
];

/** The most important first. */
export function importanceOf(model: TableNet, test: Strikes): Importance[] {
  const [codes, numbers, damaged] = test.tensors;
  const labels = damaged!.data as Float32Array;
  const auc = (set: Strikes): number => areaUnderCurve(logitsOf(model, set), labels);
  const whole = auc(test);
  manualSeed(0);
  const order = mixed(test.length);
  const [coded, counted] = [codes!.data as Int32Array, numbers!.data as Float32Array];
  const without = (inCodes: readonly number[], inNumbers: readonly number[]): Strikes =>
    new data.TensorDataset(
      tensor(withMixed(coded, CATEGORIES.length, inCodes, order), codes!.shape),
      tensor(withMixed(counted, NUMBERS.length, inNumbers, order), numbers!.shape),
      damaged!,
    );
  return [
    ...CATEGORIES.map((column, i) => ({ column, lost: whole - auc(without([i], [])) })),
    ...TOGETHER.map(([column, which]) => ({ column, lost: whole - auc(without([], which)) })),
  ].sort((a, b) => b.lost - a.lost);
}

function mixed(length: number): Uint32Array {
  return Uint32Array.from(new data.RandomSampler({ length }));
}

/** A copy of a table whose columns `which` come from other rows. */
function withMixed<Values extends Int32Array | Float32Array>(
  values: Values,
  columns: number,
  which: readonly number[],
  order: Uint32Array,
): Values {
  const copy = values.slice() as Values;
  for (const column of which) {
    order.forEach((from, row) => {
      copy[row * columns + column] = values[from * columns + column]!;
    });
  }
  return copy;
}
