// Normalisations by each sample's own statistics, as layers: the same in training and in evaluation.
import * as check from '../check/index.js';
import { groupNorm, instanceNorm, layerNorm, normalizedShape } from '../functional/layer-norm.js';
import { numberOption } from '../functional/pointwise/activation-options.js';
import { learned, Parameter, Tensor, type TensorLike } from '../tensor/tensor.js';
import { HOLDS, WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { weightOrBias } from './module/replaced.js';
import { pythonBoolean, pythonFloat } from './module/repr.js';

export interface LayerNormLayerOptions {
  /** Added to the variance, above 0. Default 1e-5. */
  eps?: number | undefined;
  /** Learn a scale, and a shift with `bias`. Default true. */
  elementwiseAffine?: boolean | undefined;
  /** Learn a shift. Default true. */
  bias?: boolean | undefined;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
}

export interface GroupNormLayerOptions {
  /** Added to the variance, above 0. Default 1e-5. */
  eps?: number | undefined;
  /** Learn a scale and a shift. Default true; for `InstanceNorm1d` false. */
  affine?: boolean | undefined;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
}

const AFFINE = Symbol('affine');

/** eps, and the parameters of a normalisation: ones, and zeros. */
abstract class SampleNorm extends Module {
  readonly eps: number;
  /** Scale; null without. */
  weight: Parameter | null;
  /** Shift; null without. */
  bias: Parameter | null;

  constructor(
    shapeOf: (who: string) => readonly number[],
    options: GroupNormLayerOptions,
    learns: (who: string) => readonly [weight: boolean, bias: boolean],
    names: readonly string[],
  ) {
    super();
    const who = this[WHO];
    const shape = shapeOf(who);
    check.options(who, options, ['eps', 'dtype', ...names]);
    const { dtype = 'float32' } = options;
    check.oneOf(who, 'dtype', dtype, ['float32', 'float64']);
    this.eps = numberOption(who, 'eps', options.eps, 1e-5);
    if (!(this.eps > 0)) throw check.wrongValue(who, 'eps above 0', check.describe(this.eps));
    const [weight, bias] = learns(who);
    this.weight = weight ? new Parameter(Tensor.filled(shape, dtype, 1)) : null;
    this.bias = bias ? new Parameter(Tensor.filled(shape, dtype, 0)) : null;
  }

  /** @internal */
  override [HOLDS](name: string): 'Parameter' | undefined {
    return weightOrBias(name);
  }

  /** Sets weight to 1 and bias to 0. */
  resetParameters(): void {
    const who = this[WHO];
    const [weight, bias] = [learned(who, 'weight', this.weight), learned(who, 'bias', this.bias)];
    for (const each of [weight, bias]) each?.attached(`${who}.resetParameters`, 'a parameter');
    for (const [each, value] of [[weight, 1] as const, [bias, 0] as const]) {
      if (each === null) continue;
      (each.attached(who) as Float32Array).fill(value);
      each.markChanged();
    }
  }

  /** @internal The options of a call of functional. */
  get [AFFINE](): { weight: Tensor | null; bias: Tensor | null; eps: number } {
    const who = this[WHO];
    return {
      weight: learned(who, 'weight', this.weight),
      bias: learned(who, 'bias', this.bias),
      eps: this.eps,
    };
  }
}

/**
 * Normalises each sample over the last dimensions (Ba et al. 2016): y = (x - mean) / sqrt(var + eps) · weight + bias, with
 * weight and bias of their shape. Training and evaluation are the same.
 *
 * @throws {RangeError | TypeError} for a shape or an option that is none.
 * @example
 * ```ts
 * const norm = new nn.LayerNorm(2, { eps: 3 });
 * norm.forward(tensor([[1, 3]])).toArray(); // => [[-0.5, 0.5]]
 * ```
 */
export class LayerNorm extends SampleNorm {
  readonly normalizedShape: readonly number[];

  constructor(shape: number | readonly number[], options: LayerNormLayerOptions = {}) {
    let sizes: readonly number[] = [];
    super(
      (who) => (sizes = normalizedShape(who, shape)),
      options,
      (who) => {
        const { elementwiseAffine = true, bias = true } = options;
        check.boolean(who, 'elementwiseAffine', elementwiseAffine);
        check.boolean(who, 'bias', bias);
        return [elementwiseAffine, elementwiseAffine && bias];
      },
      ['elementwiseAffine', 'bias'],
    );
    this.normalizedShape = sizes;
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return layerNorm(x, this.normalizedShape, this[AFFINE]);
  }

  override extraRepr(): string {
    const sizes = this.normalizedShape;
    const shape = sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
    const affine = pythonBoolean(this.weight !== null);
    return `${shape}, eps=${pythonFloat(this.eps)}, elementwise_affine=${affine}`;
  }
}

/**
 * Normalises [N, C, *] over each of `numGroups` groups of channels of a sample (Wu & He 2018), with a scale and a shift for
 * each channel.
 *
 * @throws {RangeError | TypeError} for groups that do not divide the channels, and an option that is none.
 * @example
 * ```ts
 * const norm = new nn.GroupNorm(1, 2, { eps: 3 });
 * norm.forward(tensor([[1, 3]])).toArray(); // => [[-0.5, 0.5]]
 * ```
 */
export class GroupNorm extends SampleNorm {
  readonly numGroups: number;
  readonly numChannels: number;

  constructor(numGroups: number, numChannels: number, options: GroupNormLayerOptions = {}) {
    super(
      (who) => {
        check.wholeNumber(who, 'numGroups', numGroups, 1);
        check.wholeNumber(who, 'numChannels', numChannels, 1);
        if (numChannels % numGroups === 0) return [numChannels];
        throw check.wrongValue(
          who,
          `numChannels that ${numGroups} groups divide (num_channels must be divisible by num_groups)`,
          String(numChannels),
        );
      },
      options,
      (who) => bothIf(who, options.affine, true),
      ['affine'],
    );
    this.numGroups = numGroups;
    this.numChannels = numChannels;
  }

  /** @param x - [N, numChannels, …]. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    const input = x instanceof Tensor ? x : Tensor.operand(this[WHO], 'the input', x);
    channelsAre(this[WHO], input, 1, this.numChannels);
    return groupNorm(input, this.numGroups, this[AFFINE]);
  }

  override extraRepr(): string {
    const affine = pythonBoolean(this.weight !== null);
    return `${this.numGroups}, ${this.numChannels}, eps=${pythonFloat(this.eps)}, affine=${affine}`;
  }
}

/**
 * Normalises each channel of each sample of [N, C, L] over L (Ulyanov et al. 2016). With `affine` it has a scale and a shift
 * for each channel. It keeps no running statistics.
 *
 * @throws {RangeError | TypeError} for channels that are no whole number, and an option that is none.
 * @example
 * ```ts
 * const norm = new nn.InstanceNorm1d(1, { eps: 3 });
 * norm.forward(tensor([[[1, 3]]])).toArray(); // => [[[-0.5, 0.5]]]
 * ```
 */
export class InstanceNorm1d extends SampleNorm {
  readonly numFeatures: number;

  constructor(numFeatures: number, options: GroupNormLayerOptions = {}) {
    super(
      (who) => [check.wholeNumber(who, 'numFeatures', numFeatures, 1)],
      options,
      (who) => bothIf(who, options.affine, false),
      ['affine'],
    );
    this.numFeatures = numFeatures;
  }

  /** @param x - [N, numFeatures, L], or [numFeatures, L]. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    const input = x instanceof Tensor ? x : Tensor.operand(this[WHO], 'the input', x);
    channelsAre(this[WHO], input, input.shape.length - 2, this.numFeatures);
    return instanceNorm(input, this[AFFINE]);
  }

  override extraRepr(): string {
    const affine = pythonBoolean(this.weight !== null);
    return `${this.numFeatures}, eps=${pythonFloat(this.eps)}, momentum=0.1, affine=${affine}, track_running_stats=False`;
  }
}

function bothIf(who: string, affine: unknown, otherwise: boolean): readonly [boolean, boolean] {
  const both = affine === undefined ? otherwise : check.boolean(who, 'affine', affine);
  return [both, both];
}

function channelsAre(who: string, input: Tensor, dim: number, channels: number): void {
  if (input.shape[dim] === channels) return;
  throw check.wrongValue(
    who,
    `input with ${channels} channels`,
    `shape ${check.shapeText(input.shape)}`,
  );
}
