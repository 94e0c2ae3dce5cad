// The operations that are methods of Tensor too: src/tensor/operations.ts has their types.
import * as check from '../check/index.js';
import { addMethods } from '../tensor/methods.js';
import type { TensorOperations } from '../tensor/operations.js';
import { Tensor } from '../tensor/tensor.js';
import { bmm, dot, matmul, mm, outer } from './matmul.js';
import * as activations from './pointwise/activations.js';
import * as arithmetic from './pointwise/arithmetic.js';
import { allclose, equal } from './pointwise/closeness.js';
import * as masks from './pointwise/masks.js';
import { isfinite, isinf, isnan } from './pointwise/finite.js';
import { ceil, floor, round, sign, trunc } from './pointwise/rounding.js';
import { all, any } from './reductions/any-all.js';
import { cumsum } from './reductions/cumsum.js';
import * as reductions from './reductions/reductions.js';
import { logSoftmax, softmax } from './reductions/softmax.js';
import { norm } from './norm.js';
import { relu } from './relu.js';
import { argsort, gather, indexAdd, indexSelect, sort, topk } from './shapes/indexing.js';
import { dimOf } from './dims.js';
import { dtypeOf, inDtype } from './dtypes.js';
import { expand } from './shapes/expand.js';
import { maskedSelect, nonzero } from './shapes/masked.js';
import { exchanged, flip, permute, t, transpose } from './shapes/permute.js';
import { repeat, tile } from './shapes/repeat.js';
import { flatten, reshape, shaped, squeeze, unsqueeze } from './shapes/reshape.js';
import { chunk, narrow, select, split, unbind } from './shapes/split.js';

/** These take numbers too, which the functions do not. */
type OfNumbers = 'expand' | 'flip' | 'permute' | 'repeat' | 'reshape' | 'tile' | 'view';
type OfTensor = 'dim' | 'size' | 'to' | 'float' | 'double' | 'int' | 'long';
type Methods = Omit<TensorOperations<Tensor>, OfNumbers | OfTensor>;
/** The function of a method: the tensor, then what the method takes. */
type Functions = {
  readonly [Name in keyof Methods]: (
    x: Tensor,
    ...args: Parameters<Methods[Name]>
  ) => ReturnType<Methods[Name]>;
};

const { abs, add, clamp, clip, div, exp, log, log1p, maximum, minimum, mul, neg, pow } = arithmetic;
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
  ...{
    abs,
    add,
    clamp,
    clip,
    div,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    rsqrt,
    sqrt,
    sub,
  },
  ...{ eq, ge, gt, le, lt, maskedFill, ne },
  ...{ amax, amin, argmax, argmin, logsumexp, max, mean, min, sort, std, sum, topk, var: variance },
  ...{ relu, sigmoid, tanh, softmax, logSoftmax },
  ...{ argsort, chunk, flatten, narrow, select, split, squeeze, t, transpose, unbind, unsqueeze },
  ...{ ceil, cumsum, floor, round, sign, trunc },
  ...{ all, any, allclose, equal, isfinite, isinf, isnan },
  ...{ bmm, dot, matmul, mm, outer, norm, maskedSelect, nonzero, gather, indexAdd, indexSelect },
};

/** What follows the tensor: a list, or numbers in its place, as in x.reshape(2, -1). */
function listed(given: readonly unknown[]): [list: readonly number[], ...rest: undefined[]] {
  return (typeof given[0] === 'number' ? [given] : given) as [readonly number[], ...undefined[]];
}

addMethods(Tensor, {
  expand(...shape): Tensor {
    return expand(this, ...listed(shape));
  },
  flip(...dims): Tensor {
    return flip(this, ...listed(dims));
  },
  permute(...dims): Tensor {
    return permute(this, ...listed(dims));
  },
  repeat(...sizes): Tensor {
    return repeat(this, ...listed(sizes));
  },
  reshape(...shape): Tensor {
    return reshape(this, ...listed(shape));
  },
  tile(...sizes): Tensor {
    return tile(this, ...listed(sizes));
  },
  view(...shape): Tensor {
    const [list, ...rest] = listed(shape);
    return shaped('view', this, list, rest);
  },

  dim(): number {
    return this.ndim;
  },
  size: sizeOf as Tensor['size'],

  to(dtype, ...rest: undefined[]): Tensor {
    if (rest.length > 0) check.noMore('Tensor.to', 1, rest);
    return inDtype('Tensor.to', this, dtypeOf('Tensor.to', dtype));
  },
  float(...rest: undefined[]): Tensor {
    if (rest.length > 0) check.noMore('Tensor.float', 0, rest);
    return inDtype('Tensor.float', this, 'float32');
  },
  double(...rest: undefined[]): Tensor {
    if (rest.length > 0) check.noMore('Tensor.double', 0, rest);
    return inDtype('Tensor.double', this, 'float64');
  },
  int(...rest: undefined[]): Tensor {
    if (rest.length > 0) check.noMore('Tensor.int', 0, rest);
    return inDtype('Tensor.int', this, 'int32');
  },
  long(...rest: undefined[]): Tensor {
    if (rest.length > 0) check.noMore('Tensor.long', 0, rest);
    return inDtype('Tensor.long', this, 'int64');
  },

  get T(): Tensor {
    this.present('Tensor.T');
    return exchanged('Tensor.T', this);
  },
});

function sizeOf(this: Tensor, dim?: number, ...rest: undefined[]): readonly number[] | number {
  const who = 'Tensor.size';
  if (rest.length > 0) check.noMore(who, 1, rest);
  const { shape } = this;
  if (dim === undefined) return shape;
  if (shape.length === 0) {
    const what = 'a tensor of at least 1 dimension (a scalar has no sizes)';
    throw check.wrongValue(who, what, 'shape []');
  }
  return shape[dimOf(who, 'dim', dim, shape.length)]!;
}

for (const [name, operation] of Object.entries(functions)) {
  const call = operation as (x: Tensor, ...args: unknown[]) => unknown;
  const methods = {
    [name](this: Tensor, ...args: unknown[]): unknown {
      return call(this, ...args);
    },
  };
  addMethods(Tensor, methods as Partial<Tensor>);
}
