// Philox4x32-10: a counter-based generator (Salmon, Moraes, Dror, Shaw 2011). A word is a function of
// the key and its place in the stream alone, so any cut of the work over threads draws the same
// numbers. A stream comes in groups of 64 words, 16 counters side by side: word w of counter b is
// word 16 w + b of its group.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

using Word = unsigned int;
using DoubleWord = unsigned long long;

constexpr std::size_t kCounters = 16;
static_assert(kRandomGroup == 4 * kCounters);

// The group that starts at counter `first`. Each loop is one the compiler widens; written as one loop
// with 64-bit products it would not be (100,000 words: 374 us so, 210 as here).
inline void philox(DoubleWord key, DoubleWord first, Word* __restrict out) {
  constexpr Word kFactor0 = 0xD2511F53u, kFactor2 = 0xCD9E8D57u;
  Word c0[kCounters], c1[kCounters], c2[kCounters], c3[kCounters];
  for (std::size_t b = 0; b < kCounters; ++b) {
    c0[b] = static_cast<Word>(first + b);
    c1[b] = static_cast<Word>((first + b) >> 32);
    c2[b] = 0;
    c3[b] = 0;
  }
  Word k0 = static_cast<Word>(key), k1 = static_cast<Word>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    Word high0[kCounters], high2[kCounters];
    for (std::size_t b = 0; b < kCounters; ++b) {
      high0[b] = static_cast<Word>((DoubleWord{kFactor0} * c0[b]) >> 32);
    }
    for (std::size_t b = 0; b < kCounters; ++b) {
      high2[b] = static_cast<Word>((DoubleWord{kFactor2} * c2[b]) >> 32);
    }
    for (std::size_t b = 0; b < kCounters; ++b) {
      const Word low0 = kFactor0 * c0[b], low2 = kFactor2 * c2[b];
      c0[b] = high2[b] ^ c1[b] ^ k0;
      c2[b] = high0[b] ^ c3[b] ^ k1;
      c1[b] = low2;
      c3[b] = low0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (std::size_t b = 0; b < kCounters; ++b) {
    out[b] = c0[b];
    out[kCounters + b] = c1[b];
    out[2 * kCounters + b] = c2[b];
    out[3 * kCounters + b] = c3[b];
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
