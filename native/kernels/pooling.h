// The loops of pooling over windows of one size. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace evenkeel {

// Window t of `count` reads x[t * stride + j * dilation] for j from 0 to taps - 1, and taps > 0.
struct WindowRun {
  std::size_t count, taps, stride, dilation;
};

template <class T>
struct PoolingKernels {
  // y = the largest value of each window: the first of equal ones, or its last NaN; places[t] = where it is, counted
  // from `begin` before x, where there is such an array.
  void (*largest)(const T* x, WindowRun run, T* y, std::int32_t* places, std::int32_t begin);
  // y = the sum of each window, in double in its order from 0, / divisor, rounded once.
  void (*mean)(const T* x, WindowRun run, double divisor, T* y);
  // dx[i] = 0 + dy[t] for each t whose place indices[t] is i, in order; a place beyond `length` is none. False, and dx
  // is anything, where there is no loop for such windows: neither side by side nor two apart.
  bool (*largest_gradient)(const T* dy, const std::int32_t* indices, std::size_t count,
                           std::size_t length, T* dx);
  // Windows side by side: dx[t * taps + j] = 0 + dy[t] / divisor, rounded before the sum.
  void (*mean_gradient)(const T* dy, double divisor, std::size_t count, std::size_t taps, T* dx);
};

}  // namespace evenkeel
