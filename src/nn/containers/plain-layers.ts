// Layers that keep neither what they are given nor what they return: between two of them nobody but the graph has the
// tensor that one hands to the other.
import { Conv1d, ConvTranspose1d } from '../convolution.js';
import { BatchNorm } from '../batchnorm/layer.js';
import { FrozenBatchNorm1d } from '../batchnorm/frozen.js';
import { Dropout, Dropout1d } from '../dropout.js';
import { Embedding } from '../embedding.js';
import { Flatten, Unflatten } from '../flatten.js';
import { Identity } from '../identity.js';
import { GroupNorm, InstanceNorm1d, LayerNorm } from '../layer-norm.js';
import { Linear } from '../linear.js';
import type { Module } from '../module/module.js';
import { tellPlaces } from '../module/place.js';
import { AdaptiveAvgPool1d, AvgPool1d, MaxPool1d } from '../pooling.js';
import { PReLU } from '../prelu.js';
import { ReLU } from '../relu.js';
import { Sigmoid } from '../activations.js';
import { Upsample } from '../upsample.js';

/**
 * The functions themselves, as they are now: a class of a user's, an instance with hooks or with a forward of its own,
 * and a prototype that somebody changes later have another one.
 */
const PLAIN: ReadonlySet<unknown> = new Set(
  [
    ...[Linear, Conv1d, ConvTranspose1d, Embedding],
    ...[BatchNorm, FrozenBatchNorm1d, LayerNorm, GroupNorm, InstanceNorm1d],
    ...[ReLU, PReLU, Sigmoid, Dropout, Dropout1d],
    ...[MaxPool1d, AvgPool1d, AdaptiveAvgPool1d, Upsample],
    ...[Flatten, Unflatten, Identity],
  ].map(({ prototype }) => {
    tellPlaces(prototype); // the forward of them changes with that
    return forwardOf(prototype);
  }),
);

/** Whether the forward of a layer keeps neither its input nor its output. */
export function isPlain(layer: Module): boolean {
  return PLAIN.has(forwardOf(layer));
}

function forwardOf({ forward }: { readonly forward: unknown }): unknown {
  return forward;
}
