// Samples of unequal length in one padded array: x[n][c][l][unit], of which sample i has the first
// lengths[i] of its l steps. Packed they lie behind one another, [c][steps][unit] with steps the sum of
// the lengths: what the same values would be without padding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../runtime/workspace.h"

namespace evenkeel {

struct PaddedShape {
  std::size_t n, c, l, unit;
};

// Every length is at most l; packed holds c * steps * unit elements.
template <class T>
void pack(const T* x, T* packed, const std::int32_t* lengths, PaddedShape shape,
          Workspace& workspace);

// Writes every element of x: the padding is 0. Packed and x lie apart.
template <class T>
void unpack(const T* packed, T* x, const std::int32_t* lengths, PaddedShape shape,
            Workspace& workspace);

}  // namespace evenkeel
