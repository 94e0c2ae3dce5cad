// 16 float lanes in two ymm registers, 8 double lanes in two. AVX2 and FMA.
// Contract shared by every vec_*.h: docs/architecture.md, "An instruction set".
// Longer than 250 lines because one file has all that an instruction set defines.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "halves.h"

namespace evenkeel {
namespace {

// Sliding window over 8 ones and 8 zeros: the mask of the first n lanes starts at 8 - n.
alignas(32) constexpr int kMaskWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                             0,  0,  0,  0,  0,  0,  0,  0};

struct HalfF {
  using Value = float;
  static constexpr std::size_t kLanes = 8;
  __m256 v;

  static inline HalfF zero() { return {_mm256_setzero_ps()}; }
  static inline HalfF broadcast(float s) { return {_mm256_set1_ps(s)}; }
  static inline HalfF load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static inline HalfF load_partial(const float* p, std::size_t n, HalfF fill) {
    const __m256i m = mask(n);
    return {_mm256_blendv_ps(fill.v, _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m))};
  }
  inline void store(float* p) const { _mm256_storeu_ps(p, v); }
  inline void stream(float* p) const { _mm256_stream_ps(p, v); }
  // In powers of two: a masked store takes some 50 cycles on AMD.
  inline void store_partial(float* p, std::size_t n) const {
    if (n == kLanes) return store(p);
    __m128 rest = _mm256_castps256_ps128(v);
    if ((n & 4) != 0) {
      _mm_storeu_ps(p, rest);
      rest = _mm256_extractf128_ps(v, 1);
      p += 4;
    }
    if ((n & 2) != 0) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
      rest = _mm_movehl_ps(rest, rest);
      p += 2;
    }
    if ((n & 1) != 0) _mm_store_ss(p, rest);
  }

 private:
  static inline __m256i mask(std::size_t n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskWindow + 8 - n));
  }
};

inline HalfF operator+(HalfF x, HalfF y) { return {_mm256_add_ps(x.v, y.v)}; }
inline HalfF operator-(HalfF x, HalfF y) { return {_mm256_sub_ps(x.v, y.v)}; }
inline HalfF operator*(HalfF x, HalfF y) { return {_mm256_mul_ps(x.v, y.v)}; }
inline HalfF fused(HalfF x, HalfF y, HalfF z) { return {_mm256_fmadd_ps(x.v, y.v, z.v)}; }
#if defined(__GNUC__)
// sum += x y where the sum is. Of the intrinsic GCC 12 also makes forms whose result is in the register of a factor, and
// then moves and spills sums.
#define EVENKEEL_ADDS_IN_PLACE
EVENKEEL_INLINE void add_fused(HalfF& sum, HalfF x, HalfF y) {
  __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum.v) : "x"(x.v), "x"(y.v));
}
#endif

struct HalfD {
  using Value = double;
  static constexpr std::size_t kLanes = 4;
  __m256d v;

  static inline HalfD zero() { return {_mm256_setzero_pd()}; }
  static inline HalfD broadcast(double s) { return {_mm256_set1_pd(s)}; }
  static inline HalfD load(const double* p) { return {_mm256_loadu_pd(p)}; }
  static inline HalfD load_partial(const double* p, std::size_t n, HalfD fill) {
    const __m256i m = mask(n);
    return {_mm256_blendv_pd(fill.v, _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m))};
  }
  inline void store(double* p) const { _mm256_storeu_pd(p, v); }
  inline void stream(double* p) const { _mm256_stream_pd(p, v); }
  inline void store_partial(double* p, std::size_t n) const {
    if (n == kLanes) return store(p);
    __m128d rest = _mm256_castpd256_pd128(v);
    if ((n & 2) != 0) {
      _mm_storeu_pd(p, rest);
      rest = _mm256_extractf128_pd(v, 1);
      p += 2;
    }
    if ((n & 1) != 0) _mm_store_sd(p, rest);
  }

 private:
  static inline __m256i mask(std::size_t n) {
    return _mm256_cvtepi32_epi64(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMaskWindow + 8 - n)));
  }
};

inline HalfD operator+(HalfD x, HalfD y) { return {_mm256_add_pd(x.v, y.v)}; }
inline HalfD operator-(HalfD x, HalfD y) { return {_mm256_sub_pd(x.v, y.v)}; }
inline HalfD operator*(HalfD x, HalfD y) { return {_mm256_mul_pd(x.v, y.v)}; }
// sum + x, x - y and sum + a b of what has been floats (wide.h). Zen converts where it adds: products with 1 leave these
// units to the conversions (16 KB, a sum: 4.4 cycles a line of 64 bytes by additions).
#define EVENKEEL_ADDS_BY_PRODUCTS
inline HalfD added(HalfD sum, HalfD x) {
  return {_mm256_fmadd_pd(x.v, _mm256_set1_pd(1.0), sum.v)};
}
inline HalfD less(HalfD x, HalfD y) { return {_mm256_fnmadd_pd(y.v, _mm256_set1_pd(1.0), x.v)}; }

// a < 0 ? 0 : a (NaN and -0 stay), and a <= 0 ? 0 : b.
inline HalfF positive_part(HalfF x) { return {_mm256_max_ps(_mm256_setzero_ps(), x.v)}; }
inline HalfD positive_part(HalfD x) { return {_mm256_max_pd(_mm256_setzero_pd(), x.v)}; }
inline HalfF where_positive(HalfF x, HalfF y) {
  return {_mm256_and_ps(_mm256_cmp_ps(x.v, _mm256_setzero_ps(), _CMP_NLE_UQ), y.v)};
}
inline HalfD where_positive(HalfD x, HalfD y) {
  return {_mm256_and_pd(_mm256_cmp_pd(x.v, _mm256_setzero_pd(), _CMP_NLE_UQ), y.v)};
}

// The fixed tree 4 -> 2 -> 1: lane i meets i + 2, then i + 1.
inline double fold(HalfD x) {
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(x.v), _mm256_extractf128_pd(x.v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

using RegF = float __attribute__((vector_size(32)));
using RegD = double __attribute__((vector_size(32)));

inline RegF fused(RegF a, RegF b, RegF c) {
  return (RegF)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
inline RegD fused(RegD a, RegD b, RegD c) {
  return (RegD)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
inline RegF fused_minus(RegF a, RegF b, RegF c) {
  return (RegF)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
inline RegF root(RegF x) { return (RegF)_mm256_sqrt_ps((__m256)x); }
inline RegD root(RegD x) { return (RegD)_mm256_sqrt_pd((__m256d)x); }
inline RegF smaller(RegF a, RegF b) { return (RegF)_mm256_min_ps((__m256)a, (__m256)b); }
inline RegF larger(RegF a, RegF b) { return (RegF)_mm256_max_ps((__m256)a, (__m256)b); }
inline bool all_between(RegF x, float least, float most) {
  const __m256 high = _mm256_cmp_ps((__m256)x, _mm256_set1_ps(least), _CMP_GE_OQ);
  const __m256 low = _mm256_cmp_ps((__m256)x, _mm256_set1_ps(most), _CMP_LE_OQ);
  return _mm256_movemask_ps(_mm256_and_ps(high, low)) == 0xff;
}
// Registers of floats that a long formula takes together (together.h).
#define EVENKEEL_TOGETHER 4
// Of bits without a sign: the larger ones, and whether none is more.
using RegI = decltype(RegF{} < RegF{});
inline RegI larger_bits(RegI a, RegI b) { return (RegI)_mm256_max_epu32((__m256i)a, (__m256i)b); }
inline bool no_bits_above(RegI x, int most) {
  const __m256i bound = _mm256_set1_epi32(most);
  const __m256i is = _mm256_cmpeq_epi32(_mm256_max_epu32((__m256i)x, bound), bound);
  return _mm256_movemask_epi8(is) == -1;
}
using RegL = decltype(RegD{} < RegD{});
#define EVENKEEL_ASKS_FOR_NUMBERS
EVENKEEL_INLINE bool all_numbers(RegF a, RegF b, RegF c, RegF d) {
  const __m256 two = _mm256_cmp_ps((__m256)a, (__m256)b, _CMP_ORD_Q);
  return _mm256_movemask_ps(_mm256_and_ps(two, _mm256_cmp_ps((__m256)c, (__m256)d, _CMP_ORD_Q))) ==
         0xff;
}
#define EVENKEEL_CHOOSES
#define EVENKEEL_CHOOSES_FLOATS
EVENKEEL_INLINE RegF chosen(const float (&table)[16], decltype(RegF{} < RegF{}) index) {
  const __m256i at = (__m256i)index;
  const __m256 low = _mm256_loadu_ps(table);
  const __m256 other = _mm256_xor_ps(low, _mm256_loadu_ps(table + 8));
  const __m256 is_high = _mm256_castsi256_ps(_mm256_srai_epi32(_mm256_slli_epi32(at, 28), 31));
  const __m256 change = _mm256_and_ps(_mm256_permutevar8x32_ps(other, at), is_high);
  return (RegF)_mm256_xor_ps(_mm256_permutevar8x32_ps(low, at), change);
}
// Loads in place of gathers, which take 8 cycles a register on Zen 3, and more on Intel's where microcode guards them.
#define EVENKEEL_CHOOSES_PAIRS
struct LanesOfTable {
  unsigned long long at[4];

  EVENKEEL_INLINE explicit LanesOfTable(RegL index) {
    const __m256i whole = _mm256_and_si256((__m256i)index, _mm256_set1_epi64x(15));
    const __m128i low = _mm256_castsi256_si128(whole), high = _mm256_extracti128_si256(whole, 1);
    at[0] = static_cast<unsigned long long>(_mm_cvtsi128_si64(low));
    at[1] = static_cast<unsigned long long>(_mm_extract_epi64(low, 1));
    at[2] = static_cast<unsigned long long>(_mm_cvtsi128_si64(high));
    at[3] = static_cast<unsigned long long>(_mm_extract_epi64(high, 1));
  }
};
EVENKEEL_INLINE RegD chosen(const double (&table)[16], RegL index) {
  const LanesOfTable lanes(index);
  const auto two = [&](std::size_t i) EVENKEEL_INLINED {
    return _mm_loadh_pd(_mm_load_sd(table + lanes.at[i]), table + lanes.at[i + 1]);
  };
  return (RegD)_mm256_insertf128_pd(_mm256_castpd128_pd256(two(0)), two(2), 1);
}
EVENKEEL_INLINE void chosen(const double (&pairs)[16][2], RegL index, RegD& first, RegD& second) {
  const LanesOfTable lanes(index);
  const auto two = [&](std::size_t i) EVENKEEL_INLINED {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_load_pd(pairs[lanes.at[i]])),
                                _mm_load_pd(pairs[lanes.at[i + 2]]), 1);
  };
  const __m256d a = two(0), b = two(1);
  first = (RegD)_mm256_unpacklo_pd(a, b);
  second = (RegD)_mm256_unpackhi_pd(a, b);
}
EVENKEEL_INLINE bool all_between(RegD x, double least, double most) {
  const __m256d high = _mm256_cmp_pd((__m256d)x, _mm256_set1_pd(least), _CMP_GE_OQ);
  const __m256d low = _mm256_cmp_pd((__m256d)x, _mm256_set1_pd(most), _CMP_LE_OQ);
  return _mm256_movemask_pd(_mm256_and_pd(high, low)) == 0xf;
}
template <class Function, class... More>
EVENKEEL_INLINE HalfF by_register(const Function& f, HalfF x, More... more) {
  return {(__m256)f((RegF)x.v, (RegF)more.v...)};
}
template <class Function, class... More>
EVENKEEL_INLINE HalfD by_register(const Function& f, HalfD x, More... more) {
  return {(__m256d)f((RegD)x.v, (RegD)more.v...)};
}

using VecF = Halves<HalfF>;
using VecD = Halves<HalfD>;

inline VecD widen(HalfF x) {
  return {{_mm256_cvtps_pd(_mm256_castps256_ps128(x.v))},
          {_mm256_cvtps_pd(_mm256_extractf128_ps(x.v, 1))}};
}

// Four columns of 8 rows, `stride` apart.
inline void load_columns(const float* p, std::size_t stride, __m256 columns[4]) {
  __m256 rows[4];  // half h of rows[i]: row i + 4 h
  for (std::size_t i = 0; i < 4; ++i) {
    const float* row = p + i * stride;
    rows[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row)),
                                   _mm_loadu_ps(row + 4 * stride), 1);
  }
  const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(rows[0], rows[1]));
  const __m256d b = _mm256_castps_pd(_mm256_unpacklo_ps(rows[2], rows[3]));
  const __m256d c = _mm256_castps_pd(_mm256_unpackhi_ps(rows[0], rows[1]));
  const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(rows[2], rows[3]));
  columns[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
  columns[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
  columns[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(c, d));
  columns[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(c, d));
}
// Four columns of 16 rows, each as one vector.
inline void load_columns(const float* p, std::size_t stride, VecF columns[4]) {
  __m256 upper[4], lower[4];
  load_columns(p, stride, upper);
  load_columns(p + 8 * stride, stride, lower);
  for (std::size_t i = 0; i < 4; ++i) columns[i] = {{upper[i]}, {lower[i]}};
}

// What 8 windows of kTaps values, kStride apart, read: value j of each in columns[j], in lanes that `in_order` of the stride
// puts in their order. Of windows three apart, two values behind the last are read too.
#define EVENKEEL_LOADS_WINDOWS
template <std::size_t kStride, std::size_t kTaps>
EVENKEEL_INLINE void load_windows(const float* p, RegF (&columns)[kTaps]) {
  if constexpr (kStride == 1) {
    for (std::size_t j = 0; j < kTaps; ++j) columns[j] = (RegF)_mm256_loadu_ps(p + j);
  } else if constexpr (kStride == 2) {
    const __m256 a = _mm256_loadu_ps(p), b = _mm256_loadu_ps(p + 8);
    columns[0] = (RegF)_mm256_shuffle_ps(a, b, 0x88);
    columns[1] = (RegF)_mm256_shuffle_ps(a, b, 0xdd);
    if constexpr (kTaps == 3) {  // of the second load the odd ones: nothing behind the last is read
      columns[2] = (RegF)_mm256_shuffle_ps(_mm256_loadu_ps(p + 2), _mm256_loadu_ps(p + 9), 0xd8);
    }
  } else if constexpr (kStride == 3) {
    for (std::size_t j = 0; j < kTaps; ++j) {
      const __m256 a = _mm256_loadu_ps(p + j), b = _mm256_loadu_ps(p + j + 8);
      columns[j] =
          (RegF)_mm256_blend_ps(_mm256_blend_ps(a, b, 0x92), _mm256_loadu_ps(p + j + 16), 0x24);
    }
  } else {
    static_assert(kStride == 4 && kTaps == 4);
    const __m256 a = _mm256_loadu_ps(p), b = _mm256_loadu_ps(p + 8);
    const __m256 c = _mm256_loadu_ps(p + 16), d = _mm256_loadu_ps(p + 24);
    const __m256d ab = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
    const __m256d cd = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
    const __m256d ab_high = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
    const __m256d cd_high = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
    columns[0] = (RegF)_mm256_unpacklo_pd(ab, cd);
    columns[1] = (RegF)_mm256_unpackhi_pd(ab, cd);
    columns[2] = (RegF)_mm256_unpacklo_pd(ab_high, cd_high);
    columns[3] = (RegF)_mm256_unpackhi_pd(ab_high, cd_high);
  }
}
template <std::size_t kStride>
EVENKEEL_INLINE RegF in_order(RegF x) {
  if constexpr (kStride == 2) {
    return (RegF)_mm256_permute4x64_pd((__m256d)x, 0xd8);
  } else if constexpr (kStride == 3) {
    return (RegF)_mm256_permutevar8x32_ps((__m256)x, _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5));
  } else if constexpr (kStride == 4) {
    return (RegF)_mm256_permutevar8x32_ps((__m256)x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  } else {
    return x;
  }
}
// Sums of 4 windows of four values side by side, each in its order: converted as they are loaded, which takes less than
// from the halves of a register (8 windows: 13 cycles, by load_windows 21).
EVENKEEL_INLINE RegD sums_of_four(const float* p) {
  const __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(p)), b = _mm256_cvtps_pd(_mm_loadu_ps(p + 4));
  const __m256d c = _mm256_cvtps_pd(_mm_loadu_ps(p + 8)), d = _mm256_cvtps_pd(_mm_loadu_ps(p + 12));
  const __m256d ab_even = _mm256_unpacklo_pd(a, b), ab_odd = _mm256_unpackhi_pd(a, b);
  const __m256d cd_even = _mm256_unpacklo_pd(c, d), cd_odd = _mm256_unpackhi_pd(c, d);
  const __m256d two =
      _mm256_permute2f128_pd(_mm256_add_pd(ab_even, ab_odd), _mm256_add_pd(cd_even, cd_odd), 0x20);
  const __m256d three = _mm256_add_pd(two, _mm256_permute2f128_pd(ab_even, cd_even, 0x31));
  return (RegD)_mm256_add_pd(three, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x31));
}
// The 8 doubles, each rounded to a float.
EVENKEEL_INLINE RegF narrowed(RegD low, RegD high) {
  return (RegF)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low)),
                                    _mm256_cvtpd_ps((__m256d)high), 1);
}

// a0 b0 a1 b1 ..., in two.
EVENKEEL_INLINE void interleave(RegF a, RegF b, RegF (&both)[2]) {
  const __m256 low = _mm256_unpacklo_ps((__m256)a, (__m256)b);
  const __m256 high = _mm256_unpackhi_ps((__m256)a, (__m256)b);
  both[0] = (RegF)_mm256_permute2f128_ps(low, high, 0x20);
  both[1] = (RegF)_mm256_permute2f128_ps(low, high, 0x31);
}
// Each value kTimes, in as many registers: 3 or 4.
template <std::size_t kTimes>
EVENKEEL_INLINE void repeat(RegF x, RegF (&repeated)[kTimes]) {
  if constexpr (kTimes == 3) {
    const auto of = [=](__m256i places) EVENKEEL_INLINED {
      return (RegF)_mm256_permutevar8x32_ps((__m256)x, places);
    };
    repeated[0] = of(_mm256_setr_epi32(0, 0, 0, 1, 1, 1, 2, 2));
    repeated[1] = of(_mm256_setr_epi32(2, 3, 3, 3, 4, 4, 4, 5));
    repeated[2] = of(_mm256_setr_epi32(5, 5, 6, 6, 6, 7, 7, 7));
  } else {
    static_assert(kTimes == 4);
    const __m256 two =
        _mm256_permutevar8x32_ps((__m256)x, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
    repeated[0] = (RegF)_mm256_permute_ps(two, 0x00);
    repeated[1] = (RegF)_mm256_permute_ps(two, 0x55);
    repeated[2] = (RegF)_mm256_permute_ps(two, 0xaa);
    repeated[3] = (RegF)_mm256_permute_ps(two, 0xff);
  }
}

inline VecD load_widened(const float* p) {
  return {{_mm256_cvtps_pd(_mm_loadu_ps(p))}, {_mm256_cvtps_pd(_mm_loadu_ps(p + 4))}};
}

// 8 words in the low halves of 64-bit lanes; what is in the high halves does not matter.
struct HalfW {
  using Value = unsigned long long;
  static constexpr std::size_t kLanes = 4;
  __m256i v;

  static inline HalfW broadcast(unsigned long long s) {
    return {_mm256_set1_epi64x(static_cast<long long>(s))};
  }
  static inline HalfW load(const unsigned long long* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
};
using VecW = Halves<HalfW>;

inline HalfW operator+(HalfW x, HalfW y) { return {_mm256_add_epi64(x.v, y.v)}; }
inline HalfW operator^(HalfW x, HalfW y) { return {_mm256_xor_si256(x.v, y.v)}; }
inline HalfW multiply_low(HalfW x, HalfW y) {
  return {_mm256_mul_epu32(x.v, y.v)};
}  // 64-bit products
inline HalfW high_half(HalfW x) { return {_mm256_srli_epi64(x.v, 32)}; }
inline void store_low(VecW x, unsigned int* p) {
  // Low halves of a0 a1 b0 b1 | a2 a3 b2 b3, and the middle quarters change places.
  const __m256 low =
      _mm256_shuffle_ps(_mm256_castsi256_ps(x.a.v), _mm256_castsi256_ps(x.b.v), 0x88);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm256_permute4x64_epi64(_mm256_castps_si256(low), 0xd8));
}

// Spelled in assembly: GCC 12 drops the intrinsic where the function around it computes a value and
// nothing else (backward of (64, 128, 1024): 4.6 ms with, 6.4 without).
inline void prefetch(const void* p) {
#if defined(__GNUC__)
  __asm__ __volatile__("prefetcht0 %0" : : "m"(*static_cast<const char*>(p)));
#else
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
#endif
}
inline void stream_fence() { _mm_sfence(); }

// Whether `fused` is one instruction, of RegF and of RegD.
constexpr bool kFusesAtOnce = true;
// Whether long formulas are walked in two loops (Zen 3: a quarter of the time less).
constexpr bool kSplitsFormulas = true;

// Matrix multiply: rows x vectors of the register tile (6 x 2 ymm = 12 of 16 registers accumulate).
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileRowStep = 2;
constexpr std::size_t kTileVectors = 1;
// Terms of a tile's loop that are written out: fewer instructions, for a core that two threads share.
constexpr std::size_t kTermsTogether = 4;

// Convolution: columns of which x is read at a time; weights that pass for each tile of columns: all where they are no
// more bytes than kWeightBytes, else parts of kWeightPart. For 512 KB of L2.
constexpr std::size_t kLaneColumns = 256;
constexpr std::size_t kWeightBytes = std::size_t{128} << 10, kWeightPart = kWeightBytes;

// Sums of columns: rows x vectors of a tile (4 origin + 8 sums = 12 of 16 registers), and how many columns
// ahead is prefetched, or 0 for 16 rows.
constexpr std::size_t kSumRows = 4;
constexpr std::size_t kSumVectors = 1;
constexpr std::size_t kSumAhead = 256;

constexpr bool kReadsTwoStreams = true;  // whether memory is read faster so

}  // namespace
}  // namespace evenkeel
