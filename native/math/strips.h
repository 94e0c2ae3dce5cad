// [outer, size, inner] as strips of a few columns, all `size` rows of them: what a task does along `size` stays in its
// cache. How wide they are changes no bits, as long as each column is added up from its first row to its last.
#pragma once

#include <algorithm>
#include <cstddef>

#include "blocks.h"
#include "reductions.h"

namespace evenkeel {

inline constexpr std::size_t kMostOfStrip = 256;

// A multiple of 16, which is a cache line of floats. Strips that no second cache holds are wide: memory is slow line by line.
inline std::size_t strip_width(Extent e) {
  constexpr std::size_t kLine = 16, kCached = 4 * kBlock, kTasks = 8, kShort = 1024;
  const auto lines = [=](std::size_t columns) { return std::max(kLine, columns / kLine * kLine); };
  const bool is_short = e.size <= kShort;
  const std::size_t cached = is_short ? kCached : 64 * kCached;
  const std::size_t most = is_short ? kMostOfStrip / 2 : kMostOfStrip;
  std::size_t width = std::min(most, lines(cached / std::max<std::size_t>(1, e.size)));
  while (width > kLine && e.outer * divide_up(e.inner, width) < kTasks) width = lines(width / 2);
  return width;
}

// Calls body(index of the outer dimension, columns), about kBlock elements a task, each worth `weight` of a load.
template <class Body>
void for_column_strips(Extent e, std::size_t weight, const Body& body) {
  const FloatEnvironment environment;
  const std::size_t width = strip_width(e), strips = divide_up(e.inner, width);
  const std::size_t each = e.size * std::min(width, e.inner) * weight;
  const std::size_t step = std::max<std::size_t>(1, kBlock / std::max<std::size_t>(1, each));
  run_tasks(divide_up(e.outer * strips, step), e.outer * e.size * e.inner * weight,
            [&](std::size_t task) {
              const Range range = cut(e.outer * strips, step, task);
              for (std::size_t strip = range.begin; strip < range.end; ++strip) {
                body(strip / strips, cut(e.inner, width, strip % strips));
              }
            });
}

}  // namespace evenkeel
