// Sums and extremes along a dimension, 16 explicit lanes a row.
#pragma once

#include <cstddef>

#include "functions-inl.h"
#include "reductions.h"

namespace evenkeel {
namespace {

constexpr std::size_t kSumLanes = 16;

// Sums of 16 lanes with what their rounding loses, where T is double: the sum of equal doubles is as good as theirs.
template <class T>
struct LaneSums {
  double high[kSumLanes] = {}, low[kSumLanes] = {};

  void add(const double (&value)[kSumLanes]) {
    if constexpr (sizeof(T) == sizeof(float)) {
      for (std::size_t j = 0; j < kSumLanes; ++j) high[j] += value[j];
    } else {
      for (std::size_t j = 0; j < kSumLanes; ++j) {
        const double sum = high[j] + value[j], seen = sum - high[j];
        low[j] += (high[j] - (sum - seen)) + (value[j] - seen);
        high[j] = sum;
      }
    }
  }
  Total total() const {
    Total all{0.0, 0.0};
    for (std::size_t j = 0; j < kSumLanes; ++j) add_to(all, high[j]);
    if constexpr (sizeof(T) == sizeof(float)) return {all.high, 0.0};
    for (std::size_t j = 0; j < kSumLanes; ++j) all.low += low[j];
    return all;
  }
};

// The sum of value(i) over [0, n); a lane beyond the end adds `none`.
template <class T, class Value>
inline Total sum_lanes(std::size_t n, const Value& value) {
  LaneSums<T> sums;
  double part[kSumLanes];
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = value(i + j);
    sums.add(part);
  }
  if (i < n) {
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = i + j < n ? value(i + j) : 0.0;
    sums.add(part);
  }
  return sums.total();
}

template <class T>
Total sum_row(SumOfEach kind, const T* x, std::size_t n, double center) {
  switch (kind) {
    case SumOfEach::value:
      return sum_lanes<T>(
          n, [=](std::size_t i) EVENKEEL_INLINED { return static_cast<double>(x[i]); });
    case SumOfEach::squared_deviation:
      return sum_lanes<T>(n, [=](std::size_t i) EVENKEEL_INLINED {
        const double d = static_cast<double>(x[i]) - center;
        return d * d;
      });
    case SumOfEach::exponential:
      return sum_lanes<T>(n, [=](std::size_t i) EVENKEEL_INLINED {
        return exponential<kDigitsOf<T>>(static_cast<double>(x[i]) - center);
      });
  }
  return {0.0, 0.0};
}

template <class T>
Total dot_row(const T* a, const T* b, std::size_t n) {
  return sum_lanes<T>(n, [=](std::size_t i) EVENKEEL_INLINED {
    return static_cast<double>(a[i]) * static_cast<double>(b[i]);
  });
}

template <class T, class Value>
inline void add_columns(std::size_t rows, std::size_t columns, double* high, double* low,
                        const Value& value) {
  for (std::size_t r = 0; r < rows; ++r) {
    if constexpr (sizeof(T) == sizeof(float)) {
      for (std::size_t c = 0; c < columns; ++c) high[c] += value(r, c);
    } else {
      for (std::size_t c = 0; c < columns; ++c) {
        const double v = value(r, c), sum = high[c] + v, seen = sum - high[c];
        low[c] += (high[c] - (sum - seen)) + (v - seen);
        high[c] = sum;
      }
    }
  }
}
template <class T>
void sum_columns(SumOfEach kind, const T* x, std::size_t rows, std::size_t columns,
                 std::size_t stride, const double* center, double* high, double* low) {
  switch (kind) {
    case SumOfEach::value:
      return add_columns<T>(rows, columns, high, low,
                            [=](std::size_t r, std::size_t c) EVENKEEL_INLINED {
                              return static_cast<double>(x[r * stride + c]);
                            });
    case SumOfEach::squared_deviation:
      return add_columns<T>(rows, columns, high, low,
                            [=](std::size_t r, std::size_t c) EVENKEEL_INLINED {
                              const double d = static_cast<double>(x[r * stride + c]) - center[c];
                              return d * d;
                            });
    case SumOfEach::exponential:
      return add_columns<T>(
          rows, columns, high, low, [=](std::size_t r, std::size_t c) EVENKEEL_INLINED {
            return exponential<kDigitsOf<T>>(static_cast<double>(x[r * stride + c]) - center[c]);
          });
  }
}

template <class T, bool kLargest>
inline T better(T best, T x) {
  return (kLargest ? x > best : x < best) || x != x ? x : best;
}
template <class T, bool kLargest>
inline T extreme(const T* x, std::size_t n) {
  constexpr std::size_t kMany = 64;
  T best[kMany];
  std::size_t i = 0;
  if (n < kMany) {
    T one = x[0];
    for (i = 1; i < n; ++i) one = one != one ? one : better<T, kLargest>(one, x[i]);
    return one;
  }
  for (std::size_t j = 0; j < kMany; ++j) best[j] = x[j];
  // NaN stays: nothing is larger than it, and it is equal to nothing.
  for (i = kMany; i + kMany <= n; i += kMany) {
    for (std::size_t j = 0; j < kMany; ++j) best[j] = better<T, kLargest>(best[j], x[i + j]);
  }
  for (; i < n; ++i) best[i % kMany] = better<T, kLargest>(best[i % kMany], x[i]);
  T one = best[0];
  for (std::size_t j = 1; j < kMany; ++j) one = better<T, kLargest>(one, best[j]);
  return one;
}
template <class T>
T extreme_row(bool largest, const T* x, std::size_t n) {
  return largest ? extreme<T, true>(x, n) : extreme<T, false>(x, n);
}

template <class T>
Total exp_row(const T* x, T* y, std::size_t n, double center) {
  LaneSums<T> sums;
  double work[kDoubles];
  for (std::size_t i = 0; i < n; i += kDoubles) {
    const std::size_t count = min_size(kDoubles, n - i);
    for (std::size_t j = 0; j < count; ++j) work[j] = static_cast<double>(x[i + j]) - center;
    for (std::size_t j = 0; j < count; ++j) work[j] = exponential<kDigitsOf<T>>(work[j]);
    for (std::size_t j = 0; j < count; ++j) y[i + j] = static_cast<T>(work[j]);
    for (std::size_t j = count; j % kSumLanes != 0; ++j) work[j] = 0.0;
    double part[kSumLanes];
    for (std::size_t j = 0; j < count; j += kSumLanes) {
      for (std::size_t l = 0; l < kSumLanes; ++l) part[l] = work[j + l];
      sums.add(part);
    }
  }
  return sums.total();
}

template <class T>
void shift_row(const T* x, T* y, std::size_t n, double a, double b) {
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>((static_cast<double>(x[i]) - a) - b);
}

template <class T>
void softmax_gradient(const T* y, const T* dy, T* dx, std::size_t n, double dot) {
  for (std::size_t i = 0; i < n; ++i) {
    dx[i] = static_cast<T>(static_cast<double>(y[i]) * (static_cast<double>(dy[i]) - dot));
  }
}

template <class T>
void log_softmax_gradient(const T* y, const T* dy, T* dx, std::size_t n, double total) {
  in_double(y, dy, dx, n, [=](double s, double d) EVENKEEL_INLINED {
    return d - exponential<kDigitsOf<T>>(s) * total;
  });
}

template <class T>
constexpr ReductionKernels<T> reduction_kernels() {
  return {sum_row<T>, dot_row<T>,   sum_columns<T>,      extreme_row<T>,
          exp_row<T>, shift_row<T>, softmax_gradient<T>, log_softmax_gradient<T>};
}

}  // namespace
}  // namespace evenkeel
