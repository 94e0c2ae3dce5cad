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

using RegF = float __attribute__((vector_size(16)));
using RegD = double __attribute__((vector_size(16)));

// The sum of `product` and c rounded to odd (Boldo & Melquiond 2008): where it is inexact and its last bit even, it moves
// one bit towards the truth, so that rounding to float sees on which side of its own halfway point the truth lies.
inline RegD sum_to_odd(RegD product, RegD c, RegD sum) {
  using Bits = unsigned long long __attribute__((vector_size(16)));
  // What the sum lost, exactly (TwoSum, Knuth); NaN where the sum is infinite or NaN.
  const RegD part = sum - product;
  const RegD lost = (product - (sum - part)) + (c - part);
  const Bits bits = (Bits)sum;
  const Bits inexact = (Bits)((lost < 0.0) | (lost > 0.0));
  const Bits inward = ((bits ^ (Bits)lost) >> 63) & inexact;  // the truth lies towards zero
  return (RegD)((bits - inward) | (inexact >> 63));
}
inline RegF narrowed(RegD a, RegD b) {
  return RegF{static_cast<float>(a[0]), static_cast<float>(a[1]), static_cast<float>(b[0]),
              static_cast<float>(b[1])};
}
// a * b + c rounded once, without the instruction. The product of two floats is exact in double. Its sum with c, rounded
// there and to float again, is wrong only where the first rounding ends halfway between two floats: a look at the bits
// says so. Below 2^-125 floats are further apart than the look knows. 0.7 ns an element, with SSE2.
inline RegF fused(RegF a, RegF b, RegF c) {
  using Ints = int __attribute__((vector_size(16)));
  using Longs = long long __attribute__((vector_size(16)));
  const auto first = [](RegF x) EVENKEEL_INLINED { return RegD{x[0], x[1]}; };
  const auto second = [](RegF x) EVENKEEL_INLINED { return RegD{x[2], x[3]}; };
  const RegD p = first(a) * first(b), q = second(a) * second(b), c0 = first(c), c1 = second(c);
  const RegD sum0 = p + c0, sum1 = q + c1;
  const RegF sum = narrowed(sum0, sum1);
  const Ints bits0 = (Ints)sum0, bits1 = (Ints)sum1, low = {bits0[0], bits0[2], bits1[0], bits1[2]};
  const RegF size = (RegF)((Ints)sum & 0x7fffffff);
  const Longs doubtful = (Longs)(((low & 0x1fffffff) == 0x10000000) | (size < 0x1p-125f));
  if (__builtin_expect((doubtful[0] | doubtful[1]) == 0, 1)) return sum;
  return narrowed(sum_to_odd(p, c0, sum0), sum_to_odd(q, c1, sum1));
}
inline RegD fused(RegD a, RegD b, RegD c) {
  return RegD{__builtin_fma(a[0], b[0], c[0]), __builtin_fma(a[1], b[1], c[1])};
}
inline RegF fused_minus(RegF a, RegF b, RegF c) { return fused(-a, b, c); }
inline RegF root(RegF x) {
  for (std::size_t i = 0; i < 4; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
inline RegD root(RegD x) {
  for (std::size_t i = 0; i < 2; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
}
inline RegF smaller(RegF a, RegF b) { return a < b ? a : b; }
inline RegF larger(RegF a, RegF b) { return a > b ? a : b; }
inline bool all_between(RegF x, float least, float most) {
  const auto inside = (x >= least) & (x <= most);
  return (inside[0] & inside[1] & inside[2] & inside[3]) != 0;
}

template <class T>
struct RegisterOf {
  using Reg = RegD;
};
template <>
struct RegisterOf<float> {
  using Reg = RegF;
};
template <class Reg, class T, std::size_t N>
inline Reg register_at(const Lanes<T, N>& x, std::size_t i) {
  Reg r;
  __builtin_memcpy(&r, x.v + i, sizeof r);
  return r;
}
template <class Function, class T, std::size_t N, class... More>
EVENKEEL_INLINE Lanes<T, N> by_register(const Function& f, const Lanes<T, N>& x,
                                        const More&... more) {
  using Reg = typename RegisterOf<T>::Reg;
  Lanes<T, N> r;
  for (std::size_t i = 0; i < N; i += sizeof(Reg) / sizeof(T)) {
    const Reg y = f(register_at<Reg>(x, i), register_at<Reg>(more, i)...);
    __builtin_memcpy(r.v + i, &y, sizeof y);
  }
  return r;
}

inline VecF fused(const VecF& a, const VecF& b, const VecF& c) {
  return by_register([](RegF x, RegF y, RegF z) EVENKEEL_INLINED { return fused(x, y, z); }, a, b,
                     c);
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

// Whether `fused` is one instruction, of RegF and of RegD.
constexpr bool kFusesAtOnce = false;
// Whether long formulas are walked in two loops.
constexpr bool kSplitsFormulas = false;

// Matrix multiply: rows x vectors of the register tile (2 x 4 xmm accumulate).
constexpr std::size_t kTileRows = 2;
constexpr std::size_t kTileRowStep = 1;
constexpr std::size_t kTileVectors = 1;
// Terms of a tile's loop that are written out.
constexpr std::size_t kTermsTogether = 1;

// Convolution: columns of which x is read at a time; weights that pass for each tile of columns: all where they are no
// more bytes than kWeightBytes, else one tile's.
constexpr std::size_t kLaneColumns = 512;
constexpr std::size_t kWeightBytes = std::size_t{20} << 10, kWeightPart = 0;

// Sums of columns: rows x vectors of a tile (as few as can be), and how many columns
// ahead is prefetched, or 0 for 16 rows.
constexpr std::size_t kSumRows = 4;
constexpr std::size_t kSumVectors = 1;
constexpr std::size_t kSumAhead = 256;

constexpr bool kReadsTwoStreams = false;  // whether memory is read faster so

}  // namespace
}  // namespace evenkeel
