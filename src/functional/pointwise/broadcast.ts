// Broadcasting, as in NumPy and PyTorch: from the last dimension on, sizes are equal or one of them is 1.
import * as check from '../../check/index.js';
import { sizesOf, type Tensor } from '../../tensor/tensor.js';

/**
 * The shape that two shapes broadcast to.
 *
 * @throws {RangeError} with both shapes, where they do not.
 */
export function broadcastShape(
  who: string,
  a: readonly number[],
  b: readonly number[],
): readonly number[] {
  if (check.equalShapes(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const left = a[a.length - i] ?? 1;
    const right = b[b.length - i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw check.wrongValue(
        who,
        `shapes that broadcast (the size of tensor a must match the size of tensor b at non-singleton dimension ${rank - i})`,
        `${check.shapeText(a)} and ${check.shapeText(b)}`,
      );
    }
    shape[rank - i] = left === 1 ? right : left;
  }
  return shape;
}

/** How operands are met by a result of another shape: for the addon, `rank` sizes and as many strides for each. */
export interface Layout {
  readonly numbers: Float64Array | null;
  readonly rank: number;
}

const NONE: Layout = { numbers: null, rank: 0 };

/**
 * The layouts of late, the newest first. A training loop asks for the same few again and again, and an array whose memory
 * native code has asked for costs 8 us and a share of a collection.
 */
const known: { readonly shapes: readonly (readonly number[])[]; readonly layout: Layout }[] = [];
const MOST_KNOWN = 16;

/** The layout of operands that broadcast to `shape`; dimensions that all walk alike are joined. Nobody writes into it. */
export function layoutOf(shape: readonly number[], operands: readonly Tensor[]): Layout {
  if (operands.every((each) => check.equalShapes(each.shape, shape))) return NONE;
  const at = known.findIndex(
    ({ shapes }) =>
      shapes.length === operands.length + 1 &&
      check.equalShapes(shapes[0]!, shape) &&
      operands.every((each, i) => check.equalShapes(sizesOf(each), shapes[i + 1]!)),
  );
  if (at > 0) {
    known.unshift(...known.splice(at, 1));
  } else if (at < 0) {
    const shapes = [shape, ...operands.map(sizesOf)].map((each) => each.slice());
    known.unshift({ shapes, layout: made(shape, operands) });
    if (known.length > MOST_KNOWN) known.pop();
  }
  return known[0]!.layout;
}

function made(shape: readonly number[], operands: readonly Tensor[]): Layout {
  const all = operands.map((each) => stridesFor(each.shape, shape));
  const sizes: number[] = [];
  const strides: number[][] = all.map(() => []);
  for (const [d, size] of shape.entries()) {
    if (size === 1) continue;
    const last = sizes.length - 1;
    const joins = last >= 0 && all.every((each, k) => strides[k]![last] === each[d]! * size);
    if (joins) {
      sizes[last] = sizes[last]! * size;
      for (const [k, each] of all.entries()) strides[k]![last] = each[d]!;
    } else {
      sizes.push(size);
      for (const [k, each] of all.entries()) strides[k]!.push(each[d]!);
    }
  }
  if (sizes.length === 0) return { numbers: new Float64Array([1, ...all.map(() => 0)]), rank: 1 };
  return { numbers: Float64Array.of(...sizes, ...strides.flat()), rank: sizes.length };
}

function stridesFor(shape: readonly number[], into: readonly number[]): number[] {
  const more = into.length - shape.length;
  return into.map((_, axis) =>
    axis < more || shape[axis - more] === 1 ? 0 : check.numelOf(shape, axis - more + 1),
  );
}
