// Depthwise convolution, row by row: lanes are positions. add_product is the matrix multiply's.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

// kVectors vectors of y at once: each factor is read once for all of them.
template <class T, std::size_t kVectors>
inline void weighted_vectors(const T* x, std::size_t step, const T* weight, std::size_t taps,
                             typename Simd<T>::Vec bias, T* y, std::size_t n) {
  using Vec = typename Simd<T>::Vec;
  Vec sum[kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) sum[v] = Vec::zero();
  for (std::size_t j = 0; j < taps; ++j) {
    const Vec factor = Vec::broadcast(weight[j]);
    const T* from = x + j * step;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t count = kVectors == 1 ? n : Vec::kLanes;
      sum[v] = add_product(sum[v], factor, load_up_to(from + v * Vec::kLanes, count, factor));
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) {
    const std::size_t count = kVectors == 1 ? n : Vec::kLanes;
    store_up_to<T>(sum[v] + bias, y + v * Vec::kLanes, count);
  }
}

template <class T>
void weighted_rows(const T* x, std::size_t step, const T* weight, std::size_t taps, T bias, T* y,
                   std::size_t n) {
  using Vec = typename Simd<T>::Vec;
  constexpr std::size_t kVectors = 4;
  const Vec last = Vec::broadcast(bias);
  std::size_t i = 0;
  for (; i + kVectors * Vec::kLanes <= n; i += kVectors * Vec::kLanes) {
    weighted_vectors<T, kVectors>(x + i, step, weight, taps, last, y + i, n);
  }
  for (; i < n; i += Vec::kLanes) {
    weighted_vectors<T, 1>(x + i, step, weight, taps, last, y + i, min_size(Vec::kLanes, n - i));
  }
}

template <class T>
constexpr ConvolutionKernels<T> convolution_kernels() {
  return {weighted_rows<T>};
}

}  // namespace
}  // namespace evenkeel
