// The double accumulators that go with a vector of T: 16 double lanes for 16 floats, 8 for 8 doubles.
// Include after one vec_*.h.
#pragma once

#include <cstddef>

#include "halves.h"
#include "together.h"

namespace evenkeel {
namespace {

using Wide16 = Halves<VecD>;

inline Wide16 load_wide(const float* p) { return {load_widened(p), load_widened(p + 8)}; }
inline VecD load_wide(const double* p) { return VecD::load(p); }

// The 8 doubles, each rounded to a float.
template <class Vec>
EVENKEEL_INLINE void store_narrowed(Vec x, float* p) {
  if constexpr (sizeof(Vec) == sizeof(RegD)) {
    using Floats = float __attribute__((vector_size(sizeof(RegD) / 2)));
    const Floats y = __builtin_convertvector((RegD)x.v, Floats);
    __builtin_memcpy(p, &y, sizeof(y));
  } else {  // lanes of an array
    typename Vec::Value lanes[Vec::kLanes];
    x.store(lanes);
    for (std::size_t i = 0; i < Vec::kLanes; ++i) p[i] = static_cast<float>(lanes[i]);
  }
}
template <class Half>
EVENKEEL_INLINE void store_narrowed(Halves<Half> x, float* p) {
  store_narrowed(x.a, p);
  store_narrowed(x.b, p + Half::kLanes);
}

// Whether no lane of the four is NaN.
template <class Vec>
EVENKEEL_INLINE bool all_numbers(Vec a, Vec b, Vec c, Vec d) {
  if constexpr (sizeof(Vec) == sizeof(RegF)) {
    return all_numbers((RegF)a.v, (RegF)b.v, (RegF)c.v, (RegF)d.v);
  } else {  // lanes of an array
    typename Vec::Value lanes[Vec::kLanes];
    bool yes = true;
    const Vec all[4] = {a, b, c, d};
    for (const Vec& each : all) {
      each.store(lanes);
      for (std::size_t i = 0; i < Vec::kLanes; ++i) yes &= lanes[i] == lanes[i];
    }
    return yes;
  }
}
template <class Half>
EVENKEEL_INLINE bool all_numbers(Halves<Half> a, Halves<Half> b, Halves<Half> c, Halves<Half> d) {
  return all_numbers(a.a, b.a, c.a, d.a) & all_numbers(a.b, b.b, c.b, d.b);
}

// A vector of floats widens to Wide16 (vec_*.h, halves.h).
inline VecD widen(VecD a) { return a; }

// sum + x and x - y, of values whose conversion goes on at the same time; the bits are those of + and -.
#if defined(EVENKEEL_ADDS_BY_PRODUCTS)
template <class Half>
EVENKEEL_INLINE Halves<Half> added(Halves<Half> sum, Halves<Half> x) {
  return {added(sum.a, x.a), added(sum.b, x.b)};
}
template <class Half>
EVENKEEL_INLINE Halves<Half> less(Halves<Half> x, Halves<Half> y) {
  return {less(x.a, y.a), less(x.b, y.b)};
}
#else
template <class Vec>
EVENKEEL_INLINE Vec added(Vec sum, Vec x) {
  return sum + x;
}
template <class Vec>
EVENKEEL_INLINE Vec less(Vec x, Vec y) {
  return x - y;
}
#endif
// sum + a b of doubles that have been floats: their product is exact, so whether it is fused changes no bits.
template <class Vec>
EVENKEEL_INLINE Vec added_product(Vec sum, Vec a, Vec b) {
  if constexpr (kFusesAtOnce) {
    return by_register([](RegD s, RegD x, RegD y) EVENKEEL_INLINED { return fused(x, y, s); }, sum,
                       a, b);
  } else {
    return sum + a * b;
  }
}

// What goes with an element type. `Long`: of long formulas.
template <class T>
struct Simd;
template <>
struct Simd<float> {
  using Vec = VecF;
#if defined(EVENKEEL_TOGETHER)
  using Long = LongVec;
#else
  using Long = VecF;
#endif
  using Reg = RegF;
  using Wide = Wide16;
};
template <>
struct Simd<double> {
  using Vec = VecD;
  using Long = VecD;
  using Reg = RegD;
  using Wide = VecD;
};

}  // namespace
}  // namespace evenkeel
