// Whole numbers that select memory: copied before anybody looks at them, and the copy checked.
#pragma once

#include <cstddef>
#include <cstdint>

namespace evenkeel {

// What an index may be: 0 to size - 1 (below 2^31), or `other`.
struct IndexRange {
  std::size_t size;
  bool has_other = false;
  std::int32_t other = 0;
};

// Copies indices up to the first that is outside of the range; how many there are; what is behind them in `to` is anything.
// `from` may be read by others, and written by them meanwhile.
template <class Index>
std::size_t copy_indices(const Index* from, std::size_t count, IndexRange range, std::int32_t* to);

}  // namespace evenkeel
