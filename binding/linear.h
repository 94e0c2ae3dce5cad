// The matrix products of the linear layer, and its bias' gradient.
#pragma once

#include "../native/math/leaf_products.h"
#include "../native/math/matmul.h"

#include "args.h"

namespace evenkeel::binding {

// (a, b, bias?, c, m, n, k, transposeA, transposeB): c[m, n] = a[m, k] b[k, n] + bias[n], where a
// transposed operand is stored [k, m] or [n, k].
template <class T>
struct Matmul {
  static constexpr std::size_t kArguments = 9;
  std::size_t m, n, k;
  MatrixView<T> a, b;
  const T* bias;
  T* c;

  explicit Matmul(const Args& args)
      : m(args.size(4, "m")), n(args.size(5, "n")), k(args.size(6, "k")) {
    const bool transpose_a = args.flag(7, "transposeA"), transpose_b = args.flag(8, "transposeB");
    const T* left = args.array<T>(0, "a", args.product(m, k));
    const T* right = args.array<T>(1, "b", args.product(k, n));
    a = transpose_a ? MatrixView<T>{left, 1, m} : MatrixView<T>{left, k, 1};
    b = transpose_b ? MatrixView<T>{right, 1, k} : MatrixView<T>{right, n, 1};
    bias = args.array_or_null<T>(2, "bias", n);
    c = args.array<T>(3, "c", args.product(m, n));
  }
  void run(Workspace& workspace) const { matmul(a, b, bias, c, m, n, k, workspace); }
};

// (a, b, c, count, repeatA, repeatB, m, n, k, transposeA, transposeB): `count` products; of an operand that is repeated
// there is one matrix.
template <class T>
struct MatmulBatch {
  static constexpr std::size_t kArguments = 11;
  std::size_t m, n, k;
  BatchSteps steps;
  MatrixView<T> a, b;
  T* c;

  explicit MatmulBatch(const Args& args)
      : m(args.size(6, "m")), n(args.size(7, "n")), k(args.size(8, "k")) {
    const std::size_t count = args.size(3, "count"), size_a = args.product(m, k),
                      size_b = args.product(k, n);
    const bool repeat_a = args.flag(4, "repeatA"), repeat_b = args.flag(5, "repeatB");
    const bool transpose_a = args.flag(9, "transposeA"), transpose_b = args.flag(10, "transposeB");
    const T* left = args.array<T>(0, "a", repeat_a ? size_a : args.product(count, size_a));
    const T* right = args.array<T>(1, "b", repeat_b ? size_b : args.product(count, size_b));
    steps = {count, repeat_a ? 0 : size_a, repeat_b ? 0 : size_b};
    a = transpose_a ? MatrixView<T>{left, 1, m} : MatrixView<T>{left, k, 1};
    b = transpose_b ? MatrixView<T>{right, 1, k} : MatrixView<T>{right, n, 1};
    c = args.array<T>(2, "c", args.product(count, args.product(m, n)));
  }
  void run(Workspace& workspace) const { matmul_batch(a, b, c, steps, m, n, k, workspace); }
};

// (a, b, c, m, n, k): c[m, n] = a[k, m] transposed times b[k, n], summed over k as a part of a batch.
template <class T>
struct LeafProducts {
  static constexpr std::size_t kArguments = 6;
  std::size_t m, n, k;
  const T *a, *b;
  T* c;

  explicit LeafProducts(const Args& args)
      : m(args.size(3, "m")), n(args.size(4, "n")), k(args.size(5, "k")) {
    a = args.array<T>(0, "a", args.product(k, m));
    b = args.array<T>(1, "b", args.product(k, n));
    c = args.array<T>(2, "c", args.product(m, n));
  }
  void run(Workspace& workspace) const { leaf_products(a, b, c, m, n, k, workspace); }
};

// (x, sums, rows, columns)
template <class T>
struct ColumnSums {
  static constexpr std::size_t kArguments = 4;
  std::size_t rows, columns;
  const T* x;
  T* sums;

  explicit ColumnSums(const Args& args)
      : rows(args.size(2, "rows")), columns(args.size(3, "columns")) {
    x = args.array<T>(0, "x", args.product(rows, columns));
    sums = args.array<T>(1, "sums", columns);
  }
  void run(Workspace& workspace) const { column_sums(x, sums, rows, columns, workspace); }
};

// (x, totals, rows, columns): the same in double, of rows that are a part of a batch.
template <class T>
struct ColumnTotals {
  static constexpr std::size_t kArguments = 4;
  std::size_t rows, columns;
  const T* x;
  double* totals;

  explicit ColumnTotals(const Args& args)
      : rows(args.size(2, "rows")), columns(args.size(3, "columns")) {
    x = args.array<T>(0, "x", args.product(rows, columns));
    totals = args.array<double>(1, "totals", columns);
  }
  void run(Workspace& workspace) const { column_totals(x, totals, rows, columns, workspace); }
};

}  // namespace evenkeel::binding
