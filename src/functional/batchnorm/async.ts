// Batch normalisation beside the event loop: what normalize() of batchnorm.ts does at once, as jobs over
// memory that nobody else can reach. What it means for a layer is decided in nn/batchnorm/layer.ts.
import { runJob, unlessAborted } from '../../run/job.js';
import { enterLane } from '../../run/order.js';
import { Loan } from '../../run/borrow.js';
import { inTurns } from '../../run/turns.js';
import { needsGrad } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import { floats, outsideScopes, Tensor, type FloatData } from '../../tensor/tensor.js';
import {
  checkCall,
  checkStatisticsApart,
  recordNormalization,
  type Normalization,
} from './batchnorm.js';
import { Moments } from './moments.js';
import { recordPack, recordUnpack, repackPlaces, roomFor } from './padding.js';
import { statistics } from '../../memory/slab.js';

/** @internal How a normalisation is carried out. */
export interface Asynchronously {
  readonly signal: AbortSignal | null;
  /** Take the input's array away from the user rather than copy it. */
  readonly transfer: boolean;
  /** Whose calls settle in order. */
  readonly owner: object;
  /** The last thing before the result is there: may move statistics, or throw instead. */
  settle(moments: Moments | null): void;
}

/** @internal */
export async function normalizeAsync(
  input: Tensor,
  call: Normalization,
  how: Asynchronously,
): Promise<Tensor> {
  const { signal } = how;
  checkCall(input, call);
  if (call.update) checkStatisticsApart(input, call);
  if (how.transfer) checkTransfer(input, call);
  const pass = outsideScopes(() => new Pass(input, call, how.transfer));
  const turn = enterLane(how.owner);
  try {
    if (turn.before === null) pass.readRunning();
    await pass.loan.ready(signal);
    if (turn.before !== null && call.useRunning) {
      await unlessAborted(turn.before, signal);
      pass.readRunning();
    }
    await pass.compute(signal);
    if (turn.before !== null) await unlessAborted(turn.before, signal);
    check.notAborted(signal);
    pass.loan.check();
    how.settle(pass.moments);
    return pass.y;
  } catch (error) {
    pass.y.dispose();
    throw error;
  } finally {
    pass.release();
    turn.leave();
  }
}

/** One normalisation under way: what it reads and what it writes. */
class Pass {
  readonly loan: Loan;
  readonly y: Tensor;
  /** The batch's statistics: those that normalise, or, beside running ones that do, those that move them. */
  readonly moments: Moments | null;
  readonly #call: Normalization;
  readonly #numel: number;
  readonly #recorded: boolean;
  readonly #weight: FloatData | null;
  readonly #bias: FloatData | null;
  #runningMean: FloatData | null = null;
  #runningVar: FloatData | null = null;
  readonly #saved: Float64Array | null;
  /** Without padding, before and after; null where there is none. */
  readonly #packed: readonly [Tensor, Tensor] | null;

  constructor(input: Tensor, call: Normalization, transfer: boolean) {
    const { who, dims, padding, useRunning, update } = call;
    const recorded = needsGrad(input, call.weight, call.bias);
    this.#call = call;
    this.#numel = input.numel;
    this.#recorded = recorded;
    this.#weight = copyOf(call.weight);
    this.#bias = copyOf(call.bias);
    this.moments = useRunning && !update ? null : new Moments(dims.c, dims.n * dims.l);
    this.#saved = useRunning
      ? recorded
        ? statistics(3 * dims.c)
        : null
      : (this.moments?.rows ?? null);
    this.y = Tensor.uninitialized(input.shape, input.dtype);
    this.#packed = padding && [roomFor(input, padding), roomFor(input, padding)];
    this.loan = new Loan(who, 'the input', input, transfer);
    if (recorded && this.#saved !== null) this.#record(input, this.#saved);
  }

  /** Now, with the versions that what is saved has now. */
  #record(input: Tensor, saved: Float64Array): void {
    const { padding } = this.#call;
    if (padding === null || this.#packed === null) {
      recordNormalization(input, this.y, this.#call, saved);
      return;
    }
    const [packed, normalized] = this.#packed;
    recordPack(input, padding, packed);
    recordNormalization(packed, normalized, this.#call, saved);
    recordUnpack(normalized, padding, this.y);
  }

  /** The running statistics as they are now. */
  readRunning(): void {
    const { who, useRunning, runningMean, runningVar } = this.#call;
    if (!useRunning) return;
    runningMean?.attached(who, 'running_mean');
    runningVar?.attached(who, 'running_var');
    this.#runningMean = copyOf(runningMean);
    this.#runningVar = copyOf(runningVar);
  }

  async compute(signal: AbortSignal | null): Promise<void> {
    const [before, after] = this.#packed ?? [null, null];
    if (before === null) return this.#normalize(this.loan.data, floats(this.y), signal);
    await this.#repack('pack', this.loan.data, floats(before), signal);
    await this.#normalize(floats(before), floats(after), signal);
    await this.#repack('unpack', floats(this.y), floats(after), signal);
  }

  async #normalize(x: FloatData, y: FloatData, signal: AbortSignal | null): Promise<void> {
    const { who, useRunning, eps, relu } = this.#call;
    const { n, c, l } = this.#call.dims;
    const rows = this.moments?.rows;
    if (useRunning && rows !== undefined) {
      await runJob(who, 'batchMoments', [x, rows, n, c, l], this.#numel, signal);
    }
    await runJob(
      who,
      'batchNormForward',
      [
        x,
        y,
        n,
        c,
        l,
        this.#weight,
        this.#bias,
        this.#runningMean,
        this.#runningVar,
        this.#saved,
        useRunning,
        false,
        0,
        eps,
        relu,
      ],
      this.#numel,
      signal,
    );
  }

  async #repack(
    which: 'pack' | 'unpack',
    x: FloatData,
    packed: FloatData,
    signal: AbortSignal | null,
  ): Promise<void> {
    const { who, padding } = this.#call;
    if (padding === null) return;
    const { n, c, l, unit, lengths, at } = padding;
    if (at !== null) {
      // No kernel takes places: here, in turns of the event loop.
      if (which === 'unpack') await inTurns(x.length, signal, (from, to) => x.fill(0, from, to));
      await inTurns(packed.length, signal, (from, to) => {
        repackPlaces(which, x, packed, padding, from, to);
      });
      return;
    }
    await runJob(who, which, [x, packed, lengths, n, c, l, unit], this.#numel, signal);
  }

  /** Everything but y. */
  release(): void {
    this.loan.release();
    const [packed, normalized] = this.#packed ?? [null, null];
    normalized?.dispose();
    if (!this.#recorded || this.y.disposed) packed?.dispose();
  }
}

function copyOf(tensor: Tensor | null): FloatData | null {
  return tensor === null ? null : floats(tensor).slice();
}

/** What lies in the buffer that is taken away would be gone with it. */
function checkTransfer(input: Tensor, call: Normalization): void {
  const { buffer } = floats(input);
  const operands = {
    weight: call.weight,
    bias: call.bias,
    running_mean: call.runningMean,
    running_var: call.runningVar,
  };
  for (const [name, operand] of Object.entries(operands)) {
    if (operand === null || floats(operand).buffer !== buffer) continue;
    throw check.wrongValue(
      call.who,
      'a buffer to transfer that holds the input alone',
      `one that holds ${name} too`,
    );
  }
}
