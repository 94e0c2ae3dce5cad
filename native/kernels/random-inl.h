// Philox4x32-10: a counter-based generator (Salmon, Moraes, Dror, Shaw 2011). Word i of a stream is
// a function of (key, offset + i) alone, so any cut of the work over threads draws the same numbers.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

using Word = unsigned int;
using DoubleWord = unsigned long long;

constexpr std::size_t kPhiloxBlocks = 16;                // blocks made side by side, for SIMD
constexpr std::size_t kPhiloxWords = 4 * kPhiloxBlocks;  // words they make

// out[4 * b + w] = word w of block `first + b`, for kPhiloxBlocks blocks.
inline void philox(DoubleWord key, DoubleWord first, Word* out) {
  Word c0[kPhiloxBlocks], c1[kPhiloxBlocks], c2[kPhiloxBlocks], c3[kPhiloxBlocks];
  for (std::size_t b = 0; b < kPhiloxBlocks; ++b) {
    const DoubleWord counter = first + b;
    c0[b] = static_cast<Word>(counter);
    c1[b] = static_cast<Word>(counter >> 32);
    c2[b] = 0;
    c3[b] = 0;
  }
  Word k0 = static_cast<Word>(key), k1 = static_cast<Word>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t b = 0; b < kPhiloxBlocks; ++b) {
      const DoubleWord p0 = DoubleWord{0xD2511F53u} * c0[b];
      const DoubleWord p1 = DoubleWord{0xCD9E8D57u} * c2[b];
      const Word n0 = static_cast<Word>(p1 >> 32) ^ c1[b] ^ k0;
      const Word n2 = static_cast<Word>(p0 >> 32) ^ c3[b] ^ k1;
      c1[b] = static_cast<Word>(p1);
      c3[b] = static_cast<Word>(p0);
      c0[b] = n0;
      c2[b] = n2;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (std::size_t b = 0; b < kPhiloxBlocks; ++b) {
    out[4 * b] = c0[b];
    out[4 * b + 1] = c1[b];
    out[4 * b + 2] = c2[b];
    out[4 * b + 3] = c3[b];
  }
}

// Calls some(i, n, words) for runs that cover [0, n); `first` (a multiple of 4) is where the run
// stands in its stream.
template <class Some>
inline void for_random(std::size_t n, DoubleWord key, DoubleWord offset, std::size_t first,
                       const Some& some) {
  Word words[kPhiloxWords];
  for (std::size_t i = 0; i < n; i += kPhiloxWords) {
    philox(key, offset + (first + i) / 4, words);
    some(i, n - i < kPhiloxWords ? n - i : kPhiloxWords, words);
  }
}

inline void random_words(Word* out, std::size_t n, DoubleWord key, DoubleWord offset) {
  for_random(n, key, offset, 0, [=](std::size_t i, std::size_t count, const Word* words) {
    for (std::size_t j = 0; j < count; ++j) out[i + j] = words[j];
  });
}

}  // namespace
}  // namespace evenkeel
