// The double accumulators that go with a vector of T: 16 double lanes for 16 floats, 8 for 8 doubles.
// Include after one vec_*.h.
#pragma once

#include <cstddef>

#include "halves.h"
#include "registers.h"

namespace evenkeel {
namespace {

using Wide16 = Halves<VecD>;

inline Wide16 load_wide(const float* p) { return {load_widened(p), load_widened(p + 8)}; }
inline VecD load_wide(const double* p) { return VecD::load(p); }

// A vector of floats widens to Wide16 (vec_*.h, halves.h).
inline VecD widen(VecD a) { return a; }

template <class T>
struct Simd;
template <>
struct Simd<float> {
  using Vec = VecF;
  using Reg = RegF;
  using Wide = Wide16;
};
template <>
struct Simd<double> {
  using Vec = VecD;
  using Reg = RegD;
  using Wide = VecD;
};

}  // namespace
}  // namespace evenkeel
