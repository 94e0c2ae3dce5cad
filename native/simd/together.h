// Registers of floats that a long formula takes together, operation by operation, where a processor cannot look far enough
// ahead to begin the next register's formula while one waits for its own results (1 MB on Zen 3, mish: 0.8 of the time).
// Formulas are templates of one register or Both, which is two of them, or two of Both.
#pragma once

#include <cstddef>

#include "registers.h"

namespace evenkeel {
namespace {

template <class Part>
struct Both {
  Part a, b;
};
template <class X>
constexpr bool kIsBoth = false;
template <class Part>
constexpr bool kIsBoth<Both<Part>> = true;

template <class X>
constexpr bool kIsFloats = kIsBoth<X>;
template <>
constexpr bool kIsFloats<RegF> = true;
// What a formula takes.
template <class X>
concept Floats = kIsFloats<X>;

// f of each part of what has two. What has one, a number among them, goes with both.
template <class Part>
EVENKEEL_INLINE Part part_a(Both<Part> x) {
  return x.a;
}
template <class Part>
EVENKEEL_INLINE Part part_b(Both<Part> x) {
  return x.b;
}
template <class One>
EVENKEEL_INLINE One part_a(One x) {
  return x;
}
template <class One>
EVENKEEL_INLINE One part_b(One x) {
  return x;
}
template <class Function, class... X>
EVENKEEL_INLINE auto each(const Function& f, X... x) {
  using Part = decltype(f(part_a(x)...));
  return Both<Part>{f(part_a(x)...), f(part_b(x)...)};
}

#define EVENKEEL_OPERATOR(op)                                                  \
  template <class X, class Y>                                                  \
    requires(kIsBoth<X> || kIsBoth<Y>)                                         \
  EVENKEEL_INLINE auto operator op(X x, Y y) {                                 \
    return each([](auto p, auto q) EVENKEEL_INLINED { return p op q; }, x, y); \
  }
EVENKEEL_OPERATOR(+)
EVENKEEL_OPERATOR(-)
EVENKEEL_OPERATOR(*)
EVENKEEL_OPERATOR(/)
EVENKEEL_OPERATOR(<)
EVENKEEL_OPERATOR(>)
EVENKEEL_OPERATOR(==)
EVENKEEL_OPERATOR(&)
EVENKEEL_OPERATOR(<<)
EVENKEEL_OPERATOR(>>)
#undef EVENKEEL_OPERATOR
template <class Part>
EVENKEEL_INLINE Both<Part> operator-(Both<Part> x) {
  return {-x.a, -x.b};
}

// The function `name` of one register, part by part.
#define EVENKEEL_EACH(name)                                                         \
  template <class... X>                                                             \
    requires(kIsBoth<X> || ...)                                                     \
  EVENKEEL_INLINE auto name(X... x) {                                               \
    return each([](auto... part) EVENKEEL_INLINED { return name(part...); }, x...); \
  }
EVENKEEL_EACH(bits_of)
EVENKEEL_EACH(from_bits)
EVENKEEL_EACH(difference)
EVENKEEL_EACH(floats_of)
EVENKEEL_EACH(magnitude_of)
EVENKEEL_EACH(minus_magnitude_of)
EVENKEEL_EACH(with_sign_of)
EVENKEEL_EACH(at_most)
EVENKEEL_EACH(at_least)
EVENKEEL_EACH(fused)
EVENKEEL_EACH(fused_minus)
template <class Part>
EVENKEEL_INLINE Both<Part> power_of_2(Both<Part> shifted) {
  return {power_of_2(shifted.a), power_of_2(shifted.b)};
}
// c[0] + c[1] x + ... (Horner)
template <std::size_t kCount, class F>
EVENKEEL_INLINE F polynomial(const float (&c)[kCount], F x) {
  F sum = fused(x, c[kCount - 1], c[kCount - 2]);
  for (std::size_t i = kCount - 2; i-- > 0;) sum = fused(sum, x, c[i]);
  return sum;
}

#if defined(EVENKEEL_TOGETHER)
EVENKEEL_INLINE RegI largest_bits(RegI x) { return x; }
template <class Part>
EVENKEEL_INLINE RegI largest_bits(Both<Part> x) {
  return larger_bits(largest_bits(x.a), largest_bits(x.b));
}
// As bits where least > 0 or least = -most: two instructions a register, and one comparison for all.
template <class Part>
EVENKEEL_INLINE bool all_between(Both<Part> x, float least, float most) {
  const int low = __builtin_bit_cast(int, least), high = __builtin_bit_cast(int, most);
  if (least > 0.0f) return no_bits_above(largest_bits(difference(bits_of(x), low)), high - low);
  if (least == -most) return no_bits_above(largest_bits(bits_of(magnitude_of(x))), high);
  return all_between(x.a, least, most) & all_between(x.b, least, most);
}
// x 2^n (registers.h)
template <class Part>
EVENKEEL_INLINE Both<Part> scaled(Both<Part> x, Both<Part> n) {
  if (all_between(n, -126.0f, 126.0f)) return x * power_of_2(n + kShift);
  return each([](auto p, auto q) EVENKEEL_INLINED { return scaled(p, q); }, x, n);
}

template <std::size_t kCount>
struct Registers {
  using Half = Registers<kCount / 2>;
  using Type = Both<typename Half::Type>;
  static constexpr std::size_t kLanes = 2 * Half::kLanes;
  static EVENKEEL_INLINE Type load(const float* p) {
    return {Half::load(p), Half::load(p + Half::kLanes)};
  }
  static EVENKEEL_INLINE void store(Type x, float* p) {
    Half::store(x.a, p);
    Half::store(x.b, p + Half::kLanes);
  }
};
template <>
struct Registers<1> {
  using Type = RegF;
  static constexpr std::size_t kLanes = sizeof(RegF) / sizeof(float);
  static EVENKEEL_INLINE RegF load(const float* p) {
    RegF x;
    __builtin_memcpy(&x, p, sizeof(x));
    return x;
  }
  static EVENKEEL_INLINE void store(RegF x, float* p) { __builtin_memcpy(p, &x, sizeof(x)); }
};
// They as a vector.
struct LongVec {
  using All = Registers<EVENKEEL_TOGETHER>;
  static constexpr std::size_t kLanes = All::kLanes;
  All::Type v;

  static EVENKEEL_INLINE LongVec load(const float* p) { return {All::load(p)}; }
  EVENKEEL_INLINE void store(float* p) const { All::store(v, p); }
  EVENKEEL_INLINE void stream(float* p) const {
    float lanes[kLanes];
    store(lanes);
    for (std::size_t i = 0; i < kLanes; i += VecF::kLanes) VecF::load(lanes + i).stream(p + i);
  }
};
template <class Function, class... More>
EVENKEEL_INLINE LongVec by_register(const Function& f, LongVec x, More... more) {
  return {f(x.v, more.v...)};
}
#endif

}  // namespace
}  // namespace evenkeel
