// Where the largest and the smallest values along a dimension are.
#include "../kernels/dispatch.h"
#include "strips.h"

namespace evenkeel {
namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 30;  // that places within are counted by an int

template <class T>
void strip_indices(bool largest, const T* x, std::int64_t* indices, Extent e, Range columns) {
  const auto& kernels = kernels_of<T>().reductions;
  T best[kMostOfStrip];
  int places[kMostOfStrip];
  kernels.extreme_columns(largest, x, e.size, columns.size(), e.inner, best);
  // From the last rows to the first: the first place is the one that stays.
  for (std::size_t part = divide_up(e.size, kMostRows); part-- > 0;) {
    const Range rows = cut(e.size, kMostRows, part);
    std::fill_n(places, columns.size(), -1);
    kernels.first_in_columns(x + rows.begin * e.inner, rows.size(), columns.size(), e.inner, best,
                             places);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (places[c] >= 0) indices[c] = static_cast<std::int64_t>(rows.begin) + places[c];
    }
  }
}

constexpr std::size_t kMostParts = 64, kFewRows = 8;

// Of a few long rows, each in parts that several threads read.
template <class T>
std::int64_t place_in_row(bool largest, const T* x, std::size_t size) {
  const auto& kernels = kernels_of<T>().reductions;
  const std::size_t step = std::max(kBlock, divide_up(size, kMostParts));
  T found[kMostParts];
  run_tasks(divide_up(size, step), size, [&](std::size_t part) {
    const Range range = cut(size, step, part);
    found[part] = kernels.extreme_row(largest, x + range.begin, range.size());
  });
  if (is_stopped()) return 0;
  std::size_t best = 0;
  for (std::size_t part = 1; part < divide_up(size, step); ++part) {
    const T one = found[best], other = found[part];
    const bool is_better = (largest ? other > one : other < one) || (other != other && one == one);
    if (is_better) best = part;
  }
  const Range range = cut(size, step, best);
  return static_cast<std::int64_t>(range.begin +
                                   kernels.first_of(x + range.begin, range.size(), found[best]));
}

}  // namespace

template <class T>
void extreme_indices(bool largest, const T* x, std::int64_t* indices, Extent e) {
  if (e.inner == 1 && e.outer < kFewRows && e.size > kBlock) {
    const FloatEnvironment environment;
    for (std::size_t r = 0; r < e.outer; ++r) {
      indices[r] = place_in_row(largest, x + r * e.size, e.size);
    }
    return;
  }
  if (e.inner == 1) {
    const auto& kernels = kernels_of<T>().reductions;
    for_rows(e.outer, e.size, 1, [&](std::size_t r) {
      const T* row = x + r * e.size;
      const T best = kernels.extreme_row(largest, row, e.size);
      indices[r] = static_cast<std::int64_t>(kernels.first_of(row, e.size, best));
    });
    return;
  }
  for_column_strips(e, 1, [&](std::size_t o, Range columns) {
    strip_indices(largest, x + o * e.size * e.inner + columns.begin,
                  indices + o * e.inner + columns.begin, e, columns);
  });
}

template void extreme_indices(bool, const float*, std::int64_t*, Extent);
template void extreme_indices(bool, const double*, std::int64_t*, Extent);

}  // namespace evenkeel
