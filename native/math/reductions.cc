// Longer than 250 lines because reductions share one walk over blocks, rows and columns, which fixes the order of
// every sum.
#include "reductions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../kernels/dispatch.h"
#include "blocks.h"
#include "exponentials.h"
#include "natural_log.h"

namespace evenkeel {
namespace {

constexpr std::size_t kColumns = 512;  // of a task that adds rows
constexpr std::size_t kParts = 32;     // of a column, at most
constexpr std::size_t kMerged = 512;   // sums that a task adds up from their parts
constexpr std::size_t kStrip = 128;    // columns of a task that adds all rows of them
constexpr std::size_t kLeastStrips = 8, kMostOfStrips = std::size_t{1} << 19;
constexpr std::size_t kExponential = 4;  // what an exponential costs, in elements that are read

// Whether what is reduced over columns is cut into strips of these alone: the parts of a column are then added by one
// thread, which has them in its cache. Not beyond the caches, where a row should be read as it lies, nor where there are
// too few columns for that many tasks.
bool in_strips(Extent e) {
  return e.inner > 1 && e.size * e.inner <= kMostOfStrips &&
         e.outer * divide_up(e.inner, kStrip) >= kLeastStrips;
}
// body(index of the outer dimension, columns)
template <class Body>
void run_strips(Extent e, std::size_t work, const Body& body) {
  const std::size_t strips = divide_up(e.inner, kStrip);
  run_tasks(e.outer * strips, work,
            [&](std::size_t task) { body(task / strips, cut(e.inner, kStrip, task % strips)); });
}

// Sums of a few results at a time: each by finish(index of the result, its Total), from the task that has it.
template <class T>
class Sums {
 public:
  Sums(SumOfEach kind, const T* x, Extent extent, Centers<T> centers)
      : kind_(kind), x_(x), e_(extent), centers_(centers) {}

  template <class Finish>
  void over(Workspace& workspace, const Finish& finish) const {
    const std::size_t parts = e_.inner == 1 ? divide_up(e_.size, kBlock) : column_parts();
    if (parts <= 1) {
      each_part(1, [&](std::size_t, std::size_t result, Total total) { finish(result, total); });
      return;
    }
    if (in_strips(e_)) {
      run_strips(e_, work(),
                 [&](std::size_t o, Range columns) { strip(o, columns, parts, finish); });
      return;
    }
    const std::size_t results = e_.results();
    double* high = workspace.take<double>(parts * results);
    double* low = workspace.take<double>(parts * results);
    each_part(parts, [&](std::size_t part, std::size_t result, Total total) {
      high[part * results + result] = total.high;
      low[part * results + result] = total.low;
    });
    run_tasks(divide_up(results, kMerged), parts * results, [&](std::size_t task) {
      const Range range = cut(results, kMerged, task);
      double all_high[kMerged] = {}, all_low[kMerged] = {};
      kernels_of<T>().reductions.merge_parts(high + range.begin, low + range.begin, parts, results,
                                             range.size(), all_high, all_low);
      for (std::size_t i = 0; i < range.size(); ++i) {
        finish(range.begin + i, Total{all_high[i], all_low[i]});
      }
    });
  }

 private:
  // Calls one(part, result, total) for every part of every sum.
  template <class One>
  void each_part(std::size_t parts, const One& one) const {
    if (e_.inner == 1) {
      each_row(parts, one);
    } else {
      each_column(parts, one);
    }
  }

  std::size_t work() const {
    return e_.outer * e_.size * e_.inner * (kind_ == SumOfEach::exponential ? 4 : 1);
  }

  // Long rows in parts that are added in order, short rows several a task.
  template <class One>
  void each_row(std::size_t parts, const One& one) const {
    if (kind_ == SumOfEach::value && e_.outer * e_.size * sizeof(T) >= kStreamBytes) {
      return each_row_from_memory(parts, one);
    }
    const std::size_t rows =
        parts > 1 ? 1 : std::max<std::size_t>(1, kBlock / std::max<std::size_t>(1, e_.size));
    run_tasks(divide_up(e_.outer, rows) * parts, work(), [&](std::size_t task) {
      const std::size_t part = task % parts;
      const Range range = cut(e_.outer, rows, task / parts);
      const Range within = parts > 1 ? cut(e_.size, kBlock, part) : Range{0, e_.size};
      for (std::size_t o = range.begin; o < range.end; ++o) {
        const double center = centers_.center != nullptr   ? centers_.center[o]
                              : centers_.origin != nullptr ? static_cast<double>(centers_.origin[o])
                                                           : 0.0;
        one(part, o,
            kernels_of<T>().reductions.sum_row(kind_, x_ + o * e_.size + within.begin,
                                               within.size(), center));
      }
    });
  }

  // The same of values that come from memory: whole parts, or rows, are handed over together.
  template <class One>
  void each_row_from_memory(std::size_t parts, const One& one) const {
    constexpr std::size_t kTogether = 64;
    const auto& kernels = kernels_of<T>().reductions;
    if (parts > 1) {
      const std::size_t pairs = divide_up(parts, 2);
      run_tasks(e_.outer * pairs, work(), [&](std::size_t task) {
        Total totals[2];
        const std::size_t o = task / pairs, part = 2 * (task % pairs);
        const T* row = x_ + o * e_.size;
        const std::size_t whole =
            std::min<std::size_t>(2, e_.size / kBlock - part);  // 0: of the last part
        kernels.sum_each_row(row + part * kBlock, whole, kBlock, totals);
        if (whole < 2 && part + whole < parts) {
          const Range rest = cut(e_.size, kBlock, part + whole);
          totals[whole] = kernels.sum_row(kind_, row + rest.begin, rest.size(), 0.0);
        }
        for (std::size_t i = 0; i < 2 && part + i < parts; ++i) one(part + i, o, totals[i]);
      });
      return;
    }
    const std::size_t rows = std::max<std::size_t>(2, kBlock / e_.size);
    run_tasks(divide_up(e_.outer, rows), work(), [&](std::size_t task) {
      Total totals[kTogether];
      const Range range = cut(e_.outer, rows, task);
      for (std::size_t o = range.begin; o < range.end; o += kTogether) {
        const std::size_t some = std::min(kTogether, range.end - o);
        kernels.sum_each_row(x_ + o * e_.size, some, e_.size, totals);
        for (std::size_t i = 0; i < some; ++i) one(0, o + i, totals[i]);
      }
    });
  }

  // All parts of a few columns, one after the other.
  template <class Finish>
  void strip(std::size_t o, Range columns, std::size_t parts, const Finish& finish) const {
    const auto& kernels = kernels_of<T>().reductions;
    const std::size_t first = o * e_.inner + columns.begin, n = columns.size();
    double all_high[kStrip] = {}, all_low[kStrip] = {};
    for (std::size_t part = 0; part < parts; ++part) {
      const Range rows = cut(e_.size, column_step(), part);
      double high[kStrip] = {}, low[kStrip] = {};
      kernels.sum_columns(kind_, x_ + (o * e_.size + rows.begin) * e_.inner + columns.begin,
                          rows.size(), n, e_.inner, centers(first), high, low);
      kernels.merge_parts(high, low, 1, 0, n, all_high, all_low);
    }
    for (std::size_t c = 0; c < n; ++c) finish(first + c, Total{all_high[c], all_low[c]});
  }

  Centers<T> centers(std::size_t first) const {
    return {centers_.center != nullptr ? centers_.center + first : nullptr,
            centers_.origin != nullptr ? centers_.origin + first : nullptr};
  }

  // The rows that are added up in a part: enough of them, and not too many parts.
  std::size_t column_step() const {
    return std::max(kBlock / std::min(e_.inner, kColumns), divide_up(e_.size, kParts));
  }
  std::size_t column_parts() const { return divide_up(e_.size, column_step()); }

  template <class One>
  void each_column(std::size_t parts, const One& one) const {
    const std::size_t columns = std::min(e_.inner, kColumns), blocks = divide_up(e_.inner, columns);
    run_tasks(e_.outer * parts * blocks, work(), [&](std::size_t task) {
      const std::size_t block = task % blocks, part = task / blocks % parts,
                        o = task / blocks / parts;
      const Range range = cut(e_.inner, columns, block);
      const Range rows = e_.size == 0 ? Range{0, 0} : cut(e_.size, column_step(), part);
      const std::size_t first = o * e_.inner + range.begin;
      double high[kColumns] = {}, low[kColumns] = {};
      kernels_of<T>().reductions.sum_columns(
          kind_, x_ + (o * e_.size + rows.begin) * e_.inner + range.begin, rows.size(),
          range.size(), e_.inner, centers(first), high, low);
      for (std::size_t c = 0; c < range.size(); ++c) one(part, first + c, {high[c], low[c]});
    });
  }

  SumOfEach kind_;
  const T* x_;
  Extent e_;
  Centers<T> centers_;
};

// y is [outer, inner].
template <class T>
void extremes(bool largest, const T* x, T* y, Extent e, Workspace& workspace) {
  const auto& kernels = kernels_of<T>().reductions;
  // Long rows as a matrix of parts that are rows, and then the parts' extremes.
  if (e.inner == 1 && e.size <= kBlock) {
    for_rows(e.outer, e.size, 1,
             [&](std::size_t r) { y[r] = kernels.extreme_row(largest, x + r * e.size, e.size); });
    return;
  }
  if (in_strips(e)) {
    run_strips(e, e.outer * e.size * e.inner, [&](std::size_t o, Range range) {
      kernels.extreme_columns(largest, x + o * e.size * e.inner + range.begin, e.size, range.size(),
                              e.inner, y + o * e.inner + range.begin);
    });
    return;
  }
  const bool rows = e.inner == 1;
  const std::size_t columns = std::min(e.inner, kColumns), blocks = divide_up(e.inner, columns);
  const std::size_t step = rows ? kBlock : std::max(kBlock / columns, divide_up(e.size, kParts));
  const std::size_t parts = divide_up(e.size, step);
  T* found = parts > 1 ? workspace.take<T>(parts * e.results()) : y;
  run_tasks(e.outer * parts * blocks, e.outer * e.size * e.inner, [&](std::size_t task) {
    const std::size_t block = task % blocks, part = task / blocks % parts,
                      o = task / blocks / parts;
    const Range range = cut(e.inner, columns, block), within = cut(e.size, step, part);
    const T* from = x + (o * e.size + within.begin) * e.inner + range.begin;
    T* out = found + (o * parts + part) * e.inner + range.begin;
    if (rows) {
      *out = kernels.extreme_row(largest, from, within.size());
    } else {
      kernels.extreme_columns(largest, from, within.size(), range.size(), e.inner, out);
    }
  });
  if (parts == 1) return;
  for (std::size_t o = 0; o < e.outer; ++o) {
    kernels.extreme_columns(largest, found + o * parts * e.inner, parts, e.inner, e.inner,
                            y + o * e.inner);
  }
}

// The largest of a row, where e^(x - it) is to be summed: 0 where all are -infinity or one is infinite (the sum is
// 0 or infinite then).
template <class T>
T finite_or_0(T largest) {
  return std::isinf(largest) ? T(0) : largest;
}
template <class T>
T logarithm_of_sum(T largest, Total total) {
  if (std::isinf(largest)) return largest;
  // The sum is at least 1.
  return static_cast<T>(static_cast<double>(largest) + natural_log(value_of(total)));
}

template <class T>
void logsumexp(const T* x, T* y, Extent e, Workspace& workspace) {
  const auto& kernels = kernels_of<T>().reductions;
  if (e.size == 0) {
    std::fill_n(y, e.results(), -std::numeric_limits<T>::infinity());
    return;
  }
  if (e.inner == 1 && e.size <= kBlock) {
    const bool stream = e.outer * e.size * sizeof(T) >= kStreamBytes;
    for_rows(e.outer, e.size, kExponential, [&](std::size_t r) {
      const T* row = x + r * e.size;
      const T largest = kernels.extreme_row(true, row, e.size);
      const double origin = static_cast<double>(finite_or_0(largest));
      y[r] = logarithm_of_sum(largest, sum_of_exponentials(row, e.size, origin, stream));
    });
    return;
  }
  extremes(true, x, y, e, workspace);
  T* origin = workspace.take<T>(e.results());
  for (std::size_t i = 0; i < e.results(); ++i) origin[i] = finite_or_0(y[i]);
  Sums<T>(SumOfEach::exponential, x, e, {nullptr, origin})
      .over(workspace, [&](std::size_t i, Total total) { y[i] = logarithm_of_sum(y[i], total); });
}

// How many of the outer dimension are read twice together: beyond the caches, as many as a cache still holds the second time.
template <class T>
std::size_t read_together(Extent e) {
  constexpr std::size_t kTogether = kStreamBytes / 2 / sizeof(T);
  const std::size_t each = std::max<std::size_t>(1, e.size * e.inner);
  const bool in_cache = e.outer * each * sizeof(T) < kStreamBytes;
  return in_cache ? e.outer : std::max<std::size_t>(1, kTogether / each);
}

template <class T>
void variance(bool root, const T* x, T* y, Extent e, double correction, Workspace& workspace) {
  const double count = static_cast<double>(e.size), divisor = std::max(count - correction, 0.0);
  const auto result = [=](Total squares) {
    const double var = value_of(squares) / divisor;
    return static_cast<T>(root ? std::sqrt(var) : var);
  };
  const auto& kernels = kernels_of<T>().reductions;
  if (e.inner == 1 && e.size <= kBlock) {
    // A row is still in the cache when it is read again.
    const auto row_sum = [&](SumOfEach kind, std::size_t r, double center) {
      return kernels.sum_row(kind, x + r * e.size, e.size, center);
    };
    for_row_ranges(e.outer, e.size, 1, [&](Range range) {
      for_rows_ahead<T>(
          range, e.size,
          [&](std::size_t r) { return quotient(row_sum(SumOfEach::value, r, 0.0), count); },
          [&](std::size_t r, double mean) {
            y[r] = result(row_sum(SumOfEach::squared_deviation, r, mean));
          });
    });
    return;
  }
  const std::size_t together = read_together<T>(e);
  for (std::size_t o = 0; o < e.outer; o += together) {
    workspace.reset();
    const T* const from = x + o * e.size * e.inner;
    T* const to = y + o * e.inner;
    const Extent some{std::min(together, e.outer - o), e.size, e.inner};
    double* means = workspace.take<double>(some.results());
    Sums<T>(SumOfEach::value, from, some, {}).over(workspace, [&](std::size_t i, Total total) {
      means[i] = quotient(total, count);
    });
    Sums<T>(SumOfEach::squared_deviation, from, some, {means, nullptr})
        .over(workspace, [&](std::size_t i, Total total) { to[i] = result(total); });
  }
}

}  // namespace

template <class T>
void reduce(ReduceCode code, const T* x, T* y, Extent e, double correction, Workspace& workspace) {
  workspace.reset();
  if (e.results() == 0) return;
  const FloatEnvironment environment;
  const double count = static_cast<double>(e.size);
  const auto each = [&](SumOfEach kind, Centers<T> centers, const auto& result) {
    Sums<T>(kind, x, e, centers).over(workspace, [&](std::size_t i, Total total) {
      y[i] = static_cast<T>(result(total));
    });
  };
  switch (code) {
    case ReduceCode::sum:
      return each(SumOfEach::value, {}, [](Total total) { return value_of(total); });
    case ReduceCode::mean:
      return each(SumOfEach::value, {}, [=](Total total) { return quotient(total, count); });
    case ReduceCode::norm:
      return each(SumOfEach::square, {}, [](Total total) { return std::sqrt(value_of(total)); });
    case ReduceCode::var:
    case ReduceCode::std:
      return variance(code == ReduceCode::std, x, y, e, correction, workspace);
    case ReduceCode::logsumexp:
      return logsumexp(x, y, e, workspace);
    case ReduceCode::amax:
    case ReduceCode::amin:
      return extremes(code == ReduceCode::amax, x, y, e, workspace);
    case ReduceCode::count:
      return;
  }
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

#define EVENKEEL_FOR(T)                                                                       \
  template void reduce(ReduceCode, const T*, T*, Extent, double, Workspace&);                 \
  template void sort_rows(const T*, T*, std::int64_t*, std::size_t, std::size_t, std::size_t, \
                          bool, Workspace&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
