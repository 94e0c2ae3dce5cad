// The sum of the exponentials of a row.
#pragma once

#include <cstddef>

#include "../kernels/dispatch.h"

namespace evenkeel {

// Elements that wait in the first cache: 8 KB.
template <class T>
inline constexpr std::size_t kWaiting = 8192 / sizeof(T);

// Of e^(x - center). With a buffer where the row fits: a vector widens faster on its way from memory than out of a
// register, and the bits are the same. `next`: the row behind x comes from memory, and is asked for meanwhile.
template <class T>
Total sum_of_exponentials(const T* x, std::size_t n, double center, bool next) {
  const auto& kernels = kernels_of<T>().reductions;
  if (n > kWaiting<T>) return kernels.sum_row(SumOfEach::exponential, x, n, center);
  alignas(64) T e[kWaiting<T>];
  return kernels.exp_row(x, e, n, center, next);
}

}  // namespace evenkeel
