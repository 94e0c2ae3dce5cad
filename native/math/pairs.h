// Losses that compare vectors, row by row. Computed in double, rounded once; same bits for every instruction set and thread count.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../kernels/kernels.h"

namespace evenkeel {

// Rows of two operands.
template <class T>
struct PairRows {
  const T *a, *b;
  std::size_t rows, size;
};

// What each row's gradient is multiplied by: factor * dy[row], or factor where dy is null.
template <class T>
struct RowScale {
  const T* dy;
  double factor;
  double of(std::size_t row) const {
    return dy != nullptr ? factor * static_cast<double>(dy[row]) : factor;
  }
};

// y = a . b / (max(|a|, eps) max(|b|, eps)); sums has what backward needs. The outputs of gradients are nullable.
template <class T>
void cosines(const PairRows<T>& pairs, double eps, PairSums* sums, T* y);
template <class T>
void cosine_gradients(const PairRows<T>& pairs, double eps, const PairSums* sums, const T* dy,
                      T* da, T* db);

// 1 - cos(a, b) where the sign is 1, max(0, cos(a, b) - margin) where it is -1.
template <class T>
void embedding_losses(const PairRows<T>& pairs, const std::int32_t* signs, double margin,
                      PairSums* sums, double* loss);
template <class T>
void embedding_gradients(const PairRows<T>& pairs, const std::int32_t* signs, double margin,
                         const PairSums* sums, RowScale<T> scale, T* da, T* db);

// max(0, |a - b + eps| - |a - c + eps| + margin) in the 1-norm or the 2-norm (squares); swap: the second distance is
// the smaller one of that and |b - c + eps|. distances: of each row both, and 1 where it was swapped.
template <class T>
struct Triplets {
  PairRows<T> pairs;
  const T* c;
  double margin, eps;
  bool squares, swap;
};
template <class T>
void triplet_losses(const Triplets<T>& triplets, double* distances, double* loss);
template <class T>
void triplet_gradients(const Triplets<T>& triplets, const double* distances, RowScale<T> scale,
                       T* da, T* db, T* dc);

}  // namespace evenkeel
