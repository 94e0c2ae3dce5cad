// Class losses see their input as rows of classes: [N, C] is that, [C] is one row, and of [N, C, ...] each position is.
import * as check from '../../check/index.js';
import { refuseForeign } from '../../check/copies.js';
import { isFloating, type TensorData } from '../../memory/dtype.js';
import type { ArrayOf } from '../../run/step.js';
import { Tensor, type IntegerArray } from '../../tensor/tensor.js';

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
    readonly input: Tensor,
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

  /** Where the classes are among the dimensions. */
  get dim(): number {
    return this.input.shape.length === 1 ? 0 : 1;
  }

  /** Sizes before the classes, of them, and behind them. */
  get sizes(): readonly [outer: number, classes: number, inner: number] {
    return [this.rows / this.#positions, this.classes, this.#positions];
  }

  /** The targets, checked as far as that goes before they are read. */
  targets(who: string, targets: ClassTargets, ignore: number): Labels {
    const isTensor = targets instanceof Tensor;
    const { rows, classes } = this;
    if (isTensor && !isFloating(targets.dtype)) {
      targets.present(who, 'class targets');
      checkShape(who, targets, this);
      return new Labels(who, targets, classes, ignore);
    }
    if (isTensor || (!Array.isArray(targets) && !check.isIntegerArray(targets))) {
      refuseForeign(who, 'class targets', targets);
      const isFloats = isTensor || check.arrayKind(targets) !== undefined;
      const got =
        (isTensor ? `a tensor of ${targets.dtype}` : check.describe(targets)) +
        (isFloats ? " (tensor(labels, { dtype: 'int64' }) has whole numbers)" : '');
      throw new TypeError(
        `${who}: expected class targets as an integer array or tensor, number[] or bigint[], got ${got}.`,
      );
    }
    const list = targets as ArrayLike<unknown>;
    const kind = check.arrayKind(list);
    if (kind === 'Int32Array' || kind === 'BigInt64Array') {
      const given = list as Int32Array | BigInt64Array;
      if (check.arrayLength(given) !== rows) {
        throw wrongCount(who, rows, check.arrayLength(given));
      }
      const dtype = kind === 'Int32Array' ? 'int32' : 'int64';
      return new Labels(who, Tensor.adopting(given, [rows], dtype), classes, ignore);
    }
    const copy = check.classTargets(who, list, rows, classes, ignore);
    return new Labels(who, Tensor.adopting(copy, [rows], 'int32'), classes, ignore);
  }
}

/** Of [N, classes] PyTorch says by the targets' shape whether their number or their dimensions are wrong. */
function checkShape(who: string, { shape }: Tensor, { outer, rows, input }: ClassRows): void {
  if (check.equalShapes(shape, outer)) return;
  const isFlat = outer.length === 1;
  if (isFlat && shape.length === 1) throw wrongCount(who, rows, shape[0]!);
  const hint = ' (0D or 1D target tensor expected, multi-target not supported)';
  throw check.wrongValue(
    who,
    `class targets of shape ${check.shapeText(outer)}`,
    `shape ${check.shapeText(shape)} for an input of shape ${check.shapeText(input.shape)}` +
      (isFlat && shape.length > 1 ? hint : ''),
  );
}

function wrongCount(who: string, rows: number, got: number): RangeError {
  return check.wrongValue(who, `${rows} class targets`, String(got));
}

/** Class targets as a call takes them: the forward checks and copies them, because backward must see what it saw. */
export class Labels {
  /** What the forward has read. */
  readonly copy: Int32Array;

  constructor(
    private readonly who: string,
    readonly given: Tensor,
    private readonly classes: number,
    readonly ignore: number,
  ) {
    this.copy = new Int32Array(given.numel);
  }

  /** The array of the targets, for the call that reads them. */
  in(arrayOf: ArrayOf): Int32Array | BigInt64Array {
    return arrayOf(this.given) as TensorData as Int32Array | BigInt64Array;
  }

  /** @throws {RangeError} where the call has found a target that is neither a class nor ignored, at `result`. */
  checkFound(arrayOf: ArrayOf, result: unknown): void {
    if (result === -1) return;
    const at = result as number;
    const got = `${check.describe(this.in(arrayOf)[at])} at index ${at}`;
    throw check.wrongValue(this.who, `class targets from 0 to ${this.classes - 1}`, got);
  }
}
