#include "matmul.h"

#include <algorithm>

#include "dispatch.h"
#include "float_environment.h"
#include "work_split.h"

namespace evenkeel {
namespace {

// One task's share of C. 24 rows read a packed panel (32 KB) 24 times from L1 or L2; 512 columns
// keep a task's panels within L2.
constexpr std::size_t kTaskRows = 24;
constexpr std::size_t kTaskColumns = 512;

}  // namespace

template <class T>
void matmul(MatrixView<T> a, MatrixView<T> b, const T* bias, T* c, std::size_t m, std::size_t n,
            std::size_t k, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] = bias != nullptr ? bias[j] : T(0);
    }
    return;
  }
  const MatmulKernels<T>& table = kernels_of<T>().matmul;
  const std::size_t tile = table.tile_columns, tiles = divide_up(n, tile);
  T* panels = workspace.take<T>(tiles * tile * k);
  // Packing costs a pass over B; handing it out pays from 128 KB on, like any pass.
  run_tasks(tiles, n * k, [&](std::size_t t) {
    table.pack_b(b.at(0, t * tile), k, std::min(tile, n - t * tile), panels + t * tile * k);
  });
  const std::size_t column_tasks = divide_up(n, kTaskColumns);
  // A multiply-add is worth 1/8 of an element of a memory-bound pass.
  run_tasks(divide_up(m, kTaskRows) * column_tasks, m * n * k / 8, [&](std::size_t task) {
    const Range rows = cut(m, kTaskRows, task / column_tasks);
    const Range columns = cut(n, kTaskColumns, task % column_tasks);
    table.multiply(a.at(rows.begin, 0), panels + columns.begin * k,
                   bias != nullptr ? bias + columns.begin : nullptr,
                   c + rows.begin * n + columns.begin, n, rows.size(), columns.size(), k);
  });
}

template <class T>
void column_sums(const T* x, T* sums, std::size_t rows, std::size_t columns, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  // Shifted sums with a shift of zero; the squares come for nothing, memory is the limit.
  T* zeros = workspace.take<T>(columns);
  double* total = workspace.take<double>(columns);
  double* squares = workspace.take<double>(columns);
  std::fill_n(zeros, divide_up(columns, 16) * 16, T(0));
  run_tasks(divide_up(columns, 512), rows * columns, [&](std::size_t task) {
    const Range c = cut(columns, 512, task);
    table.sum_nc(x + c.begin, rows, c.size(), columns, zeros + c.begin, total + c.begin,
                 squares + c.begin);
  });
  for (std::size_t j = 0; j < columns; ++j) sums[j] = static_cast<T>(total[j]);
}

template void matmul(MatrixView<float>, MatrixView<float>, const float*, float*, std::size_t,
                     std::size_t, std::size_t, Workspace&);
template void matmul(MatrixView<double>, MatrixView<double>, const double*, double*, std::size_t,
                     std::size_t, std::size_t, Workspace&);
template void column_sums(const float*, float*, std::size_t, std::size_t, Workspace&);
template void column_sums(const double*, double*, std::size_t, std::size_t, Workspace&);

}  // namespace evenkeel
