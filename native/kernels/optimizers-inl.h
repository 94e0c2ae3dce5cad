// Optimiser steps beside SGD and Adam (elementwise-inl.h), and what a step asks of gradients: their norms,
// clipping. Plain loops, in PyTorch's order of operations, one rounding each.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

template <class T>
inline T root_of(T value) {
  return static_cast<T>(__builtin_sqrt(value));
}

// torch/optim/rmsprop.py. `momentum` and `mean` (centered) are nullable; eps is outside of the root.
template <class T>
void rmsprop(T* parameter, const T* gradient, T* square, T* momentum, T* mean, std::size_t n,
             RmspropStep step) {
  const T lr = static_cast<T>(step.lr), mu = static_cast<T>(step.momentum);
  const T alpha = static_cast<T>(step.alpha), rest = static_cast<T>(1.0 - step.alpha);
  const T eps = static_cast<T>(step.eps), decay = static_cast<T>(step.weight_decay);
  const T sign = step.maximize ? T(-1) : T(1);
  const auto walk = [=](const auto& root, const auto& move) EVENKEEL_INLINED {
    for (std::size_t i = 0; i < n; ++i) {
      const T g = gradient[i] * sign + decay * parameter[i];
      const T second = alpha * square[i] + rest * (g * g);
      square[i] = second;
      parameter[i] = parameter[i] - move(i, g, root(i, g, second) + eps);
    }
  };
  const auto plain = [](std::size_t, T, T second) EVENKEEL_INLINED { return root_of(second); };
  const auto centered = [=](std::size_t i, T g, T second) EVENKEEL_INLINED {
    const T average = mean[i] + rest * (g - mean[i]);
    mean[i] = average;
    return root_of(second - average * average);
  };
  const auto direct = [=](std::size_t, T g, T root) EVENKEEL_INLINED { return lr * (g / root); };
  const auto carried = [=](std::size_t i, T g, T root) EVENKEEL_INLINED {
    const T v = mu * momentum[i] + g / root;
    momentum[i] = v;
    return lr * v;
  };
  if (momentum == nullptr) {
    if (mean == nullptr) {
      walk(plain, direct);
    } else {
      walk(centered, direct);
    }
  } else if (mean == nullptr) {
    walk(plain, carried);
  } else {
    walk(centered, carried);
  }
}

// torch/optim/adagrad.py.
template <class T>
void adagrad(T* parameter, const T* gradient, T* sum, std::size_t n, AdagradStep step) {
  const T lr = static_cast<T>(step.lr), eps = static_cast<T>(step.eps);
  const T decay = static_cast<T>(step.weight_decay), sign = step.maximize ? T(-1) : T(1);
  for (std::size_t i = 0; i < n; ++i) {
    const T g = gradient[i] * sign + decay * parameter[i];
    const T whole = sum[i] + g * g;
    sum[i] = whole;
    parameter[i] = parameter[i] - lr * (g / (root_of(whole) + eps));
  }
}

// torch/optim/nadam.py.
template <class T>
void nadam(T* parameter, const T* gradient, T* m, T* v, std::size_t n, NadamStep step) {
  const T b1 = static_cast<T>(step.beta1), c1 = static_cast<T>(1.0 - step.beta1);
  const T b2 = static_cast<T>(step.beta2), c2 = static_cast<T>(1.0 - step.beta2);
  const T correction = static_cast<T>(step.bias_correction2), eps = static_cast<T>(step.eps);
  const T of_gradient = static_cast<T>(step.gradient_rate);
  const T of_moment = static_cast<T>(step.moment_rate);
  const T sign = step.maximize ? T(-1) : T(1);
  const T coupled = step.decoupled ? T(0) : static_cast<T>(step.weight_decay);
  const T kept = step.decoupled ? static_cast<T>(1.0 - step.lr * step.weight_decay) : T(1);
  for (std::size_t i = 0; i < n; ++i) {
    const T p = parameter[i] * kept;
    const T g = gradient[i] * sign + coupled * p;
    const T first = b1 * m[i] + c1 * g;
    const T second = b2 * v[i] + c2 * (g * g);
    m[i] = first;
    v[i] = second;
    const T root = root_of(second / correction) + eps;
    parameter[i] = (p - of_gradient * (g / root)) - of_moment * (first / root);
  }
}

// SGD with momentum whose gradient, decay included, is multiplied by the layer's trust ratio.
template <class T>
void lars(T* parameter, const T* gradient, T* momentum, std::size_t n, LarsStep step) {
  const T lr = static_cast<T>(step.lr), mu = static_cast<T>(step.momentum);
  const T decay = static_cast<T>(step.weight_decay), trust = static_cast<T>(step.trust);
  const T sign = step.maximize ? T(-1) : T(1);
  for (std::size_t i = 0; i < n; ++i) {
    const T g = (gradient[i] * sign + decay * parameter[i]) * trust;
    const T v = mu * momentum[i] + g;
    momentum[i] = v;
    parameter[i] = parameter[i] - lr * v;
  }
}

// out = a + (b - a) * weight, from the nearer end, as PyTorch's lerp.
template <class T>
void lerp(const T* a, const T* b, T weight, T* out, std::size_t n) {
  const T other = T(1) - weight;
  if (weight < T(0.5)) {
    for (std::size_t i = 0; i < n; ++i) out[i] = a[i] + weight * (b[i] - a[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = b[i] - (b[i] - a[i]) * other;
  }
}

// min(max(x, -most), most); NaN stays NaN.
template <class T>
void clip_values(const T* x, T most, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const T low = x[i] < -most ? -most : x[i];
    out[i] = low > most ? most : low;
  }
}

// The part of a norm that is summed over elements, in double; of the largest, that one (or NaN).
template <class T>
Total norm_part(const T* x, std::size_t n, Norm kind) {
  if (kind == Norm::kSquares) {
    return total_of<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
      const auto value = widen(load_up_to(x + i, count, Simd<T>::Vec::zero()));
      return value * value;
    });
  }
  double lanes[16] = {};
  const bool largest = kind == Norm::kLargest;
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t count = min_size(16, n - i);
    for (std::size_t j = 0; j < count; ++j) {
      const double value = __builtin_fabs(static_cast<double>(x[i + j]));
      const double most = value <= lanes[j] ? lanes[j] : value;  // NaN wins
      const double greatest = lanes[j] == lanes[j] ? most : lanes[j];
      lanes[j] = largest ? greatest : lanes[j] + value;
    }
  }
  Total total{0.0, 0.0};
  for (std::size_t j = 0; j < 16; ++j) {
    if (!largest) {
      add_to(total, lanes[j]);
    } else if (total.high == total.high && !(lanes[j] <= total.high)) {
      total.high = lanes[j];
    }
  }
  return total;
}

template <class T>
constexpr OptimizerKernels<T> optimizer_kernels() {
  return {rmsprop<T>, adagrad<T>,     nadam<T>,     lars<T>,
          lerp<T>,    clip_values<T>, norm_part<T>, exp_nonpositive};
}

}  // namespace
}  // namespace evenkeel
