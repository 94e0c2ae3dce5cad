// The double accumulators that go with a vector of T: 16 double lanes for 16 floats, 8 for 8
// doubles. Include after one vec_*.h.
#pragma once

#include <cstddef>

namespace evenkeel {
namespace {

struct Wide16 {
  VecD low, high;
  static inline Wide16 zero() { return {VecD::zero(), VecD::zero()}; }
  static inline Wide16 load(const double* p) { return {VecD::load(p), VecD::load(p + 8)}; }
  inline void store(double* p) const {
    low.store(p);
    high.store(p + 8);
  }
};
inline Wide16 operator+(Wide16 a, Wide16 b) { return {a.low + b.low, a.high + b.high}; }
inline Wide16 operator-(Wide16 a, Wide16 b) { return {a.low - b.low, a.high - b.high}; }
inline Wide16 operator*(Wide16 a, Wide16 b) { return {a.low * b.low, a.high * b.high}; }
// 16 -> 8 first (lane i meets i+8), then the tree of fold(VecD).
inline double fold(Wide16 a) { return fold(a.low + a.high); }

inline Wide16 load_wide(const float* p) { return {load_widened(p), load_widened(p + 8)}; }
inline VecD load_wide(const double* p) { return VecD::load(p); }

inline Wide16 widen(VecF a) { return {widen_low(a), widen_high(a)}; }
inline VecD widen(VecD a) { return a; }

template <class T>
struct Simd;
template <>
struct Simd<float> {
  using Vec = VecF;
  using Wide = Wide16;
};
template <>
struct Simd<double> {
  using Vec = VecD;
  using Wide = VecD;
};

}  // namespace
}  // namespace evenkeel
