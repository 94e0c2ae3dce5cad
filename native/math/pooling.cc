// Longer than 250 lines because it has both directions of both pools.
#include "pooling.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "../kernels/dispatch.h"
#include "blocks.h"

namespace evenkeel {
namespace {

// From so many values on, a window is searched by itself, vector by vector.
constexpr std::size_t kLongWindow = 32;
// From so many values on, a window's gradient is added to it vector by vector.
constexpr std::size_t kWindowOfVectors = 8;
// Windows whose gradients are divided at once.
constexpr std::size_t kParts = 512;
// Rows whose sums go on side by side: an addition waits for the one before it.
constexpr std::size_t kRowsAtOnce = 4;

// Elements of a row of x or of y, whichever are more: what a row is worth.
std::size_t row_size(std::size_t length, std::size_t count) { return std::max(length, count); }

// Windows [from, to) have one size and lie one stride after the other.
struct Even {
  std::size_t from, to, begin;
  WindowRun run;
};

// The longest such run that begins with the first window or, where padding cuts that, with a later one.
Even even_windows(const Windows& windows) {
  const auto begin = [&](std::size_t t) { return windows.bounds[2 * t]; };
  const auto size = [&](std::size_t t) { return windows.bounds[2 * t + 1] - begin(t); };
  std::size_t from = 0;
  while (from + 1 < windows.count && size(from) < size(from + 1)) ++from;
  Even even{from, from, 0, {0, 1, 1, windows.dilation}};
  if (from == windows.count || size(from) <= 0) return even;
  const std::int32_t stride = from + 1 < windows.count ? begin(from + 1) - begin(from) : 1;
  if (stride <= 0) return even;
  std::size_t to = from + 1;
  while (to < windows.count && size(to) == size(from) && begin(to) - begin(to - 1) == stride) ++to;
  const std::size_t values = static_cast<std::size_t>(size(from));
  even.to = to;
  even.begin = static_cast<std::size_t>(begin(from));
  even.run = {to - from, divide_up(values, windows.dilation), static_cast<std::size_t>(stride),
              windows.dilation};
  return even;
}

// The windows are all values of a row, side by side: those of the rows behind it go on alike.
bool is_row(const Even& even, const Windows& windows) {
  return even.run.count == windows.count && even.run.dilation == 1 &&
         even.run.taps == even.run.stride && even.run.count * even.run.stride == windows.length;
}

// The places from `first` on, of none where nobody asks for them.
std::int32_t* places_of(std::int32_t* indices, std::size_t first) {
  return indices == nullptr ? nullptr : indices + first;
}

// The largest value of a window, and where it is in its row.
template <class T>
std::size_t place_of_largest(const T* row, std::size_t begin, std::size_t end, std::size_t dilation,
                             const ReductionKernels<T>& table) {
  if (dilation == 1 && end - begin >= kLongWindow) {
    const T best = table.extreme_row(true, row + begin, end - begin);
    if (best == best) return begin + table.first_of(row + begin, end - begin, best);
    for (std::size_t i = end; i-- > begin;) {
      if (row[i] != row[i]) return i;
    }
  }
  std::size_t place = begin;
  for (std::size_t i = begin; i < end; i += dilation) {
    place = row[i] > row[place] || row[i] != row[i] ? i : place;
  }
  return place;
}

}  // namespace

template <class T>
void max_windows(const T* x, T* y, std::int32_t* indices, const Windows& windows) {
  const KernelsOf<T>& table = kernels_of<T>();
  const std::size_t count = windows.count;
  Even even = even_windows(windows);
  if (even.run.taps >= kLongWindow && even.run.dilation == 1) even.to = even.from;
  const bool rows_go_on = indices == nullptr && is_row(even, windows);
  for_row_ranges(windows.rows, row_size(windows.length, count), 1, [&](Range rows) {
    if (rows_go_on) {
      WindowRun run = even.run;
      run.count *= rows.size();
      table.pooling.largest(x + rows.begin * windows.length, run, y + rows.begin * count, nullptr,
                            0);
    }
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const T* in = x + row * windows.length;
      T* out = y + row * count;
      std::int32_t* at = places_of(indices, row * count);
      if (even.to > even.from && !rows_go_on) {
        table.pooling.largest(in + even.begin, even.run, out + even.from, places_of(at, even.from),
                              static_cast<std::int32_t>(even.begin));
      }
      for (std::size_t t = 0; t < count; ++t) {
        if (t == even.from && even.to > t) t = even.to;
        if (t == count) break;
        const auto begin = static_cast<std::size_t>(windows.bounds[2 * t]);
        const auto end = static_cast<std::size_t>(windows.bounds[2 * t + 1]);
        const std::size_t place =
            begin < end ? place_of_largest(in, begin, end, windows.dilation, table.reductions) : 0;
        out[t] = begin < end ? in[place] : -std::numeric_limits<T>::infinity();
        if (at != nullptr) at[t] = static_cast<std::int32_t>(place);
      }
    }
  });
}

template <class T>
void max_windows_backward(const T* dy, const std::int32_t* indices, T* dx, std::size_t rows,
                          std::size_t length, std::size_t count) {
  const auto dense = kernels_of<T>().pooling.largest_gradient;
  for_rows(rows, row_size(length, count), 1, [&](std::size_t row) {
    T* out = dx + row * length;
    if (dense(dy + row * count, indices + row * count, count, length, out)) return;
    std::fill(out, out + length, T(0));
    for (std::size_t t = row * count; t < (row + 1) * count; ++t) {
      const auto place = static_cast<std::size_t>(indices[t]);  // of a negative one, beyond all
      if (place < length) out[place] += dy[t];
    }
  });
}

namespace {

// Windows [from, to) of `kRows` rows.
template <std::size_t kRows, class T>
void means_of_rows(const T* x, T* y, const double* divisors, const Windows& windows,
                   std::size_t from, std::size_t to) {
  for (std::size_t t = from; t < to; ++t) {
    const auto begin = static_cast<std::size_t>(windows.bounds[2 * t]);
    const auto end = static_cast<std::size_t>(windows.bounds[2 * t + 1]);
    double sums[kRows] = {};
    for (std::size_t i = begin; i < end; i += windows.dilation) {
      for (std::size_t r = 0; r < kRows; ++r) {
        sums[r] += static_cast<double>(x[r * windows.length + i]);
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      y[r * windows.count + t] = static_cast<T>(sums[r] / divisors[t]);
    }
  }
}

// The run of one divisor.
Even even_means(const Windows& windows, const double* divisors) {
  Even even = even_windows(windows);
  std::size_t to = even.from;
  while (to < even.to && divisors[to] == divisors[even.from]) ++to;
  even.to = to;
  even.run.count = to - even.from;
  return even;
}

}  // namespace

template <class T>
void mean_windows(const T* x, T* y, const double* divisors, const Windows& windows) {
  const auto& table = kernels_of<T>().pooling;
  const std::size_t count = windows.count;
  Even even = even_means(windows, divisors);
  if (even.run.count < kRowsAtOnce) even.to = even.from;
  for_row_ranges(windows.rows, row_size(windows.length, count), 1, [&](Range rows) {
    const auto others = [&](auto several, std::size_t row) {
      constexpr std::size_t kRows = decltype(several)::value;
      const T* in = x + row * windows.length;
      T* out = y + row * count;
      means_of_rows<kRows>(in, out, divisors, windows, 0, even.from);
      means_of_rows<kRows>(in, out, divisors, windows, even.to, count);
    };
    std::size_t row = rows.begin;
    for (; row + kRowsAtOnce <= rows.end; row += kRowsAtOnce) {
      others(std::integral_constant<std::size_t, kRowsAtOnce>{}, row);
    }
    for (; row < rows.end; ++row) others(std::integral_constant<std::size_t, 1>{}, row);
    if (even.to == even.from) return;
    if (is_row(even, windows)) {
      WindowRun run = even.run;
      run.count *= rows.size();
      table.mean(x + rows.begin * windows.length, run, divisors[even.from], y + rows.begin * count);
      return;
    }
    for (row = rows.begin; row < rows.end; ++row) {
      table.mean(x + row * windows.length + even.begin, even.run, divisors[even.from],
                 y + row * count + even.from);
    }
  });
}

namespace {

// Windows [from, to).
template <class T>
void add_means_gradient(const T* dy, T* dx, const double* divisors, const Windows& windows,
                        std::size_t from, std::size_t to) {
  for (std::size_t t = from; t < to; ++t) {
    const auto begin = static_cast<std::size_t>(windows.bounds[2 * t]);
    const auto end = static_cast<std::size_t>(windows.bounds[2 * t + 1]);
    const T part = static_cast<T>(static_cast<double>(dy[t]) / divisors[t]);
    for (std::size_t i = begin; i < end; i += windows.dilation) dx[i] += part;
  }
}

// The last value of every window first: to each value of dx the windows still come in their order, and one addition
// does not wait for the one before it.
template <class T>
void add_even_means_gradient(const T* dy, T* dx, double divisor, const Even& even) {
  T parts[kParts];
  const std::size_t stride = even.run.stride;
  for (std::size_t t = 0; t < even.run.count; t += kParts) {
    const std::size_t n = std::min(kParts, even.run.count - t);
    const T* in = dy + even.from + t;
    for (std::size_t i = 0; i < n; ++i) {
      parts[i] = static_cast<T>(static_cast<double>(in[i]) / divisor);
    }
    T* first = dx + even.begin + t * stride;
    for (std::size_t j = even.run.taps; j-- > 0;) {
      T* to = first + j * even.run.dilation;
      if (stride == 1) {
        for (std::size_t i = 0; i < n; ++i) to[i] += parts[i];
      } else {
        for (std::size_t i = 0; i < n; ++i) to[i * stride] += parts[i];
      }
    }
  }
}

}  // namespace

template <class T>
void mean_windows_backward(const T* dy, T* dx, const double* divisors, const Windows& windows) {
  const auto& table = kernels_of<T>().pooling;
  const Even even = even_means(windows, divisors);
  // Nothing else adds to what the windows side by side have, and they write all of it.
  const bool side_by_side = even.to > even.from && even.run.count == windows.count &&
                            even.run.dilation == 1 && even.run.taps == even.run.stride;
  const bool value_by_value =
      even.to > even.from && (even.run.stride == 1 || even.run.taps < kWindowOfVectors);
  for_rows(windows.rows, row_size(windows.length, windows.count), 1, [&](std::size_t row) {
    const T* in = dy + row * windows.count;
    T* out = dx + row * windows.length;
    if (side_by_side) {
      const std::size_t end = even.begin + even.run.count * even.run.stride;
      std::fill(out, out + even.begin, T(0));
      table.mean_gradient(in, divisors[even.from], even.run.count, even.run.taps, out + even.begin);
      std::fill(out + end, out + windows.length, T(0));
      return;
    }
    std::fill(out, out + windows.length, T(0));
    if (!value_by_value) {
      add_means_gradient(in, out, divisors, windows, 0, windows.count);
      return;
    }
    add_means_gradient(in, out, divisors, windows, 0, even.from);
    add_even_means_gradient(in, out, divisors[even.from], even);
    add_means_gradient(in, out, divisors, windows, even.to, windows.count);
  });
}

#define EVENKEEL_FOR(T)                                                                           \
  template void max_windows(const T*, T*, std::int32_t*, const Windows&);                         \
  template void max_windows_backward(const T*, const std::int32_t*, T*, std::size_t, std::size_t, \
                                     std::size_t);                                                \
  template void mean_windows(const T*, T*, const double*, const Windows&);                        \
  template void mean_windows_backward(const T*, T*, const double*, const Windows&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
