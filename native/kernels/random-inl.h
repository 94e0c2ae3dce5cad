// Philox4x32-10: a counter-based generator (Salmon, Moraes, Dror, Shaw 2011). A word is a function of
// the key and its place in the stream alone, so any cut of the work over threads draws the same
// numbers. A stream comes in groups of 64 words, 16 counters side by side: word w of counter b is
// word 16 w + b of its group.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

using Word = unsigned int;
using DoubleWord = unsigned long long;

constexpr std::size_t kCounters = 16;
static_assert(kRandomGroup == 4 * kCounters);

constexpr DoubleWord kPlaces[kCounters] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// The group that starts at counter `first`, 8 counters in the low halves of 64-bit lanes: a product then
// has its high and its low word in place. Two such runs, for the multiplier's latency.
inline void philox(DoubleWord key, DoubleWord first, Word* out) {
  constexpr std::size_t kRuns = kCounters / VecW::kLanes;
  const VecW factor0 = VecW::broadcast(0xD2511F53u), factor2 = VecW::broadcast(0xCD9E8D57u);
  VecW c0[kRuns], c1[kRuns], c2[kRuns], c3[kRuns];
  for (std::size_t r = 0; r < kRuns; ++r) {
    c0[r] = VecW::broadcast(first) + VecW::load(kPlaces + r * VecW::kLanes);
    c1[r] = high_half(c0[r]);
    c2[r] = VecW::broadcast(0);
    c3[r] = VecW::broadcast(0);
  }
  Word k0 = static_cast<Word>(key), k1 = static_cast<Word>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const VecW key0 = VecW::broadcast(k0), key1 = VecW::broadcast(k1);
#pragma GCC unroll 2
    for (std::size_t r = 0; r < kRuns; ++r) {
      const VecW product0 = multiply_low(factor0, c0[r]), product2 = multiply_low(factor2, c2[r]);
      c0[r] = high_half(product2) ^ c1[r] ^ key0;
      c2[r] = high_half(product0) ^ c3[r] ^ key1;
      c1[r] = product2;
      c3[r] = product0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (std::size_t r = 0; r < kRuns; ++r) {
    Word* to = out + r * VecW::kLanes;
    store_low(c0[r], to);
    store_low(c1[r], to + kCounters);
    store_low(c2[r], to + 2 * kCounters);
    store_low(c3[r], to + 3 * kCounters);
  }
}

// Calls some(i, n, words) for runs that cover the n elements at `place`.
template <class Some>
inline void for_random(std::size_t n, RandomPlace place, const Some& some) {
  Word words[kRandomGroup];
  for (std::size_t i = 0; i < n; i += kRandomGroup) {
    philox(place.key, place.offset + (place.first + i) / 4, words);
    some(i, min_size(kRandomGroup, n - i), words);
  }
}

inline void random_words(Word* out, std::size_t n, DoubleWord key, DoubleWord offset) {
  for_random(n, {0, key, offset}, [=](std::size_t i, std::size_t count, const Word* words) {
    for (std::size_t j = 0; j < count; ++j) out[i + j] = words[j];
  });
}

}  // namespace
}  // namespace evenkeel
