// The table of optimisers, and the numbers of one step of each. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

#include "reductions.h"

namespace evenkeel {

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the momentum buffer starts as the gradient
};

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  double bias_correction1, bias_correction2_sqrt;  // 1 - beta1^t, sqrt(1 - beta2^t)
  bool decoupled;                                  // AdamW: decay the parameter, not the gradient
  bool maximize;
};

struct RmspropStep {
  double lr, alpha, eps, weight_decay, momentum;
  bool maximize;
};

struct AdagradStep {
  double lr, eps, weight_decay;  // lr after its decay
  bool maximize;
};

struct NadamStep {
  double lr, beta1, beta2, eps, weight_decay;
  double bias_correction2;  // 1 - beta2^t
  double gradient_rate,
      moment_rate;  // what the gradient and the first moment are multiplied by, over the root
  bool decoupled, maximize;
};

struct LarsStep {
  double lr, momentum, weight_decay;
  double trust;  // the layer's own rate
  bool maximize;
};

// Which norm of a gradient.
enum class Norm { kSum, kSquares, kLargest };

template <class T>
struct OptimizerKernels {
  void (*rmsprop)(T* parameter, const T* gradient, T* square, T* momentum, T* mean, std::size_t n,
                  RmspropStep step);
  void (*adagrad)(T* parameter, const T* gradient, T* sum, std::size_t n, AdagradStep step);
  void (*nadam)(T* parameter, const T* gradient, T* m, T* v, std::size_t n, NadamStep step);
  void (*lars)(T* parameter, const T* gradient, T* momentum, std::size_t n, LarsStep step);
  void (*lerp)(const T* a, const T* b, T weight, T* out, std::size_t n);
  void (*clip_values)(const T* x, T most, T* out, std::size_t n);
  Total (*norm)(const T* x, std::size_t n, Norm kind);
  double (*exp_nonpositive)(double x);
};

}  // namespace evenkeel
