// Matrix multiply for the linear layer: one register-tiled, threaded kernel. Not a BLAS.
#pragma once

#include <cstddef>

#include "../kernels/kernels.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// c[m, n] = a[m, k] * b[k, n] + bias[n]; c is contiguous and overlaps nothing, bias is nullable.
// Products are added in order of k within blocks of kMatmulBlock, then block by block: the bits
// depend on the shape alone. In float a product and its sum are rounded once, in double twice.
template <class T>
void matmul(MatrixView<T> a, MatrixView<T> b, const T* bias, T* c, std::size_t m, std::size_t n,
            std::size_t k, Workspace& workspace);

// The same for `count` products, one after another: from one to the next a and b move by so many elements (0: the same
// matrix for all), c by m * n.
struct BatchSteps {
  std::size_t count, a, b;
};
template <class T>
void matmul_batch(MatrixView<T> a, MatrixView<T> b, T* c, BatchSteps batch, std::size_t m,
                  std::size_t n, std::size_t k, Workspace& workspace);

// sums[j] = sum over the rows of x[rows, columns], in double, rounded once; and before that: nodes of
// kernels/sum_tree.h.
template <class T>
void column_sums(const T* x, T* sums, std::size_t rows, std::size_t columns, Workspace& workspace);
template <class T>
void column_totals(const T* x, double* totals, std::size_t rows, std::size_t columns,
                   Workspace& workspace);

}  // namespace evenkeel
