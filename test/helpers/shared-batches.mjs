// Batches that processes share, and what each process says of them: the cases of test/distributed/shared-batches.test.ts. All run
// in one job, because the start of a job is what takes time. Longer than 250 lines because each case is a program.
import { createHash } from 'node:crypto';

import { manualSeed, nn, tensor } from 'evenkeel';

/** @typedef {import('evenkeel').Tensor} Tensor */
/** @typedef {import('evenkeel/distributed').distributed.Group} Group */
/** @typedef {import('evenkeel').nn.SyncBatchNormOptions} Options */

/**
 * Where the share of each process begins, and the end of the last one.
 * @typedef {(processes: number) => readonly number[]} Cuts
 */

/**
 * One batch after the other through a SyncBatchNorm, forward and backward.
 * @typedef {object} Layer
 * @property {Cuts} cuts
 * @property {number} [channels]
 * @property {number} [length] Steps of a sample: [N, C, L]. 0: [N, C].
 * @property {number} [batches]
 * @property {Options} [options]
 * @property {'relu' | 'silu'} [behind]
 * @property {boolean} [padded] Samples have 0 to L steps.
 * @property {boolean} [later] Beside the event loop.
 */

/** Widths in turn, which begin at leaves; the last share has some rows more. @type {(widths: readonly number[]) => Cuts} */
const cutsOf = (widths) => (processes) => {
  const cuts = [0];
  for (let rank = 0; rank < processes; rank++) {
    const width = widths[rank % widths.length] ?? 0;
    cuts.push((cuts.at(-1) ?? 0) + width);
  }
  return [...cuts.slice(0, -1), (cuts.at(-1) ?? 0) + 22];
};

/** With the bits of one process; the order of sums in double shows in float64 most of all. @type {Readonly<Record<string, Layer>>} */
export const ALIKE = {
  'equal shares': { cuts: cutsOf([64]), channels: 70 },
  'uneven shares, some empty': {
    cuts: cutsOf([0, 64, 128, 0, 192]),
    channels: 5,
    options: { dtype: 'float64' },
  },
  'nothing on the last process but a rest': {
    cuts: cutsOf([128, 64, 0]),
    channels: 16,
    batches: 2,
  },
  'the average of all batches': {
    cuts: cutsOf([64, 0]),
    batches: 3,
    options: { momentum: null },
  },
  float64: { cuts: cutsOf([64, 128]), options: { dtype: 'float64' } },
  'steps of samples, layout NLC': {
    cuts: cutsOf([64]),
    length: 3,
    options: { layout: 'NLC', dtype: 'float64' },
  },
  'a ReLU behind': { cuts: cutsOf([64, 0, 64]), behind: 'relu' },
  'an activation behind': { cuts: cutsOf([64, 64, 0]), behind: 'silu' },
  'no weight and bias': { cuts: cutsOf([0, 64]), options: { affine: false } },
  'no running statistics': { cuts: cutsOf([64]), options: { trackRunningStats: false } },
  'beside the event loop': { cuts: cutsOf([64, 0, 128]), batches: 2, later: true },
};

/** Cut anywhere: to rounding. @type {Readonly<Record<string, Layer>>} */
export const CLOSE = {
  'one sample on each process': {
    cuts: (processes) =>
      Array.from({ length: processes + 1 }, (_, i) => (processes > 1 ? i : 3 * i)),
  },
  'one sample, none, many': {
    cuts: (processes) => [0, 1, 1, 4, 5, 5, 9].slice(0, processes).concat(12),
  },
  'an average, cut anywhere': {
    cuts: (processes) => [0, 3, 3, 4, 7, 8, 8].slice(0, processes).concat(11),
    batches: 2,
    options: { momentum: null },
  },
  'padded samples': {
    cuts: (processes) => [0, 2, 2, 3, 4, 4, 5].slice(0, processes).concat(6),
    length: 5,
    padded: true,
  },
  'padded samples, layout NLC': {
    cuts: (processes) => [0, 1, 3, 3, 4, 5, 6].slice(0, processes).concat(6),
    length: 5,
    padded: true,
    options: { layout: 'NLC' },
  },
};

/** @param {readonly (Tensor | null | undefined)[]} tensors */
export function bitsOf(tensors) {
  const hash = createHash('sha256');
  for (const each of tensors) {
    if (each === null || each === undefined) hash.update('none');
    else {
      const { buffer, byteOffset, byteLength } = each.data;
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** @param {readonly (Tensor | null | undefined)[]} tensors */
export const numbersOf = (tensors) => tensors.map((each) => (each ? [...each.data] : []));

/**
 * @template Found
 * @param {Layer} layer
 * @param {number} processes That the batch is cut for.
 * @param {number | null} rank Whose share is computed; null: a process that is alone computes all.
 * @param {(tensors: readonly (Tensor | null | undefined)[]) => Found} found
 * @returns {Promise<Found[]>} Of this process, or of all of them.
 */
export async function layerOf(layer, processes, rank, found) {
  const { cuts: cutsFor, channels = 3, length = 0, batches = 1, padded = false } = layer;
  const { options = {}, behind, later = false } = layer;
  const cuts = cutsFor(processes);
  const rows = cuts.at(-1) ?? 0;
  const sizes =
    length === 0 ? [channels] : options.layout === 'NLC' ? [length, channels] : [channels, length];
  const each = sizes.reduce((a, b) => a * b, 1);
  manualSeed(3);
  const bn = new nn.SyncBatchNorm(channels, options);
  const learned = [bn.weight, bn.bias].filter((one) => one !== null);
  for (const one of learned) nn.init.normal_(one, 1, 0.5);
  /** @type {readonly (readonly [number, number])[]} */
  const shares = Array.from({ length: processes }, (_, i) => [cuts[i] ?? 0, cuts[i + 1] ?? 0]);
  const [begin, end] = rank === null ? [0, rows] : (shares[rank] ?? [0, 0]);
  const dtype = bn.dtype === 'float64' ? Float64Array : Float32Array;
  const random = () => nn.init.normal_(tensor(new dtype(rows * each), [rows, ...sizes]), 3, 2);
  const part = (
    /** @type {Tensor} */ { data },
    /** @type {number} */ from,
    /** @type {number} */ to,
  ) =>
    tensor(/** @type {Float32Array} */ (data.slice(from * each, to * each)), [to - from, ...sizes]);
  /** @type {(Tensor | null)[][]} By share. */
  const local = shares.map(() => []);
  /** @type {(Tensor | null)[]} */
  const common = [];
  for (let batch = 0; batch < batches; batch++) {
    const x = part(random(), begin, end);
    const dy = part(random(), begin, end);
    x.requiresGrad = true;
    bn.zeroGrad();
    const steps = Array.from({ length: rows }, (_, i) => (i * 2) % (length + 1)).slice(begin, end);
    /** @type {import('evenkeel').nn.BatchNormForwardOptions} */
    const how = {
      ...(padded ? { lengths: steps } : {}),
      ...(behind === 'relu' ? { relu: true } : {}),
      ...(behind === 'silu' ? { activation: 'silu' } : {}),
    };
    const y = later ? await bn.forwardAsync(x, how) : bn.forward(x, how);
    if (later) await y.backwardAsync(dy);
    else y.backward(dy);
    for (const [i, [from, to]] of shares.entries()) {
      if (rank !== null && rank !== i) continue;
      for (const one of [y, x.grad])
        local[i]?.push(one === null ? null : part(one, from - begin, to - begin));
    }
    common.push(...learned.map(({ grad }) => grad));
  }
  common.push(bn.runningMean, bn.runningVar, tensor([bn.numBatchesTracked]));
  const own = rank === null ? local : [local[rank] ?? []];
  return own.map((tensors) => found([...tensors, ...common]));
}

/** @param {() => unknown} call */
function errorOf(call) {
  try {
    call();
    return 'none';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** What one process does otherwise, or has: each says what it then has. @type {Readonly<Record<string, (world: Group) => unknown>>} */
export const TOLD = {
  'a wrong shape on the last process: all throw, and may go on': ({ rank, size }) => {
    const bn = new nn.SyncBatchNorm(2);
    const isWrong = rank === size - 1;
    const error = errorOf(() =>
      bn.forward(
        tensor(
          isWrong
            ? [[1, 2, 3]]
            : [
                [1, 2],
                [3, 5],
              ],
        ),
      ),
    );
    const before = bn.numBatchesTracked;
    bn.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    return [error, before, bn.numBatchesTracked];
  },
  'a wrong shape on the first process, while the others send much: all throw, and may go on': (
    world,
  ) => {
    const bn = new nn.SyncBatchNorm(3000);
    const values = Float32Array.from({ length: 6000 }, (_, i) => i % 7);
    const right = tensor(values, [2, 3000]);
    const x = world.rank === 0 ? tensor([[1], [2]]) : right;
    const errors = Array.from({ length: 3 }, () => errorOf(() => bn.forward(x)));
    const all = world.allGather(tensor(new Float32Array(3000).fill(world.rank)));
    bn.forward(right);
    return [errors, all.map(({ data }) => Number(data[2999])), bn.numBatchesTracked];
  },
  'other channels on the last process: all throw': ({ rank, size }) => {
    const bn = new nn.SyncBatchNorm(rank === size - 1 ? 3 : 2);
    const error = errorOf(() =>
      bn.forward(tensor(new Float32Array(6), [6 / bn.numFeatures, bn.numFeatures])),
    );
    return [error, bn.numBatchesTracked];
  },
  'one sample of all processes together': ({ rank, size }) => {
    const rows = rank === size - 1 ? 1 : 0;
    const x = tensor(new Float32Array(2 * rows).fill(4), [rows, 2]);
    const bn = new nn.SyncBatchNorm(2);
    const error = errorOf(() => bn.forward(x));
    const running = new nn.SyncBatchNorm(2, { singleValue: 'running' });
    const y = [...running.forward(x).data].map((each) => Math.round(Number(each)));
    return [error, bn.numBatchesTracked, y, running.numBatchesTracked];
  },
  'no sample on any process': () => {
    const bn = new nn.SyncBatchNorm(2);
    const { shape } = bn.forward(tensor(new Float32Array(0), [0, 2]));
    return [shape, bn.runningMean?.toArray(), bn.numBatchesTracked];
  },
  'not finite on the last process: all throw': ({ rank, size }) => {
    const bn = new nn.SyncBatchNorm(1, { nonFinite: 'throw' });
    const error = errorOf(() => bn.forward(tensor([[rank === size - 1 ? NaN : 1], [2]])));
    return [error, bn.numBatchesTracked, bn.runningMean?.item()];
  },
  'not finite on the last process: all skip': ({ rank, size }) => {
    const bn = new nn.SyncBatchNorm(1, { nonFinite: 'skip' });
    bn.forward(tensor([[rank === size - 1 ? Infinity : 1], [2]]));
    return [bn.skippedBatches, bn.numBatchesTracked, bn.runningMean?.item()];
  },
  'a virtual batch': ({ rank }) => {
    const bn = new nn.SyncBatchNorm(1, { momentum: 1 });
    const batch = nn.virtualBatch(bn);
    bn.forward(tensor([[4 * rank], [4 * rank + 2]]));
    bn.forward(tensor([[8], [8]]));
    batch.commit();
    return [bn.runningMean?.item(), bn.numBatchesTracked];
  },
  'eval, frozen and normalizeBy running meet nobody': ({ rank, size }) => {
    if (rank < size - 1) return [];
    const x = tensor([[1], [5]]);
    const running = new nn.SyncBatchNorm(1, { eps: 0 });
    running.normalizeBy = 'running';
    running.updateStatistics = false;
    const layers = [
      new nn.SyncBatchNorm(1, { eps: 0 }).eval(),
      new nn.SyncBatchNorm(1, { eps: 0 }).freeze(),
      running,
    ];
    return layers.map((bn) => [...bn.forward(x).data]);
  },
};
