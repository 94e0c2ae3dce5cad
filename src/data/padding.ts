import * as check from '../check/index.js';
import { isFloating, type DType } from '../memory/dtype.js';
import { holds } from '../memory/elements.js';
import { Tensor } from '../tensor/tensor.js';

export interface PadSequenceOptions {
  /** The dimension whose sizes differ, from the end where negative. Default -1: the last, as BatchNorm1d has it. */
  dim?: number | undefined;
  /** What fills the rest: of integer sequences a whole number, as of int64 ones also a BigInt. Default 0. */
  value?: number | bigint | undefined;
}

/**
 * Stacks sequences of different lengths: what is missing is filled up, and how long each was goes to
 * `bn.forward(x, { lengths })`, so that nothing counts the padding.
 *
 * @param sequences - Tensors of one dtype, of equal sizes but along `dim`.
 * @returns `padded`, [N, …] with the largest size along `dim`, and `lengths`, int32 [N].
 * @throws {TypeError | RangeError} for other tensors.
 * @example
 * ```ts
 * const { padded, lengths } = data.padSequence([tensor([[1, 2, 3]]), tensor([[4]])]);
 * padded.toArray(); // => [[[1, 2, 3]], [[4, 0, 0]]]
 * new nn.BatchNorm1d(1).forward(padded, { lengths }).shape; // => [2, 1, 3]
 * ```
 * @example
 * ```ts
 * const { padded } = data.padSequence([tensor([5n, 6n]), tensor([7n])], { value: -1 }); // symbols of texts
 * padded.toArray(); // => [[5, 6], [7, -1]]
 * ```
 */
export function padSequence(
  sequences: Iterable<Tensor>,
  options: PadSequenceOptions = {},
): { padded: Tensor; lengths: Tensor } {
  const who = 'padSequence';
  const list = [...(check.iterable(who, 'sequences', sequences) as Iterable<Tensor>)];
  check.options(who, options, ['dim', 'value'], { elsewhere: ELSEWHERE });
  const { dim = -1, value = 0 } = options;
  const { first, axis } = checked(who, list, dim);
  checkValue(who, value, first.dtype);
  const longest = Math.max(...list.map(({ shape }) => shape[axis] ?? 0));
  const shape = first.shape.map((size, i) => (i === axis ? longest : size));
  const padded = Tensor.filled([list.length, ...shape], first.dtype, value);
  const lengths = Tensor.uninitialized([list.length], 'int32');
  const outer = check.numelOf(shape, 0, axis);
  const inner = check.numelOf(shape, axis + 1);
  const to = padded.attached(who) as Float32Array;
  list.forEach((each, n) => {
    const length = each.shape[axis]!;
    (lengths.attached(who) as Int32Array)[n] = length;
    const from = each.attached(who) as Float32Array;
    for (let o = 0; o < outer; o++) {
      const run = from.subarray(o * length * inner, (o + 1) * length * inner);
      to.set(run, (n * outer + o) * longest * inner);
    }
  });
  return { padded, lengths };
}

/** What PyTorch calls the options, and what to do here. */
const ELSEWHERE = {
  paddingValue: "it is 'value' here",
  batchFirst: 'the batch always comes first here; sequences of shape [L, C] take dim: 0',
  paddingSide: 'the padding always comes last here',
};

function checkValue(who: string, value: unknown, dtype: DType): void {
  if (isFloating(dtype)) {
    check.numberBetween(who, 'value', value, -Number.MAX_VALUE, Number.MAX_VALUE);
    return;
  }
  const what = `value to be a whole number that ${dtype} holds, as the sequences are`;
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw check.wrongKind(who, what, value);
  if ((typeof value === 'number' && !Number.isInteger(value)) || !holds(dtype, value)) {
    throw check.wrongValue(who, what, check.describe(value));
  }
}

/** The first sequence, which all others are like but along the axis, and that axis. */
function checked(
  who: string,
  list: readonly Tensor[],
  dim: number,
): { first: Tensor; axis: number } {
  const [first] = list;
  if (first === undefined) throw check.wrongValue(who, 'at least one sequence', 'none');
  for (const each of list as unknown[]) {
    if (!(each instanceof Tensor)) throw check.wrongKind(who, 'Tensors', each);
  }
  const rank = first.shape.length;
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) {
    throw check.wrongValue(who, `dim from ${-rank} to ${rank - 1}`, check.describe(dim));
  }
  const axis = dim < 0 ? dim + rank : dim;
  for (const each of list) {
    check.sameShape(
      who,
      'sequences',
      each,
      first.shape.map((size, i) => (i === axis ? (each.shape[axis] ?? -1) : size)),
    );
    check.dtype(who, 'sequences', each, first.dtype, ' like the first');
    each.attached(who, 'a sequence');
  }
  return { first, axis };
}
