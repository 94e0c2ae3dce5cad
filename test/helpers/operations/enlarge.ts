// The inputs of a row, with so many rows that a call beside the event loop is a job for a thread.
import type * as types from 'evenkeel';

import type { Package } from './row.js';

/** Repeats every tensor that is as long as the first one is along dimension 0; others, such as weights, stay. */
export function enlarged(
  { tensor, Tensor }: Package,
  inputs: readonly unknown[],
  elements: number,
): unknown[] {
  const first = inputs.find((each) => each instanceof Tensor);
  if (first === undefined || first.shape.length === 0 || first.numel === 0) return [...inputs];
  const times = Math.ceil(elements / first.numel);
  const [length] = first.shape;
  const repeated = ({ data, shape }: types.Tensor): types.Tensor => {
    const all = new (data.constructor as Float32ArrayConstructor)(data.length * times);
    for (let i = 0; i < times; i++) all.set(data as Float32Array, i * data.length);
    return tensor(all, [shape[0]! * times, ...shape.slice(1)]);
  };
  return inputs.map((each) =>
    each instanceof Tensor && each.shape[0] === length ? repeated(each) : each,
  );
}
