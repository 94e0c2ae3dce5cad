// Batch normalisation as a differentiable operation, forward and backward side by side. Which
// statistics normalise and which move is decided by the caller (nn/batchnorm/layer.ts, or batchNorm below).
import { needsGrad, type Later } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import { addon } from '../../addon/control.js';
import {
  floats,
  record,
  sizesOf,
  Tensor,
  type FloatData,
  type TensorLike,
} from '../../tensor/tensor.js';
import { gradientsLater } from './later.js';
import { Moments } from './moments.js';
import {
  pack,
  packedDims,
  paddingOf,
  unpack,
  type Lengths,
  type Mask,
  type Padding,
} from './padding.js';
import { statistics } from '../../memory/slab.js';

/** @internal One decided normalisation: everything checked but the memory. */
export interface Normalization {
  readonly who: string;
  /** How the values given lie, without padding. */
  readonly dims: check.ChannelDims;
  /** The part of a padded input that counts; null where all of it does. */
  readonly padding: Padding | null;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  /** Normalise by the running statistics instead of the batch's. */
  readonly useRunning: boolean;
  /** Move the running statistics towards the batch's. */
  readonly update: boolean;
  /** Weight of the batch in the running statistics, 0 to 1. */
  readonly momentum: number;
  readonly eps: number;
  /** y = max(that, 0): the bits of relu() of it, without its pass over memory. */
  readonly relu: boolean;
  readonly out: Tensor | null;
  /** Receives the batch's statistics, where they normalise. */
  readonly moments?: Moments | null;
}

/** @internal */
export function normalize(input: Tensor, call: Normalization): Tensor {
  const { who, padding, weight, bias, runningMean, runningVar, update, out } = call;
  checkCall(input, call);
  const recorded = needsGrad(input, weight, bias);
  if (out !== null) checkOut(who, out, input, recorded);
  // The result is a tensor of its own even over out's memory: out stays a leaf, to be used again.
  const y = out?.detach() ?? Tensor.like(input);
  if (padding !== null) checkApart(who, 'out', y, [weight, bias, runningMean, runningVar]);
  const result =
    padding === null ? run(input, y, call, recorded) : runPacked(input, y, padding, call, recorded);
  if (out !== null) y.markChanged();
  if (update && padding === null) {
    runningMean?.markChanged();
    runningVar?.markChanged();
  }
  return result;
}

/** The values without the padding lie as if there had never been one, and so have the same bits. */
function runPacked(
  input: Tensor,
  y: Tensor,
  padding: Padding,
  call: Normalization,
  recorded: boolean,
): Tensor {
  const packed = pack(input, padding);
  // In place where no backward reads the packed values again: a buffer less to go through the caches.
  const room = recorded ? Tensor.uninitialized(packed.shape, packed.dtype) : packed;
  const { dims, update, runningMean, runningVar } = call;
  const moments = call.moments ?? (update ? new Moments(dims.c, dims.n * dims.l) : null);
  const normalized = run(packed, room, { ...call, update: false, moments }, recorded);
  const result = unpack(normalized, padding, y);
  // Last: spreading out needs scratch, and there may be none.
  if (
    update &&
    moments !== null &&
    moments.count > 0 &&
    runningMean !== null &&
    runningVar !== null
  ) {
    moments.moveInto(runningMean, runningVar, call.momentum);
  }
  normalized.dispose();
  if (!recorded) packed.dispose();
  return result;
}

/** Everything is checked; computes y, and records it. */
function run(input: Tensor, y: Tensor, call: Normalization, recorded: boolean): Tensor {
  const { who, weight, bias, useRunning, update, relu, moments } = call;
  const { n, c, l } = call.dims;
  // Mean, what its rounding left over, and 1/deviation: 3 · c values that backward reads again.
  const saved = moments?.rows ?? (recorded ? statistics(3 * c) : null);
  // First, because it may fail, where the stack ends: not with running statistics that have moved.
  const result = recorded && saved !== null ? recordNormalization(input, y, call, saved) : y;
  const overlapping = addon.batchNormForward(
    floats(input),
    floats(y),
    n,
    c,
    l,
    dataOf(weight),
    dataOf(bias),
    dataOf(call.runningMean),
    dataOf(call.runningVar),
    saved,
    useRunning,
    update,
    call.momentum,
    call.eps,
    relu,
  );
  if (overlapping !== undefined) throw sharedMemory(who, overlapping);
  return result;
}

/**
 * @internal Makes y the recorded result of a normalisation whose statistics are, or will be by the time
 * of a backward, in `saved`.
 */
export function recordNormalization(
  input: Tensor,
  y: Tensor,
  call: Normalization,
  saved: Float64Array,
): Tensor {
  const { who, weight, bias, useRunning, relu } = call;
  const { n, c, l } = call.dims;
  // Frozen, the gradient is a multiple of the one that comes in: x is not read again.
  const learns = weight?.requiresGrad === true || bias?.requiresGrad === true;
  const readsInput = !useRunning || relu || learns;
  const kept = keptBy(readsInput ? input : null, weight, relu ? bias : null);
  const { shape, dtype } = input;
  return record(who, y, [input, weight, bias], kept, (dy, needs, later?: Later) => {
    const dx = needs[0] ? Tensor.uninitialized(shape, dtype) : null;
    const dweight = needs[1] ? Tensor.uninitialized([c], dtype) : null;
    const dbias = needs[2] ? Tensor.uninitialized([c], dtype) : null;
    const { expandedValue } = dy;
    const x = readsInput ? input : dx;
    if (x === null) return [null, null, null];
    const rows = saved.length === 3 * c ? saved : saved.subarray(0, 3 * c);
    if (later !== undefined) {
      return gradientsLater({ call, x, dy, rows, dx, dweight, dbias }, later);
    }
    addon.batchNormBackward(
      floats(x),
      expandedValue === null ? floats(dy) : null,
      expandedValue ?? 0,
      n,
      c,
      l,
      dataOf(weight),
      dataOf(bias),
      rows,
      dataOf(dx),
      dataOf(dweight),
      dataOf(dbias),
      useRunning,
      relu,
    );
    return [dx, dweight, dbias];
  });
}

/** What backward reads again: behind a ReLU also the bias, which says where y was above 0. */
function keptBy(input: Tensor | null, weight: Tensor | null, bias: Tensor | null): Tensor[] {
  if (input === null) return weight === null ? [] : [weight];
  if (bias !== null) return weight === null ? [input, bias] : [input, weight, bias];
  return weight === null ? [input] : [input, weight];
}

function sharedMemory(who: string, name: string): RangeError {
  return check.wrongValue(
    who,
    `${name} to have memory of its own`,
    'some that overlaps another operand',
  );
}

function dataOf(tensor: Tensor | null): ReturnType<typeof floats> | null {
  return tensor === null ? null : floats(tensor);
}

/** @internal Everything about a normalisation but `out`. */
export function checkCall(input: Tensor, call: Normalization): void {
  checkOperands(input, call);
  if (call.useRunning) return;
  check.enoughForStatistics(call.who, call.dims, input);
  check.trainingEps(call.who, call.eps);
}

function checkOperands(input: Tensor, call: Normalization): void {
  const { who, dims } = call;
  check.floating(who, 'the input', input);
  input.attached(who, 'the input');
  checkOperand(who, 'weight', call.weight, input, dims.c);
  checkOperand(who, 'bias', call.bias, input, dims.c);
  checkOperand(who, 'running_mean', call.runningMean, input, dims.c);
  checkOperand(who, 'running_var', call.runningVar, input, dims.c);
}

/** A per-channel operand is [C], of the input's dtype, and its memory is there. */
function checkOperand(
  who: string,
  name: string,
  operand: Tensor | null,
  input: Tensor,
  c: number,
): void {
  if (operand === null) return;
  if (!((operand as unknown) instanceof Tensor))
    throw check.wrongKind(who, `${name} to be a Tensor or null`, operand);
  check.sameDtype(who, name, operand, input.dtype);
  if (operand.shape.length !== 1 || operand.numel !== c) {
    throw check.wrongValue(
      who,
      `${name} of shape [${c}] (${name} should contain ${c} elements not ${operand.numel})`,
      `shape ${check.shapeText(operand.shape)}`,
    );
  }
  operand.attached(who, name);
}

/** `out` may be the input's very memory while nothing is recorded; the binding sees to the rest. */
function checkOut(who: string, out: Tensor, input: Tensor, recorded: boolean): void {
  if (!((out as unknown) instanceof Tensor)) throw check.wrongKind(who, 'out to be a Tensor', out);
  check.sameDtype(who, 'out', out, input.dtype);
  if (!check.equalShapes(sizesOf(out), sizesOf(input))) {
    check.sameShape(who, 'an out', out, input.shape);
  }
  out.attached(who, 'out');
  if (out.requiresGrad || (recorded && sameMemory(out, input))) {
    const got = out.requiresGrad ? 'one that requires grad' : "the input's memory while recording";
    throw new Error(`${who}: expected an out that no gradient needs, got ${got}.`);
  }
}

/** @internal The batch's statistics alone, where the running ones normalise and move. */
export function momentsOf(input: Tensor, call: Normalization): Moments {
  const { dims, padding } = call;
  checkOperands(input, call);
  checkStatisticsApart(input, call);
  if (padding === null) return Moments.of(input, dims);
  const packed = pack(input, padding);
  const moments = Moments.of(packed, dims);
  packed.dispose();
  return moments;
}

/** @internal That moving the running statistics writes into nothing else. */
export function checkStatisticsApart(input: Tensor, call: Normalization): void {
  const { who, weight, bias, runningMean, runningVar } = call;
  checkApart(who, 'running_mean', runningMean, [input, weight, bias, runningVar]);
  checkApart(who, 'running_var', runningVar, [input, weight, bias]);
}

/** What the addon sees to where it does all of it itself. */
function checkApart(
  who: string,
  name: string,
  written: Tensor | null,
  others: readonly (Tensor | null)[],
): void {
  if (written === null) return;
  const from = floats(written);
  for (const other of others) {
    if (other !== null && overlap(from, floats(other))) throw sharedMemory(who, name);
  }
}

function overlap(a: FloatData, b: FloatData): boolean {
  const [start, other] = [a.byteOffset, b.byteOffset];
  return a.buffer === b.buffer && start < other + b.byteLength && other < start + a.byteLength;
}

function sameMemory(out: Tensor, input: Tensor): boolean {
  const [a, b] = [floats(out), floats(input)];
  return a === b || (a.buffer === b.buffer && a.byteOffset === b.byteOffset);
}

export interface BatchNormFunctionOptions {
  /** [C]: scale. Default none. */
  weight?: Tensor | null | undefined;
  /** [C]: shift. Default none. */
  bias?: Tensor | null | undefined;
  /** Normalise by this batch and move the running statistics. Default false, as in PyTorch. */
  training?: boolean | undefined;
  /** Weight of this batch in the running statistics, 0 to 1. Default 0.1. */
  momentum?: number | undefined;
  /** Added to the variance, at least 0 (above 0 in training). Default 1e-5. */
  eps?: number | undefined;
  /** y = max(y, 0) in the same pass, with the bits of `relu` of the result. Default false. */
  relu?: boolean | undefined;
  /** Receives the output instead of new memory: same shape and dtype. */
  out?: Tensor | null | undefined;
  /**
   * How many steps of each sample of [N, C, L] count: whole numbers from 0 to L. The rest is padding: no
   * part of the statistics, and y and dx are 0 there. Default all.
   */
  lengths?: Lengths | undefined;
  /**
   * Which steps of [N, C, L] count, N rows of L flags, or which samples of [N, C]: instead of `lengths`, for those that
   * are not the first ones. The rest is padding.
   */
  mask?: Mask | undefined;
}

const OPTIONS = ['weight', 'bias', 'training', 'momentum', 'eps', 'relu', 'out', 'lengths', 'mask'];

/**
 * y = (x - mean) / sqrt(var + eps) · weight + bias per channel (Ioffe & Szegedy 2015), the stateless
 * form. In training, mean and biased variance are the batch's, and, where given,
 * running ← (1 - momentum) · running + momentum · {mean, unbiased variance}. In evaluation they are
 * the running statistics, or the batch's where none are given.
 *
 * @param x - [N, C, ...], float32 or float64.
 * @param runningMean - [C] or null; written in training.
 * @param runningVar - [C] or null; written in training. Both or neither.
 * @throws {RangeError | TypeError} for a wrong shape, dtype or option; nothing has changed then.
 * @example
 * ```ts
 * const x = tensor([[1], [5]]);
 * functional.batchNorm(x, tensor([1]), tensor([4]), { eps: 0 }).toArray(); // => [[0], [2]]
 * functional.batchNorm(x, null, null, { training: true, eps: 1e-30 }).toArray(); // => [[-1], [1]]
 * ```
 */
export function batchNorm(
  x: TensorLike,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormFunctionOptions = {},
): Tensor {
  const who = 'batchNorm';
  check.options(who, options, OPTIONS);
  const input = Tensor.from(x);
  if (input.shape.length < 2) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, ...]',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  for (const statistic of [runningMean, runningVar] as readonly unknown[]) {
    if (statistic !== null && !(statistic instanceof Tensor)) {
      throw check.wrongKind(who, 'running_mean and running_var to be Tensors or null', statistic);
    }
  }
  check.bothOrNeither(who, runningMean, runningVar);
  for (const moved of [runningMean, runningVar]) {
    if (moved?.requiresGrad) {
      throw new Error(`${who}: batch_norm is not differentiable wrt running_mean and running_var.`);
    }
  }
  // null is no default, but for what may be absent.
  const { weight = null, bias = null, out = null } = options;
  const { training = false, momentum = 0.1, eps = 1e-5, relu = false } = options;
  check.boolean(who, 'training', training);
  const padding = paddingOf(who, input, options, 'NCL');
  return normalize(input, {
    who,
    dims: padding === null ? check.channelDims(input.shape, false) : packedDims(padding),
    padding,
    weight,
    bias,
    runningMean,
    runningVar,
    useRunning: !training && runningMean !== null,
    update: training && runningMean !== null,
    momentum: check.numberBetween(who, 'momentum', momentum, 0, 1),
    eps: check.numberBetween(who, 'eps', eps, 0, Infinity),
    relu: check.boolean(who, 'relu', relu),
    out,
  });
}
