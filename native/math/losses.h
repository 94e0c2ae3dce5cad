// Losses beside the mean squared error and the plain cross-entropy (elementwise.h). Contiguous arrays; computed and summed
// in double, rounded once; same bits for every instruction set and thread count.
#pragma once

#include <cstddef>

#include "../kernels/losses.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// sum(loss) / divisor.
template <class T>
double loss_sum(LossKind kind, const LossOperands<T>& operands, std::size_t n, double divisor,
                Workspace& workspace);
template <class T>
void loss_values(LossKind kind, const LossOperands<T>& operands, T* out, std::size_t n);
// out = dloss/dx (or dtarget) * factor * dy; dy is nullable.
template <class T>
void loss_gradients(LossKind kind, const LossOperands<T>& operands, bool of_target, const T* dy,
                    double factor, T* out, std::size_t n);

// lse and loss have `rows` elements. Targets are in range or `ignore`: the caller has checked.
template <class T>
void row_losses(const RowOperands<T>& operands, std::size_t rows, double* lse, double* loss);
template <class T>
void row_gradients(const RowOperands<T>& operands, std::size_t rows, const double* lse,
                   const double* scale, T* dx, T* dtarget);

}  // namespace evenkeel
