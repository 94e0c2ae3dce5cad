// Reductions and softmax along a dimension: x is [outer, size, inner], contiguous. Sums are added in double, in an order
// that depends on the shape alone, and rounded once: the same bits for every instruction set and thread count.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../kernels/kernels.h"
#include "../runtime/workspace.h"

namespace evenkeel {

struct Extent {
  std::size_t outer, size, inner;
  std::size_t results() const { return outer * inner; }
};

enum class ReduceCode : unsigned int { sum, mean, var, std, logsumexp, norm, amax, amin, count };

// y is [outer, inner]. var and std divide by size - correction. norm is sqrt(sum x^2). amax and amin take a
// size of at least 1.
template <class T>
void reduce(ReduceCode code, const T* x, T* y, Extent extent, double correction,
            Workspace& workspace);

// Where along `size`, which is not 0, the first NaN is, or else the first of the largest (smallest) values.
template <class T>
void extreme_indices(bool largest, const T* x, std::int64_t* indices, Extent extent);

// Along `size`.
template <class T>
void softmax(bool log, const T* x, T* y, Extent extent);
template <class T>
void softmax_backward(bool log, const T* y, const T* dy, T* dx, Extent extent);

// The first k of each row in order, NaN as the largest of all, equal ones by their index.
template <class T>
void sort_rows(const T* x, T* y, std::int64_t* indices, std::size_t rows, std::size_t size,
               std::size_t k, bool descending, Workspace& workspace);

}  // namespace evenkeel
