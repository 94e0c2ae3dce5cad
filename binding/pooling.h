// Pooling over windows of rows.
#pragma once

#include "../native/math/pooling.h"

#include "args.h"

namespace evenkeel::binding {

// From slot kBounds on: (bounds: Int32Array of 2 a window, rows, length, windows, dilation).
template <std::size_t kBounds>
Windows windows_of(const Args& args) {
  Windows windows{nullptr, args.size(kBounds + 1, "rows"), args.size(kBounds + 2, "length"),
                  args.size(kBounds + 3, "windows"), args.size(kBounds + 4, "dilation")};
  windows.bounds = args.copied<std::int32_t>(kBounds, "bounds", args.product(2, windows.count));
  if (windows.dilation == 0) args.fail("dilation", "at least 1", "0");
  if (windows.length > 0x7fffffff) args.fail("length", "at most 2^31 - 1", "more");
  for (std::size_t t = 0; t < windows.count; ++t) {
    const std::int32_t begin = windows.bounds[2 * t], end = windows.bounds[2 * t + 1];
    if (begin < 0 || end < begin || static_cast<std::size_t>(end) > windows.length) {
      args.fail("bounds", "within the length", "others");
    }
  }
  return windows;
}

// (x, y, indices: Int32Array or null, bounds, rows, length, windows, dilation)
template <class T>
struct MaxWindows {
  static constexpr std::size_t kArguments = 8;
  Windows windows;
  const T* x;
  T* y;
  std::int32_t* indices;

  explicit MaxWindows(const Args& args) : windows(windows_of<3>(args)) {
    const std::size_t results = args.product(windows.rows, windows.count);
    x = args.array<T>(0, "x", args.product(windows.rows, windows.length));
    y = args.array<T>(1, "y", results);
    indices = args.array_or_null<std::int32_t>(2, "indices", results);
  }
  void run() const { max_windows(x, y, indices, windows); }
};

// (dy, indices: Int32Array, dx, rows, length, windows)
template <class T>
struct MaxWindowsBackward {
  static constexpr std::size_t kArguments = 6;
  std::size_t rows, length, windows;
  const T* dy;
  const std::int32_t* indices;
  T* dx;

  explicit MaxWindowsBackward(const Args& args)
      : rows(args.size(3, "rows")),
        length(args.size(4, "length")),
        windows(args.size(5, "windows")) {
    const std::size_t results = args.product(rows, windows);
    dy = args.array<T>(0, "dy", results);
    dx = args.array<T>(2, "dx", args.product(rows, length));
    indices = args.array<std::int32_t>(1, "indices", results);
  }
  void run() const { max_windows_backward(dy, indices, dx, rows, length, windows); }
};

// (x, y, divisors: Float64Array, bounds, rows, length, windows, dilation)
template <class T>
struct MeanWindows {
  static constexpr std::size_t kArguments = 8;
  Windows windows;
  const T* x;
  T* y;
  const double* divisors;

  explicit MeanWindows(const Args& args) : windows(windows_of<3>(args)) {
    x = args.array<T>(0, "x", args.product(windows.rows, windows.length));
    y = args.array<T>(1, "y", args.product(windows.rows, windows.count));
    divisors = args.copied<double>(2, "divisors", windows.count);
  }
  void run() const { mean_windows(x, y, divisors, windows); }
};

// (dy, dx, divisors: Float64Array, bounds, rows, length, windows, dilation)
template <class T>
struct MeanWindowsBackward {
  static constexpr std::size_t kArguments = 8;
  Windows windows;
  const T* dy;
  T* dx;
  const double* divisors;

  explicit MeanWindowsBackward(const Args& args) : windows(windows_of<3>(args)) {
    dy = args.array<T>(0, "dy", args.product(windows.rows, windows.count));
    dx = args.array<T>(1, "dx", args.product(windows.rows, windows.length));
    divisors = args.copied<double>(2, "divisors", windows.count);
  }
  void run() const { mean_windows_backward(dy, dx, divisors, windows); }
};

}  // namespace evenkeel::binding
