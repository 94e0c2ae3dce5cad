#include "pooling.h"

#include <algorithm>
#include <limits>

#include "blocks.h"

namespace evenkeel {
namespace {

// Elements of a row of x or of y, whichever are more: what a row is worth.
std::size_t row_size(std::size_t length, std::size_t count) { return std::max(length, count); }

// body(window, first position, past the last).
template <class Body>
inline void for_windows(const Windows& windows, const Body& body) {
  for (std::size_t t = 0; t < windows.count; ++t) {
    body(t, static_cast<std::size_t>(windows.bounds[2 * t]),
         static_cast<std::size_t>(windows.bounds[2 * t + 1]));
  }
}

}  // namespace

template <class T>
void max_windows(const T* x, T* y, std::int32_t* indices, const Windows& windows) {
  for_rows(windows.rows, row_size(windows.length, windows.count), 1, [&](std::size_t row) {
    const T* in = x + row * windows.length;
    T* out = y + row * windows.count;
    std::int32_t* at = indices + row * windows.count;
    for_windows(windows, [&](std::size_t t, std::size_t begin, std::size_t end) {
      T best = begin < end ? in[begin] : -std::numeric_limits<T>::infinity();
      std::size_t place = begin < end ? begin : 0;
      for (std::size_t i = begin; i < end; i += windows.dilation) {
        const bool better = in[i] > best || in[i] != in[i];
        best = better ? in[i] : best;
        place = better ? i : place;
      }
      out[t] = best;
      at[t] = static_cast<std::int32_t>(place);
    });
  });
}

template <class T>
void max_windows_backward(const T* dy, const std::int32_t* indices, T* dx, std::size_t rows,
                          std::size_t length, std::size_t count) {
  for_rows(rows, row_size(length, count), 1, [&](std::size_t row) {
    T* out = dx + row * length;
    std::fill(out, out + length, T(0));
    for (std::size_t t = row * count; t < (row + 1) * count; ++t) {
      out[static_cast<std::size_t>(indices[t])] += dy[t];
    }
  });
}

template <class T>
void mean_windows(const T* x, T* y, const double* divisors, const Windows& windows) {
  for_rows(windows.rows, row_size(windows.length, windows.count), 1, [&](std::size_t row) {
    const T* in = x + row * windows.length;
    T* out = y + row * windows.count;
    for_windows(windows, [&](std::size_t t, std::size_t begin, std::size_t end) {
      double sum = 0.0;
      for (std::size_t i = begin; i < end; i += windows.dilation) sum += static_cast<double>(in[i]);
      out[t] = static_cast<T>(sum / divisors[t]);
    });
  });
}

template <class T>
void mean_windows_backward(const T* dy, T* dx, const double* divisors, const Windows& windows) {
  for_rows(windows.rows, row_size(windows.length, windows.count), 1, [&](std::size_t row) {
    const T* in = dy + row * windows.count;
    T* out = dx + row * windows.length;
    std::fill(out, out + windows.length, T(0));
    for_windows(windows, [&](std::size_t t, std::size_t begin, std::size_t end) {
      const T part = static_cast<T>(static_cast<double>(in[t]) / divisors[t]);
      for (std::size_t i = begin; i < end; i += windows.dilation) out[i] += part;
    });
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
