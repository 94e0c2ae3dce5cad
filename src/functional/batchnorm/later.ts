// The gradient of batch normalisation beside the event loop: what batchnorm.ts does at once.
import { runJob } from '../../run/job.js';
import { Loan } from '../../run/borrow.js';
import type { Later } from '../../autograd/index.js';
import type { ChannelDims } from '../../check/index.js';
import { floats, type Tensor } from '../../tensor/tensor.js';

interface Pass {
  readonly call: {
    readonly who: string;
    readonly dims: ChannelDims;
    readonly weight: Tensor | null;
    readonly bias: Tensor | null;
    readonly useRunning: boolean;
    readonly relu: boolean;
  };
  /** dx itself where the input is not read. */
  readonly x: Tensor;
  readonly dy: Tensor;
  /** What the forward kept: [3, C]. */
  readonly rows: Float64Array;
  readonly dx: Tensor | null;
  readonly dweight: Tensor | null;
  readonly dbias: Tensor | null;
}

/** @internal [dx, dweight, dbias]: ours alone until they are there, so the job writes them in place. */
export async function gradientsLater(
  { call, x, dy, rows, dx, dweight, dbias }: Pass,
  { signal }: Later,
): Promise<readonly (Tensor | null)[]> {
  const { who, dims, weight, bias, useRunning, relu } = call;
  const parts = [dx, dweight, dbias];
  const loans: Loan[] = [];
  const lend = (tensor: Tensor, name: string): Loan => {
    const loan = new Loan(who, name, tensor);
    loans.push(loan);
    return loan;
  };
  try {
    const [scale, shift] = [weight, bias].map((each) => each && floats(each).slice());
    const value = dy.expandedValue;
    const input = x === dx ? null : lend(x, 'the input');
    const gradient = value === null ? lend(dy, 'the gradient') : null;
    for (const loan of loans) await loan.ready(signal);
    await runJob(
      who,
      'batchNormBackward',
      [
        input === null ? floats(x) : input.data,
        gradient === null ? null : gradient.data,
        value ?? 0,
        dims.n,
        dims.c,
        dims.l,
        scale ?? null,
        shift ?? null,
        rows,
        dx && floats(dx),
        dweight && floats(dweight),
        dbias && floats(dbias),
        useRunning,
        relu,
      ],
      x.numel,
      signal,
    );
    for (const loan of loans) loan.check();
    return parts;
  } catch (error) {
    for (const part of parts) part?.dispose();
    throw error;
  } finally {
    for (const loan of loans) loan.release();
  }
}
