// clone, and what writes into a tensor: copy_ and fill_, guarded so that no gradient becomes wrong.
import { needsGrad } from '../autograd/index.js';
import * as check from '../check/index.js';
import { broadcasts, converted, holds, repeat, sumOfRepeats } from '../memory/elements.js';
import { isFloating, type DType } from '../memory/dtype.js';
import { memoryOf, Tensor, type Backward, type TensorLike } from './class.js';
import { addMethods } from './methods.js';
import { floats, record, recordRepeatable } from './record.js';

/** Holds no tensor. */
const same: Backward = (dy) => [dy];

addMethods(Tensor, {
  clone(): Tensor {
    return recordRepeatable('clone', this.copied(), [this], same);
  },

  copy_(source: TensorLike): Tensor {
    return copyInto(this, 'copy_', Tensor.operand('copy_', 'the source', source));
  },

  fill_(value: number | bigint | Tensor): Tensor {
    const who = 'Tensor.fill_';
    if (value instanceof Tensor) {
      if (value.shape.length === 0) return copyInto(this, 'fill_', value);
      const what = 'a scalar (fill_ only supports 0-dimension value tensor)';
      throw check.wrongValue(who, what, `shape ${check.shapeText(value.shape)}`);
    }
    const target = this.attached(who);
    const element = elementOf(who, value, this.dtype);
    checkWritable(who, this, null);
    recordWrite('fill_', this, null);
    (target as Float64Array).fill(element as number);
    return this;
  },
});

function copyInto(to: Tensor, name: 'copy_' | 'fill_', from: Tensor): Tensor {
  const who = `Tensor.${name}`;
  const target = to.attached(who);
  const given = from.attached(who, 'the source');
  if (!broadcasts(from.shape, to.shape)) {
    throw check.wrongValue(
      who,
      `a source that broadcasts to shape ${check.shapeText(to.shape)}`,
      `shape ${check.shapeText(from.shape)}`,
    );
  }
  checkWritable(who, to, from);
  const elements = converted(who, given, from.dtype, to.dtype);
  recordWrite(name, to, from);
  repeat(target, to.shape, elements, from.shape);
  return to;
}

/** That writing here leaves no gradient wrong. */
function checkWritable(who: string, to: Tensor, source: Tensor | null): void {
  if (!isFloating(to.dtype) || !needsGrad(to, source)) return;
  if (to.operation === null && to.requiresGrad) {
    throw new Error(
      `${who}: a leaf Variable that requires grad is being used in an in-place operation; write under noGrad.`,
    );
  }
  if (memoryOf(to).viewed) {
    throw new Error(
      `${who}: expected memory that no reshaped tensor shares while operations are recorded, got memory ` +
        'of a view; write into a clone(), or under noGrad.',
    );
  }
}

/** Counts the change that comes, and records it where something needs a gradient. */
function recordWrite(name: string, to: Tensor, source: Tensor | null): void {
  const { shape, dtype } = to;
  if (isFloating(to.dtype)) {
    const differentiable = source !== null && isFloating(source.dtype) ? source : null;
    record(name, to, [to, differentiable], [], (dy, needs) => [
      needs[0] ? Tensor.expanded(shape, dtype, 0) : null,
      needs[1] && differentiable !== null ? repeatGradient(dy, differentiable) : null,
    ]);
  }
  to.markChanged();
}

/** What `fill_` writes for a value. */
function elementOf(who: string, value: unknown, dtype: DType): number | bigint {
  const whole = !isFloating(dtype);
  if (typeof value !== 'number' && !(whole && typeof value === 'bigint')) {
    throw check.wrongKind(who, whole ? 'a number or a bigint' : 'a number', value);
  }
  const element = typeof value === 'number' && whole ? Math.trunc(value) : value;
  const fits = whole
    ? holds(dtype, element)
    : dtype === 'float64' || !Number.isFinite(value) || Number.isFinite(Math.fround(Number(value)));
  if (!fits) {
    const words = `value cannot be converted to type ${dtype} without overflow`;
    throw check.wrongValue(who, `a value that ${dtype} can hold (${words})`, check.describe(value));
  }
  if (!whole) return element;
  return dtype === 'int64' ? BigInt(element) : Number(element);
}

/** The gradient of a source that was converted and repeated: its shape, its dtype. */
function repeatGradient(dy: Tensor, source: Tensor): Tensor {
  const { shape, dtype } = source;
  if (dtype === dy.dtype && check.equalShapes(shape, dy.shape)) return dy;
  const dx = Tensor.uninitialized(shape, dtype);
  floats(dx).set(sumOfRepeats(floats(dy), dy.shape, shape));
  return dx;
}
