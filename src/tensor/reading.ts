// How a tensor reads: as numbers, as text, as JSON.
import * as check from '../check/index.js';
import { memoryOf, Tensor } from './class.js';
import type { NestedArray } from './interop.js';
import { addMethods } from './methods.js';
import { Parameter } from './parameter.js';
import { inspected, jsonOf, printed, type InspectOptions, type TensorJSON } from './printing.js';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

addMethods(Tensor, {
  item(): number {
    if (this.numel !== 1) {
      throw check.wrongValue('Tensor.item', 'one element', `shape ${check.shapeText(this.shape)}`);
    }
    return Number(this.attached('Tensor.item')[0]);
  },

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as in methods.ts
  toArray<Values = NestedArray>(): Values {
    const data = this.attached('Tensor.toArray');
    const build = (axis: number, start: number, size: number): NestedArray => {
      if (axis === this.shape.length) return Number(data[start]);
      const count = this.shape[axis] ?? 0;
      const step = count === 0 ? 0 : size / count;
      return Array.from({ length: count }, (_, i) => build(axis + 1, start + i * step, step));
    };
    return build(0, 0, this.numel) as Values;
  },

  toString(): string {
    return printed(printable(this));
  },

  toJSON(): TensorJSON {
    return jsonOf(this.attached('Tensor.toJSON'), this.shape, this.dtype);
  },
});

// Its name has no type of its own.
Object.defineProperty(Tensor.prototype, INSPECT, {
  writable: true,
  configurable: true,
  /** `console.log(tensor)`: `toString()`; inside other values one line, short where the values need more. */
  value(this: Tensor, depth?: number | null, options?: InspectOptions): string {
    return inspected(printable(this), depth, options);
  },
});

function printable(tensor: Tensor): Parameters<typeof printed>[0] {
  const { shape, dtype, numel, disposed, requiresGrad, operation } = tensor;
  const memory = memoryOf(tensor);
  const known = memory.pending !== null || memory.awaited?.open === true;
  const there = !disposed && (known || memory.length === numel);
  return {
    ...{ shape, dtype, numel, disposed },
    elements: there ? tensor.attached('Tensor.toString') : null,
    requiresGrad,
    madeBy: operation?.name ?? null,
    parameter: tensor instanceof Parameter,
  };
}
