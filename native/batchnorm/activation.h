// A pointwise activation right behind the normalisation, block by block, while the block is in the first cache.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "coefficients.h"
#include "../kernels/dispatch.h"

namespace evenkeel {

// Elements of a block: 8 KB.
template <class T>
inline constexpr std::size_t kActivated = 8192 / sizeof(T);

// A range of rows block by block: normalize(i, block, z) writes z, which done(i, n, z) is called for at once. z is at
// out + i, or, where out is null, in a buffer.
template <class T, class Normalize, class Done>
void for_blocks_of(MatrixRange range, T* out, const Normalize& normalize, const Done& done) {
  alignas(64) T buffer[kActivated<T>];
  for (std::size_t i = 0; i < range.n; i += kActivated<T>) {
    const std::size_t n = std::min(kActivated<T>, range.n - i);
    T* const z = out != nullptr ? out + i : buffer;
    normalize(i, MatrixRange{n, (range.first + i) % range.columns, range.columns}, z);
    done(i, n, z);
  }
}

// y = f(y)
template <class T>
void activate(const Activation& activation, T* y, std::size_t n) {
  kernels_of<T>().arithmetic.unary(activation.code, y, y, n, activation.numbers, false);
}

}  // namespace evenkeel
