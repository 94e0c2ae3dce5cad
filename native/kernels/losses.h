// The table of losses, which of them there are, and their operands. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

#include "reductions.h"

namespace evenkeel {

// In the order of LOSS_KINDS in src/functional/losses/pointwise.ts.
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

template <class T>
struct LossKernels {
  Total (*sum)(LossKind kind, const LossOperands<T>& operands, std::size_t n);
  void (*values)(LossKind kind, const LossOperands<T>& operands, T* out, std::size_t n);
  void (*gradients)(LossKind kind, const LossOperands<T>& operands, bool of_target, const T* dy,
                    double factor, T* out, std::size_t n);
  void (*row_losses)(const RowOperands<T>& operands, std::size_t rows, double* lse, double* loss);
  void (*row_gradients)(const RowOperands<T>& operands, std::size_t rows, const double* lse,
                        const double* scale, T* dx, T* dtarget);
};

}  // namespace evenkeel
