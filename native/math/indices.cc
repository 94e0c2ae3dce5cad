#include "indices.h"

#include <algorithm>
#include <cstring>

namespace evenkeel {
namespace {

constexpr std::size_t kPart = 512;  // copied and checked at a time

// copy_indices of a copy. In 32 bits, without a branch: 16,384 indices take 4 us, in 64 bits 21.
template <bool kHasOther, class Index>
std::size_t narrow_indices(const Index* from, std::size_t count, IndexRange range,
                           std::int32_t* to) {
  const auto end = static_cast<std::uint32_t>(std::min(range.size, std::size_t{1} << 31));
  const std::int32_t other = range.other;
  const auto is_bad = [=](Index each) {
    const auto low = static_cast<std::int32_t>(each);
    bool outside = static_cast<std::uint32_t>(low) >= end;
    if constexpr (kHasOther) outside &= low != other;
    if constexpr (sizeof(Index) == 4) return outside ? 1 : 0;
    const auto high = static_cast<std::int32_t>(std::int64_t{each} >> 32);
    return (high ^ (low >> 31)) | (outside ? 1 : 0);
  };
  std::int32_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bad |= is_bad(from[i]);
    to[i] = static_cast<std::int32_t>(from[i]);
  }
  if (bad == 0) return count;
  std::size_t good = 0;
  while (is_bad(from[good]) == 0) ++good;
  return good;
}

}  // namespace

template <class Index>
std::size_t copy_indices(const Index* from, std::size_t count, IndexRange range, std::int32_t* to) {
  const auto narrow = range.has_other ? narrow_indices<true, Index> : narrow_indices<false, Index>;
  Index part[kPart];
  for (std::size_t i = 0; i < count; i += kPart) {
    const std::size_t n = std::min(kPart, count - i);
    std::memcpy(part, from + i, n * sizeof(Index));
    const std::size_t good = narrow(part, n, range, to + i);
    if (good < n) return i + good;
  }
  return count;
}

template std::size_t copy_indices(const std::int32_t*, std::size_t, IndexRange, std::int32_t*);
template std::size_t copy_indices(const std::int64_t*, std::size_t, IndexRange, std::int32_t*);

}  // namespace evenkeel
