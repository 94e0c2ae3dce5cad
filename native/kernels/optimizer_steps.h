// The numbers of one step of each optimiser. SGD's and Adam's are in kernels.h.
#pragma once

namespace evenkeel {

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

}  // namespace evenkeel
