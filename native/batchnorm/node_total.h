// One channel's two sums, node by node (kernels/sum_tree.h).
#pragma once

#include <bit>
#include <cstddef>

#include "../kernels/sum_tree.h"

namespace evenkeel {

// The two sums of a channel, or of a part of one.
struct Pair {
  double sums[2] = {0.0, 0.0};
  Pair& operator+=(const Pair& part) {
    sums[0] += part.sums[0];
    sums[1] += part.sums[1];
    return *this;
  }
};

// Nodes of one level (kernels/sum_tree.h) that come one after the other, and their sum.
class NodeTotal {
 public:
  void add(Pair node) {
    const std::size_t level = push_leaf(nodes_, [&](std::size_t at) { node += pair(at); });
    waiting_[level][0] = node.sums[0];
    waiting_[level][1] = node.sums[1];
    ++nodes_;
  }
  // Of what has come since the last one.
  Pair take() {
    std::size_t rest = nodes_ & (nodes_ - 1);  // all but the last, from which the sum begins
    Pair total = pair(static_cast<std::size_t>(std::countr_zero(nodes_)));
    fold_leaves(rest, [&](std::size_t level) { total += pair(level); });
    nodes_ = 0;
    return total;
  }

 private:
  Pair pair(std::size_t level) const { return {{waiting_[level][0], waiting_[level][1]}}; }

  std::size_t nodes_ = 0;
  double waiting_[64][2];  // as long as a count is wide
};

}  // namespace evenkeel
