// Normalisations by each sample's own statistics: those of a batch normalisation whose channels are the samples.
import * as check from '../check/index.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';
import { batchNorm } from './batchnorm/batchnorm.js';
import { numberOption } from './pointwise/activation-options.js';
import { floatingInput } from './pointwise/apply.js';
import { add, mul } from './pointwise/arithmetic.js';
import { reshape } from './shapes/reshape.js';

export interface LayerNormOptions {
  /** The shape that is normalised: scale. Default none. */
  weight?: Tensor | null | undefined;
  /** The same: shift. Default none. */
  bias?: Tensor | null | undefined;
  /** Added to the variance, above 0. Default 1e-5. */
  eps?: number | undefined;
}

export interface GroupNormOptions {
  /** [C]: scale. Default none. */
  weight?: Tensor | null | undefined;
  /** [C]: shift. Default none. */
  bias?: Tensor | null | undefined;
  /** Added to the variance, above 0. Default 1e-5. */
  eps?: number | undefined;
}

interface Affine {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly eps: number;
}

function affineOf(
  who: string,
  input: Tensor,
  options: LayerNormOptions,
  shape: readonly number[],
): Affine {
  check.options(who, options, ['weight', 'bias', 'eps']);
  const { weight = null, bias = null } = options;
  const eps = numberOption(who, 'eps', options.eps, 1e-5);
  if (!(eps > 0)) throw check.wrongValue(who, 'eps above 0', check.describe(eps));
  for (const [name, each] of [['weight', weight] as const, ['bias', bias] as const]) {
    if (each === null) continue;
    if (!((each as unknown) instanceof Tensor))
      throw check.wrongKind(who, `${name} to be a Tensor or null`, each);
    check.sameDtype(who, name, each, input.dtype);
    check.sameShape(who, name, each, shape);
    each.present(who, name);
  }
  return { weight, bias, eps };
}

/** Each of `rows` rows by its own mean and variance. */
function byRow(input: Tensor, rows: number, eps: number): Tensor {
  const width = input.numel / rows;
  // One value is its own mean: (x - x) / deviation, with NaN where x is not finite, and no gradient.
  if (input.numel === 0 || width === 1) return mul(input, 0);
  const normalized = batchNorm(reshape(input, [1, rows, width]), null, null, {
    training: true,
    eps,
  });
  return reshape(normalized, input.shape);
}

/** y · weight + bias, where they are seen under `shape`. */
function scaled(y: Tensor, { weight, bias }: Affine, shape: readonly number[]): Tensor {
  const gained = weight === null ? y : mul(y, reshape(weight, shape));
  return bias === null ? gained : add(gained, reshape(bias, shape));
}

/**
 * (x − mean) / sqrt(var + eps) · weight + bias, with the mean and the biased variance of the last dimensions (Ba et al.
 * 2016).
 *
 * @param x - Any shape that ends with `shape`: float32 or float64.
 * @param shape - The dimensions that are normalised together; a number is one.
 * @throws {RangeError} where x does not end with the shape.
 * @example
 * ```ts
 * functional.layerNorm(tensor([[1, 3], [5, 5]]), [2], { eps: 1e-30 }).toArray(); // => [[-1, 1], [0, 0]]
 * ```
 */
export function layerNorm(
  x: TensorLike,
  shape: number | readonly number[],
  options: LayerNormOptions = {},
): Tensor {
  const who = 'layerNorm';
  const input = floatingInput(who, x);
  const sizes = normalizedShape(who, shape);
  const affine = affineOf(who, input, options, sizes);
  const rank = input.shape.length - sizes.length;
  if (rank < 0 || !check.equalShapes(input.shape.slice(rank), sizes)) {
    throw check.wrongValue(
      who,
      `input that ends with shape ${check.shapeText(sizes)}`,
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  const rows = check.numelOf(input.shape, 0, rank);
  return scaled(byRow(input, rows, affine.eps), affine, sizes);
}

/** The dimensions of a layer normalisation: at least one. */
export function normalizedShape(who: string, value: unknown): readonly number[] {
  const sizes = check.shape(who, typeof value === 'number' ? [value] : value);
  if (sizes.length === 0 || sizes.includes(0)) {
    throw check.wrongValue(who, 'a shape of at least one size above 0', check.shapeText(sizes));
  }
  return sizes;
}

/**
 * The same with the statistics of each sample's groups of channels (Wu & He 2018).
 *
 * @param x - [N, C, …]: float32 or float64.
 * @param groups - A number that divides C.
 * @throws {RangeError} where it does not.
 */
export function groupNorm(x: TensorLike, groups: number, options: GroupNormOptions = {}): Tensor {
  const who = 'groupNorm';
  const input = floatingInput(who, x);
  check.wholeNumber(who, 'groups', groups, 1);
  return byChannels(who, input, groups, options);
}

/**
 * The same with the statistics of each sample's channels (Ulyanov et al. 2016).
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 * @throws {RangeError} where a channel has one value.
 */
export function instanceNorm(x: TensorLike, options: GroupNormOptions = {}): Tensor {
  const who = 'instanceNorm';
  const input = floatingInput(who, x);
  const batch = input.shape.length === 2 ? reshape(input, [1, ...input.shape]) : input;
  const [, channels = 0, length = 0] = batch.shape;
  if (batch.shape.length !== 3 || length === 1) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, L] or [C, L] (Expected more than 1 spatial element when training)',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  const y = byChannels(who, batch, Math.max(channels, 1), options);
  return batch === input ? y : reshape(y, input.shape);
}

function byChannels(who: string, input: Tensor, groups: number, options: GroupNormOptions): Tensor {
  const [n, channels] = input.shape;
  if (n === undefined || channels === undefined) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, ...]',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  if (channels % groups !== 0) {
    throw check.wrongValue(who, `channels that ${groups} groups divide`, String(channels));
  }
  const affine = affineOf(who, input, options, [channels]);
  const seen = [channels, ...input.shape.slice(2).map(() => 1)];
  return scaled(byRow(input, n * groups, affine.eps), affine, seen);
}
