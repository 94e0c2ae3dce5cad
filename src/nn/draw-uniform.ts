// The start of the layers whose weight and bias are uniform around 0.
import { fillUniform } from '../tensor/random.js';
import { floats, learned, type Parameter } from '../tensor/tensor.js';

/** @internal Draws a layer's weight and bias anew, uniform in ±bound: both, or none where the memory of one is detached. */
export function drawUniform(
  who: string,
  layer: { readonly weight: Parameter; readonly bias: Parameter | null },
  bound: number,
): void {
  const all = [learned(who, 'weight', layer.weight), learned(who, 'bias', layer.bias)];
  for (const parameter of all) parameter?.attached(`${who}.resetParameters`, 'a parameter');
  for (const parameter of all) {
    if (parameter === null) continue;
    fillUniform(floats(parameter), -bound, bound);
    parameter.markChanged();
  }
}
