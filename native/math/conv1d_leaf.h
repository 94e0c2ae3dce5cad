// What a leaf of samples adds to the gradient of a convolution's weight.
#pragma once

#include <algorithm>
#include <cstddef>

#include "../kernels/dispatch.h"
#include "../runtime/workspace.h"
#include "conv1d_lanes.h"
#include "conv1d_windows.h"

namespace evenkeel::windows {

// Products that one value of a weight's gradient gets in one call of the multiply: one of its blocks.
inline constexpr size_t kChunkTerms = kMatmulBlock;

// The sums over one leaf, or a part of its channels and outputs: [channel and tap, output] of one group.
template <class T>
class LeafOfProducts {
 public:
  // Of the outputs of a group, counted from its first.
  struct Part {
    size_t group;
    Range channels, outputs;
  };

  LeafOfProducts(const T* x, const T* dy, const Conv1d& shape, Workspace& workspace)
      : table_(kernels_of<T>().matmul),
        x_(x),
        dy_(dy),
        shape_(shape),
        together_(std::min(shape.samples, Chunks(1, shape.out_length, kChunkTerms).together)),
        lanes_(shape, together_, std::min(shape.out_length, kChunkTerms), workspace),
        by_lanes_(has_lanes(shape, together_)) {}

  // Parts of a group begin at multiples of so many channels or outputs. Of the one that is not cut each part reads, and
  // packs, all: the fewer of the two.
  struct Steps {
    size_t channels, outputs;
  };
  Steps steps(size_t parts) const {
    const size_t channels = shape_.group_in(), outputs = shape_.group_out();
    const size_t tile = table_.tile_columns;
    if (!by_lanes_ || outputs <= channels || outputs < parts * tile) {
      return {divide_up(channels, std::min(parts, channels)), outputs};
    }
    return {channels, divide_up(divide_up(outputs, tile), parts) * tile};
  }

  size_t scratch(size_t channels, size_t outputs) const {
    const size_t panel = panel_size(outputs);
    if (by_lanes_) return panel + lanes_.scratch(channels);
    const size_t rows = channels * shape_.taps;
    return panel + rows * (kStride + outputs) +
           phases_size(shape_, std::min(shape_.out_length, kChunkTerms));
  }

  void add_up(Range samples, const Part& part, T* sums, T* scratch) const {
    const size_t outputs = part.outputs.size(), rows = part.channels.size() * shape_.taps;
    const size_t stride = shape_.group_out(), width = last_width(outputs);
    T *windows = scratch + panel_size(outputs), *products = windows + rows * kStride;
    for (size_t row = 0; row < rows; ++row) std::fill_n(sums + row * stride, outputs, T(0));
    const Chunks chunks(samples.size(), shape_.out_length, kChunkTerms);
    for (size_t i = 0; i < chunks.count(); ++i) {
      Chunk chunk = chunks.at(i);
      chunk.sample += samples.begin;
      pack(chunk, part, scratch);
      if (by_lanes_) {
        const WindowLanes<T> lanes = lanes_.of(x_, part.channels, chunk, windows, true);
        const LaneColumns columns{chunk.samples, chunk.each(), lanes_.step()};
        kernels_of<T>().convolution.gradient(lanes, part.channels.size(), columns, scratch, outputs,
                                             sums, stride);
        continue;
      }
      read_windows(x_, shape_, part.channels, chunk, windows, kStride, products + rows * outputs);
      const RightSide<T> right{{dy_, 1, shape_.out_length}, scratch, 0, outputs,
                               table_.tile_columns,         width};
      table_.multiply(
          {{{windows, kStride, 1}, nullptr}, right, nullptr, products, outputs, chunk.columns()}, 0,
          rows, 0, outputs);
      kernels_of<T>().elementwise.add(sums, products, sums, rows * outputs);
    }
  }

 private:
  static constexpr size_t kStride = padded(kChunkTerms);

  size_t last_width(size_t outputs) const {
    return divide_up(outputs % table_.tile_columns, table_.lanes) * table_.lanes;
  }
  size_t panel_size(size_t outputs) const {
    return divide_up(outputs, table_.tile_columns) * table_.tile_columns * kChunkTerms;
  }

  // dy of a chunk as panels [column, output].
  void pack(const Chunk& chunk, const Part& part, T* panels) const {
    const size_t outputs = part.outputs.size(), tile = table_.tile_columns;
    const size_t first = part.group * shape_.group_out() + part.outputs.begin;
    for (size_t o = 0; o < outputs; o += tile) {
      const size_t width = outputs - o < tile ? last_width(outputs) : tile;
      T* panel = panels + o * chunk.columns();
      for (size_t s = 0; s < chunk.samples; ++s) {
        const size_t row = (chunk.sample + s) * shape_.out + first + o;
        table_.pack_b({dy_ + row * shape_.out_length + chunk.from, 1, shape_.out_length},
                      chunk.each(), std::min(tile, outputs - o), width,
                      panel + s * chunk.each() * width);
      }
    }
  }

  const MatmulKernels<T>& table_;
  const T *x_, *dy_;
  Conv1d shape_;
  size_t together_;  // samples in a chunk
  Lanes<T> lanes_;
  bool by_lanes_;
};

}  // namespace evenkeel::windows
