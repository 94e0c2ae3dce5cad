// The loops of a convolution that are not the matrix multiply's.
#pragma once

#include <cstddef>

namespace evenkeel {

// What a convolution reads, each value once: tap j of channel c at column t is values[c * channel + offsets[j] + t].
// Columns up to the end of a register tile can be read.
template <class T>
struct WindowLanes {
  const T* values;
  std::size_t channel;
  const std::size_t* offsets;
  std::size_t taps;
};

// Of `all` terms, those of one block.
struct TermBlock {
  std::size_t all, first, count;
};

// Columns of several samples: `each` of a sample, from sample to sample `step` apart.
struct LaneColumns {
  std::size_t samples, each, step;
};

template <class T>
struct ConvolutionKernels {
  std::size_t columns;  // that `product` gets at a time, at most; no part of any definition
  // y[i] = sum over j, in order, of weight[j] * x[j * step + i], then + bias. A product and its sum are rounded as
  // in MatmulKernels.
  void (*weighted_rows)(const T* x, std::size_t step, const T* weight, std::size_t taps, T bias,
                        T* y, std::size_t n);
  // sums[j] += sum over i of x[j * step + i] * dy[i], of `rows` rows: what ReductionKernels::dot_row makes of each.
  void (*row_dots)(const T* x, std::size_t step, std::size_t rows, const T* dy, std::size_t n,
                   double* sums);
  // Terms [first, first + count) of c[o, t], one block of those of MatmulKernels::multiply: the sum, in order of channels
  // and taps, of weight[o, channel, tap] * x. It is c where first is 0 and added to it elsewhere; then + bias[o], which
  // is nullable. x: from the channel of term `first` on. weight: panels [channel and tap, output] of
  // MatmulKernels::tile_rows outputs, one after another. `stride` elements from row to row of c.
  void (*product)(const T* weight, TermBlock terms, WindowLanes<T> x, const T* bias,
                  std::size_t outputs, T* c, std::size_t stride, std::size_t columns);
  // sums[channel and tap, o] += sum over the columns of x * dy[column, o]; at most kMatmulBlock columns. dy: the panels
  // of MatmulKernels, the last one as many whole vectors wide as it needs. `stride` elements from row to row of sums.
  void (*gradient)(WindowLanes<T> x, std::size_t channels, LaneColumns columns, const T* dy,
                   std::size_t outputs, T* sums, std::size_t stride);
};

}  // namespace evenkeel
