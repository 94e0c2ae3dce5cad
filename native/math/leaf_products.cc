#include "leaf_products.h"

#include <algorithm>

#include "../kernels/dispatch.h"
#include "../kernels/sum_tree.h"
#include "../runtime/float_environment.h"
#include "../runtime/scratch_tasks.h"

namespace evenkeel {
namespace {

// A task's part of C: as in matmul.cc, but all nodes that wait for others, up to 8 of 48 KB, are to stay in L2.
constexpr std::size_t kTaskRows = 48;
constexpr std::size_t kTaskColumns = 256;

// Up to so many tiles of rows, or bytes of B, a leaf of B is read where it is: rows a power of two apart share lines of
// L1, and with 6 rows a tile 48 are eight passes over them. (512, 512 -> 512): 59 GFLOP/s, packed 68.
constexpr std::size_t kTilesInPlace = 4;
constexpr std::size_t kBytesInPlace = std::size_t{16} << 10;

static_assert(kLeafSamples <= kMatmulBlock, "a leaf is summed in registers");

// One task: rows and columns of C, leaf by leaf.
template <class T>
class PartOfC {
 public:
  PartOfC(const T* a, const T* b, std::size_t m, std::size_t n, std::size_t k)
      : table_(kernels_of<T>().matmul), a_(a), b_(b), m_(m), n_(n), k_(k) {}

  std::size_t scratch() const { return panel_a() + panel_b() + (1 + levels()) * kPart; }

  void write(Range rows, Range columns, T* scratch, T* c) const {
    const auto add = kernels_of<T>().elementwise.add;
    T *panels_a = scratch, *panels_b = panels_a + panel_a(), *nodes = panels_b + panel_b();
    const std::size_t leaves = divide_up(k_, kLeafSamples), size = rows.size() * columns.size();
    T* const part = nodes + levels() * kPart;
    for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
      // Where the node waits that this leaf completes: what comes last writes it there.
      const std::size_t level = push_leaf(leaf, [](std::size_t) {});
      T* const node = nodes + level * kPart;
      multiply(cut(k_, kLeafSamples, leaf), rows, columns, panels_a, panels_b,
               level == 0 ? node : part);
      push_leaf(leaf, [&](std::size_t below) {
        add(nodes + below * kPart, part, below + 1 == level ? node : part, size);
      });
    }
    bool first = true;
    fold_leaves(leaves, [&](std::size_t level) {
      const T* const node = nodes + level * kPart;
      if (first) {
        std::copy_n(node, size, part);
      } else {
        add(node, part, part, size);
      }
      first = false;
    });
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(part + i * columns.size(), columns.size(),
                  c + (rows.begin + i) * n_ + columns.begin);
    }
  }

 private:
  static constexpr std::size_t kPart = kTaskRows * kTaskColumns;

  std::size_t levels() const { return tree_levels(divide_up(k_, kLeafSamples)); }
  std::size_t panel_a() const {
    return divide_up(kTaskRows, table_.tile_rows) * table_.tile_rows * kLeafSamples;
  }
  std::size_t panel_b() const {
    return divide_up(kTaskColumns, table_.tile_columns) * table_.tile_columns * kLeafSamples;
  }

  // part[rows, columns] of one leaf.
  void multiply(Range leaf, Range rows, Range columns, T* panels_a, T* panels_b, T* part) const {
    const std::size_t tile = table_.tile_columns, rest = columns.size() % tile;
    const bool whole = rest % table_.lanes == 0;
    const bool packs = divide_up(rows.size(), table_.tile_rows) > kTilesInPlace &&
                       leaf.size() * columns.size() * sizeof(T) > kBytesInPlace;
    const std::size_t in_place = packs ? 0 : whole ? columns.size() : columns.size() - rest;
    const std::size_t width = divide_up(rest, table_.lanes) * table_.lanes;
    const MatrixView<T> a{a_ + leaf.begin * m_ + rows.begin, 1, m_};
    const MatrixView<T> b{b_ + leaf.begin * n_ + columns.begin, n_, 1};
    table_.pack_a(a, rows.size(), leaf.size(), panels_a);
    for (std::size_t j = in_place; j < columns.size(); j += tile) {
      const std::size_t left = columns.size() - j;
      table_.pack_b(b.at(0, j), leaf.size(), std::min(tile, left), left < tile ? width : tile,
                    panels_b + (j - in_place) * leaf.size());
    }
    const RightSide<T> right{b, panels_b, in_place, columns.size(), tile, width};
    table_.multiply({{a, panels_a}, right, nullptr, part, columns.size(), leaf.size()}, 0,
                    rows.size(), 0, columns.size());
  }

  const MatmulKernels<T>& table_;
  const T *a_, *b_;
  std::size_t m_, n_, k_;
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
  const PartOfC<T> part(a, b, m, n, k);
  const std::size_t column_tasks = divide_up(n, kTaskColumns);
  // A product is worth 1/16 of an element of a memory-bound pass.
  run_with_scratch<T>(divide_up(m, kTaskRows) * column_tasks, m * n * k / 16, part.scratch(),
                      workspace, [&](std::size_t task, T* scratch) {
                        part.write(cut(m, kTaskRows, task / column_tasks),
                                   cut(n, kTaskColumns, task % column_tasks), scratch, c);
                      });
}

template void leaf_products(const float*, const float*, float*, std::size_t, std::size_t,
                            std::size_t, Workspace&);
template void leaf_products(const double*, const double*, double*, std::size_t, std::size_t,
                            std::size_t, Workspace&);

}  // namespace evenkeel
