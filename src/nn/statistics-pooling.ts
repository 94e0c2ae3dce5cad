import * as check from '../check/index.js';
import { correctionOf, statisticsPooling } from '../functional/pooling/statistics.js';
import type { StatisticsPoolingOptions } from '../functional/pooling/statistics.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

/**
 * `functional.statisticsPooling`. In a Sequential it takes `lengths` beside the BatchNorms before it.
 *
 * @example
 * ```ts
 * const model = new nn.Sequential(new nn.BatchNorm1d(2), new nn.StatisticsPooling());
 * model.forward(tensor(new Float32Array(30), [3, 2, 5]), { lengths: [5, 3, 2] }).shape; // => [3, 4]
 * ```
 */
export class StatisticsPooling extends Module {
  static override readonly forwardOptions: readonly string[] = ['lengths'];
  /** What the divisor of a variance is less than the number of steps: 1 or 0. */
  readonly correction: number;

  constructor(options: Pick<StatisticsPoolingOptions, 'correction'> = {}) {
    super();
    check.options(this[WHO], options, ['correction']);
    this.correction = correctionOf(this[WHO], options.correction);
  }

  /** @param x - [N, C, L]. @returns [N, 2 · C]. */
  forward(
    x: TensorLike,
    options: Pick<StatisticsPoolingOptions, 'lengths'> = {},
    ...rest: never[]
  ): Tensor {
    const who = `${this[WHO]}.forward`;
    if (rest.length > 0) check.noMore(who, 2, rest);
    check.options(who, options, ['lengths']);
    return statisticsPooling(x, { lengths: options.lengths, correction: this.correction });
  }

  override extraRepr(): string {
    return `correction=${this.correction}`;
  }
}
