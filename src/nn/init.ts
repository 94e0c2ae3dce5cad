// Initial values of weights, from the one stream of random numbers: after the same seed the same bits on every machine.
// Each writes in place, without recording, and returns its tensor.
// Longer than 250 lines because each public initialiser documents its formula, and they share the fans and the stream
// of random numbers.
import * as check from '../check/index.js';
import { fillNormal, fillUniform } from '../tensor/random.js';
import { floats, Tensor } from '../tensor/tensor.js';

/** What follows the layer: it says by how much the weights are larger. */
export type Nonlinearity =
  'linear' | 'conv1d' | 'sigmoid' | 'tanh' | 'relu' | 'leaky_relu' | 'selu';

export interface KaimingOptions {
  /** The slope of leaky_relu for negative numbers. Default 0. */
  a?: number | undefined;
  /** Whether the variance is kept forward (default) or backward. */
  mode?: 'fan_in' | 'fan_out' | undefined;
  /** Default 'leaky_relu'. */
  nonlinearity?: Nonlinearity | undefined;
}

const NONLINEARITIES = [
  'linear',
  'conv1d',
  'sigmoid',
  'tanh',
  'relu',
  'leaky_relu',
  'selu',
] as const;

/**
 * By how much weights are larger for what follows, as `torch.nn.init.calculate_gain`.
 *
 * @param slope - Of leaky_relu. Default 0.01.
 * @example
 * ```ts
 * nn.init.calculateGain('tanh').toFixed(4); // => '1.6667'
 * ```
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const who = 'init.calculateGain';
  check.oneOf(who, 'nonlinearity', nonlinearity, NONLINEARITIES);
  check.numberBetween(who, 'slope', slope, -1e6, 1e6);
  if (nonlinearity === 'tanh') return 5 / 3;
  if (nonlinearity === 'relu') return Math.sqrt(2);
  if (nonlinearity === 'leaky_relu') return Math.sqrt(2 / (1 + slope * slope));
  return nonlinearity === 'selu' ? 3 / 4 : 1;
}

/** The tensor, floating and there. */
function target(who: string, tensor: unknown): Tensor {
  if (!(tensor instanceof Tensor)) throw check.wrongKind(who, 'a Tensor', tensor);
  check.floating(who, 'the tensor', tensor);
  tensor.attached(who, 'the tensor');
  return tensor;
}

/** [outputs, inputs, …]: how many values go into an output, and how many outputs a value goes into. */
function fansOf(who: string, { shape }: Tensor): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    const what =
      'a tensor of at least 2 dimensions (fan in and fan out can not be computed for fewer)';
    throw check.wrongValue(who, what, `shape ${check.shapeText(shape)}`);
  }
  const field = check.numelOf(shape, 2);
  return { fanIn: shape[1]! * field, fanOut: shape[0]! * field };
}

function uniform(tensor: Tensor, low: number, high: number): Tensor {
  fillUniform(floats(tensor), low, high);
  tensor.markChanged();
  return tensor;
}

function normal(tensor: Tensor, mean: number, deviation: number): Tensor {
  fillNormal(floats(tensor), mean, deviation);
  tensor.markChanged();
  return tensor;
}

/**
 * Uniform in [low, high).
 *
 * @example
 * ```ts
 * const w = nn.init.uniform_(tensor([0, 0, 0]), -1, 1);
 * w.toArray().every((each) => each >= -1 && each < 1); // => true
 * ```
 */
export function uniform_(tensor: Tensor, low = 0, high = 1, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.uniform_', 3, rest);
  const who = 'init.uniform_';
  const to = target(who, tensor);
  check.numberBetween(who, 'low', low, -Number.MAX_VALUE, Number.MAX_VALUE);
  check.numberBetween(who, 'high', high, low, Number.MAX_VALUE);
  return uniform(to, low, high);
}

/** Normal with that mean and standard deviation (at least 0). */
export function normal_(tensor: Tensor, mean = 0, std = 1, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.normal_', 3, rest);
  const who = 'init.normal_';
  const to = target(who, tensor);
  check.numberBetween(who, 'mean', mean, -Number.MAX_VALUE, Number.MAX_VALUE);
  check.numberBetween(who, 'std', std, 0, Infinity);
  return normal(to, mean, std);
}

/**
 * Normal, of which what is outside of [a, b] is drawn again.
 *
 * @throws {RangeError} where fewer than one in a thousand would be inside.
 */
export function truncNormal_(
  tensor: Tensor,
  mean = 0,
  std = 1,
  a = -2,
  b = 2,
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('init.truncNormal_', 5, rest);
  const who = 'init.truncNormal_';
  const to = target(who, tensor);
  check.numberBetween(who, 'mean', mean, -Number.MAX_VALUE, Number.MAX_VALUE);
  check.numberBetween(who, 'std', std, Number.MIN_VALUE, Infinity);
  check.numberBetween(who, 'a', a, -Number.MAX_VALUE, Number.MAX_VALUE);
  check.numberBetween(who, 'b', b, a, Number.MAX_VALUE);
  const [low, high] = [(a - mean) / std, (b - mean) / std];
  if (low > 3 || high < -3 || high - low < 0.01) {
    throw check.wrongValue(
      who,
      'bounds that some values are in',
      `${low} to ${high} deviations from the mean`,
    );
  }
  const data = floats(to);
  const drawn = new Float64Array(data.length);
  let missing = Uint32Array.from(data.keys());
  while (missing.length > 0) {
    const values = new Float64Array(missing.length);
    fillNormal(values, mean, std);
    // Rounded to the element type first: that must be inside too.
    const one = to.dtype === 'float32' ? Math.fround : Number;
    values.forEach((value, i) => (drawn[missing[i]!] = one(value)));
    missing = missing.filter((at) => !(drawn[at]! >= a && drawn[at]! <= b));
  }
  data.set(drawn);
  to.markChanged();
  return to;
}

/** Every element is `value`. */
export function constant_(tensor: Tensor, value: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.constant_', 2, rest);
  const who = 'init.constant_';
  const to = target(who, tensor);
  check.numberBetween(who, 'value', value, -Number.MAX_VALUE, Number.MAX_VALUE);
  floats(to).fill(value);
  to.markChanged();
  return to;
}

/** Fills the tensor with 0, and returns it. @throws {TypeError} for another kind or dtype. */
export function zeros_(tensor: Tensor, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.zeros_', 1, rest);
  return constant_(target('init.zeros_', tensor), 0);
}

/** Fills the tensor with 1, and returns it. @throws {TypeError} for another kind or dtype. */
export function ones_(tensor: Tensor, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.ones_', 1, rest);
  return constant_(target('init.ones_', tensor), 1);
}

function kaiming(who: string, tensor: unknown, options: KaimingOptions): [Tensor, number] {
  const to = target(who, tensor);
  check.options(who, options, ['a', 'mode', 'nonlinearity']);
  const { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' } = options;
  check.numberBetween(who, 'a', a, -1e6, 1e6);
  check.oneOf(who, 'mode', mode, ['fan_in', 'fan_out']);
  check.oneOf(who, 'nonlinearity', nonlinearity, NONLINEARITIES);
  const { fanIn, fanOut } = fansOf(who, to);
  const fan = mode === 'fan_in' ? fanIn : fanOut;
  return [to, fan === 0 ? 0 : calculateGain(nonlinearity, a) / Math.sqrt(fan)];
}

/**
 * He et al. 2015: uniform within sqrt(3) gain / sqrt(fan).
 *
 * @throws {RangeError} for a tensor of fewer than 2 dimensions.
 * @example
 * ```ts
 * const linear = new nn.Linear(3, 2);
 * nn.init.kaimingUniform_(linear.weight, { nonlinearity: 'relu' });
 * linear.weight.toArray().flat().every((each) => Math.abs(each) <= Math.sqrt(2)); // => true
 * ```
 */
export function kaimingUniform_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const [to, deviation] = kaiming('init.kaimingUniform_', tensor, options);
  const bound = Math.sqrt(3) * deviation;
  return uniform(to, -bound, bound);
}

/** He et al. 2015: normal with deviation gain / sqrt(fan). */
export function kaimingNormal_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const [to, deviation] = kaiming('init.kaimingNormal_', tensor, options);
  return normal(to, 0, deviation);
}

function xavier(who: string, tensor: unknown, gain: number): [Tensor, number] {
  const to = target(who, tensor);
  check.numberBetween(who, 'gain', gain, 0, Infinity);
  const { fanIn, fanOut } = fansOf(who, to);
  return [to, fanIn + fanOut === 0 ? 0 : gain * Math.sqrt(2 / (fanIn + fanOut))];
}

/** Glorot & Bengio 2010: uniform within gain sqrt(6 / (fan in + fan out)). */
export function xavierUniform_(tensor: Tensor, gain = 1, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.xavierUniform_', 2, rest);
  const [to, deviation] = xavier('init.xavierUniform_', tensor, gain);
  const bound = Math.sqrt(3) * deviation;
  return uniform(to, -bound, bound);
}

/** Glorot & Bengio 2010: normal with deviation gain sqrt(2 / (fan in + fan out)). */
export function xavierNormal_(tensor: Tensor, gain = 1, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.xavierNormal_', 2, rest);
  const [to, deviation] = xavier('init.xavierNormal_', tensor, gain);
  return normal(to, 0, deviation);
}

/**
 * Saxe et al. 2014: rows, or columns where there are fewer, that are orthogonal and of length gain. What is beyond the
 * second dimension counts to it.
 *
 * @throws {RangeError} for a tensor of fewer than 2 dimensions.
 */
export function orthogonal_(tensor: Tensor, gain = 1, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('init.orthogonal_', 2, rest);
  const who = 'init.orthogonal_';
  const to = target(who, tensor);
  check.numberBetween(who, 'gain', gain, -Number.MAX_VALUE, Number.MAX_VALUE);
  fansOf(who, to);
  const rows = to.shape[0]!;
  const columns = check.numelOf(to.shape, 1);
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const vectors = new Float64Array(count * length);
  fillNormal(vectors, 0, 1);
  orthonormalize(vectors, count, length);
  const data = floats(to);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < length; j++) {
      data[rows <= columns ? i * columns + j : j * columns + i] = gain * vectors[i * length + j]!;
    }
  }
  to.markChanged();
  return to;
}

/** Gram-Schmidt, twice, which is enough (Kahan; Parlett 1980). */
function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  for (let i = 0; i < count; i++) {
    const vector = vectors.subarray(i * length, (i + 1) * length);
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const other = vectors.subarray(k * length, (k + 1) * length);
        let dot = 0;
        for (let j = 0; j < length; j++) dot += vector[j]! * other[j]!;
        for (let j = 0; j < length; j++) vector[j] = vector[j]! - dot * other[j]!;
      }
    }
    let square = 0;
    for (const each of vector) square += each * each;
    const scale = 1 / Math.sqrt(square);
    for (let j = 0; j < length; j++) vector[j] = vector[j]! * scale;
  }
}
