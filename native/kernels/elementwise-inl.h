// Element by element: plain loops that the compiler widens to the instruction set's registers. Without
// -ffast-math it may not reorder or contract, so the bits are the same in every instruction set.
// Sums keep 16 (8) explicit lanes, as in batchnorm-ncl-inl.h.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

template <class T>
void relu(const T* x, T* y, std::size_t n) {
  // Written so that NaN stays NaN, as PyTorch's clamp_min does.
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] < T(0) ? T(0) : x[i];
}

template <class T>
void relu_backward(const T* y, const T* dy, T* dx, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) dx[i] = y[i] <= T(0) ? T(0) : dy[i];
}

template <class T>
void add(const T* a, const T* b, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

template <class T>
void multiply_elements(const T* a, const T* b, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

template <class T>
void scale(const T* x, T factor, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * factor;
}

template <class T>
void difference(const T* a, const T* b, T factor, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (a[i] - b[i]) * factor;
}

template <class T>
void dropout(const T* x, T* y, std::size_t n, RandomPlace place, Word threshold, bool drop_all,
             T factor) {
  if (drop_all) {
    for (std::size_t i = 0; i < n; ++i) y[i] = T(0);
    return;
  }
  for_random(n, place, [=](std::size_t i, std::size_t count, const Word* words) {
    const T* in = x + i;
    T* out = y + i;
    // The product before the choice: a load under a condition would leave a branch, wrong half the
    // time (4 ns an element).
    for (std::size_t j = 0; j < count; ++j) {
      const T kept = in[j] * factor;
      out[j] = words[j] < threshold ? T(0) : kept;
    }
  });
}

// out = low + (high - low) * u with u the top 24 bits of a word over 2^24, in [0, 1).
template <class T>
void uniform(T* out, std::size_t n, RandomPlace place, T low, T high) {
  const T span = high - low;
  for_random(n, place, [=](std::size_t i, std::size_t count, const Word* words) {
    for (std::size_t j = 0; j < count; ++j) {
      const T u = static_cast<T>(words[j] >> 8) * T(1.0 / 16777216.0);
      out[i + j] = low + span * u;
    }
  });
}

// PyTorch's order of operations (torch/optim/sgd.py): decay, momentum, nesterov, step.
template <class T>
void sgd(T* parameter, const T* gradient, T* momentum, std::size_t n, SgdStep step) {
  const T lr = static_cast<T>(step.lr), mu = static_cast<T>(step.momentum);
  const T decay = static_cast<T>(step.weight_decay), sign = step.maximize ? T(-1) : T(1);
  const T fresh = step.first ? T(1) : static_cast<T>(1.0 - step.dampening);
  const T kept = step.first ? T(0) : mu;
  if (momentum == nullptr) {
    for (std::size_t i = 0; i < n; ++i) {
      const T g = gradient[i] * sign + decay * parameter[i];
      parameter[i] = parameter[i] - lr * g;
    }
  } else if (step.nesterov) {
    for (std::size_t i = 0; i < n; ++i) {
      const T g = gradient[i] * sign + decay * parameter[i];
      const T v = kept * momentum[i] + fresh * g;
      momentum[i] = v;
      parameter[i] = parameter[i] - lr * (g + mu * v);
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const T g = gradient[i] * sign + decay * parameter[i];
      const T v = kept * momentum[i] + fresh * g;
      momentum[i] = v;
      parameter[i] = parameter[i] - lr * v;
    }
  }
}

// Kingma & Ba 2015; with `decoupled`, Loshchilov & Hutter 2019.
template <class T>
void adam(T* parameter, const T* gradient, T* m, T* v, std::size_t n, AdamStep step) {
  const T b1 = static_cast<T>(step.beta1), c1 = static_cast<T>(1.0 - step.beta1);
  const T b2 = static_cast<T>(step.beta2), c2 = static_cast<T>(1.0 - step.beta2);
  const T rate = static_cast<T>(step.lr / step.bias_correction1);
  const T root = static_cast<T>(step.bias_correction2_sqrt), eps = static_cast<T>(step.eps);
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
    parameter[i] = p - rate * first / (static_cast<T>(__builtin_sqrt(second)) / root + eps);
  }
}

// total + value, with what that rounds away (TwoSum, Knuth).
inline void add_to(Total& total, double value) {
  const double sum = total.high + value, seen = sum - total.high;
  total.low += (total.high - (sum - seen)) + (value - seen);
  total.high = sum;
}

// The sum of value(i, count) over [0, n), a vector at a time. Doubles keep what each addition rounds away: a
// mean of equal values has to be that value.
template <class T, class Value>
inline Total total_of(std::size_t n, const Value& value) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  Wide s = Wide::zero();
  if constexpr (sizeof(T) == sizeof(float)) {
    for (std::size_t i = 0; i < n; i += Vec::kLanes) {
      s = s + value(i, min_size(Vec::kLanes, n - i));
    }
    return {fold(s), 0.0};
  } else {
    Wide lost = Wide::zero();
    for (std::size_t i = 0; i < n; i += Vec::kLanes) {
      const Wide v = value(i, min_size(Vec::kLanes, n - i));
      const Wide sum = s + v, seen = sum - s;
      lost = lost + ((s - (sum - seen)) + (v - seen));
      s = sum;
    }
    double high[Vec::kLanes], low[Vec::kLanes];
    s.store(high);
    lost.store(low);
    Total total{0.0, 0.0};
    for (std::size_t i = 0; i < Vec::kLanes; ++i) add_to(total, high[i]);
    for (std::size_t i = 0; i < Vec::kLanes; ++i) total.low += low[i];
    return total;
  }
}

template <class T>
Total squared_difference(const T* a, const T* b, std::size_t n) {
  return total_of<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
    const auto zero = Simd<T>::Vec::zero();
    const auto d = widen(load_up_to(a + i, count, zero)) - widen(load_up_to(b + i, count, zero));
    return d * d;
  });
}

// exp(x) for x <= 0 within 1 unit in the last place, from +, -, * alone: libm's exp has other bits
// on other machines. x = n ln 2 + r, |r| <= ln 2 / 2, then the Taylor series of degree 13 (the first
// term left out is below 2^-57). Below -708 the result is 0. NaN stays NaN.
inline double exp_nonpositive(double x) {
  constexpr double kLog2e = 1.4426950408889634, kRound = 6755399441055744.0;  // 1.5 * 2^52
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  const double clamped = x < -708.0 ? -708.0 : x;
  const double shifted = clamped * kLog2e + kRound;
  const double n = shifted - kRound;
  const double r = (clamped - n * kLn2High) - n * kLn2Low;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  // The low bits of `shifted` are n: move them to the exponent field of 1.0.
  const DoubleWord bits =
      (__builtin_bit_cast(DoubleWord, shifted) << 52) + (DoubleWord{1023} << 52);
  const double power = __builtin_bit_cast(double, bits);
  const double value = p * power;
  return x < -708.0 ? 0.0 : (x == x ? value : x);
}

template <class T>
void softmax(const T* logits, T* probabilities, std::size_t rows, std::size_t classes,
             double* maximum, double* total, double* work) {
  for (std::size_t r = 0; r < rows; ++r) {
    const T* in = logits + r * classes;
    T* out = probabilities + r * classes;
    T largest = in[0];
    for (std::size_t j = 1; j < classes; ++j) largest = in[j] > largest ? in[j] : largest;
    const double origin = static_cast<double>(largest);
    for (std::size_t j = 0; j < classes; ++j) {
      work[j] = exp_nonpositive(static_cast<double>(in[j]) - origin);
    }
    double whole = 0.0;
    for (std::size_t j = 0; j < classes; ++j) whole += work[j];
    for (std::size_t j = 0; j < classes; ++j) out[j] = static_cast<T>(work[j] / whole);
    maximum[r] = origin;
    total[r] = whole;
  }
}

inline void add_doubles(double* total, const double* part, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) total[i] += part[i];
}

template <class T>
constexpr ElementwiseKernels<T> elementwise_kernels() {
  return {relu<T>,
          relu_backward<T>,
          add<T>,
          multiply_elements<T>,
          scale<T>,
          difference<T>,
          dropout<T>,
          uniform<T>,
          sgd<T>,
          adam<T>,
          squared_difference<T>,
          softmax<T>};
}

}  // namespace
}  // namespace evenkeel
