// A PReLU right behind the normalisation: a pointwise operation of two operands, z and the slopes of its channels.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "rows.h"
#include "../kernels/dispatch.h"

namespace evenkeel {

// f(z, slope) for n elements that one slope meets.
constexpr BinaryRows one_slope(std::size_t n) { return {1, n, 0, 0, false, true}; }

// The slopes of the columns of rows.
template <class T>
class ColumnSlopes {
 public:
  ColumnSlopes(const Rows& rows, const Slopes<T>& slopes, Workspace& workspace)
      : columns_(slopes.values), single_(slopes.single) {
    if (!slopes.given() || single_ || rows.columns_are_channels()) return;
    T* const spread = workspace.take<T>(rows.width);
    for (std::size_t j = 0; j < rows.width; ++j) {
      spread[j] = slopes.values[j / rows.inner % rows.channels];
    }
    columns_ = spread;
  }

  // y = f(z, slopes), where z and y are the elements of a range of rows.
  void apply(BinaryCode code, const T* z, T* y, MatrixRange range, bool stream) const {
    const auto& kernels = kernels_of<T>().arithmetic;
    if (single_) {
      kernels.binary(code, z, columns_, y, one_slope(range.n), {}, stream);
      return;
    }
    for (std::size_t i = 0; i < range.n;) {
      const std::size_t column = (range.first + i) % range.columns, left = range.n - i;
      const bool whole = column == 0 && left >= range.columns;
      const std::size_t count = whole ? left / range.columns : 1;
      const std::size_t length = whole ? range.columns : std::min(left, range.columns - column);
      kernels.binary(code, z + i, columns_ + column, y + i,
                     {count, length, length, 0, false, false}, {}, stream);
      i += count * length;
    }
  }

 private:
  const T* columns_;
  bool single_;
};

}  // namespace evenkeel
