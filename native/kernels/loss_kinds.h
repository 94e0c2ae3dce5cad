// The losses that are computed element by element, and the operands of one. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

namespace evenkeel {

// In the order of src/functional/losses/kinds.ts.
enum class LossKind {
  kSquared,
  kAbsolute,
  kSmooth,
  kHuber,
  kBinary,
  kBinaryLogits,
  kDivergence,
  kLogDivergence
};
inline constexpr std::size_t kLossKinds = 8;

// `weight` multiplies a loss, `positive` the part of its positive target (binary logits); both are nullable. `p` is
// beta or delta.
template <class T>
struct LossOperands {
  const T *x, *target, *weight, *positive;
  double p;
};

// Rows of logits against distributions over the classes: a class index and `smoothing` of it spread over all, or
// `probabilities`, smoothed as well. `weight`: of each class, nullable.
template <class T>
struct RowOperands {
  const T* logits;
  const int* targets;      // null where probabilities are given
  const T* probabilities;  // null where targets are given
  const double* weight;
  std::size_t classes;
  double smoothing;
  int ignore;
};

}  // namespace evenkeel
