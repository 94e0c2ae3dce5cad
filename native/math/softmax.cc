// softmax and its logarithm along a dimension: row by row where the dimension is the last, else columns side by side.
#include "../kernels/dispatch.h"
#include "exponentials.h"
#include "natural_log.h"
#include "strips.h"

namespace evenkeel {
namespace {

constexpr std::size_t kExponential = 4;  // what an exponential costs, in elements that are read

// largest + log(total), unevaluated
Total logarithm_of_sum(double largest, double total) {
  Total sum{largest, 0.0};
  add_to(sum, natural_log(total));
  return sum;
}

template <class T>
void softmax_row(bool log, const T* x, T* y, std::size_t size, bool stream) {
  const auto& kernels = kernels_of<T>().reductions;
  const double largest = static_cast<double>(kernels.extreme_row(true, x, size));
  if (log) {
    const Total total = sum_of_exponentials(x, size, largest, stream);
    kernels.shift_row(x, y, size, logarithm_of_sum(largest, value_of(total)), stream);
    return;
  }
  // Where y is written past the caches, the exponentials wait for their sum in the first one.
  alignas(64) T waiting[kWaiting<T>];
  const bool past = stream && size <= kWaiting<T>;
  T* const e = past ? waiting : y;
  kernels.divide_row(e, y, size, value_of(kernels.exp_row(x, e, size, largest, stream)), past);
}

template <class T>
void gradient_row(bool log, const T* y, const T* dy, T* dx, std::size_t size, bool stream) {
  const auto& kernels = kernels_of<T>().reductions;
  if (log) {
    const double total = value_of(kernels.sum_row(SumOfEach::value, dy, size, 0.0));
    kernels.log_softmax_gradient(y, dy, dx, size, total, stream);
  } else {
    kernels.softmax_gradient(y, dy, dx, size, value_of(kernels.dot_row(y, dy, size)), stream);
  }
}

// Calls row(where it begins, whether to write past the caches) for each row.
template <class T, class Row>
void for_streamed_rows(Extent e, std::size_t weight, const Row& row) {
  const bool stream = e.outer * e.size * sizeof(T) >= kStreamBytes;
  for_row_ranges(e.outer, e.size, weight, [&](Range range) {
    for (std::size_t r = range.begin; r < range.end; ++r) row(r * e.size, stream);
    if (stream) kernels_of<T>().arithmetic.fence();
  });
}

// What a strip keeps of each column: its sum, and the two numbers that map_columns takes.
template <class T>
struct Strip {
  double high[kMostOfStrip] = {}, low[kMostOfStrip] = {};
  T largest[kMostOfStrip], p[kMostOfStrip], q[kMostOfStrip];

  double sum(std::size_t c) const { return value_of({high[c], low[c]}); }
  // p + q, as two of T
  void set(std::size_t c, Total value) {
    p[c] = static_cast<T>(value.high + value.low);
    q[c] = static_cast<T>((value.high - static_cast<double>(p[c])) + value.low);
  }
  // What divides by x.
  void set_divisor(std::size_t c, double x) {
    if constexpr (sizeof(T) == sizeof(float)) {
      set(c, {1.0 / x, 0.0});
    } else {
      p[c] = q[c] = x;
    }
  }
};

template <class T>
void softmax_strip(bool log, const T* x, T* y, std::size_t size, std::size_t columns,
                   std::size_t stride) {
  const auto& kernels = kernels_of<T>().reductions;
  Strip<T> strip;
  kernels.extreme_columns(true, x, size, columns, stride, strip.largest);
  if (log) {
    kernels.sum_columns(SumOfEach::exponential, x, size, columns, stride, {nullptr, strip.largest},
                        strip.high, strip.low);
  } else {
    kernels.exp_columns(x, y, size, columns, stride, strip.largest, strip.high, strip.low);
  }
  for (std::size_t c = 0; c < columns; ++c) {
    if (log) {
      strip.set(c, logarithm_of_sum(static_cast<double>(strip.largest[c]), strip.sum(c)));
    } else {
      strip.set_divisor(c, strip.sum(c));
    }
  }
  kernels.map_columns(log ? ColumnMap::shift : ColumnMap::divide, log ? x : y, nullptr, y, size,
                      columns, stride, strip.p, strip.q);
}

template <class T>
void gradient_strip(bool log, const T* y, const T* dy, T* dx, std::size_t size, std::size_t columns,
                    std::size_t stride) {
  const auto& kernels = kernels_of<T>().reductions;
  Strip<T> strip;
  if (log) {
    kernels.sum_columns(SumOfEach::value, dy, size, columns, stride, {}, strip.high, strip.low);
  } else {
    kernels.dot_columns(y, dy, size, columns, stride, strip.high, strip.low);
  }
  for (std::size_t c = 0; c < columns; ++c) strip.set(c, {strip.sum(c), 0.0});
  kernels.map_columns(log ? ColumnMap::log_softmax_gradient : ColumnMap::softmax_gradient, y, dy,
                      dx, size, columns, stride, strip.p, strip.q);
}

}  // namespace

template <class T>
void softmax(bool log, const T* x, T* y, Extent e) {
  if (e.size == 0 || e.results() == 0) return;
  if (e.inner == 1) {
    for_streamed_rows<T>(e, kExponential, [&](std::size_t at, bool stream) {
      softmax_row(log, x + at, y + at, e.size, stream);
    });
    return;
  }
  for_column_strips(e, kExponential, [&](std::size_t o, Range columns) {
    const std::size_t at = o * e.size * e.inner + columns.begin;
    softmax_strip(log, x + at, y + at, e.size, columns.size(), e.inner);
  });
}

template <class T>
void softmax_backward(bool log, const T* y, const T* dy, T* dx, Extent e) {
  if (e.size == 0 || e.results() == 0) return;
  const std::size_t weight = log ? kExponential : 2;
  if (e.inner == 1) {
    for_streamed_rows<T>(e, weight, [&](std::size_t at, bool stream) {
      gradient_row(log, y + at, dy + at, dx + at, e.size, stream);
    });
    return;
  }
  for_column_strips(e, weight, [&](std::size_t o, Range columns) {
    const std::size_t at = o * e.size * e.inner + columns.begin;
    gradient_strip(log, y + at, dy + at, dx + at, e.size, columns.size(), e.inner);
  });
}

template void softmax(bool, const float*, float*, Extent);
template void softmax(bool, const double*, double*, Extent);
template void softmax_backward(bool, const float*, const float*, float*, Extent);
template void softmax_backward(bool, const double*, const double*, double*, Extent);

}  // namespace evenkeel
