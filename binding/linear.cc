#include "../native/matmul.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {

// (a, b, bias?, c, m, n, k, transposeA, transposeB): c[m, n] = a[m, k] b[k, n] + bias[n], where a
// transposed operand is stored [k, m] or [n, k].
void matmul(const Args& args) {
  args.by_dtype(0, "a", [&]<class T>() {
    const std::size_t m = args.size(4, "m"), n = args.size(5, "n"), k = args.size(6, "k");
    const bool transpose_a = args.flag(7, "transposeA"), transpose_b = args.flag(8, "transposeB");
    const T* a = args.array<T>(0, "a", args.product(m, k));
    const T* b = args.array<T>(1, "b", args.product(k, n));
    const T* bias = args.array_or_null<T>(2, "bias", n);
    T* c = args.array<T>(3, "c", args.product(m, n));
    const MatrixView<T> left = transpose_a ? MatrixView<T>{a, 1, m} : MatrixView<T>{a, k, 1};
    const MatrixView<T> right = transpose_b ? MatrixView<T>{b, 1, k} : MatrixView<T>{b, n, 1};
    evenkeel::matmul(left, right, bias, c, m, n, k, args.workspace());
  });
}

// (x, sums, rows, columns)
void column_sums(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t rows = args.size(2, "rows"), columns = args.size(3, "columns");
    const T* x = args.array<T>(0, "x", args.product(rows, columns));
    T* sums = args.array<T>(1, "sums", columns);
    evenkeel::column_sums(x, sums, rows, columns, args.workspace());
  });
}

}  // namespace evenkeel::binding
