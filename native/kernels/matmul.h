// The table of the matrix product. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

namespace evenkeel {

// A matrix seen through two strides: element (i, j) is data[i * row + j * column].
template <class T>
struct MatrixView {
  const T* data;
  std::size_t row;
  std::size_t column;

  constexpr MatrixView at(std::size_t i, std::size_t j) const {
    return {data + i * row + j * column, row, column};
  }
};

// A as the register tiles read it: in place where it is row-major, else (panels) tile_rows rows side by
// side, element (i, p) of a tile at p * tile_rows + i, one tile's k columns after another's.
template <class T>
struct LeftSide {
  MatrixView<T> a;
  const T* panels;
};

// B as the register tiles read it: columns before `packed_from` in place (B is row-major), the others
// as panels of one tile's columns each, one after another; the last may be narrower.
template <class T>
struct RightSide {
  MatrixView<T> b;
  const T* panels;
  std::size_t packed_from, columns, tile_columns, last_width;

  // Where the tile at column j begins, and the way from one row of it to the next.
  constexpr const T* tile(std::size_t j, std::size_t k) const {
    return j < packed_from ? b.data + j : panels + (j - packed_from) * k;
  }
  constexpr std::size_t step(std::size_t j) const {
    return j < packed_from ? b.row : j + tile_columns <= columns ? tile_columns : last_width;
  }
};

// C[m, n] = A[m, k] * B[k, n] (+ bias[column]), k > 0.
template <class T>
struct Product {
  LeftSide<T> a;
  RightSide<T> b;
  const T* bias;  // nullable
  T* c;
  std::size_t n, k;
};

// Rows [first, last) of k, at most kMatmulBlock; whether C has the node before it, which is added.
struct LeafBlock {
  std::size_t first, last;
  bool adds;
};

template <class T>
struct MatmulKernels {
  std::size_t tile_rows, tile_columns;  // what the largest register tile holds of C
  std::size_t lanes;                    // of one vector: a panel's width is a multiple of it
  // Packs `rows` rows and k columns of a column-major A into panels, zero-filled to whole tiles.
  void (*pack_a)(MatrixView<T> a, std::size_t rows, std::size_t k, T* panels);
  // Packs k rows of `columns` columns of B into a panel, zero-filled to `width`.
  void (*pack_b)(MatrixView<T> b, std::size_t k, std::size_t columns, std::size_t width, T* panel);
  // Rows [top, bottom) and columns [left, right) of C; top and left begin a tile. Every element is
  // summed over k in order, in blocks of kMatmulBlock, whatever the tile.
  void (*multiply)(const Product<T>& product, std::size_t top, std::size_t bottom, std::size_t left,
                   std::size_t right);
  // The same of one block of k, of which each element is the node of its leaves (sum_tree.h). Row top and column left
  // are where product.c is.
  void (*multiply_leaves)(const Product<T>& product, LeafBlock block, std::size_t top,
                          std::size_t bottom, std::size_t left, std::size_t right);
};

// Products of one k-block are summed in one register; blocks are then added in order. Part of the
// result's definition: changing it changes bits.
inline constexpr std::size_t kMatmulBlock = 256;

}  // namespace evenkeel
