// A batch that several processes hold, in a call beside the event loop: the same sums and exchanges as in
// shared-batch.ts, in the same order, as steps of the call.
import type { Deferral } from '../../run/deferral.js';
import { record, type FloatData, type Tensor } from '../../tensor/tensor.js';
import { gradientsOf } from './backward.js';
import { RunningValues } from './forward.js';
import { Moments } from './moments.js';
import type { Plan } from './plan.js';
import type { Asks, ProcessGroup } from './process-group.js';
import { fillMoments, meetBy, type Met } from './shared-batch.js';
import { shareGradients } from './share-gradients.js';
import { allDone, part, Scratch, ShareNote, type Meetings } from './shares.js';

/** @internal One forward of a layer whose batch several processes hold. */
export class LaterShare {
  /** Of the whole batch, once the processes have met. */
  readonly moments: Moments;
  #met: Met | null = null;

  /**
   * @param x - Without padding, and as `plan.dims` says.
   * @param accept - Is told how many values of a channel all processes have; throws where they are too few.
   */
  constructor(
    readonly plan: Plan,
    readonly group: ProcessGroup,
    readonly meetings: Meetings,
    readonly deferral: Deferral,
    readonly x: Tensor,
    readonly accept: (count: number) => void,
  ) {
    this.moments = new Moments(plan.dims.c);
  }

  /** Notes the two meetings at which the statistics of the whole batch come together. */
  noteStatistics(): void {
    const { group, meetings, deferral, x } = this;
    const { who, dims } = this.plan;
    const { c, l } = dims;
    group.take(deferral);
    const sent = new Scratch();
    let values: FloatData | null = null;
    const reads = { 'the input': x };
    deferral.add({ who, work: 0, reads, writes: [] }, (_, arrayOf) => {
      values = arrayOf(x);
    });
    const shares = (): Asks<void> => this.#meet(values!);
    const arrival = group.expect(deferral, meetings.shares, shares);
    deferral.add({ who, work: x.numel, reads, writes: [], arrival }, (native, arrayOf) => {
      const from = arrayOf(x);
      const { shares: known, shift } = this.#met!;
      const calls = known.own(sent, 2 * c, (begin, end, into) =>
        native.batchSums(part(from, begin * c * l, end * c * l), shift, into, end - begin, c, l),
      );
      return allDone(calls);
    });
    const statistics = (): Asks<void> => this.#gather(sent);
    const last = group.expect(deferral, meetings.statistics, statistics);
    deferral.add({ who, work: 0, reads: {}, writes: [], arrival: last }, () => undefined);
  }

  *#meet(values: FloatData): Asks<void> {
    const { group, meetings } = this;
    const { who, dims } = this.plan;
    const note = new ShareNote(dims.c, values.BYTES_PER_ELEMENT === 8, group.rank === 0);
    this.#met = yield* meetBy(who, group, meetings, values, dims, note);
    this.accept(this.#met.shares.count);
  }

  *#gather(sent: Scratch): Asks<void> {
    const { shares, shift } = this.#met!;
    const { meetings, plan } = this;
    const sums = yield* shares.totalOf(meetings.statistics, 2 * plan.dims.c, sent);
    fillMoments(this.moments, sums, shares, shift);
  }

  /**
   * Notes y of this process's samples, by the statistics of all; recorded where something needs it.
   *
   * @param byRunning - Whether the running statistics are to normalise instead, once it is known; null: they never do.
   */
  noteNormalized(y: Tensor, byRunning: (() => boolean) | null): Tensor {
    const { plan, deferral, x } = this;
    const { who, dims, weight, bias, eps, relu } = plan;
    const saved = new Float64Array(3 * dims.c);
    const result = this.#record(y, saved, byRunning);
    const running = byRunning === null ? null : new RunningValues(plan, deferral);
    const reads = { 'the input': x, weight, bias };
    const before = running?.before ?? null;
    deferral.add({ who, work: x.numel, reads, writes: [y], before }, (native, arrayOf) => {
      const [from, to, scale, shift] = [x, y, weight, bias].map((each) => arrayOf(each));
      const operands = [from!, to!, dims.n, dims.c, dims.l, scale!, shift!] as const;
      if (byRunning?.() === true) {
        const [mean, variance] = running!.read();
        const rest = [mean, variance, saved, true, false, 0, eps, relu] as const;
        return native.batchNormForward(...operands, ...rest);
      }
      return native.normalizeByMoments(...operands, this.moments.rows, saved, eps, relu);
    });
    return result;
  }

  #record(y: Tensor, saved: Float64Array, byRunning: (() => boolean) | null): Tensor {
    const { plan, x } = this;
    const { who, weight, bias, relu } = plan;
    const kept = [x, weight, relu ? bias : null].filter((each) => each !== null);
    return record(who, y, [x, weight, bias], kept, (dy, needs) => {
      if (byRunning?.() !== true) {
        return shareGradients(
          { input: x, plan, saved, rows: saved, shares: this.#met!.shares },
          dy,
          needs,
        );
      }
      const alone = { ...plan, useRunning: true };
      return gradientsOf({ input: x, y, plan: alone, saved, readsInput: true }, dy, needs);
    });
  }
}
