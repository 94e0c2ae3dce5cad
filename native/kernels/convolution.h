// The loops of a convolution that are no matrix multiply.
#pragma once

#include <cstddef>

namespace evenkeel {

template <class T>
struct ConvolutionKernels {
  // y[i] = sum over j, in order, of weight[j] * x[j * step + i], then + bias. A product and its sum are rounded as
  // in MatmulKernels.
  void (*weighted_rows)(const T* x, std::size_t step, const T* weight, std::size_t taps, T bias,
                        T* y, std::size_t n);
};

}  // namespace evenkeel
