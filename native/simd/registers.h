// One register of floats (RegF) or doubles (RegD) with the operators of the compiler's vector extension: + - * / and
// comparisons, lane by lane; `mask ? a : b` chooses. A vec_*.h defines the two and, of both, `fused` (a b + c, rounded
// once) and `root`; of RegF `fused_minus` (c - a b), `smaller` (a < b ? a : b) and `larger` (a > b ? a : b), `all_between`,
// and `scaled` where there is an instruction. by_register(f, x, ...) walks a vector by its registers. Include after one
// vec_*.h.
#pragma once

#include <cstddef>

#include "halves.h"

namespace evenkeel {
namespace {

// What a comparison gives: -1 where it holds, else 0. The bits of a register, too.
using RegI = decltype(RegF{} < RegF{});
using RegL = decltype(RegD{} < RegD{});

template <class Reg, class T>
EVENKEEL_INLINE Reg splat(T x) {
  return x - Reg{};  // -0 - 0 is -0
}
EVENKEEL_INLINE RegF every(float x) { return splat<RegF>(x); }

EVENKEEL_INLINE RegI bits_of(RegF x) { return (RegI)x; }
EVENKEEL_INLINE RegF from_bits(RegI x) { return (RegF)x; }
// a - b, which wraps around: the difference of two patterns of bits may be no int.
EVENKEEL_INLINE RegI difference(RegI a, RegI b) {
  using RegU = unsigned __attribute__((vector_size(sizeof(RegI))));
  return (RegI)((RegU)a - (RegU)b);
}
EVENKEEL_INLINE RegI difference(RegI a, int b) { return difference(a, RegI{} + b); }
EVENKEEL_INLINE RegI difference(int a, RegI b) { return difference(RegI{} + a, b); }
EVENKEEL_INLINE RegF floats_of(RegI x) { return __builtin_convertvector(x, RegF); }
EVENKEEL_INLINE RegF magnitude_of(RegF x) { return from_bits(bits_of(x) & 0x7fffffff); }
EVENKEEL_INLINE RegF minus_magnitude_of(RegF x) { return from_bits(bits_of(x) | ~0x7fffffff); }
// |y| with the sign of x
EVENKEEL_INLINE RegF with_sign_of(RegF y, RegF x) {
  return from_bits((bits_of(y) & 0x7fffffff) | (bits_of(x) & ~0x7fffffff));
}
// bound < x ? bound : x, and bound > x ? bound : x: NaN stays.
EVENKEEL_INLINE RegF at_most(RegF x, float bound) { return smaller(every(bound), x); }
EVENKEEL_INLINE RegF at_least(RegF x, float bound) { return larger(every(bound), x); }

EVENKEEL_INLINE RegF fused(RegF a, float b, RegF c) { return fused(a, every(b), c); }
EVENKEEL_INLINE RegF fused(RegF a, RegF b, float c) { return fused(a, b, every(c)); }
EVENKEEL_INLINE RegF fused(RegF a, float b, float c) { return fused(a, every(b), every(c)); }
EVENKEEL_INLINE RegF fused_minus(RegF a, RegF b, float c) { return fused_minus(a, b, every(c)); }

#if !defined(EVENKEEL_CHOOSES_FLOATS)
EVENKEEL_INLINE RegF chosen(const float (&table)[16], RegI index) {
  RegF y{};
  for (std::size_t i = 0; i < sizeof(RegF) / sizeof(float); ++i) y[i] = table[index[i] & 15];
  return y;
}
#endif
#if !defined(EVENKEEL_ASKS_FOR_NUMBERS)
EVENKEEL_INLINE bool all_numbers(RegF a, RegF b, RegF c, RegF d) {
  const RegI each = (a == a) & (b == b) & (c == c) & (d == d);
  int all = -1;
  for (std::size_t i = 0; i < sizeof(RegF) / sizeof(float); ++i) all &= each[i];
  return all != 0;
}
#endif
#if !defined(EVENKEEL_CHOOSES)
// table[the last four bits of the index], of each lane
EVENKEEL_INLINE RegD chosen(const double (&table)[16], RegL index) {
  RegD y{};
  for (std::size_t i = 0; i < sizeof(RegD) / sizeof(double); ++i) y[i] = table[index[i] & 15];
  return y;
}
EVENKEEL_INLINE bool all_between(RegD x, double least, double most) {
  bool yes = true;
  for (std::size_t i = 0; i < sizeof(RegD) / sizeof(double); ++i)
    yes &= (x[i] >= least) & (x[i] <= most);
  return yes;
}
#endif

// x + kShift has round(x) in its low bits: 1.5 * 2^23.
constexpr float kShift = 12582912.0f;
// 2^n for the n whose n + kShift is given, -126 to 127.
EVENKEEL_INLINE RegF power_of_2(RegF shifted) {
  return from_bits((bits_of(shifted) << 23) + 0x3f800000);
}

#if defined(EVENKEEL_SCALES)
constexpr bool kScalesAtOnce = true;
#else
constexpr bool kScalesAtOnce = false;
// x 2^n for whole n from -252 to 254, rounded once. Beyond one factor's range 2^n is two.
EVENKEEL_INLINE RegF scaled(RegF x, RegF n) {
  const RegF shifted = n + kShift;
  if (all_between(n, -126.0f, 127.0f)) return x * power_of_2(shifted);
  const RegI whole = difference(bits_of(shifted), bits_of(every(kShift))), half = whole >> 1;
  return x * from_bits((half + 127) << 23) * from_bits((whole - half + 127) << 23);
}
#endif

}  // namespace
}  // namespace evenkeel
