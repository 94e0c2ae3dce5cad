// ParameterList and ParameterDict: the containers of modules, for parameters.
import type { Parameter } from '../../tensor/tensor.js';
import { Indexed, ITEM_KIND, itemsOf } from './indexed.js';
import { WHO } from '../module/internals.js';
import { Keyed, VALUE_KIND } from './keyed.js';
import { noForward } from './module-list.js';

/**
 * Parameters in order, named 0, 1, 2, … in the state dict.
 *
 * @example
 * ```ts
 * const scales = new nn.ParameterList([1, 2].map((size) => new nn.Parameter(tensor(new Float32Array(size)))));
 * [...scales.stateDict().keys()]; // => ['0', '1']
 * scales.at(1)?.shape; // => [2]
 * ```
 */
export class ParameterList extends Indexed<Parameter> {
  constructor(parameters: Iterable<Parameter> = []) {
    super();
    this.extend(parameters);
  }

  /** @internal */
  get [ITEM_KIND](): 'Parameter' {
    return 'Parameter';
  }

  /** There is none. */
  forward(): never {
    throw noForward(this[WHO]);
  }

  override extraRepr(): string {
    return reprOf(itemsOf<Parameter>(this), (dtype) => dtype);
  }
}

/**
 * Parameters by name, in the order in which they came. Iterated, it gives names and parameters, as a Map does.
 *
 * @example
 * ```ts
 * const scales = new nn.ParameterDict({ left: new nn.Parameter(tensor([1])) });
 * scales.set('right', new nn.Parameter(tensor([2])));
 * [...scales.stateDict().keys()]; // => ['left', 'right']
 * ```
 */
export class ParameterDict extends Keyed<Record<string, Parameter>> {
  /** @param parameters - An object, a Map, or pairs of a name and a parameter. */
  constructor(parameters: Record<string, Parameter> | Iterable<readonly [string, Parameter]> = []) {
    super();
    this.update(parameters);
  }

  /** @internal */
  get [VALUE_KIND](): 'Parameter' {
    return 'Parameter';
  }

  /** The same as `set`. */
  override registerParameter(name: string, parameter: Parameter | null): void {
    this.set(name, parameter as Parameter);
  }

  /** There is none. */
  forward(): never {
    throw noForward(this[WHO]);
  }

  override extraRepr(): string {
    return reprOf([...this], (dtype) => (dtype === 'float32' ? 'FloatTensor' : 'DoubleTensor'));
  }
}

/** As PyTorch prints them: indented twice, and the kind of the elements named in two ways. */
function reprOf(
  entries: readonly (readonly [string, Parameter])[],
  kindOf: (dtype: string) => string,
): string {
  return entries
    .map(([name, { dtype, shape }]) => {
      const size = shape.join('x');
      return `  (${name}): Parameter containing: [torch.${kindOf(dtype)} of size ${size}]`;
    })
    .join('\n');
}
