// Per-channel scalars: sums -> moments -> the coefficients of the elementwise passes. Plain loops over
// channels that the compiler widens; at 1024 channels a scalar loop's divisions and square roots
// would cost as much as the pass over 256 KB.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

template <class T>
inline double low_half(double mean, double residual, T center) {
  return (mean - static_cast<double>(center)) + residual;
}

template <class T>
void channel_moments(const T* __restrict shift, const double* __restrict sum,
                     const double* __restrict sumsq, double m, std::size_t n,
                     double* __restrict mean, double* __restrict residual, double* __restrict var) {
  for (std::size_t c = 0; c < n; ++c) {
    const double origin = static_cast<double>(shift[c]), step = sum[c] / m;
    const double squares = sumsq[c] - sum[c] * step;
    mean[c] = origin + step;
    var[c] = (squares < 0.0 ? 0.0 : squares) / m;  // NaN stays NaN
  }
  for (std::size_t c = 0; c < n; ++c) {
    if constexpr (sizeof(T) == sizeof(double)) {
      const double step = sum[c] / m, seen = mean[c] - shift[c];  // TwoSum, Knuth
      residual[c] = (shift[c] - (mean[c] - seen)) + (step - seen);
    } else {
      residual[c] = 0.0;
    }
  }
}

inline void inverse_deviation(const double* __restrict var, double eps, std::size_t n,
                              double* __restrict invstd) {
  for (std::size_t c = 0; c < n; ++c) invstd[c] = 1.0 / __builtin_sqrt(var[c] + eps);
}

// The largest finite T where the value is larger: an infinite scale would turn the zeros of a constant
// channel into NaN. NaN stays NaN.
template <class T>
inline T finite(double value) {
  constexpr double kMax = sizeof(T) == sizeof(float) ? __FLT_MAX__ : __DBL_MAX__;
  return static_cast<T>(value > kMax ? kMax : (value < -kMax ? -kMax : value));
}

template <class T>
void normalize_coefficients(const double* __restrict mean, const double* __restrict residual,
                            const double* __restrict invstd, const T* __restrict weight,
                            const T* __restrict bias, std::size_t n, T* __restrict center,
                            T* __restrict scale, T* __restrict offset) {
  if (weight != nullptr) {
    for (std::size_t c = 0; c < n; ++c) {
      scale[c] = finite<T>(static_cast<double>(weight[c]) * invstd[c]);
    }
  } else {
    for (std::size_t c = 0; c < n; ++c) scale[c] = finite<T>(invstd[c]);
  }
  for (std::size_t c = 0; c < n; ++c) center[c] = static_cast<T>(mean[c]);
  for (std::size_t c = 0; c < n; ++c) {
    const double low = low_half(mean[c], residual[c], center[c]);
    offset[c] = static_cast<T>((bias != nullptr ? static_cast<double>(bias[c]) : 0.0) -
                               low * static_cast<double>(scale[c]));
  }
}

template <class T>
void gradient_coefficients(const double* __restrict mean, const double* __restrict residual,
                           const double* __restrict invstd, const T* __restrict weight,
                           const double* __restrict sum, double* __restrict dot, double m,
                           std::size_t n, T* __restrict a, T* __restrict b, T* __restrict k) {
  for (std::size_t c = 0; c < n; ++c) {
    const double gain = weight != nullptr ? static_cast<double>(weight[c]) : 1.0;
    const double low = low_half(mean[c], residual[c], static_cast<T>(mean[c]));
    const double about_mean = dot[c] - low * sum[c];
    const double tilt = invstd[c] * invstd[c] * about_mean / m;
    dot[c] = about_mean;
    a[c] = finite<T>(gain * invstd[c]);
    b[c] = static_cast<T>(-tilt);
    k[c] = static_cast<T>(tilt * low - sum[c] / m);
  }
}

template <class T>
void update_running(T* __restrict running, const double* __restrict statistic, double factor,
                    double momentum, std::size_t n) {
  const double kept = 1.0 - momentum;
  for (std::size_t c = 0; c < n; ++c) {
    const double fresh = statistic[c] * factor;
    running[c] = static_cast<T>(kept * static_cast<double>(running[c]) + momentum * fresh);
  }
}

// The questions are asked of each channel, and the answers gathered in words as wide as a double: a loop that
// stops at the first no, or gathers bools, is not widened.
using Answer = unsigned long long;

template <class T>
bool all_normal(const double* __restrict mean, const double* __restrict invstd,
                const T* __restrict weight, std::size_t n) {
  using Range = NormalRange<T>;
  Answer no = 0;
  for (std::size_t c = 0; c < n; ++c) {
    no |= __builtin_fabs(mean[c]) < Range::kMean ? Answer{0} : Answer{1};
    no |= invstd[c] > Range::kLeast ? Answer{0} : Answer{1};
    no |= invstd[c] < Range::kMost ? Answer{0} : Answer{1};
  }
  if (weight == nullptr) return no == 0;  // kMost < kScale
  for (std::size_t c = 0; c < n; ++c) {
    const double scale = __builtin_fabs(static_cast<double>(weight[c]) * invstd[c]);
    no |= scale <= Range::kScale ? Answer{0} : Answer{1};
  }
  return no == 0;
}

inline bool all_between(const double* __restrict sumsq, double least, double most, double also,
                        std::size_t n) {
  Answer no = 0;
  for (std::size_t c = 0; c < n; ++c) {
    const Answer low = sumsq[c] >= least ? Answer{0} : Answer{1};
    const Answer other = sumsq[c] == also ? Answer{0} : Answer{1};
    no |= (low & other) | (sumsq[c] < most ? Answer{0} : Answer{1});
  }
  return no == 0;
}

template <class T>
constexpr ChannelKernels<T> channel_kernels() {
  return {channel_moments<T>,       inverse_deviation, normalize_coefficients<T>,
          gradient_coefficients<T>, all_normal<T>,     all_between,
          update_running<T>};
}

}  // namespace
}  // namespace evenkeel
