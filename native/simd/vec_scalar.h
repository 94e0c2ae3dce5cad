// 16 float lanes and 8 double lanes as plain arrays: the instruction set every CPU runs and every other
// instruction set is compared with, bit for bit.
// Contract shared by every vec_*.h: docs/architecture.md, "An instruction set".
#pragma once

#include <cstddef>

#include "halves.h"

namespace evenkeel {
namespace {

template <class T, std::size_t N>
struct Lanes {
  using Value = T;
  static constexpr std::size_t kLanes = N;
  T v[N];

  static inline Lanes broadcast(T s) {
    Lanes r;
    for (std::size_t i = 0; i < N; ++i) r.v[i] = s;
    return r;
  }
  static inline Lanes zero() { return broadcast(T(0)); }
  static inline Lanes load(const T* p) {
    Lanes r;
    for (std::size_t i = 0; i < N; ++i) r.v[i] = p[i];
    return r;
  }
  static inline Lanes load_partial(const T* p, std::size_t n, Lanes fill) {
    for (std::size_t i = 0; i < n; ++i) fill.v[i] = p[i];
    return fill;
  }
  inline void store(T* p) const {
    for (std::size_t i = 0; i < N; ++i) p[i] = v[i];
  }
  inline void stream(T* p) const { store(p); }
  inline void store_partial(T* p, std::size_t n) const {
    for (std::size_t i = 0; i < n; ++i) p[i] = v[i];
  }

  friend inline Lanes operator+(const Lanes& a, const Lanes& b) {
    Lanes r;
    for (std::size_t i = 0; i < N; ++i) r.v[i] = a.v[i] + b.v[i];
    return r;
  }
  friend inline Lanes operator-(const Lanes& a, const Lanes& b) {
    Lanes r;
    for (std::size_t i = 0; i < N; ++i) r.v[i] = a.v[i] - b.v[i];
    return r;
  }
  friend inline Lanes operator*(const Lanes& a, const Lanes& b) {
    Lanes r;
    for (std::size_t i = 0; i < N; ++i) r.v[i] = a.v[i] * b.v[i];
    return r;
  }
};

using VecF = Lanes<float, 16>;
using VecD = Lanes<double, 8>;

// a * b + c rounded once, without the instruction (Boldo & Melquiond 2008). The product of two floats
// is exact in double. The sum is rounded to odd there: where it is inexact and its last bit even, it
// moves one bit towards the truth, so that rounding to float sees on which side of its own halfway
// point the truth lies. Spelled as vectors of four: GCC 12 leaves a loop with bit casts scalar (2.9 ns
// an element; so, with SSE2, 1.0).
inline VecF fused(const VecF& a, const VecF& b, const VecF& c) {
  using Floats = float __attribute__((vector_size(16)));
  using Doubles = double __attribute__((vector_size(32)));
  using Bits = unsigned long long __attribute__((vector_size(32)));
  VecF r;
  for (std::size_t i = 0; i < VecF::kLanes; i += 4) {
    Floats x, y, z;
    __builtin_memcpy(&x, a.v + i, sizeof x);
    __builtin_memcpy(&y, b.v + i, sizeof y);
    __builtin_memcpy(&z, c.v + i, sizeof z);
    const Doubles product =
        __builtin_convertvector(x, Doubles) * __builtin_convertvector(y, Doubles);
    const Doubles addend = __builtin_convertvector(z, Doubles);
    const Doubles sum = product + addend;
    // What the sum lost, exactly (TwoSum, Knuth); NaN where the sum is infinite or NaN.
    const Doubles part = sum - product;
    const Doubles lost = (product - (sum - part)) + (addend - part);
    const Bits bits = (Bits)sum;
    const Bits inexact = (Bits)((lost < 0.0) | (lost > 0.0));
    const Bits inward = ((bits ^ (Bits)lost) >> 63) & inexact;  // the truth lies towards zero
    const Bits odd = (bits - inward) | (inexact >> 63);
    const Floats rounded = __builtin_convertvector((Doubles)odd, Floats);
    __builtin_memcpy(r.v + i, &rounded, sizeof rounded);
  }
  return r;
}

// a < 0 ? 0 : a (NaN and -0 stay), and a <= 0 ? 0 : b.
template <class T, std::size_t N>
inline Lanes<T, N> positive_part(const Lanes<T, N>& a) {
  Lanes<T, N> r;
  for (std::size_t i = 0; i < N; ++i) r.v[i] = a.v[i] < T(0) ? T(0) : a.v[i];
  return r;
}
template <class T, std::size_t N>
inline Lanes<T, N> where_positive(const Lanes<T, N>& a, const Lanes<T, N>& b) {
  Lanes<T, N> r;
  for (std::size_t i = 0; i < N; ++i) r.v[i] = a.v[i] <= T(0) ? T(0) : b.v[i];
  return r;
}

inline VecD load_widened(const float* p) {
  VecD r;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = static_cast<double>(p[i]);
  return r;
}
inline Halves<VecD> widen(const VecF& a) { return {load_widened(a.v), load_widened(a.v + 8)}; }

// Four columns of 16 rows, `stride` apart, each as one vector.
inline void load_columns(const float* p, std::size_t stride, VecF columns[4]) {
  for (std::size_t i = 0; i < VecF::kLanes; ++i) {
    for (std::size_t j = 0; j < 4; ++j) columns[j].v[i] = p[i * stride + j];
  }
}

// The fixed tree 8 -> 4 -> 2 -> 1: lane i meets i+4, then i+2, then i+1.
inline double fold(const VecD& a) {
  const double four[4] = {a.v[0] + a.v[4], a.v[1] + a.v[5], a.v[2] + a.v[6], a.v[3] + a.v[7]};
  return (four[0] + four[2]) + (four[1] + four[3]);
}

// 8 words in the low halves of 64-bit lanes; what is in the high halves does not matter.
struct VecW {
  static constexpr std::size_t kLanes = 8;
  unsigned long long v[kLanes];

  static inline VecW broadcast(unsigned long long s) {
    VecW r;
    for (std::size_t i = 0; i < kLanes; ++i) r.v[i] = s;
    return r;
  }
  static inline VecW load(const unsigned long long* p) {
    VecW r;
    for (std::size_t i = 0; i < kLanes; ++i) r.v[i] = p[i];
    return r;
  }
};

inline VecW operator+(VecW a, VecW b) {
  for (std::size_t i = 0; i < VecW::kLanes; ++i) a.v[i] += b.v[i];
  return a;
}
inline VecW operator^(VecW a, VecW b) {
  for (std::size_t i = 0; i < VecW::kLanes; ++i) a.v[i] ^= b.v[i];
  return a;
}
inline VecW multiply_low(VecW a, VecW b) {  // 64-bit products
  for (std::size_t i = 0; i < VecW::kLanes; ++i)
    a.v[i] = (a.v[i] & 0xffffffff) * (b.v[i] & 0xffffffff);
  return a;
}
inline VecW high_half(VecW a) {
  for (std::size_t i = 0; i < VecW::kLanes; ++i) a.v[i] >>= 32;
  return a;
}

inline void store_low(const VecW& a, unsigned int* p) {
  for (std::size_t i = 0; i < VecW::kLanes; ++i) p[i] = static_cast<unsigned int>(a.v[i]);
}

inline void prefetch(const void*) {}
inline void stream_fence() {}

// Matrix multiply: rows x vectors of the register tile (2 x 4 xmm accumulate).
constexpr std::size_t kTileRows = 2;
constexpr std::size_t kTileRowStep = 1;
constexpr std::size_t kTileVectors = 1;

}  // namespace
}  // namespace evenkeel
