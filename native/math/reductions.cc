#include "reductions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../kernels/dispatch.h"
#include "blocks.h"
#include "natural_log.h"

namespace evenkeel {
namespace {

constexpr std::size_t kColumns = 256;  // of a task that adds rows

void add(Total& total, Total part) {
  const double sum = total.high + part.high, seen = sum - total.high;
  total.low += ((total.high - (sum - seen)) + (part.high - seen)) + part.low;
  total.high = sum;
}

// Sums over the middle dimension: totals[o * inner + i], of x about center[o * inner + i].
template <class T>
Total* sums_of(SumOfEach kind, const T* x, Extent e, const double* center, Workspace& workspace) {
  const auto& kernels = kernels_of<T>().reductions;
  const std::size_t weight = kind == SumOfEach::exponential ? 8 : 1;
  const std::size_t all = e.outer * e.size * e.inner * weight;
  Total* totals = workspace.take<Total>(e.results());
  if (e.inner == 1) {
    // Long rows in parts that are added in order, short rows several a task.
    const std::size_t parts = std::max<std::size_t>(1, divide_up(e.size, kBlock));
    const std::size_t rows =
        parts > 1 ? 1 : std::max<std::size_t>(1, kBlock / std::max<std::size_t>(1, e.size));
    Total* found = parts > 1 ? workspace.take<Total>(e.outer * parts) : totals;
    run_tasks(divide_up(e.outer, rows) * parts, all, [&](std::size_t task) {
      const std::size_t part = task % parts;
      const Range range = cut(e.outer, rows, task / parts), within = cut(e.size, kBlock, part);
      for (std::size_t o = range.begin; o < range.end; ++o) {
        const std::size_t count = parts > 1 ? within.size() : e.size;
        found[o * parts + part] = kernels.sum_row(kind, x + o * e.size + within.begin, count,
                                                  center == nullptr ? 0.0 : center[o]);
      }
    });
    if (parts > 1) {
      for (std::size_t o = 0; o < e.outer; ++o) {
        totals[o] = {0.0, 0.0};
        for (std::size_t p = 0; p < parts; ++p) add(totals[o], found[o * parts + p]);
      }
    }
    return totals;
  }
  const std::size_t columns = std::min(e.inner, kColumns), blocks = divide_up(e.inner, columns);
  const std::size_t step = std::max<std::size_t>(1, kBlock / columns);
  const std::size_t parts = std::max<std::size_t>(1, divide_up(e.size, step));
  Total* found = parts > 1 ? workspace.take<Total>(parts * e.results()) : totals;
  run_tasks(e.outer * parts * blocks, all, [&](std::size_t task) {
    const std::size_t block = task % blocks, part = task / blocks % parts,
                      o = task / blocks / parts;
    const Range range = cut(e.inner, columns, block), rows = cut(e.size, step, part);
    double high[kColumns] = {}, low[kColumns] = {};
    kernels.sum_columns(kind, x + (o * e.size + rows.begin) * e.inner + range.begin,
                        e.size == 0 ? 0 : rows.size(), range.size(), e.inner,
                        center == nullptr ? nullptr : center + o * e.inner + range.begin, high,
                        low);
    Total* out = found + (part * e.outer + o) * e.inner + range.begin;
    for (std::size_t c = 0; c < range.size(); ++c) out[c] = {high[c], low[c]};
  });
  if (parts > 1) {
    for (std::size_t i = 0; i < e.results(); ++i) {
      totals[i] = {0.0, 0.0};
      for (std::size_t p = 0; p < parts; ++p) add(totals[i], found[p * e.results() + i]);
    }
  }
  return totals;
}

// The largest of a row, where e^(x - it) is to be summed: 0 where all are -infinity or one is infinite (the sum is
// 0 or infinite then).
double finite_or_0(double largest) { return std::isinf(largest) ? 0.0 : largest; }

}  // namespace

template <class T>
void reduce(ReduceCode code, const T* x, T* y, Extent e, double correction, Workspace& workspace) {
  workspace.reset();
  const FloatEnvironment environment;
  const std::size_t n = e.results();
  const double count = static_cast<double>(e.size);
  const auto& kernels = kernels_of<T>().reductions;
  if (code == ReduceCode::amax || code == ReduceCode::amin) {
    for_rows(e.outer, e.size, 1, [&](std::size_t r) {
      y[r] = kernels.extreme_row(code == ReduceCode::amax, x + r * e.size, e.size);
    });
    return;
  }
  if (code == ReduceCode::logsumexp) {
    for_rows(e.outer, e.size, 8, [&](std::size_t r) {
      const T* row = x + r * e.size;
      const double largest = e.size == 0
                                 ? -std::numeric_limits<double>::infinity()
                                 : static_cast<double>(kernels.extreme_row(true, row, e.size));
      const double origin = finite_or_0(largest);
      const double total = value_of(kernels.sum_row(SumOfEach::exponential, row, e.size, origin));
      // The sum is at least 1 unless all are -infinity.
      y[r] = static_cast<T>(std::isinf(largest) ? largest : origin + natural_log(total));
    });
    return;
  }
  if (code == ReduceCode::norm) {
    double* zero = workspace.take<double>(n);
    std::fill_n(zero, n, 0.0);
    const Total* totals = sums_of(SumOfEach::squared_deviation, x, e, zero, workspace);
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>(std::sqrt(value_of(totals[i])));
    return;
  }
  const Total* sums = sums_of(SumOfEach::value, x, e, nullptr, workspace);
  if (code == ReduceCode::sum) {
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>(value_of(sums[i]));
    return;
  }
  if (code == ReduceCode::mean) {
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>(quotient(sums[i], count));
    return;
  }
  double* means = workspace.take<double>(n);
  for (std::size_t i = 0; i < n; ++i) means[i] = quotient(sums[i], count);
  const Total* squares = sums_of(SumOfEach::squared_deviation, x, e, means, workspace);
  const double divisor = count - correction;
  for (std::size_t i = 0; i < n; ++i) {
    const double var = value_of(squares[i]) / (divisor > 0.0 ? divisor : 0.0);
    y[i] = static_cast<T>(code == ReduceCode::var ? var : std::sqrt(var));
  }
}

template <class T>
void extreme_indices(bool largest, const T* x, std::int64_t* indices, Extent e) {
  const FloatEnvironment environment;
  for_rows(e.outer, e.size, 1, [&](std::size_t r) {
    const T* row = x + r * e.size;
    const T best = kernels_of<T>().reductions.extreme_row(largest, row, e.size);
    std::size_t at = 0;
    while (at + 1 < e.size && !(row[at] == best || (best != best && row[at] != row[at]))) ++at;
    indices[r] = static_cast<std::int64_t>(at);
  });
}

template <class T>
void softmax_rows(bool log, const T* x, T* y, std::size_t rows, std::size_t size) {
  if (size == 0) return;  // however many rows
  const FloatEnvironment environment;
  const auto& kernels = kernels_of<T>().reductions;
  for_rows(rows, size, 8, [&](std::size_t r) {
    const T* from = x + r * size;
    T* to = y + r * size;
    const double largest = static_cast<double>(kernels.extreme_row(true, from, size));
    if (log) {
      const double total = value_of(kernels.sum_row(SumOfEach::exponential, from, size, largest));
      kernels.shift_row(from, to, size, largest, natural_log(total));
    } else {
      const double total = value_of(kernels.exp_row(from, to, size, largest));
      kernels_of<T>().arithmetic.unary(UnaryCode::divided_by, to, to, size, {total, 0.0});
    }
  });
}

template <class T>
void softmax_rows_backward(bool log, const T* y, const T* dy, T* dx, std::size_t rows,
                           std::size_t size) {
  if (size == 0) return;
  const FloatEnvironment environment;
  const auto& kernels = kernels_of<T>().reductions;
  for_rows(rows, size, log ? 8 : 2, [&](std::size_t r) {
    const T *out = y + r * size, *from = dy + r * size;
    if (log) {
      const double total = value_of(kernels.sum_row(SumOfEach::value, from, size, 0.0));
      kernels.log_softmax_gradient(out, from, dx + r * size, size, total);
    } else {
      kernels.softmax_gradient(out, from, dx + r * size, size,
                               value_of(kernels.dot_row(out, from, size)));
    }
  });
}

template <class T>
void sort_rows(const T* x, T* y, std::int64_t* indices, std::size_t rows, std::size_t size,
               std::size_t k, bool descending, Workspace& workspace) {
  if (k == 0) return;  // however many rows
  workspace.reset();
  const FloatEnvironment environment;
  std::size_t* orders = workspace.take<std::size_t>(rows * size);
  for_rows(rows, size, 8, [&](std::size_t r) {
    const T* row = x + r * size;
    std::size_t* order = orders + r * size;
    for (std::size_t i = 0; i < size; ++i) order[i] = i;
    const auto less = [row](T a, T b) { return a < b || (b != b && a == a); };
    const auto before = [&](std::size_t a, std::size_t b) {
      const T left = row[a], right = row[b];
      if (descending ? less(right, left) : less(left, right)) return true;
      if (descending ? less(left, right) : less(right, left)) return false;
      return a < b;
    };
    std::partial_sort(order, order + k, order + size, before);
    for (std::size_t i = 0; i < k; ++i) {
      y[r * k + i] = row[order[i]];
      indices[r * k + i] = static_cast<std::int64_t>(order[i]);
    }
  });
}

#define EVENKEEL_FOR(T)                                                                        \
  template void reduce(ReduceCode, const T*, T*, Extent, double, Workspace&);                  \
  template void extreme_indices(bool, const T*, std::int64_t*, Extent);                        \
  template void softmax_rows(bool, const T*, T*, std::size_t, std::size_t);                    \
  template void softmax_rows_backward(bool, const T*, const T*, T*, std::size_t, std::size_t); \
  template void sort_rows(const T*, T*, std::int64_t*, std::size_t, std::size_t, std::size_t,  \
                          bool, Workspace&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
