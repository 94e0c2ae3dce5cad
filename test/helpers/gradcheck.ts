// Gradients against central differences in float64.
import { functional, noGrad, tensor, type Tensor } from 'evenkeel';

const EPS = 1e-6;

/**
 * Throws unless every gradient of every input of `f` agrees with central differences: the error of
 * (f(x + eps) - f(x - eps)) / 2 eps is about eps² · f''' + 2^-53 · |f| / eps, 1e-10 here, so
 * atol 1e-7 and rtol 1e-6 have room. Outputs of several elements are weighed by fixed uneven numbers.
 *
 * @param f - Called again and again with the same leaves; must be a function of their data alone.
 * @param inputs - Float64 leaves that require grad.
 */
export function gradcheck(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor[],
  { atol = 1e-7, rtol = 1e-6 } = {},
): void {
  const weights = (y: Tensor): Tensor =>
    tensor(
      Float64Array.from({ length: y.numel }, (_, i) => Math.sin(1.7 * i + 0.6)),
      y.shape,
    );
  const total = (): number =>
    noGrad(() => {
      const y = f(...inputs);
      return functional.sum(functional.mul(y, weights(y))).item();
    });

  for (const input of inputs) {
    if (input.dtype !== 'float64' || !input.requiresGrad) {
      throw new Error('gradcheck: expected float64 inputs that require grad');
    }
    input.grad = null;
  }
  const y = f(...inputs);
  y.backward(weights(y));

  inputs.forEach((input, which) => {
    const data = input.data as Float64Array;
    if (input.grad === null) throw new Error(`gradcheck: input ${which} has no gradient`);
    if (input.grad.shape.join() !== input.shape.join()) {
      throw new Error(`gradcheck: gradient ${which} has shape [${input.grad.shape.join()}]`);
    }
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      const step = EPS * Math.max(1, Math.abs(value));
      data[i] = value + step;
      const above = total();
      data[i] = value - step;
      const below = total();
      data[i] = value;
      const numeric = (above - below) / (2 * step);
      const analytic = Number(input.grad.data[i]);
      // Written so that NaN fails.
      if (!(Math.abs(analytic - numeric) <= atol + rtol * Math.abs(numeric))) {
        throw new Error(
          `gradcheck: input ${which}, element ${i}: backward gives ${analytic}, differences ${numeric}`,
        );
      }
    }
  });
}
