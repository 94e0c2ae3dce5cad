// The order of sums over a batch: statistics, gradient sums, bias gradients, and the weight gradient of a convolution
// (Linear's is a product, in the order of matmul.h). The samples are cut into leaves; the first 2^k leaves, as many as there are fewer than all, are one half, the rest is the other, and
// so on down to the leaves:
//   T(n leaves) = T(the first 2^k) + T(the rest), 2^k < n <= 2^(k + 1).
// So whoever holds 2^j leaves that begin at a multiple of 2^j holds a node: the sum of these samples alone. Threads
// and processes may share a batch in any such way, and nothing but nodes has to be added.
//
// Here is when nodes meet; what a node is and how two are added is the caller's.
#pragma once

#include <bit>
#include <cstddef>

namespace evenkeel {

// Samples of a leaf, and values of a channel in it at most. Part of every result: changing them changes bits.
inline constexpr std::size_t kLeafSamples = 64;
inline constexpr std::size_t kLeafValues = 8192;

// The samples of a leaf where each has `length` values a channel, or none. A longer one than a leaf may be has a tree of
// its own, over parts of kLeafValues: its sum is a leaf of the batch's.
constexpr std::size_t leaf_samples(std::size_t length) {
  const std::size_t most = std::bit_floor(kLeafValues / (length > 0 ? length : 1));
  return most < 1 ? 1 : most < kLeafSamples ? most : kLeafSamples;
}

// One leaf after the other, as a binary counter: node `level`, of 2^level leaves, waits for the one behind it.
//
// Leaf number `leaf`, from 0, is there. Calls merge(level) for each node that waits for it, from level 0 up:
// new node = node that waits + new node. Returns the level at which the result waits then.
template <class Merge>
constexpr std::size_t push_leaf(std::size_t leaf, const Merge& merge) {
  std::size_t level = 0;
  for (; (leaf >> level & 1) != 0; ++level) merge(level);
  return level;
}

// After the last of `leaves` > 0: calls add(level) for each node that waits, the last one first:
// total = that one; then total = node + total.
template <class Add>
constexpr void fold_leaves(std::size_t leaves, const Add& add) {
  for (std::size_t level = 0; leaves >> level != 0; ++level) {
    if ((leaves >> level & 1) != 0) add(level);
  }
}

// How many levels there are to wait at.
constexpr std::size_t tree_levels(std::size_t leaves) {
  return static_cast<std::size_t>(std::bit_width(leaves));
}

// The same order where all nodes are in memory at once: calls add(i, j), node i += node j, until node 0 is the total.
template <class Add>
constexpr void fold_nodes(std::size_t nodes, const Add& add) {
  for (std::size_t apart = 1; apart < nodes; apart *= 2) {
    for (std::size_t i = 0; i + apart < nodes; i += 2 * apart) add(i, i + apart);
  }
}

}  // namespace evenkeel
