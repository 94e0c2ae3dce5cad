// What a batch normalisation asks of its input.
import { describe, wrongValue } from './sentences.js';
import { numelOf, shapeText } from './shapes.js';
import type { Described } from './tensors.js';

/** How an input of one BatchNorm layer is to be read: M = n * l values in each of c channels. */
export interface ChannelDims {
  readonly n: number;
  readonly c: number;
  readonly l: number;
}

const RANKS = {
  BatchNorm1d: [2, 3],
  BatchNorm2d: [4],
  BatchNorm3d: [5],
} as const;

/**
 * Rank and channel count of a layer's input. Channels last is the same memory as [N · L, C].
 *
 * @param sizes - Its shape, or the same in an array that is read faster.
 */
export function batchNormInput(
  who: string,
  kind: keyof typeof RANKS,
  input: Described,
  channels: number,
  layout: 'NCL' | 'NLC',
  sizes = input.shape,
): ChannelDims {
  const ranks: readonly number[] = RANKS[kind];
  if (!ranks.includes(sizes.length)) {
    const want = ranks.map((rank) => `${rank}D`).join(' or ');
    throw wrongValue(
      who,
      `${want} input (got ${sizes.length}D input)`,
      `shape ${shapeText(sizes)}`,
    );
  }
  const last = layout === 'NLC' && sizes.length > 2;
  const c = sizes[last ? sizes.length - 1 : 1] ?? 0;
  if (c !== channels) {
    throw wrongValue(
      who,
      `input with ${channels} channels`,
      `shape ${shapeText(sizes)} (running_mean should contain ${c} elements not ${channels})`,
    );
  }
  return channelDims(sizes, last, c);
}

/** `c` where the caller has read it: a frozen array costs V8 some 5 ns an element. */
export function channelDims(
  sizes: readonly number[],
  channelsLast: boolean,
  c = sizes[channelsLast ? sizes.length - 1 : 1] ?? 0,
): ChannelDims {
  if (channelsLast) return { n: numelOf(sizes, 0, sizes.length - 1), c, l: 1 };
  return { n: sizes[0] ?? 0, c, l: numelOf(sizes, 2) };
}

/** A batch's statistics need more than one value per channel (an empty batch has none to need). */
export function enoughForStatistics(who: string, dims: ChannelDims, input: Described): void {
  if (dims.n * dims.l === 1) {
    throw wrongValue(
      who,
      'more than 1 value per channel when training',
      `input of shape ${shapeText(input.shape)} ` +
        '(a last batch of one: dropLast: true of the DataLoader leaves it out)',
    );
  }
}

/** eps keeps the division finite; a running variance may stand without it, a batch's may be 0. */
export function trainingEps(who: string, eps: number): void {
  if (!(eps > 0)) {
    throw wrongValue(
      who,
      'eps to be positive (batch_norm eps must be positive during training)',
      describe(eps),
    );
  }
}

/** Running statistics come in pairs. */
export function bothOrNeither(who: string, mean: unknown, variance: unknown): void {
  if ((mean === null) === (variance === null)) return;
  throw new TypeError(
    `${who}: expected running_mean and running_var to either both be None or neither be None, ` +
      `got ${mean === null ? 'only running_var' : 'only running_mean'}.`,
  );
}
