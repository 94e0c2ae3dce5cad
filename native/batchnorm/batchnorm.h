// Batch normalisation, forward and backward, for contiguous (N, C) and (N, C, L) arrays of float or
// double. M = N * L values per channel.
//
// Every function: arrays are contiguous and hold what the shape says; nullable pointers are marked;
// x == y and dy == dx (the same pointer) are allowed, partial overlaps are not. Throws
// std::bad_alloc, and then has changed nothing but y, dx. The result has the same bits for every
// instruction set and every thread count.
#pragma once

#include <cstddef>

#include "../kernels/arithmetic.h"
#include "../runtime/workspace.h"

namespace evenkeel {

struct BatchShape {
  std::size_t n, c, l;
};

// Runs shorter than this are columns of a row: half of their vectors would be partial ones.
inline constexpr std::size_t kShortRun = 32;
inline bool in_rows(BatchShape shape) { return shape.l < kShortRun && shape.c > 1; }

enum class Statistics { batch, running, given };

// What backward needs of its forward: 3 * C doubles, mean[C], residual[C], invstd[C]. The mean in
// use is mean + residual: one double is enough for float data, two are for double data.
using Saved = double*;

// An activation behind it: y = f(that), with the same bits as the pointwise operation.
struct Activation {
  bool given;
  UnaryCode code;
  Numbers numbers;
};

// Where there are slopes, the activation is a PReLU by them, and no code is read.
template <class T>
struct Slopes {
  const T* values;  // nullable: none
  bool single;      // one for all channels, or C

  bool given() const { return values != nullptr; }
  const T* of(std::size_t channel) const { return single ? values : values + channel; }
};

// y = (x - mean) * invstd * weight + bias, invstd = 1 / sqrt(var + eps), var biased (over M).
// Statistics::batch: mean and var of this batch; with `update`, once y is written,
//   running <- (1 - momentum) * running + momentum * {mean, var * M / (M - 1)}.
// Statistics::running: mean and var are running_mean and running_var, which stay as they are.
// Statistics::given: mean and var are those of `moments` (moments.h), of this batch and others together.
template <class T>
struct BatchNormForward {
  BatchShape shape;
  const T* x;
  T* y;             // nullable: the statistics alone
  const T* weight;  // nullable: 1
  const T* bias;    // nullable: 0
  T* running_mean;  // nullable where neither read nor updated
  T* running_var;
  const double* moments;  // nullable where not given
  Saved saved;            // nullable
  double* var;            // nullable: C doubles, the biased variance that normalises
  Statistics statistics;
  bool relu;  // y = max(that, 0): the same bits as relu() of it, without the pass
  Activation activation;
  Slopes<T> slopes;
  bool update;
  double momentum;
  double eps;
};

template <class T>
void batchnorm_forward(const BatchNormForward<T>& call, Workspace& workspace);

// With xhat = (x - mean) * invstd from `saved`:
//   dbias = sum dy, dweight = sum dy * xhat,
//   dx = weight * invstd * (dy - dbias / M - xhat * dweight / M)   where the batch's statistics
//   dx = weight * invstd * dy                                      where the running ones normalised.
// Behind a forward with `relu`, dy counts as 0 where that forward's y was not above 0.
//
// The two passes can be had apart, with the sums of other batches added in between: dx is then the gradient
// of a batch that lies in several places. Both passes one after the other have the bits of Passes::both, in several
// places too where the sums are nodes of kernels/sum_tree.h and meet as it says.
//   sums     writes `sums`, dweight and dbias, of these values alone; dx is null
//   by_sums  reads `sums`, those of all `count` values a channel, and writes dx; dweight and dbias of all of them
enum class Passes { both, sums, by_sums };

template <class T>
struct BatchNormBackward {
  BatchShape shape;
  const T* x;
  const T* dy;  // nullable: every element is dy_value
  T dy_value;
  const T* weight;  // nullable: 1
  const T* bias;    // nullable: 0; read with `relu` only
  const double* saved;
  T* dx;       // nullable: not wanted
  T* dweight;  // nullable
  T* dbias;    // nullable
  // Nullable where there are both passes: [2, C], sum dy and sum dy * (x - T(mean)); in channels that wide.h is
  // for, the second is sum dy * xhat. Either way they add up over batches that share `saved`.
  double* sums;
  double count;  // values a channel where dx is by sums; of this batch otherwise, and not read
  Passes passes;
  Statistics statistics;
  bool relu;
};

template <class T>
void batchnorm_backward(const BatchNormBackward<T>& call, Workspace& workspace);

// The gradient of an activation behind it, for a backward: dz = gradient(z, dy), z what the forward handed to it,
// computed again from x.
// Of a PReLU also `products`, n c l values whose sums are the gradients of its slopes: where there is one slope or l is 1
// as x lies, else channel by channel, [c, n, l], as they are summed.
template <class T>
struct ActivationBackward {
  BatchShape shape;
  const T *x, *dy;
  const T *weight, *bias;  // nullable
  const double* saved;
  T* dz;
  BinaryCode gradient;
  Numbers numbers;
  Slopes<T> slopes;
  T* products;  // nullable: not wanted
};

template <class T>
void activation_backward(const ActivationBackward<T>& call, Workspace& workspace);

}  // namespace evenkeel
