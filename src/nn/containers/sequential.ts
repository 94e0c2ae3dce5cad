import * as check from '../../check/index.js';
import { identity } from '../../functional/identity.js';
import { preluBy, slopesFit } from '../../functional/pointwise/activation-table.js';
import { deferring } from '../../run/deferral.js';
import { Parameter, Tensor, type TensorLike } from '../../tensor/tensor.js';
import type { BatchNormForwardOptions } from '../batchnorm/options.js';
import { pointwiseOf } from '../activations.js';
import { BatchNorm } from '../batchnorm/layer.js';
import { forwardOptionsOf, handOn } from '../module/forward-options.js';
import { FrozenBatchNorm1d } from '../batchnorm/frozen.js';
import { Indexed, ITEM_KIND } from './indexed.js';
import { KNOWN_OPTIONS, WHO } from '../module/internals.js';
import { LazyBatchNorm1d } from '../batchnorm/lazy.js';
import { Module, type Layer } from '../module/module.js';
import { isPlain } from './plain-layers.js';
import { PReLU } from '../prelu.js';
import { ReLU } from '../relu.js';
import { childrenOf } from '../module/tree.js';

/** What a Sequential hands on to those of its layers that take it. */
export type SequentialForwardOptions = Omit<BatchNormForwardOptions, 'out' | 'relu' | 'activation'>;

// A subclass or an instance that brings a forward of its own is called as it is.
const FUSING = [BatchNorm, LazyBatchNorm1d, FrozenBatchNorm1d] as const;

function fuses(layer: Layer): boolean {
  return FUSING.some((kind) => layer instanceof kind && layer.forward === kind.prototype.forward);
}
/** What a layer is as an option of the BatchNorm in front of it; null where it is nothing of the kind. */
function behind(norm: Layer, x: Tensor, layer: Layer | undefined): object | null {
  if (layer instanceof ReLU) return layer.forward === ReLU.prototype.forward ? RELU : null;
  if (layer instanceof PReLU)
    return layer.forward === PReLU.prototype.forward ? preluBehind(norm, x, layer) : null;
  const activation = layer === undefined ? null : pointwiseOf(layer);
  return activation === null ? null : { activation };
}
const RELU = { relu: true } as const;

/**
 * Not where channels come last: one slope for each belongs to dimension 1, as in PyTorch. Nor with slopes that do not fit:
 * the layer says so itself, under its own name and path.
 */
function preluBehind(norm: Layer, x: Tensor, layer: PReLU): object | null {
  const weight: unknown = layer.weight;
  if (!(weight instanceof Parameter) || weight.disposed || weight.dtype !== x.dtype) return null;
  if (!slopesFit(weight, x.shape[1])) return null;
  const { layout } = norm as { readonly layout?: unknown };
  if (layout === 'NLC' && x.shape.length > 2 && weight.numel !== 1) return null;
  return { activation: preluBy('prelu', weight) };
}

/**
 * Layers one after another, named 0, 1, 2, … in the state dict. It is its children: whatever replaces one, adds
 * one or takes one away, `forward` runs what `stateDict()`, `parameters()` and the repr show.
 *
 * @example
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.ReLU());
 * model.push(new nn.Linear(8, 2));
 * model.forward(tensor(new Float32Array(20), [5, 4])).shape; // => [5, 2]
 * ```
 */
export class Sequential extends Indexed<Layer> {
  constructor(...layers: Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if ((layer as unknown) instanceof Module) return;
      throw check.wrongKind(this[WHO], `layer ${i} to be a Module`, layer);
    });
    this.extend(layers);
  }

  /** @internal */
  get [ITEM_KIND](): 'Module' {
    return 'Module';
  }

  /** @internal What its layers take. */
  [KNOWN_OPTIONS](): readonly string[] {
    return [...new Set(layersOf(this).flatMap((layer) => forwardOptionsOf(layer) ?? []))];
  }

  /**
   * A pointwise activation right behind a BatchNorm is computed in its pass: the same bits, one pass over memory less.
   *
   * What one layer of this package hands to the next one gives its memory back with the graph, at the end of `backward`;
   * at once where nothing is recorded. Nobody else can have it: not so behind or before a layer with hooks, or of a class of
   * your own.
   *
   * @param options - Go to every layer that takes them, as `lengths` to each BatchNorm: see `forwardOptions` of
   * Module for a class of one's own.
   * @throws {TypeError} for options that no layer takes, before any has run.
   */
  forward(x: TensorLike, options?: SequentialForwardOptions, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    const layers = layersOf(this);
    const handed = options === undefined ? null : handOn(`${this[WHO]}.forward`, layers, options);
    let y = x instanceof Tensor ? x : Tensor.operand(this[WHO], 'the input', x);
    let isOurs = false;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i]!;
      const given = y;
      const own = handed?.[i];
      const fused = fuses(layer) ? behind(layer, y, layers[i + 1]) : null;
      if (fused !== null) {
        y = withOptions(layer, y, { ...own, ...fused });
        i++;
      } else if (own !== undefined) {
        y = withOptions(layer, y, own);
      } else {
        y = layer.forward(y);
      }
      const plain = isPlain(layer);
      if (y === given) {
        isOurs &&= plain;
        continue;
      }
      if (isOurs && plain) giveUp(given, y);
      isOurs = plain && y instanceof Tensor;
    }
    // Without layers, or with one that hands its input on.
    return y === x ? identity(this[WHO], y) : y;
  }
}

/** Gives the memory of `value` back with the graph behind `result`, which alone needs it; now, where there is none. */
function giveUp(value: Tensor, result: Tensor): void {
  const { operation } = result;
  if (operation !== null) operation.adopt(value);
  else if (value.operation === null && deferring() === null) value.dispose();
}

function layersOf(sequential: Sequential): Layer[] {
  const layers: Layer[] = [];
  for (const [, layer] of childrenOf<Module>(sequential)) layers.push(layer as Layer);
  return layers;
}

/** A layer's forward with options, which the type of a layer does not show. */
function withOptions(layer: Layer, x: Tensor, options: object): Tensor {
  return (layer as { forward(x: Tensor, options: object): Tensor }).forward(x, options);
}
