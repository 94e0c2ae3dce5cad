// Activations as layers, without state: their options, checked when one is made, and a call of functional.
// ReLU: relu.ts; PReLU, which is learned: prelu.ts. Longer than 250 lines because each class repeats the same few lines.
import * as check from '../check/index.js';
import { glu, type GLUOptions } from '../functional/glu.js';
import {
  eluOptions,
  geluOptions,
  hardtanhOptions,
  leakyReluOptions,
  softplusOptions,
  type ELUOptions,
  type GELUOptions,
  type HardtanhOptions,
  type LeakyReLUOptions,
  type SoftplusOptions,
} from '../functional/pointwise/activation-options.js';
import {
  FIXED,
  WITH_OPTIONS,
  type PointwiseActivation,
} from '../functional/pointwise/activation-table.js';
import * as functions from '../functional/pointwise/activations.js';
import { logSoftmax, softmax, type SoftmaxOptions } from '../functional/reductions/softmax.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { pythonFloat, pythonString } from './module/repr.js';

const OPTIONS = Symbol('options');
const APPLY = Symbol('apply');
const DIM = Symbol('dim');
const POINTWISE = Symbol('pointwise');

/** A layer of one function of x and of options that stay. */
abstract class Activation extends Module {
  /** @internal */
  abstract [APPLY](x: TensorLike): Tensor;

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return this[APPLY](x);
  }
}

/** Of each element by itself. */
abstract class Pointwise extends Activation {
  /** @internal */
  abstract get [POINTWISE](): PointwiseActivation;

  /** @internal */
  [APPLY](x: TensorLike): Tensor {
    return functions.activate(x, this[POINTWISE]);
  }
}

/** @internal What a layer computes, where that is a pointwise activation and nothing else. */
export function pointwiseOf(layer: Module): PointwiseActivation | null {
  const isPlain = layer instanceof Pointwise && layer.forward === Pointwise.prototype.forward;
  return isPlain ? layer[POINTWISE] : null;
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Pointwise {
  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return FIXED.sigmoid;
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Pointwise {
  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return FIXED.tanh;
  }
}

/** x · sigmoid(x), also called swish (Elfwing et al. 2018). */
export class SiLU extends Pointwise {
  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return FIXED.silu;
  }
}

/** x · tanh(log(1 + e^x)) (Misra 2019). */
export class Mish extends Pointwise {
  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return FIXED.mish;
  }
}

/** log(1 / (1 + e^-x)), without overflow. */
export class LogSigmoid extends Pointwise {
  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return FIXED.logSigmoid;
  }
}

/** min(max(x, 0), 6). */
export class ReLU6 extends Pointwise {
  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return FIXED.relu6;
  }
}

/** x · Φ(x), Φ the standard normal distribution: `functional.gelu`. */
export class GELU extends Pointwise {
  private readonly [OPTIONS]: Required<GELUOptions>;

  constructor(options: GELUOptions = {}) {
    super();
    this[OPTIONS] = geluOptions(this[WHO], options);
  }

  get approximate(): 'none' | 'tanh' {
    return this[OPTIONS].approximate!;
  }

  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return WITH_OPTIONS.gelu(this[WHO], this[OPTIONS]);
  }

  override extraRepr(): string {
    return `approximate=${pythonString(this.approximate)}`;
  }
}

/** x where x > 0, else negativeSlope · x: `functional.leakyRelu`. */
export class LeakyReLU extends Pointwise {
  private readonly [OPTIONS]: Required<LeakyReLUOptions>;

  constructor(options: LeakyReLUOptions = {}) {
    super();
    this[OPTIONS] = leakyReluOptions(this[WHO], options);
  }

  get negativeSlope(): number {
    return this[OPTIONS].negativeSlope!;
  }

  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return WITH_OPTIONS.leakyRelu(this[WHO], this[OPTIONS]);
  }

  override extraRepr(): string {
    return `negative_slope=${pythonFloat(this.negativeSlope)}`;
  }
}

/** x where x > 0, else alpha (e^x - 1): `functional.elu`. */
export class ELU extends Pointwise {
  private readonly [OPTIONS]: Required<ELUOptions>;

  constructor(options: ELUOptions = {}) {
    super();
    this[OPTIONS] = eluOptions(this[WHO], options);
  }

  get alpha(): number {
    return this[OPTIONS].alpha!;
  }

  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return WITH_OPTIONS.elu(this[WHO], this[OPTIONS]);
  }

  override extraRepr(): string {
    return `alpha=${pythonFloat(this.alpha)}`;
  }
}

/** log(1 + e^(beta x)) / beta: `functional.softplus`. */
export class Softplus extends Pointwise {
  private readonly [OPTIONS]: Required<SoftplusOptions>;

  constructor(options: SoftplusOptions = {}) {
    super();
    this[OPTIONS] = softplusOptions(this[WHO], options);
  }

  get beta(): number {
    return this[OPTIONS].beta!;
  }

  get threshold(): number {
    return this[OPTIONS].threshold!;
  }

  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return WITH_OPTIONS.softplus(this[WHO], this[OPTIONS]);
  }

  override extraRepr(): string {
    return `beta=${pythonFloat(this.beta)}, threshold=${pythonFloat(this.threshold)}`;
  }
}

/** x between minVal and maxVal, else the nearer of them: `functional.hardtanh`. */
export class Hardtanh extends Pointwise {
  private readonly [OPTIONS]: Required<HardtanhOptions>;

  constructor(options: HardtanhOptions = {}) {
    super();
    this[OPTIONS] = hardtanhOptions(this[WHO], options);
  }

  get minVal(): number {
    return this[OPTIONS].minVal!;
  }

  get maxVal(): number {
    return this[OPTIONS].maxVal!;
  }

  /** @internal */
  get [POINTWISE](): PointwiseActivation {
    return WITH_OPTIONS.hardtanh(this[WHO], this[OPTIONS]);
  }

  override extraRepr(): string {
    return `min_val=${pythonFloat(this.minVal)}, max_val=${pythonFloat(this.maxVal)}`;
  }
}

/** The option dim. How many dimensions there are is for the input to say. */
function dimOption(who: string, options: GLUOptions | undefined, standard?: number): number {
  check.options(who, options, ['dim']);
  const { dim = standard } = options ?? {};
  const what = 'dim to be a whole number';
  if (typeof dim !== 'number') throw check.wrongKind(who, what, dim);
  if (!Number.isInteger(dim)) throw check.wrongValue(who, what, check.describe(dim));
  return dim;
}

/** A layer along one dimension. */
abstract class AlongDimension extends Activation {
  /** @internal */
  protected abstract readonly [DIM]: number;

  get dim(): number {
    return this[DIM];
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** a · sigmoid(b), a and b the halves of a dimension: `functional.glu`. */
export class GLU extends AlongDimension {
  /** @internal */
  protected readonly [DIM]: number;

  constructor(options: GLUOptions = {}) {
    super();
    this[DIM] = dimOption(this[WHO], options, -1);
  }

  /** @internal */
  [APPLY](x: TensorLike): Tensor {
    return glu(x, { dim: this.dim });
  }
}

/**
 * e^x / Σ e^x along a dimension: `functional.softmax`.
 *
 * @throws {TypeError} without `dim`: PyTorch's choice by the rank is deprecated there.
 */
export class Softmax extends AlongDimension {
  /** @internal */
  protected readonly [DIM]: number;

  constructor(options: SoftmaxOptions) {
    super();
    this[DIM] = dimOption(this[WHO], options);
  }

  /** @internal */
  [APPLY](x: TensorLike): Tensor {
    return softmax(x, { dim: this.dim });
  }
}

/** log(e^x / Σ e^x) along a dimension: `functional.logSoftmax`. @throws {TypeError} without `dim`. */
export class LogSoftmax extends AlongDimension {
  /** @internal */
  protected readonly [DIM]: number;

  constructor(options: SoftmaxOptions) {
    super();
    this[DIM] = dimOption(this[WHO], options);
  }

  /** @internal */
  [APPLY](x: TensorLike): Tensor {
    return logSoftmax(x, { dim: this.dim });
  }
}
