// One register-tiled matrix multiply, written once over the family's vectors; the tile's size is the
// family's (kTileRows x kTileVectors). After Goto & van de Geijn 2008 (packed panels, k-blocks).
// Every element is the same sum in every family: see kMatmulBlock.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

template <class T>
constexpr std::size_t kTileColumns = kTileVectors * Simd<T>::Vec::kLanes;

template <class T>
void pack_b(MatrixView<T> b, std::size_t k, std::size_t columns, T* panel) {
  constexpr std::size_t kColumns = kTileColumns<T>;
  // 16 rows at a time: both the lines read (along k where B is a transposed view) and the lines
  // written stay in L1.
  for (std::size_t first = 0; first < k; first += 16) {
    const std::size_t last = min_size(first + 16, k);
    for (std::size_t j = 0; j < columns; ++j) {
      const T* column = b.data + j * b.column;
      for (std::size_t p = first; p < last; ++p) panel[p * kColumns + j] = column[p * b.row];
    }
    for (std::size_t p = first; p < last; ++p) {
      for (std::size_t j = columns; j < kColumns; ++j) panel[p * kColumns + j] = T(0);
    }
  }
}

// packed[p * kTileRows + i] = A(i, p); rows beyond `rows` are zero.
template <class T>
inline void pack_a(MatrixView<T> a, std::size_t rows, std::size_t k, T* packed) {
  for (std::size_t i = 0; i < kTileRows; ++i) {
    const T* row = a.data + i * a.row;
    for (std::size_t p = 0; p < k; ++p) {
      packed[p * kTileRows + i] = i < rows ? row[p * a.column] : T(0);
    }
  }
}

// One register tile: C += A B over one k-block, or C = A B when `first`; bias after the last block.
template <class T>
inline void tile(const T* packed_a, const T* packed_b, std::size_t k, T* c, std::size_t c_stride,
                 std::size_t rows, std::size_t columns, bool first, const T* bias) {
  using Vec = typename Simd<T>::Vec;
  Vec sum[kTileRows][kTileVectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kTileVectors; ++j) sum[i][j] = Vec::zero();
  }
  for (std::size_t p = 0; p < k; ++p) {
    Vec right[kTileVectors];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kTileVectors; ++j) {
      right[j] = Vec::load(packed_b + (p * kTileVectors + j) * Vec::kLanes);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const Vec left = Vec::broadcast(packed_a[p * kTileRows + i]);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < kTileVectors; ++j) sum[i][j] = sum[i][j] + left * right[j];
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kTileRows; ++i) {
    if (i >= rows) break;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kTileVectors; ++j) {
      const std::size_t at = j * Vec::kLanes;
      if (at >= columns) break;
      const std::size_t n = min_size(Vec::kLanes, columns - at);
      Vec value = sum[i][j];
      if (!first) value = load_up_to(c + i * c_stride + at, n, Vec::zero()) + value;
      if (bias != nullptr) value = value + load_up_to(bias + at, n, Vec::zero());
      store_up_to<T>(value, c + i * c_stride + at, n);
    }
  }
}

template <class T>
void multiply(MatrixView<T> a, const T* panels, const T* bias, T* c, std::size_t c_stride,
              std::size_t rows, std::size_t columns, std::size_t k) {
  constexpr std::size_t kColumns = kTileColumns<T>;
  T packed_a[kMatmulBlock * kTileRows];  // at most 24 KB of stack
  for (std::size_t i = 0; i < rows; i += kTileRows) {
    const std::size_t tile_rows = min_size(kTileRows, rows - i);
    for (std::size_t p = 0; p < k; p += kMatmulBlock) {
      const std::size_t block = min_size(kMatmulBlock, k - p);
      const bool last = p + block == k;
      pack_a<T>(a.at(i, p), tile_rows, block, packed_a);
      for (std::size_t j = 0; j < columns; j += kColumns) {
        tile<T>(packed_a, panels + j * k + p * kColumns, block, c + i * c_stride + j, c_stride,
                tile_rows, min_size(kColumns, columns - j), p == 0,
                last && bias != nullptr ? bias + j : nullptr);
      }
    }
  }
}

template <class T>
constexpr MatmulKernels<T> matmul_kernels() {
  return {kTileRows, kTileColumns<T>, pack_b<T>, multiply<T>};
}

}  // namespace
}  // namespace evenkeel
