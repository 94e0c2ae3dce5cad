#include "leaf_products.h"

#include <algorithm>

#include "../kernels/dispatch.h"
#include "../kernels/sum_tree.h"
#include "../runtime/float_environment.h"
#include "../runtime/scratch_tasks.h"
#include "packed.h"

namespace evenkeel {
namespace {

// Columns of a task's part of C at most: what it has of a block of B, 256 KB of floats, stays in L2.
constexpr std::size_t kLeafColumns = 256;

// Up to so many tasks of rows each packs its block by itself, which stays in its caches: (32, 4096), 128 rows, 0.66 ms, by
// the rules of a whole product 1.06; (64, 64), 4096 rows, a tenth less.
constexpr std::size_t kTasksApart = 2;

// Then up to so many tiles of rows, or bytes of B, a block of B is read where it is: rows a power of two apart share lines
// of L1, and with 6 rows a tile 48 are eight passes over them.
constexpr std::size_t kTilesInPlace = 4;
constexpr std::size_t kBytesInPlace = std::size_t{64} << 10;

// One task: rows and columns of C, block by block. A block is one node of its leaves, and blocks meet as leaves do.
template <class T>
class PartOfC {
 public:
  // Of a product whose sides are packed, or, where A has no panels, are to be.
  PartOfC(const MatmulKernels<T>& table, const Product<T>& product, std::size_t columns)
      : table_(table),
        product_(product),
        columns_(divide_up(columns, table.lanes) * table.lanes),
        size_(kTaskRows * columns) {}

  std::size_t scratch() const {
    return nodes() + (packs() ? kMatmulBlock * (kTaskRows + columns_) : 0);
  }

  void write(Range rows, Range columns, T* scratch) const {
    T* const c = product_.c + rows.begin * product_.n + columns.begin;
    T *const nodes = scratch, *const panels = scratch + this->nodes();
    if (blocks() == 1) return multiply(0, rows, columns, panels, c, product_.n);
    const auto add = kernels_of<T>().elementwise.add;
    const std::size_t width = columns.size(), size = rows.size() * width;
    const auto node = [&](std::size_t level) { return nodes + level * size_; };
    T* two = nullptr;
    for (std::size_t block = 0; block < blocks(); ++block) {
      // Two blocks are added where they are to wait, or, where others wait for them, beside those.
      if (block % 2 == 0) two = node(block / 2 % 2 == 0 ? 1 : 0);
      multiply(block, rows, columns, panels, two, width);
      if (block % 2 == 0) continue;
      const std::size_t level = push_leaf(block, [](std::size_t) {});
      for (std::size_t below = 1; below < level; ++below) {
        add(node(below), two, below + 1 == level ? node(level) : two, size);
      }
    }
    const T* total = nullptr;
    fold_leaves(blocks(), [&](std::size_t level) {
      T* const last = level == 0 ? two : node(level);
      if (total != nullptr) add(last, total, last, size);
      total = last;
    });
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(total + i * width, width, c + i * product_.n);
    }
  }

 private:
  bool packs() const { return product_.a.panels == nullptr; }
  std::size_t blocks() const { return divide_up(product_.k, kMatmulBlock); }
  std::size_t nodes() const { return blocks() == 1 ? 0 : tree_levels(blocks()) * size_; }

  // One block, into `c`; every second one is added to what is there.
  void multiply(std::size_t block, Range rows, Range columns, T* panels, T* c,
                std::size_t stride) const {
    const Range terms = cut(product_.k, kMatmulBlock, block);
    const bool adds = block % 2 != 0;
    if (!packs()) {
      const Product<T> part{product_.a, product_.b, nullptr, c, stride, product_.k};
      table_.multiply_leaves(part, {terms.begin, terms.end, adds}, rows.begin, rows.end,
                             columns.begin, columns.end);
      return;
    }
    const MatrixView<T> a = product_.a.a.at(rows.begin, terms.begin);
    table_.pack_a(a, rows.size(), terms.size(), panels);
    const RightSide<T> b = packed(terms, rows, columns, panels + kMatmulBlock * kTaskRows);
    const Product<T> part{{a, panels}, b, nullptr, c, stride, terms.size()};
    table_.multiply_leaves(part, {0, terms.size(), adds}, 0, rows.size(), 0, columns.size());
  }

  RightSide<T> packed(Range terms, Range rows, Range columns, T* panels) const {
    const std::size_t tile = table_.tile_columns, rest = columns.size() % tile;
    const bool packs = divide_up(rows.size(), table_.tile_rows) > kTilesInPlace &&
                       terms.size() * columns.size() * sizeof(T) > kBytesInPlace;
    const std::size_t whole = rest % table_.lanes == 0 ? columns.size() : columns.size() - rest;
    const std::size_t in_place = packs ? 0 : whole;
    const std::size_t width = divide_up(rest, table_.lanes) * table_.lanes;
    const MatrixView<T> b = product_.b.b.at(terms.begin, columns.begin);
    for (std::size_t j = in_place; j < columns.size(); j += tile) {
      const std::size_t left = columns.size() - j;
      table_.pack_b(b.at(0, j), terms.size(), std::min(tile, left), left < tile ? width : tile,
                    panels + (j - in_place) * terms.size());
    }
    return {b, panels, in_place, columns.size(), tile, width};
  }

  const MatmulKernels<T>& table_;
  const Product<T>& product_;
  std::size_t columns_, size_;
};

}  // namespace

template <class T>
void leaf_products(const T* a, const T* b, T* c, std::size_t m, std::size_t n, std::size_t k,
                   Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (m * n == 0) return;
  if (k == 0) {
    std::fill_n(c, m * n, T(0));
    return;
  }
  const MatmulKernels<T>& table = kernels_of<T>().matmul;
  const std::size_t row_tasks = divide_up(m, kTaskRows);
  const MatrixView<T> left{a, 1, m}, right{b, n, 1};
  const bool apart = row_tasks <= kTasksApart;
  const Product<T> product{
      apart ? LeftSide<T>{left, nullptr} : left_side(table, left, m, k, workspace),
      apart ? RightSide<T>{right, nullptr, 0, n, table.tile_columns, 0}
            : right_side(table, right, m, n, k, workspace),
      nullptr,
      c,
      n,
      k};
  // As many columns each, in whole tiles: a task of a few would leave threads waiting.
  const std::size_t tiles = divide_up(n, table.tile_columns);
  const std::size_t columns = divide_up(tiles, divide_up(n, kLeafColumns)) * table.tile_columns;
  const std::size_t column_tasks = divide_up(n, columns);
  const PartOfC<T> part(table, product, std::min(columns, n));
  // A product is worth 1/16 of an element of a memory-bound pass.
  run_with_scratch<T>(row_tasks * column_tasks, m * n * k / 16, part.scratch(), workspace,
                      [&](std::size_t task, T* scratch) {
                        part.write(cut(m, kTaskRows, task / column_tasks),
                                   cut(n, columns, task % column_tasks), scratch);
                      });
}

template void leaf_products(const float*, const float*, float*, std::size_t, std::size_t,
                            std::size_t, Workspace&);
template void leaf_products(const double*, const double*, double*, std::size_t, std::size_t,
                            std::size_t, Workspace&);

}  // namespace evenkeel
