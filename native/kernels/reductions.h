// The table of sums and extremes along a dimension. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

namespace evenkeel {

// The unevaluated sum high + low: a sum of many and what its rounding has left over. low is 0 for floats,
// whose sums in double are exact to 2^29 equal values.
struct Total {
  double high, low;
};

// What is summed of each x: itself, (x - center)^2, e^(x - center), or x * other.
enum class SumOfEach : unsigned int { value, squared_deviation, exponential };

template <class T>
struct ReductionKernels {
  // n contiguous values. Lane = index mod 16; the lanes fold once, at the end.
  Total (*sum_row)(SumOfEach kind, const T* x, std::size_t n, double center);
  Total (*dot_row)(const T* a, const T* b, std::size_t n);
  // high[c] + low[c] += each of the rows in turn, for `columns` columns; `stride` elements from row to row.
  void (*sum_columns)(SumOfEach kind, const T* x, std::size_t rows, std::size_t columns,
                      std::size_t stride, const double* center, double* high, double* low);
  // The largest or smallest; NaN where there is one. n > 0.
  T (*extreme_row)(bool largest, const T* x, std::size_t n);
  // y = e^(x - center); returns the sum before it is rounded.
  Total (*exp_row)(const T* x, T* y, std::size_t n, double center);
  // y = (x - a) - b, in double
  void (*shift_row)(const T* x, T* y, std::size_t n, double a, double b);
  // dx = y (dy - dot), and dx = dy - e^y total
  void (*softmax_gradient)(const T* y, const T* dy, T* dx, std::size_t n, double dot);
  void (*log_softmax_gradient)(const T* y, const T* dy, T* dx, std::size_t n, double total);
};

}  // namespace evenkeel
