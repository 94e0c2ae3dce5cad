// The calls beside the event loop: each is large enough to be a job.
import type { nn, Tensor } from 'evenkeel';

import type { Package } from '../operations/row.js';
import { numbers, type Maker } from './state.js';

const memory: Readonly<
  Record<'copied' | 'shared' | 'made here', (evenkeel: Package, shape: number[]) => Tensor>
> = {
  copied: ({ tensor }, shape) => tensor(numbers(shape, 1), shape, { requiresGrad: true }),
  shared: ({ tensor }, shape) => {
    const values = numbers(shape, 1);
    const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
    shared.set(values);
    return tensor(shared, shape, { requiresGrad: true });
  },
  'made here': (evenkeel, shape) => {
    const x = evenkeel.functional
      .add(memory.copied(evenkeel, shape), memory.copied(evenkeel, shape))
      .detach();
    x.requiresGrad = true;
    return x;
  },
};
interface Choices {
  readonly change?: (bn: nn.BatchNorm1d) => unknown;
  readonly from?: keyof typeof memory;
  readonly options?: nn.BatchNormOptions;
  readonly call?: nn.BatchNormAsyncOptions;
}
const forward =
  (shape: number[], { change, from = 'shared', options, call = {} }: Choices = {}): Maker =>
  (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(shape[1]!, options);
    change?.(bn);
    const x = memory[from](evenkeel, shape);
    return { kept: [bn, x], call: async () => [await bn.forwardAsync(x, call)] };
  };
const backward =
  (shape: number[], { change, call = {} }: Choices = {}): Maker =>
  async (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(shape[1]!);
    change?.(bn);
    const x = memory.shared(evenkeel, shape);
    const y = await bn.forwardAsync(x, call);
    const dy = evenkeel.tensor(numbers(shape, 2), shape);
    return {
      kept: [bn, x, y],
      call: async () => {
        await y.backwardAsync(dy);
        return [x.grad, bn.weight!.grad, bn.bias!.grad];
      },
    };
  };
const lengths = (n: number, l: number): Int32Array =>
  Int32Array.from({ length: n }, (_, i) => i % (l + 1));
/** As NOW in now.ts has the others. */
export const LATER: Readonly<Record<string, Maker>> = {
  'training forward later, shared': forward([128, 512]),
  'training forward later, copied': forward([128, 512], { from: 'copied' }),
  'training forward later, copied in turns': forward([600, 512], { from: 'copied' }),
  'training forward later, transferred': forward([128, 512], {
    from: 'copied',
    call: { transfer: true },
  }),
  'training forward later, an output': forward([8, 16, 512], { from: 'made here' }),
  'training forward later (4, 3, 8192)': forward([4, 3, 8192]),
  'training forward later, cumulative average': forward([128, 512], {
    options: { momentum: null },
  }),
  'training forward later that skips what is not finite': forward([128, 512], {
    options: { nonFinite: 'skip' },
  }),
  'evaluation forward later': forward([128, 512], { change: (bn) => bn.eval() }),
  'forward later by the running statistics that also move': forward([128, 512], {
    change: (bn) => Object.assign(bn, { normalizeBy: 'running', updateStatistics: true }),
  }),
  'forward later with lengths': forward([16, 1000, 4], { call: { lengths: lengths(16, 4) } }),
  'forward later, small: at once': forward([16, 512]),
  'forward later, the second of two': (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(512);
    const x = memory.shared(evenkeel, [128, 512]);
    // they settle in order, so a first one that fails must leave the second its turn
    return {
      kept: [bn, x],
      call: async () => {
        const both = await Promise.allSettled([bn.forwardAsync(x), bn.forwardAsync(x)]);
        const failed = both.find((each) => each.status === 'rejected');
        const fulfilled = both.filter((each) => each.status === 'fulfilled');
        if (failed === undefined) return fulfilled.map(({ value }) => value);
        if (bn.numBatchesTracked !== fulfilled.length) {
          throw new Error(`statistics of ${bn.numBatchesTracked} calls`);
        }
        bn.resetRunningStats();
        throw failed.reason as Error;
      },
    };
  },
  'backward later (128, 512)': backward([128, 512]),
  'backward later (8, 16, 512)': backward([8, 16, 512]),
  'backward later of a frozen layer': backward([128, 512], {
    change: (bn) => bn.freeze({ affine: false }),
  }),
  'backward later of lengths': backward([12000, 3, 4], { call: { lengths: lengths(12000, 4) } }),
  'backward later of a sum': async (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(512);
    const x = memory.shared(evenkeel, [128, 512]);
    const sum = evenkeel.functional.sum(await bn.forwardAsync(x));
    return {
      kept: [bn, x],
      call: async () => {
        await sum.backwardAsync();
        return [x.grad, bn.weight!.grad, bn.bias!.grad];
      },
    };
  },
};
