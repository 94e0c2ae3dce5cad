// Losses against class targets, and how the losses of rows become one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../runtime/workspace.h"
#include "pairs.h"

namespace evenkeel {

// The sum of losses in their order; they themselves, rounded, in `values` (nullable).
template <class T>
double finish_losses(const double* losses, std::size_t rows, T* values);
// Of each row.
template <class T>
void scales(RowScale<T> scale, std::size_t rows, double* out);
// The weights of targets in their order, 0 of those that are `ignore`; weight: one for each class, or null.
double counted_weight(const std::int32_t* targets, const double* weight, std::size_t rows,
                      std::int32_t ignore);

// x is [outer, classes, inner], targets [outer, inner]: in range or `ignore`.
struct ClassTargets {
  const std::int32_t* targets;
  const double* weight;  // nullable
  std::size_t outer, classes, inner;
  std::int32_t ignore;
};
// losses [outer, inner] = -weight[target] x[target], 0 where that weight is.
template <class T>
void nll_losses(const T* x, const ClassTargets& classes, double* losses);
template <class T>
void nll_gradients(const ClassTargets& classes, RowScale<T> scale, T* dx);

// The first element that is not from `low` to `high`, as NaN is not; n where all are.
template <class T>
std::size_t first_outside(const T* x, std::size_t n, double low, double high, Workspace& workspace);

}  // namespace evenkeel
