// Activations as layers: what they take, what they refuse, and PReLU's state.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const x = () => tensor([[1, -2], [3, -4]]); // prettier-ignore
const of = (value: unknown): never => value as never;

describe('what a constructor refuses', () => {
  test.each<[string, () => unknown, string]>([
    ['a number for options', () => new nn.LeakyReLU(of(0.2)), 'TypeError: LeakyReLU: expected an options object { negativeSlope }, got 0.2.'],
    ["PyTorch's spelling", () => new nn.LeakyReLU(of({ negative_slope: 1 })), "TypeError: LeakyReLU: expected options among negativeSlope, got 'negative_slope' (did you mean 'negativeSlope'?)."],
    ['a slope that is a string', () => new nn.LeakyReLU(of({ negativeSlope: '1' })), "TypeError: LeakyReLU: expected negativeSlope to be a number, got '1'."],
    ['a slope of null', () => new nn.LeakyReLU(of({ negativeSlope: null })), 'TypeError: LeakyReLU: expected negativeSlope to be a number, got null.'],
    ['an alpha of NaN', () => new nn.ELU({ alpha: NaN }), 'RangeError: ELU: expected alpha to be a finite number, got NaN.'],
    ['a beta of 0', () => new nn.Softplus({ beta: 0 }), 'RangeError: Softplus: expected beta other than 0, got 0.'],
    ['a threshold of ∞', () => new nn.Softplus({ threshold: Infinity }), 'RangeError: Softplus: expected threshold to be a finite number, got Infinity.'],
    ['bounds the wrong way round', () => new nn.Hardtanh({ minVal: 2 }), 'RangeError: Hardtanh: expected minVal of at most maxVal (max_val must be larger than min_val), got 2 and 1.'],
    ['another approximation', () => new nn.GELU(of({ approximate: 'x' })), "RangeError: GELU: expected approximate to be 'none' or 'tanh', got 'x'."],
    ['half a dimension', () => new nn.GLU({ dim: 0.5 }), 'RangeError: GLU: expected dim to be a whole number, got 0.5.'],
    ['no dimension', () => new nn.Softmax(of({})), 'TypeError: Softmax: expected dim to be a whole number, got undefined.'],
    ['no options', () => new nn.LogSoftmax(of(undefined)), 'TypeError: LogSoftmax: expected dim to be a whole number, got undefined.'],
    ['no slopes', () => new nn.PReLU({ numParameters: 0 }), 'RangeError: PReLU: expected numParameters to be a positive integer, got 0.'],
    ['a start of ∞', () => new nn.PReLU({ init: Infinity }), 'RangeError: PReLU: expected init to be a finite number, got Infinity.'],
    ['an int32 PReLU', () => new nn.PReLU(of({ dtype: 'int32' })), "RangeError: PReLU: expected dtype to be 'float32' or 'float64', got 'int32'."],
  ])('%s', (_, body, message) => {
    expect(thrownBy(body)).toBe(message);
  }); // prettier-ignore
});

test('forward refuses arguments that it does not use', () => {
  const layers = [new nn.Sigmoid(), new nn.GELU(), new nn.Softmax({ dim: 1 }), new nn.PReLU()];
  for (const layer of layers) {
    expect(thrownBy(() => layer.forward(x(), of({ dim: 0 })))).toBe(
      `TypeError: ${layer.constructor.name}.forward: expected 1 argument, got 2 (an object with dim).`,
    );
  }
});

test('options are copied, can be read, and cannot be set', () => {
  const options = { negativeSlope: 0.5 };
  const layer = new nn.LeakyReLU(options);
  options.negativeSlope = 9;
  expect(layer.negativeSlope).toBe(0.5);
  expect(() => Object.assign(layer, { negativeSlope: 2 })).toThrow(TypeError);
  expect(layer.forward(x()).toArray()).toEqual([[1, -1], [3, -2]]); // prettier-ignore
});

describe('PReLU', () => {
  test('one slope, or one a channel, is learned and saved', () => {
    const layer = new nn.PReLU({ numParameters: 2, init: 0.5 });
    expect([layer.numParameters, layer.init, [...layer.parameters()].length]).toEqual([2, 0.5, 1]);
    functional.sum(layer.forward(x())).backward();
    expect(layer.weight.grad!.toArray()).toEqual([0, -6]);

    const other = new nn.PReLU({ numParameters: 2 });
    other.loadStateDict(layer.stateDict());
    expect(other.forward(x()).toArray()).toEqual([[1, -1], [3, -2]]); // prettier-ignore
    other.resetParameters();
    expect(other.weight.toArray()).toEqual([0.25, 0.25]);
    expect(layer.weight.toArray()).toEqual([0.5, 0.5]);
  });

  test('an input of other channels is refused', () => {
    expect(thrownBy(() => new nn.PReLU({ numParameters: 3 }).forward(x()))).toBe(
      'RangeError: prelu: expected a weight of 1 or 2 values, one a channel, got shape [3] for an input of shape [2, 2].',
    );
  });
});
