// Pooling: x is [rows, length], y is [rows, windows].
#pragma once

#include <cstddef>
#include <cstdint>

namespace evenkeel {

// Window t reads x from bounds[2 t] to before bounds[2 t + 1], in steps of `dilation`; both are within the length.
struct Windows {
  const std::int32_t* bounds;
  std::size_t rows, length, count, dilation;
};

// y = the largest value of each window: the first of equal ones, or its last NaN; indices = where it is in its row,
// or nullptr where nobody asks. A window that reads nothing gives -infinity, and index 0.
template <class T>
void max_windows(const T* x, T* y, std::int32_t* indices, const Windows& windows);

// dx[row, indices[row, t]] += dy[row, t], in order of t; dx is written, not read. An index beyond the length, which
// max_windows never gives, adds nothing.
template <class T>
void max_windows_backward(const T* dy, const std::int32_t* indices, T* dx, std::size_t rows,
                          std::size_t length, std::size_t count);

// y[row, t] = the sum of window t, in double in its order, / divisors[t], rounded once.
template <class T>
void mean_windows(const T* x, T* y, const double* divisors, const Windows& windows);
// dx += dy / divisors over each window, in order of the windows; dx is written, not read.
template <class T>
void mean_windows_backward(const T* dy, T* dx, const double* divisors, const Windows& windows);

}  // namespace evenkeel
