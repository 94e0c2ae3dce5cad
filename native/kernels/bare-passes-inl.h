// The memory passes that benchmarks compare with: nothing but loads and stores.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

void copy(const float* source, float* target, std::size_t n, bool stream) {
  for_vectors(
      target, n, stream, [=](std::size_t i, std::size_t count, bool streamed) EVENKEEL_INLINED {
        put<float>(load_up_to(source + i, count, VecF::zero()), target + i, count, streamed);
      });
  if (stream) stream_fence();
}

// Four float sums, so that additions never hold up the loads.
double read(const float* source, std::size_t n) {
  VecF a = VecF::zero(), b = VecF::zero(), c = VecF::zero(), d = VecF::zero();
  constexpr std::size_t kStep = 4 * VecF::kLanes;
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    a = a + VecF::load(source + i);
    b = b + VecF::load(source + i + VecF::kLanes);
    c = c + VecF::load(source + i + 2 * VecF::kLanes);
    d = d + VecF::load(source + i + 3 * VecF::kLanes);
  }
  for (; i < n; i += VecF::kLanes) {
    a = a + load_up_to(source + i, min_size(VecF::kLanes, n - i), VecF::zero());
  }
  return fold(widen((a + b) + (c + d)));
}

}  // namespace
}  // namespace evenkeel
