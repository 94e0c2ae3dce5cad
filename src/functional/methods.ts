// The operations that are methods of Tensor too: src/tensor/operations.ts has their types.
import * as check from '../check/index.js';
import { addMethods } from '../tensor/methods.js';
import type { TensorOperations } from '../tensor/operations.js';
import { Tensor } from '../tensor/tensor.js';
import { bmm, matmul } from './matmul.js';
import * as activations from './pointwise/activations.js';
import * as arithmetic from './pointwise/arithmetic.js';
import * as masks from './pointwise/masks.js';
import * as reductions from './reductions/reductions.js';
import { logSoftmax, softmax } from './reductions/softmax.js';
import { relu } from './relu.js';
import { argsort, gather, indexAdd, indexSelect, sort, topk } from './shapes/indexing.js';
import { expand } from './shapes/expand.js';
import { flip, permute, transpose } from './shapes/permute.js';
import { flatten, reshape, squeeze, unsqueeze } from './shapes/reshape.js';
import { chunk, narrow, split } from './shapes/split.js';

type Methods = TensorOperations<Tensor>;
/** The function of a method: the tensor, then what the method takes. */
type Functions = {
  readonly [Name in keyof Methods]: (
    x: Tensor,
    ...args: Parameters<Methods[Name]>
  ) => ReturnType<Methods[Name]>;
};

const { abs, add, clamp, div, exp, log, log1p, maximum, minimum, mul, neg, pow } = arithmetic;
const { rsqrt, sqrt, sub } = arithmetic;
const { eq, ge, gt, le, lt, maskedFill, ne } = masks;
const {
  amax,
  amin,
  argmax,
  argmin,
  logsumexp,
  max,
  mean,
  min,
  std,
  sum,
  var: variance,
} = reductions;
const { sigmoid, tanh } = activations;

const functions: Functions = {
  ...{ abs, add, clamp, div, exp, log, log1p, maximum, minimum, mul, neg, pow, rsqrt, sqrt, sub },
  ...{ eq, ge, gt, le, lt, maskedFill, ne },
  ...{ amax, amin, argmax, argmin, logsumexp, max, mean, min, sort, std, sum, topk, var: variance },
  ...{ relu, sigmoid, tanh, softmax, logSoftmax },
  ...{
    argsort,
    chunk,
    expand,
    flatten,
    flip,
    narrow,
    permute,
    reshape,
    split,
    squeeze,
    transpose,
    unsqueeze,
  },
  ...{ bmm, matmul, gather, indexAdd, indexSelect },
};

addMethods(Tensor, {
  get T(): Tensor {
    if (this.ndim > 2) {
      const what = 'at most 2 dimensions (transpose exchanges two of more)';
      throw check.wrongValue('Tensor.T', what, `shape ${check.shapeText(this.shape)}`);
    }
    return permute(
      this,
      this.shape.map((_, dim) => this.ndim - 1 - dim),
    );
  },
});

for (const [name, operation] of Object.entries(functions)) {
  const call = operation as (x: Tensor, ...args: unknown[]) => unknown;
  const methods = {
    [name](this: Tensor, ...args: unknown[]): unknown {
      return call(this, ...args);
    },
  };
  addMethods(Tensor, methods as Partial<Tensor>);
}
