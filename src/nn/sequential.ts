import * as check from '../check.js';
import { identity } from '../functional/identity.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { BatchNorm } from './batchnorm.js';
import { FrozenBatchNorm1d } from './frozen-batchnorm.js';
import { LazyBatchNorm1d } from './lazy-batchnorm.js';
import { Module, type Layer } from './module.js';
import { ReLU } from './relu.js';

// A subclass or an instance that brings a forward of its own is called as it is.
const FUSING = [BatchNorm, LazyBatchNorm1d, FrozenBatchNorm1d] as const;

function takesReLU(layer: Layer | undefined): layer is BatchNorm | FrozenBatchNorm1d {
  return FUSING.some((kind) => layer instanceof kind && layer.forward === kind.prototype.forward);
}
function isReLU(layer: Layer | undefined): boolean {
  return layer instanceof ReLU && layer.forward === ReLU.prototype.forward;
}

/**
 * Layers one after another, named 0, 1, 2, … in the state dict.
 *
 * @example
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.ReLU());
 * model.forward(tensor(new Float32Array(20), [5, 4])).shape; // => [5, 8]
 * ```
 */
export class Sequential extends Module {
  private readonly chain: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if (!((layer as unknown) instanceof Module)) {
        throw check.wrongKind(this.who, `layer ${i} to be a Module`, layer);
      }
      this.registerModule(String(i), layer);
    });
    this.chain = layers;
  }

  get length(): number {
    return this.chain.length;
  }

  /** The i-th layer; counts from the end when negative. */
  at(i: number): Layer | undefined {
    return this.chain.at(i);
  }

  [Symbol.iterator](): IterableIterator<Layer> {
    return this.chain.values();
  }

  /** A ReLU right behind a BatchNorm is computed in its pass: the same bits, one pass over memory less. */
  forward(x: TensorLike): Tensor {
    const layers = this.chain;
    let y = Tensor.from(x);
    for (let i = 0; i < layers.length; i++) {
      const [layer, next] = [layers[i], layers[i + 1]];
      if (takesReLU(layer) && isReLU(next)) {
        y = layer.forward(y, { relu: true });
        i++;
      } else if (layer !== undefined) {
        y = layer.forward(y);
      }
    }
    // Without layers, or with one that hands its input on.
    return y === x ? identity(this.who, y) : y;
  }
}
