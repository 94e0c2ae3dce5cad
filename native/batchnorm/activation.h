// A pointwise activation right behind the normalisation, block by block, while the block is in the first cache.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "coefficients.h"
#include "slopes.h"
#include "../kernels/dispatch.h"

namespace evenkeel {

// Elements of a block: 8 KB.
template <class T>
inline constexpr std::size_t kActivated = 8192 / sizeof(T);

// A range of rows block by block: normalize(i, block, z) writes z, which done(i, block, z) is called for at once. z is at
// out + i, or, where out is null, in a buffer.
template <class T, class Normalize, class Done>
void for_blocks_of(MatrixRange range, T* out, const Normalize& normalize, const Done& done) {
  alignas(64) T buffer[kActivated<T>];
  for (std::size_t i = 0; i < range.n; i += kActivated<T>) {
    const std::size_t n = std::min(kActivated<T>, range.n - i);
    T* const z = out != nullptr ? out + i : buffer;
    const MatrixRange block{n, (range.first + i) % range.columns, range.columns};
    normalize(i, block, z);
    done(i, block, z);
  }
}

// y = f(y), n values of channel c
template <class T>
void activate(const BatchNormForward<T>& call, std::size_t c, T* y, std::size_t n) {
  const auto& kernels = kernels_of<T>().arithmetic;
  if (call.slopes.given()) {
    kernels.binary(BinaryCode::prelu, y, call.slopes.of(c), y, one_slope(n), {}, false);
  } else {
    kernels.unary(call.activation.code, y, y, n, call.activation.numbers, false);
  }
}

}  // namespace evenkeel
