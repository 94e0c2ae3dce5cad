import * as check from '../check/index.js';
import { BAG_MODES, embeddingBag, type EmbeddingBagOptions } from '../functional/embedding-bag.js';
import type { Indices } from '../functional/shapes/indices.js';
import { learned, type Tensor } from '../tensor/tensor.js';
import { Rows, type EmbeddingLayerOptions } from './embedding.js';
import { WHO } from './module/internals.js';

export interface EmbeddingBagLayerOptions extends EmbeddingLayerOptions {
  /** What is made of the rows of a bag. Default 'mean'. */
  mode?: 'sum' | 'mean' | 'max' | undefined;
  /** The last offset is the end of the last bag, not the beginning of one more. Default false. */
  includeLastOffset?: boolean | undefined;
}

export type EmbeddingBagForwardOptions = Pick<EmbeddingBagOptions, 'offsets' | 'perSampleWeights'>;

const FORWARD = ['offsets', 'perSampleWeights'];

/**
 * The sum, mean or maximum of learned rows over bags of integers: `functional.embeddingBag`. Rows start standard normal.
 *
 * @example
 * ```ts
 * const words = new nn.EmbeddingBag(10, 3, { mode: 'sum' });
 * words.forward([1, 2, 4, 5], { offsets: [0, 3] }).shape; // => [2, 3]
 * ```
 */
export class EmbeddingBag extends Rows {
  static override readonly forwardOptions: readonly string[] = FORWARD;
  readonly mode: 'sum' | 'mean' | 'max';
  readonly includeLastOffset: boolean;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}) {
    super(numEmbeddings, embeddingDim, options, ['mode', 'includeLastOffset']);
    const { mode = 'mean', includeLastOffset } = options;
    this.mode = check.oneOf(this[WHO], 'mode', mode, BAG_MODES);
    this.includeLastOffset = check.booleanOption(this[WHO], 'includeLastOffset', includeLastOffset);
  }

  /**
   * @param index - [bags, entries], or a list with `offsets`: an int32 or int64 tensor, or an array.
   * @returns [bags, embeddingDim].
   */
  forward(index: Indices, options: EmbeddingBagForwardOptions = {}, ...rest: never[]): Tensor {
    const who = this[WHO];
    if (rest.length > 0) check.noMore(`${who}.forward`, 2, rest);
    check.options(`${who}.forward`, options, FORWARD);
    const { mode, includeLastOffset, paddingIdx } = this;
    return embeddingBag(index, learned(who, 'weight', this.weight), {
      ...{ offsets: options.offsets, perSampleWeights: options.perSampleWeights },
      ...{ mode, includeLastOffset, paddingIdx: paddingIdx ?? undefined },
    });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? '' : `, padding_idx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}, mode='${this.mode}'${padding}`;
  }
}
