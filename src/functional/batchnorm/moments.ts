// Mean and variance of a batch, apart from normalising by them: to be looked at, merged with those of
// other batches, and moved into running statistics later. Arithmetic in native/batchnorm/moments.cc.
import type { ChannelDims } from '../../check/index.js';
import { addon } from '../../addon/control.js';
import { perform } from '../../run/deferral.js';
import { floats, type FloatData, type Tensor } from '../../tensor/tensor.js';

const MEAN = 0;
const VAR = 3;

/** @internal Of `count` values in each of `channels` channels; in double, the variance biased. */
export class Moments {
  /** @param rows - Rows of `channels`: mean, what its rounding left, one that a forward uses for itself, variance. */
  constructor(
    readonly channels: number,
    public count = 0,
    readonly rows: Float64Array = new Float64Array(4 * channels),
  ) {}

  /** By channel, in double. */
  get mean(): Float64Array {
    const { rows, channels } = this;
    return Float64Array.from({ length: channels }, (_, i) => rows[i]! + rows[channels + i]!);
  }

  /** By channel, biased: the mean of the squared distances from the mean. */
  get variance(): Float64Array {
    return this.rows.slice(VAR * this.channels);
  }

  /** Of a batch that is only read. */
  static of(who: string, input: Tensor, { n, c, l }: ChannelDims): Moments {
    const moments = new Moments(c, n * l);
    perform(
      {
        who,
        work: input.numel,
        reads: { 'the input': input },
        writes: [],
      },
      (native, arrayOf) => native.batchMoments(arrayOf(input), moments.rows, n, c, l),
    );
    return moments;
  }

  /** Becomes those of both batches together (Chan, Golub, LeVeque 1979). */
  merge(other: Moments): void {
    if (other.count === 0) return;
    if (this.count === 0) this.rows.set(other.rows);
    else addon.mergeMoments(this.rows, this.count, other.rows, other.count, this.channels);
    this.count += other.count;
  }

  /** What is not finite in the statistics' dtype, in words; null where all is. */
  notFinite(dtype: string): string | null {
    const { rows, channels } = this;
    const count = Math.max(this.count, 2); // one value has no unbiased variance, which is no news
    if (addon.finiteMoments(rows, count, channels, dtype === 'float64')) return null;
    const round = dtype === 'float64' ? Number : Math.fround;
    const at = (row: number, channel: number): number => rows[row * channels + channel] ?? NaN;
    for (let channel = 0; channel < channels; channel++) {
      const mean = round(at(MEAN, channel));
      if (!Number.isFinite(mean)) return `a mean of ${mean} in channel ${channel}`;
      const variance = round(at(VAR, channel) * (count / (count - 1)));
      if (!Number.isFinite(variance)) return `a variance of ${variance} in channel ${channel}`;
    }
    return null;
  }

  /** running ← (1 - momentum) · running + momentum · {mean, unbiased variance}. */
  moveInto(runningMean: Tensor, runningVar: Tensor, momentum: number): void {
    this.moveArrays(floats(runningMean), floats(runningVar), momentum);
    runningMean.markChanged();
    runningVar.markChanged();
  }

  /** The same of arrays. */
  moveArrays(runningMean: FloatData, runningVar: FloatData, momentum: number): void {
    const { rows, count, channels } = this;
    addon.moveByMoments(runningMean, runningVar, rows, count, momentum, channels);
  }
}
