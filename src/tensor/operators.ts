// What a tensor refuses, because it would go wrong without a word: JavaScript's operators, which a class cannot
// define, and the name by which PyTorch switches gradients.
import { Tensor } from './class.js';

Object.defineProperties(Tensor.prototype, {
  [Symbol.toPrimitive]: {
    configurable: true,
    /** `${x}` and String(x) are its text; x + 1, 2 * x, -x, x > 1 and x == 1 would be NaN, false or a text. */
    value(this: Tensor, hint: string): string {
      if (hint === 'string') return this.toString();
      throw new TypeError(
        "Tensor: JavaScript's operators do not work on tensors, write x.add(1), x.mul(2) or x.gt(0); " +
          'x.item() is the number of one element.',
      );
    },
  },
  requires_grad: {
    configurable: true,
    get: refuseName,
    set: refuseName,
  },
});

function refuseName(): never {
  throw new TypeError('Tensor: expected requiresGrad, got requires_grad.');
}
