// Class losses see their input as rows of classes: [N, C] is that, [C] is one row, and of [N, C, ...] each position is.
import * as check from '../../check/index.js';
import { refuseForeign } from '../../check/copies.js';
import { floats, Tensor, type FloatData, type IntegerArray } from '../../tensor/tensor.js';

/** Class indices, one a row: whole numbers from 0 to classes - 1; a tensor's are int32 or int64. */
export type ClassTargets = IntegerArray | readonly number[] | readonly bigint[] | Tensor;

/** Targets are held in an Int32Array: -2^31 to 2^31 - 1. */
const INT32 = 2 ** 31;

export function ignoreIndexOf(who: string, ignoreIndex: number | undefined): number {
  return check.wholeNumber(who, 'ignoreIndex', ignoreIndex ?? -100, -INT32, INT32 - 1);
}

export class ClassRows {
  readonly rows: number;
  readonly classes: number;
  /** The input's shape without its classes: that of targets, and of losses. */
  readonly outer: readonly number[];
  readonly #positions: number;

  constructor(
    who: string,
    name: string,
    private readonly input: Tensor,
  ) {
    check.floating(who, name, input);
    const { shape } = input;
    if (shape.length === 0) {
      throw check.wrongValue(
        who,
        `${name} of shape [N, classes], [classes] or [N, classes, …]`,
        'shape []',
      );
    }
    const at = shape.length === 1 ? 0 : 1;
    this.classes = shape[at]!;
    this.outer = shape.filter((_, i) => i !== at);
    this.rows = check.numelOf(this.outer);
    this.#positions = check.numelOf(shape, at + 1);
    if (this.classes === 0 && this.rows > 0) {
      throw check.wrongValue(
        who,
        `${name} of at least one class`,
        `shape ${check.shapeText(shape)}`,
      );
    }
    input.present(who, name);
  }

  /** Row after row: the tensor's own elements, or a copy where classes are not last. */
  read(from: Tensor = this.input): FloatData {
    const data = floats(from);
    if (this.#positions === 1) return data;
    const rows = Tensor.uninitialized(from.shape, from.dtype);
    const to = floats(rows);
    this.#eachPlace((at, row) => (to[row] = data[at]!));
    return to;
  }

  /** A tensor like the input, which `write` fills row after row. */
  written(write: (rows: FloatData) => void): Tensor {
    const result = Tensor.uninitialized(this.input.shape, this.input.dtype);
    if (this.#positions === 1) {
      write(floats(result));
      return result;
    }
    const rows = Tensor.uninitialized(this.input.shape, this.input.dtype);
    write(floats(rows));
    const [from, to] = [floats(rows), floats(result)];
    this.#eachPlace((at, row) => (to[at] = from[row]!));
    rows.dispose();
    return result;
  }

  #eachPlace(visit: (at: number, row: number) => void): void {
    const { classes } = this;
    const positions = this.#positions;
    for (let n = 0, at = 0; at < this.input.numel; n++) {
      for (let c = 0; c < classes; c++) {
        for (let l = 0; l < positions; l++) visit(at++, (n * positions + l) * classes + c);
      }
    }
  }

  /** The targets as an Int32Array of our own: backward must see what forward saw. */
  targets(who: string, targets: ClassTargets, ignore: number): Int32Array {
    const isTensor = targets instanceof Tensor;
    const values: unknown = isTensor ? targets.attached(who, 'class targets') : targets;
    if (!Array.isArray(values) && !check.isIntegerArray(values)) {
      refuseForeign(who, 'class targets', targets);
      const got = isTensor ? `a tensor of ${targets.dtype}` : check.describe(targets);
      throw new TypeError(
        `${who}: expected class targets as an integer array or tensor, number[] or bigint[], got ${got}.`,
      );
    }
    if (isTensor && this.outer.length !== 1) {
      check.sameShape(who, 'class targets', targets, this.outer);
    }
    const list = values as ArrayLike<unknown>;
    return check.classTargets(who, list, this.rows, this.classes, ignore);
  }
}
