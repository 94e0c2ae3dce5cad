#include "matmul.h"

#include <algorithm>

#include "../batchnorm/row_sums.h"
#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../runtime/work_split.h"
#include "packed.h"

namespace evenkeel {
namespace {

// One task's part of C: 512 columns of one k-block of B are 512 KB, which stay in L2; fewer where the rest is worth
// handing out: 256 Ki products take about 3 us.
constexpr std::size_t kTaskColumns = 512;
constexpr std::size_t kTaskProducts = 256 * 1024;

// Into how many shares the columns of C are cut, so that each thread computes those whose panels of B it has packed: a
// panel that one CPU has packed takes another longer to fetch than to pack ((128, 784 -> 256): two threads were 1.5
// times as fast as one, and so 1.9). What that costs: every share reads all rows of A, and shares meet within lines of
// C. In products, an element of B that is fetched costs 6, one of A that is read again 2 (7 where it is another CPU's
// panel), a line of C 200.
template <class T>
std::size_t column_shares(const Product<T>& product, std::size_t m, std::size_t threads) {
  const std::size_t again = product.a.panels != nullptr ? 7 : 2;
  const std::size_t fetched = 6 * (product.n - product.b.packed_from) * product.k;
  return fetched > m * (again * product.k + 200) ? threads : 1;
}

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
  // One instruction set for the whole call: another thread may pin another one, and panels fit the tiles of theirs.
  const MatmulKernels<T>& table = kernels_of<T>().matmul;
  const Product<T> product{left_side(table, a, m, k, workspace),
                           right_side(table, b, m, n, k, workspace),
                           bias,
                           c,
                           n,
                           k};
  const std::size_t rows_each = std::min(m, kTaskRows), tile = table.tile_columns;
  const std::size_t enough = divide_up(kTaskProducts, rows_each * k * tile) * tile;
  const std::size_t shares = column_shares(product, m, thread_count());
  const std::size_t share = divide_up(divide_up(n, tile), shares) * tile;
  const std::size_t columns_each = std::min({enough, kTaskColumns, share});
  const std::size_t row_tasks = divide_up(m, rows_each);
  // Share by share, and in each along the rows: what it has of B stays in L2, and A passes once.
  const auto tasks_of = [&](std::size_t columns) {
    return row_tasks * divide_up(columns, columns_each);
  };
  const std::size_t full = tasks_of(share), last = (n - 1) / share;
  const std::size_t tasks = last * full + tasks_of(n - last * share);
  // A product is worth 1/16 of an element of a memory-bound pass.
  run_tasks(tasks, m * n * k / 16, [&](std::size_t task) {
    const std::size_t left = task / full * share, width = std::min(share, n - left);
    const std::size_t column_tasks = divide_up(width, columns_each), i = task % full;
    const Range rows = cut(m, rows_each, i / column_tasks);
    const Range columns = cut(width, columns_each, i % column_tasks);
    table.multiply(product, rows.begin, rows.end, left + columns.begin, left + columns.end);
  });
}

namespace {

// In scratch of the workspace.
template <class T>
const double* sums_of_columns(const T* x, std::size_t rows, std::size_t columns,
                              Workspace& workspace) {
  workspace.reset();
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  // The squares come for nothing, memory is the limit.
  double* total = workspace.take<double>(columns);
  double* squares = workspace.take<double>(columns);
  if (rows == 0) std::fill_n(total, columns, 0.0);
  if (rows == 0 || columns == 0) return total;
  const RowSums sums({rows, columns, 1}, total, squares, workspace);
  sums.run([&](std::size_t row, std::size_t column, LeafRows at, std::size_t n, LeafNodes nodes) {
    table.sum_nc(x + row * at.stride + column, at, n, nullptr, nodes);
  });
  sums.merge({0, columns});
  return total;
}

}  // namespace

template <class T>
void matmul_batch(MatrixView<T> a, MatrixView<T> b, T* c, BatchSteps batch, std::size_t m,
                  std::size_t n, std::size_t k, Workspace& workspace) {
  const StopFlag stop;
  for (std::size_t i = 0; i < batch.count && !stop.raised(); ++i) {
    const MatrixView<T> left{a.data + i * batch.a, a.row, a.column};
    const MatrixView<T> right{b.data + i * batch.b, b.row, b.column};
    matmul<T>(left, right, nullptr, c + i * m * n, m, n, k, workspace);
  }
}

template <class T>
void column_sums(const T* x, T* sums, std::size_t rows, std::size_t columns, Workspace& workspace) {
  const FloatEnvironment environment;
  const double* total = sums_of_columns(x, rows, columns, workspace);
  for (std::size_t j = 0; j < columns; ++j) sums[j] = static_cast<T>(total[j]);
}

template <class T>
void column_totals(const T* x, double* totals, std::size_t rows, std::size_t columns,
                   Workspace& workspace) {
  const FloatEnvironment environment;
  std::copy_n(sums_of_columns(x, rows, columns, workspace), columns, totals);
}

template void matmul(MatrixView<float>, MatrixView<float>, const float*, float*, std::size_t,
                     std::size_t, std::size_t, Workspace&);
template void matmul(MatrixView<double>, MatrixView<double>, const double*, double*, std::size_t,
                     std::size_t, std::size_t, Workspace&);
template void matmul_batch(MatrixView<float>, MatrixView<float>, float*, BatchSteps, std::size_t,
                           std::size_t, std::size_t, Workspace&);
template void column_sums(const float*, float*, std::size_t, std::size_t, Workspace&);
template void matmul_batch(MatrixView<double>, MatrixView<double>, double*, BatchSteps, std::size_t,
                           std::size_t, std::size_t, Workspace&);
template void column_totals(const float*, double*, std::size_t, std::size_t, Workspace&);
template void column_sums(const double*, double*, std::size_t, std::size_t, Workspace&);
template void column_totals(const double*, double*, std::size_t, std::size_t, Workspace&);

}  // namespace evenkeel
