// The two sides of a matrix product as its register tiles read them: in place, or packed by all threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "../kernels/kernels.h"
#include "../runtime/parallel.h"
#include "../runtime/work_split.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// Rows of C that one task computes: whole tiles of every instruction set, which read a column tile of B from L2 that
// often.
inline constexpr std::size_t kTaskRows = 48;

// Up to so many tiles of rows of C (64 rows of AVX-512, 32 of AVX2), in thirds, a row-major B is read where it is:
// packing costs as much as 10 rows' products (10 x 256 x 128: 5.7 us against 9.8), and from some 100 rows on pays with
// 12 rows a tile (512 x 784 x 1024: 6.2 ms against 7.7), with 6 from some 32 (64 x 512 x 512: 0.41 ms against 0.50).
inline constexpr std::size_t kThirdsInPlace = 16;

// A in place if it is row-major, else packed: columns a power of two apart share few lines of L1.
template <class T>
LeftSide<T> left_side(const MatmulKernels<T>& table, MatrixView<T> a, std::size_t m, std::size_t k,
                      Workspace& workspace) {
  if (a.column == 1) return {a, nullptr};
  T* panels = workspace.take<T>(divide_up(m, table.tile_rows) * table.tile_rows * k);
  run_tasks(divide_up(m, kTaskRows), m * k, [&](std::size_t task) {
    const Range rows = cut(m, kTaskRows, task);
    table.pack_a(a.at(rows.begin, 0), rows.size(), k, panels + rows.begin * k);
  });
  return {a, panels};
}

// B, packed as far as that pays.
template <class T>
RightSide<T> right_side(const MatmulKernels<T>& table, MatrixView<T> b, std::size_t m,
                        std::size_t n, std::size_t k, Workspace& workspace) {
  const std::size_t tile = table.tile_columns, rest = n % tile;
  const bool in_place = b.column == 1 && 3 * m <= kThirdsInPlace * table.tile_rows;
  const std::size_t packed_from = !in_place ? 0 : rest % table.lanes == 0 ? n : n - rest;
  const std::size_t width = divide_up(rest, table.lanes) * table.lanes;
  T* panels = workspace.take<T>(divide_up(n - packed_from, tile) * tile * k);
  // Packing costs a pass over B; handing it out pays from 128 KB on, like any pass.
  run_tasks(divide_up(n - packed_from, tile), (n - packed_from) * k, [&](std::size_t t) {
    const std::size_t j = packed_from + t * tile;
    table.pack_b(b.at(0, j), k, std::min(tile, n - j), n - j < tile ? width : tile,
                 panels + t * tile * k);
  });
  return {b, panels, packed_from, n, tile, width};
}

}  // namespace evenkeel
