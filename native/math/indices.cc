#include "indices.h"

#include <algorithm>
#include <cstring>

namespace evenkeel {
namespace {

constexpr std::size_t kPart = 512;  // copied and checked at a time

}  // namespace

template <class Index>
std::size_t copy_indices(const Index* from, std::size_t count, IndexRange range, std::int32_t* to) {
  const std::int64_t end =
      static_cast<std::int64_t>(std::min<std::size_t>(range.size, std::size_t{1} << 31));
  const std::int64_t other = range.has_other ? range.other : std::int64_t{-1} << 32;
  const auto is_good = [=](std::int64_t each) {
    return (each >= 0 && each < end) || each == other;
  };
  Index part[kPart];
  for (std::size_t i = 0; i < count; i += kPart) {
    const std::size_t n = std::min(kPart, count - i);
    std::memcpy(part, from + i, n * sizeof(Index));
    bool good = true;
    for (std::size_t j = 0; j < n; ++j) good &= is_good(part[j]);
    for (std::size_t j = 0; !good && j < n; ++j) {
      if (!is_good(part[j])) return i + j;
    }
    for (std::size_t j = 0; j < n; ++j) to[i + j] = static_cast<std::int32_t>(part[j]);
  }
  return count;
}

template std::size_t copy_indices(const std::int32_t*, std::size_t, IndexRange, std::int32_t*);
template std::size_t copy_indices(const std::int64_t*, std::size_t, IndexRange, std::int32_t*);

}  // namespace evenkeel
