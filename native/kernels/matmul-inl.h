// Longer than 250 lines because products and products in leaves share the tiles and their edges.
//
// One register-tiled matrix multiply, written once over the instruction set's vectors; the largest tile is the
// instruction set's (kTileRows x kTileVectors), smaller ones serve the edges. After Goto & van de Geijn 2008
// (packed panels, k-blocks). Every element is the same sum in every instruction set: see kMatmulBlock.
#pragma once

#include <cstddef>

#include "kernels.h"
#include "sum_tree.h"

namespace evenkeel {
namespace {

template <class T>
constexpr std::size_t kTileColumns = kTileVectors * Simd<T>::Vec::kLanes;

// One term of an element's sum: fused in float, two roundings in double (docs/decisions/0002).
inline VecF add_product(VecF sum, VecF a, VecF b) { return fused(a, b, sum); }
inline VecD add_product(VecD sum, VecD a, VecD b) { return sum + a * b; }
// The same, in the place of the sum.
EVENKEEL_INLINE void add_to(VecF& sum, VecF a, VecF b) {
#ifdef EVENKEEL_ADDS_IN_PLACE
  add_fused(sum.a, a.a, b.a);
  add_fused(sum.b, a.b, b.b);
#else
  sum = add_product(sum, a, b);
#endif
}
EVENKEEL_INLINE void add_to(VecD& sum, VecD a, VecD b) { sum = add_product(sum, a, b); }

// `width` elements, of which `count` are copied and the others zero.
template <class T>
inline void copy_padded(const T* from, std::size_t count, std::size_t width, T* to) {
  using Vec = typename Simd<T>::Vec;
  for (std::size_t j = 0; j < width; j += Vec::kLanes) {
    const std::size_t n = j < count ? min_size(Vec::kLanes, count - j) : 0;
    load_up_to(from + j, n, Vec::zero()).store(to + j);
  }
}

// Writes the transpose of `columns` contiguous runs of k elements, `stride` apart, into a panel.
template <class T>
inline void transpose(const T* runs, std::size_t stride, std::size_t k, std::size_t columns,
                      std::size_t width, T* panel) {
  // 16 at a time: both the lines read and the lines written stay in L1.
  for (std::size_t first = 0; first < k; first += 16) {
    const std::size_t last = min_size(first + 16, k);
    for (std::size_t j = 0; j < columns; ++j) {
      for (std::size_t p = first; p < last; ++p) panel[p * width + j] = runs[j * stride + p];
    }
  }
}
// Pairs apart, and back together: the phases of a convolution of stride 2. Constant steps, which the compiler widens.
inline void split_pairs(const float* pairs, std::size_t n, float* __restrict first,
                        float* __restrict second) {
  for (std::size_t i = 0; i < n; ++i) {
    first[i] = pairs[2 * i];
    second[i] = pairs[2 * i + 1];
  }
}
inline void join_pairs(const float* first, const float* second, std::size_t n,
                       float* __restrict pairs) {
  for (std::size_t i = 0; i < n; ++i) {
    pairs[2 * i] = first[i];
    pairs[2 * i + 1] = second[i];
  }
}

// 16 columns x 4 rows at a time: 0.1 ns an element against 0.4.
inline void transpose(const float* runs, std::size_t stride, std::size_t k, std::size_t columns,
                      std::size_t width, float* panel) {
  if (stride == 2 && k == 2) return split_pairs(runs, columns, panel, panel + width);
  if (columns == 2 && width == 2) return join_pairs(runs, runs + stride, k, panel);
  std::size_t j = 0;
  for (; j + VecF::kLanes <= columns; j += VecF::kLanes) {
    const float* from = runs + j * stride;
    std::size_t p = 0;
    for (; p + 4 <= k; p += 4) {
      VecF row[4];
      load_columns(from + p, stride, row);
      for (std::size_t i = 0; i < 4; ++i) row[i].store(panel + (p + i) * width + j);
    }
    transpose<float>(from + p, stride, k - p, VecF::kLanes, width, panel + p * width + j);
  }
  transpose<float>(runs + j * stride, stride, k, columns - j, width, panel + j);
}

template <class T>
void pack_b(MatrixView<T> b, std::size_t k, std::size_t columns, std::size_t width, T* panel) {
  if (b.column == 1) {
    for (std::size_t p = 0; p < k; ++p) {
      copy_padded(b.data + p * b.row, columns, width, panel + p * width);
    }
    return;
  }
  transpose(b.data, b.column, k, columns, width, panel);
  for (std::size_t p = 0; p < k; ++p) {
    for (std::size_t j = columns; j < width; ++j) panel[p * width + j] = T(0);
  }
}

template <class T>
void pack_a(MatrixView<T> a, std::size_t rows, std::size_t k, T* panels) {
  // Along a column of A, which is contiguous, through all the tiles.
  for (std::size_t p = 0; p < k; ++p) {
    const T* column = a.data + p * a.column;
    T* to = panels + p * kTileRows;
    std::size_t i = 0;
    for (; i + kTileRows <= rows; i += kTileRows, to += kTileRows * k) {
      for (std::size_t j = 0; j < kTileRows; ++j) to[j] = column[i + j];
    }
    if (i == rows) continue;
    for (std::size_t j = 0; j < kTileRows; ++j) to[j] = i + j < rows ? column[i + j] : T(0);
  }
}

// The rows of A that one tile reads: element (i, p) is row[i][p * step].
template <class T>
struct LeftRows {
  const T* row[kTileRows];
  std::size_t step;
};

// Rows of a row-major A are read where they are: 12 of them are 12 lines in L1, each good for 16 steps
// of k. The tile's missing rows repeat its last one; their sums go nowhere.
template <class T>
inline LeftRows<T> left_rows(const LeftSide<T>& a, std::size_t top, std::size_t rows, std::size_t p,
                             std::size_t k) {
  LeftRows<T> left;
  left.step = a.panels != nullptr ? kTileRows : 1;
  for (std::size_t i = 0; i < kTileRows; ++i) {
    left.row[i] = a.panels != nullptr ? a.panels + top * k + p * kTileRows + i
                                      : a.a.data + (top + min_size(i, rows - 1)) * a.a.row + p;
  }
  return left;
}

// One k-block of one tile of C: where its right-hand side is, and what becomes of the sums.
template <class T>
struct TileTask {
  const T* right;
  std::size_t right_step, k;
  T* c;
  std::size_t c_stride, rows, columns;
  bool first;     // C = sums, else C += sums
  const T* bias;  // added after the last block; nullable
};

// sum[i] += left(i) * the vectors at `right`
template <class T, std::size_t kRows, std::size_t kVectors, class Left>
EVENKEEL_INLINE void add_term(const Left& left, const T* right,
                              typename Simd<T>::Vec (&sum)[kRows][kVectors]) {
  using Vec = typename Simd<T>::Vec;
  Vec vectors[kVectors];
#pragma GCC unroll 4
  for (std::size_t j = 0; j < kVectors; ++j) vectors[j] = Vec::load(right + j * Vec::kLanes);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    const Vec factor = Vec::broadcast(left(i));
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      add_to(sum[i][j], factor, vectors[j]);
    }
  }
}

template <class T, std::size_t kRows, std::size_t kVectors>
inline void tile(const LeftRows<T>& left, const TileTask<T>& task) {
  using Vec = typename Simd<T>::Vec;
  Vec sum[kRows][kVectors];
  const T* row[kRows];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    row[i] = left.row[i];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) sum[i][j] = Vec::zero();
  }
  const T* from = task.right;
  const std::size_t right_step = task.right_step, left_step = left.step;
  for (std::size_t p = 0; p < task.k * left_step; p += left_step, from += right_step) {
    add_term<T>([&](std::size_t i) EVENKEEL_INLINED { return row[i][p]; }, from, sum);
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    if (i >= task.rows) break;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      const std::size_t at = j * Vec::kLanes;
      if (at >= task.columns) break;
      const std::size_t n = min_size(Vec::kLanes, task.columns - at);
      T* c = task.c + i * task.c_stride + at;
      // Lanes from n on are not stored. Filled with what is there rather than with zeros: GCC 12 keeps a
      // zero in a register through the loop above, and one of 12 accumulators then lives in memory.
      Vec value = sum[i][j];
      if (!task.first) value = load_up_to(c, n, value) + value;
      if (task.bias != nullptr) value = value + load_up_to(task.bias + at, n, value);
      store_up_to<T>(value, c, n);
    }
  }
}

// One leaf of one tile after the other; each but the last waits in memory of the tile for the one behind it.
template <class T, std::size_t kRows, std::size_t kVectors>
inline void leaf_tile(const LeftRows<T>& left, const TileTask<T>& task) {
  using Vec = typename Simd<T>::Vec;
  static_assert(kMatmulBlock == 4 * kLeafSamples, "two nodes of a tile wait at most");
  T waiting[2][kRows * kVectors * Vec::kLanes];
  const T* row[kRows];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) row[i] = left.row[i];
  const T* from = task.right;
  const std::size_t right_step = task.right_step, left_step = left.step;
  for (std::size_t leaf = 0, p = 0;; ++leaf) {
    const bool last = (leaf + 1) * kLeafSamples >= task.k;
    const std::size_t end = (last ? task.k : (leaf + 1) * kLeafSamples) * left_step;
    Vec sum[kRows][kVectors];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < kVectors; ++j) sum[i][j] = Vec::zero();
    }
    for (; p < end; p += left_step, from += right_step) {
      add_term<T>([&](std::size_t i) EVENKEEL_INLINED { return row[i][p]; }, from, sum);
    }
    // A leaf waits in [0], and two in [1]: the second leaf meets the first, the fourth the third and then both of them. The
    // last one meets whatever waits.
    const bool meets_leaf = (leaf & 1) != 0, meets_pair = last && (leaf & 2) != 0;
    T* const waits = waiting[leaf & 1];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) {
      if (last && i >= task.rows) break;
#pragma GCC unroll 4
      for (std::size_t j = 0; j < kVectors; ++j) {
        const std::size_t at = j * Vec::kLanes, place = i * kVectors * Vec::kLanes + at;
        Vec value = sum[i][j];
        if (meets_leaf) value = Vec::load(waiting[0] + place) + value;
        if (!last) {
          value.store(waits + place);
          continue;
        }
        if (at >= task.columns) break;
        if (meets_pair) value = Vec::load(waiting[1] + place) + value;
        const std::size_t n = min_size(Vec::kLanes, task.columns - at);
        T* c = task.c + i * task.c_stride + at;
        if (!task.first) value = load_up_to(c, n, value) + value;
        store_up_to<T>(value, c, n);
      }
    }
    if (last) return;
  }
}

// The smallest tile that holds the task: three heights, every width.
template <class T, std::size_t kVectors, bool kLeaves>
inline void tile_of_height(const LeftRows<T>& left, const TileTask<T>& task) {
  constexpr std::size_t kLow = kTileRowStep, kMiddle = kTileRows - kTileRowStep;
  const auto run = [&]<std::size_t kRows>() EVENKEEL_INLINED {
    if constexpr (kLeaves) {
      leaf_tile<T, kRows, kVectors>(left, task);
    } else {
      tile<T, kRows, kVectors>(left, task);
    }
  };
  if (task.rows <= kLow) {
    run.template operator()<kLow>();
  } else if (task.rows <= kMiddle) {
    run.template operator()<kMiddle>();
  } else {
    run.template operator()<kTileRows>();
  }
}
template <class T, bool kLeaves = false>
inline void any_tile(const LeftRows<T>& left, const TileTask<T>& task) {
  if (task.columns <= Simd<T>::Vec::kLanes) {
    tile_of_height<T, 1, kLeaves>(left, task);
  } else {
    tile_of_height<T, kTileVectors, kLeaves>(left, task);
  }
}

template <class T>
void multiply(const Product<T>& product, std::size_t top, std::size_t bottom, std::size_t left,
              std::size_t right) {
  const std::size_t n = product.n, k = product.k;
  for (std::size_t p = 0; p < k; p += kMatmulBlock) {
    const std::size_t block = min_size(kMatmulBlock, k - p);
    const T* bias = p + block == k ? product.bias : nullptr;
    for (std::size_t i = top; i < bottom; i += kTileRows) {
      const std::size_t rows = min_size(kTileRows, bottom - i);
      const LeftRows<T> from = left_rows(product.a, i, rows, p, k);
      for (std::size_t j = left; j < right; j += kTileColumns<T>) {
        const std::size_t step = product.b.step(j);
        any_tile<T>(from, {product.b.tile(j, k) + p * step, step, block, product.c + i * n + j, n,
                           rows, min_size(kTileColumns<T>, right - j), p == 0,
                           bias != nullptr ? bias + j : nullptr});
      }
    }
  }
}

template <class T>
void multiply_leaves(const Product<T>& product, LeafBlock block, std::size_t top,
                     std::size_t bottom, std::size_t left, std::size_t right) {
  const std::size_t n = product.n, k = product.k, p = block.first;
  for (std::size_t i = top; i < bottom; i += kTileRows) {
    const std::size_t rows = min_size(kTileRows, bottom - i);
    const LeftRows<T> from = left_rows(product.a, i, rows, p, k);
    for (std::size_t j = left; j < right; j += kTileColumns<T>) {
      const std::size_t step = product.b.step(j);
      any_tile<T, true>(from, {product.b.tile(j, k) + p * step, step, block.last - p,
                               product.c + (i - top) * n + (j - left), n, rows,
                               min_size(kTileColumns<T>, right - j), !block.adds, nullptr});
    }
  }
}

template <class T>
constexpr MatmulKernels<T> matmul_kernels() {
  return {kTileRows, kTileColumns<T>, Simd<T>::Vec::kLanes, pack_a<T>,
          pack_b<T>, multiply<T>,     multiply_leaves<T>};
}

}  // namespace
}  // namespace evenkeel
