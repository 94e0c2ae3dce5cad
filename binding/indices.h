// Arguments of whole numbers that select memory.
#pragma once

#include <cstdint>

#include "../native/math/indices.h"
#include "args.h"

namespace evenkeel::binding {

// Indices, int32 or int64, that a call copies and checks when it runs: what another thread writes into a shared array
// after that does not count, and a long list does not hold up the JavaScript thread.
struct Indices {
  const std::int32_t* narrow = nullptr;
  const std::int64_t* wide = nullptr;
  std::size_t count = 0;

  Indices(const Args& args, Args::Slot slot, const char* name, std::size_t length) : count(length) {
    if (args.is<std::int64_t>(slot)) {
      wide = args.array<std::int64_t>(slot, name, length);
    } else {
      narrow = args.array<std::int32_t>(slot, name, length);
    }
  }

  // -1, or where the first one stands that is outside of the range.
  double copy_to(std::int32_t* to, IndexRange range) const {
    const std::size_t good = wide != nullptr ? copy_indices(wide, count, range, to)
                                             : copy_indices(narrow, count, range, to);
    return good == count ? -1.0 : static_cast<double>(good);
  }
};

}  // namespace evenkeel::binding
