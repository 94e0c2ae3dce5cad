import * as check from '../check/index.js';
import { embedding, paddingRow } from '../functional/embedding.js';
import type { Indices } from '../functional/shapes/indices.js';
import { floats, learned, Parameter, Tensor } from '../tensor/tensor.js';
import { normal_ } from './init.js';
import { HOLDS, WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { weightOrBias } from './module/replaced.js';

export interface EmbeddingLayerOptions {
  /** A row that starts as 0 and gets no gradient; negative ones count from the end. Default none. */
  paddingIdx?: number | undefined;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
}

/** Learned rows: what the two kinds of embedding share. */
export abstract class Rows extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  /** The row without gradient, from 0 on; null where there is none. */
  readonly paddingIdx: number | null;
  /** [numEmbeddings, embeddingDim]. */
  weight: Parameter;

  /** @param names - Of the options that the kind has beside. */
  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    options: EmbeddingLayerOptions,
    names: readonly string[],
  ) {
    super();
    const who = this[WHO];
    this.numEmbeddings = check.wholeNumber(who, 'numEmbeddings', numEmbeddings, 1);
    this.embeddingDim = check.wholeNumber(who, 'embeddingDim', embeddingDim, 1);
    check.options(who, options, ['paddingIdx', 'dtype', ...names]);
    const { dtype = 'float32' } = options;
    check.oneOf(who, 'dtype', dtype, ['float32', 'float64']);
    const padding = paddingRow(who, options.paddingIdx, numEmbeddings);
    this.paddingIdx = padding < 0 ? null : padding;
    this.weight = new Parameter(Tensor.uninitialized([numEmbeddings, embeddingDim], dtype));
    this.resetParameters();
  }

  /** @internal */
  override [HOLDS](name: string): 'Parameter' | undefined {
    return weightOrBias(name);
  }

  /** Draws the rows anew; that of `paddingIdx` is 0. */
  resetParameters(): void {
    const weight = learned<Parameter | null>(this[WHO], 'weight', this.weight);
    if (weight === null) throw check.wrongKind(this[WHO], 'weight to be a Parameter', weight);
    normal_(weight);
    const { paddingIdx, embeddingDim } = this;
    if (paddingIdx === null) return;
    floats(weight).fill(0, paddingIdx * embeddingDim, (paddingIdx + 1) * embeddingDim);
  }
}

/**
 * A learned row for each of `numEmbeddings` integers: `functional.embedding`. Rows start standard normal.
 *
 * @example
 * ```ts
 * const words = new nn.Embedding(10, 3, { paddingIdx: 0 });
 * words.forward([0]).toArray(); // => [[0, 0, 0]]
 * ```
 */
export class Embedding extends Rows {
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super(numEmbeddings, embeddingDim, options, []);
  }

  /** @param index - Whole numbers of any shape: an int32 or int64 tensor, or an array. @returns [..., embeddingDim]. */
  forward(index: Indices, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    const { paddingIdx } = this;
    const weight = learned(this[WHO], 'weight', this.weight);
    return embedding(index, weight, { paddingIdx: paddingIdx ?? undefined });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? '' : `, padding_idx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}`;
  }
}
