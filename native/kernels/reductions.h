// The table of sums and extremes along a dimension. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

namespace evenkeel {

// The unevaluated sum high + low: a sum of many and what its rounding has left over. low is 0 for floats,
// whose sums in double are exact to 2^29 equal values.
struct Total {
  double high, low;
};

// What is summed of each x: itself, (x - center)^2 in double, e^(x - origin), rounded to T, or x^2 in double.
enum class SumOfEach : unsigned int { value, squared_deviation, exponential, square };

// Of each column.
template <class T>
struct Centers {
  const double* center;  // of squared_deviation
  const T* origin;       // of exponential
};

// What becomes of each element of a column, with p and q of the column: a / divisor (of floats p + q is 1 / divisor, of
// doubles p is the divisor), a - (p + q), a (b - (p + q)), b - e^a p.
enum class ColumnMap : unsigned int { divide, shift, softmax_gradient, log_softmax_gradient };

template <class T>
struct ReductionKernels {
  // n contiguous values. Lane = index mod 32 (16 for doubles); the lanes fold once, at the end.
  Total (*sum_row)(SumOfEach kind, const T* x, std::size_t n, double center);
  // totals[r] = sum_row(SumOfEach::value, x + r * n, n, 0) of each row, in the order that memory is read fastest.
  void (*sum_each_row)(const T* x, std::size_t rows, std::size_t n, Total* totals);
  Total (*dot_row)(const T* a, const T* b, std::size_t n);
  // high[c] + low[c] += each of the rows in turn, for `columns` columns; `stride` elements from row to row. high and
  // low are padded.
  void (*sum_columns)(SumOfEach kind, const T* x, std::size_t rows, std::size_t columns,
                      std::size_t stride, Centers<T> centers, double* high, double* low);
  // total_high[c] + total_low[c] += high[p * stride + c] + low[p * stride + c], for each of the parts p in turn.
  void (*merge_parts)(const double* high, const double* low, std::size_t parts, std::size_t stride,
                      std::size_t n, double* total_high, double* total_low);
  // The largest or smallest; NaN where there is one. n > 0.
  T (*extreme_row)(bool largest, const T* x, std::size_t n);
  // The same of each column. rows > 0.
  void (*extreme_columns)(bool largest, const T* x, std::size_t rows, std::size_t columns,
                          std::size_t stride, T* y);
  // Where the first value is that equals `best`; of NaN the first NaN. n > 0. Where there is none,
  // as somebody has written to x since it was found, the last.
  std::size_t (*first_of)(const T* x, std::size_t n, T best);
  // y = e^(x - center); returns the sum of what it has rounded. `next`: the row behind x comes from memory, and is asked
  // for meanwhile; of the functions below with `stream` too.
  Total (*exp_row)(const T* x, T* y, std::size_t n, double center, bool next);
  // y = x / divisor. `stream`: write past the caches, in this and the next ones; arithmetic.fence() belongs after the last.
  void (*divide_row)(const T* x, T* y, std::size_t n, double divisor, bool stream);
  // y = x - subtrahend
  void (*shift_row)(const T* x, T* y, std::size_t n, Total subtrahend, bool stream);
  // dx = y (dy - dot), and dx = dy - e^y total
  void (*softmax_gradient)(const T* y, const T* dy, T* dx, std::size_t n, double dot, bool stream);
  void (*log_softmax_gradient)(const T* y, const T* dy, T* dx, std::size_t n, double total,
                               bool stream);
  // Of columns, `stride` elements from row to row in every operand. Where `best` is first, in the columns that have it;
  // less than 2^31 rows.
  void (*first_in_columns)(const T* x, std::size_t rows, std::size_t columns, std::size_t stride,
                           const T* best, int* places);
  // y = e^(x - origin), and high + low += what it has rounded; high and low are padded.
  void (*exp_columns)(const T* x, T* y, std::size_t rows, std::size_t columns, std::size_t stride,
                      const T* origin, double* high, double* low);
  // high + low += a b
  void (*dot_columns)(const T* a, const T* b, std::size_t rows, std::size_t columns,
                      std::size_t stride, double* high, double* low);
  void (*map_columns)(ColumnMap map, const T* a, const T* b, T* y, std::size_t rows,
                      std::size_t columns, std::size_t stride, const T* p, const T* q);
};

}  // namespace evenkeel
