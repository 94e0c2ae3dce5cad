import * as check from '../check.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { Module, type Layer } from './module.js';

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
  readonly #layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if (!((layer as unknown) instanceof Module)) {
        throw check.wrongKind(this.who, `layer ${i} to be a Module`, layer);
      }
      this.registerModule(String(i), layer);
    });
    this.#layers = layers;
  }

  get length(): number {
    return this.#layers.length;
  }

  /** The i-th layer; counts from the end when negative. */
  at(i: number): Layer | undefined {
    return this.#layers.at(i);
  }

  [Symbol.iterator](): IterableIterator<Layer> {
    return this.#layers.values();
  }

  forward(x: TensorLike): Tensor {
    let y = Tensor.from(x);
    for (const layer of this.#layers) y = layer.forward(y);
    return y;
  }
}
