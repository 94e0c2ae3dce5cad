// Two sums a channel over the samples of (N, C, L), in the order of kernels/sum_tree.h: how samples are walked as rows
// of columns, which leaves are a task, and how its nodes meet. No passes (nc.h, math/matmul.cc).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include "batchnorm.h"
#include "../kernels/dispatch.h"
#include "../kernels/sum_tree.h"
#include "../runtime/work_split.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// A leaf as a matrix: `repeat` samples to a row, so that narrow samples (C of 7) fill vectors. What does not fill a row
// is a shorter one. A channel's sum is that of its columns: those of the samples of a row first, in order, then those
// of a sample. All of it follows from the shape of one sample, so a leaf's sum is the same in every batch.
struct LeafLayout {
  std::size_t channels, inner, sample, repeat, width;

  explicit LeafLayout(BatchShape shape)
      : channels(shape.c), inner(shape.l), sample(shape.c * shape.l), repeat(1) {
    while (repeat < 8 && repeat * sample < 64 && repeat * sample % 16 != 0) repeat *= 2;
    width = repeat * sample;
  }
  bool columns_are_channels() const { return width == channels; }
};

// body(channel range): what there is to do per channel between the passes; a channel's divisions and root are worth
// 48 elements, adding the node of a block one.
template <class Body>
void run_channel_ranges(std::size_t channels, std::size_t blocks, const Body& body) {
  constexpr std::size_t kStep = 256;
  run_tasks(divide_up(channels, kStep), channels * (blocks + 48),
            [&](std::size_t task) { body(cut(channels, kStep, task)); });
}

class RowSums {
 public:
  // Sums over all samples go to first[c] and second[c], which are padded. No size is 0.
  RowSums(BatchShape shape, double* first, double* second, Workspace& workspace)
      : samples_(shape.n), layout(shape), first_(first), second_(second) {
    const std::size_t leaves = divide_up(shape.n, kLeafSamples);
    // Blocks of leaves are tasks, and nodes of the tree: how many there are changes no bits. Nodes of a block are at
    // most 1/32 of the values read.
    leaves_each_ = std::bit_ceil(divide_up(leaves, kMostBlocks));
    blocks = divide_up(leaves, leaves_each_);
    levels_ = tree_levels(leaves_each_ - 1);
    step_ = divide_up(layout.channels, 16) * 16;
    columns_step_ = layout.columns_are_channels() ? 0 : divide_up(layout.width, 16) * 16;
    block_size_ = 2 * ((1 + levels_) * step_ + columns_step_);
    data_ = workspace.take<double>(block_size_ * blocks);
    // Column chunks change no bits either: where blocks are few, chunks of 2 KB a row make tasks enough for more
    // threads; otherwise they only keep a block's nodes (16 bytes a column and level) within L2.
    const std::size_t widest = blocks < 16 ? 512 : 8192 / (1 + levels_);
    const std::size_t most = std::max<std::size_t>(16, widest / layout.inner / 16 * 16);
    chunk_ = layout.width <= widest + widest / 2 ? layout.channels : most;
    chunks_ = divide_up(layout.channels, chunk_);
  }

  // Kernel(row, first column, rows, columns, nodes): from a row on, `width` elements each.
  template <class Kernel>
  void run(const Kernel& kernel) const {
    run_tasks(blocks * chunks_, samples_ * layout.sample, [&](std::size_t task) {
      const std::size_t block = task / chunks_;
      const Range channels = cut(layout.channels, chunk_, task % chunks_);
      if (layout.columns_are_channels()) {
        const Range rows = cut(samples_, leaves_each_ * kLeafSamples, block);
        kernel(rows.begin, channels.begin, LeafRows{rows.size(), kLeafSamples, layout.width},
               channels.size(), nodes(block, channels.begin));
      } else {
        run_leaves(block, channels, kernel);
      }
    });
  }

  // The blocks' nodes of these channels meet.
  void merge(Range channels) const {
    fold_nodes(blocks, [&](std::size_t into, std::size_t from) {
      const LeafNodes to = nodes(into, channels.begin), other = nodes(from, channels.begin);
      kernels().add_doubles(to.first, other.first, channels.size());
      kernels().add_doubles(to.second, other.second, channels.size());
    });
  }

 private:
  static constexpr std::size_t kMostBlocks = 64;

  LeafNodes nodes(std::size_t block, std::size_t channel) const {
    double* data = data_ + block_size_ * block + channel;
    double* waiting = data + 2 * step_;
    if (block == 0) return {first_ + channel, second_ + channel, waiting, step_};
    return {data, data + step_, waiting, step_};
  }

  // The same as a kernel does for columns that are channels.
  template <class Kernel>
  void run_leaves(std::size_t block, Range channels, const Kernel& kernel) const {
    const LeafNodes node = nodes(block, channels.begin);
    const Range leaves = cut(divide_up(samples_, kLeafSamples), leaves_each_, block);
    for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
      sum_leaf(block, cut(samples_, kLeafSamples, leaves.begin + leaf), channels, node, kernel);
      const auto add = [&](std::size_t level) {
        const double* waits = node.waiting + 2 * level * step_;
        for (std::size_t c = 0; c < channels.size(); ++c) node.first[c] += waits[c];
        for (std::size_t c = 0; c < channels.size(); ++c) node.second[c] += waits[step_ + c];
      };
      if (leaf + 1 == leaves.size()) {
        fold_leaves(leaf, add);
        return;
      }
      double* waits = node.waiting + 2 * push_leaf(leaf, add) * step_;
      std::copy_n(node.first, channels.size(), waits);
      std::copy_n(node.second, channels.size(), waits + step_);
    }
  }

  template <class Kernel>
  void sum_leaf(std::size_t block, Range samples, Range channels, const LeafNodes& node,
                const Kernel& kernel) const {
    const std::size_t rows = samples.size() / layout.repeat;
    const std::size_t tail = samples.size() % layout.repeat * layout.sample;
    const std::size_t begin = channels.begin * layout.inner;
    const std::size_t columns = layout.repeat > 1 ? layout.width : channels.size() * layout.inner;
    double* first = data_ + block_size_ * block + 2 * (1 + levels_) * step_ + begin;
    double* second = first + columns_step_;
    const std::size_t row = samples.begin / layout.repeat;
    if (rows > 0) {
      kernel(row, begin, LeafRows{rows, rows, layout.width}, columns,
             LeafNodes{first, second, nullptr, 0});
    } else {
      std::fill_n(first, columns, 0.0);
      std::fill_n(second, columns, 0.0);
    }
    if (tail > 0) add_tail(row + rows, tail, first, second, kernel);
    fold(first, channels.size(), node.first);
    fold(second, channels.size(), node.second);
  }

  // Only the last leaf has one, and only where several samples are a row: a row is short then.
  template <class Kernel>
  void add_tail(std::size_t row, std::size_t columns, double* first, double* second,
                const Kernel& kernel) const {
    double own[2][kWidest];
    kernel(row, std::size_t{0}, LeafRows{1, 1, layout.width}, columns,
           LeafNodes{own[0], own[1], nullptr, 0});
    for (std::size_t c = 0; c < columns; ++c) first[c] += own[0][c];
    for (std::size_t c = 0; c < columns; ++c) second[c] += own[1][c];
  }
  static constexpr std::size_t kWidest = 2 * 64;  // of a row of several samples

  // to[channel] = the sum of its columns.
  void fold(double* from, std::size_t channels, double* to) const {
    const std::size_t columns = channels * layout.inner;
    for (std::size_t r = 1; r < layout.repeat; ++r) {
      const double* sample = from + r * layout.sample;
      for (std::size_t c = 0; c < columns; ++c) from[c] += sample[c];
    }
    if (layout.inner == 1) {
      std::copy_n(from, channels, to);
      return;
    }
    for (std::size_t c = 0; c < channels; ++c) {
      double total = 0.0;
      for (std::size_t i = 0; i < layout.inner; ++i) total += from[c * layout.inner + i];
      to[c] = total;
    }
  }

  std::size_t samples_;

 public:
  const LeafLayout layout;
  std::size_t blocks;

 private:
  double *first_, *second_, *data_;
  std::size_t leaves_each_, levels_, step_, columns_step_, block_size_, chunk_, chunks_;
};

}  // namespace evenkeel
