// 16 float lanes in one zmm register, 8 double lanes in another. AVX-512F and nothing newer.
// Contract shared by every vec_*.h: docs/architecture.md, "An instruction set".
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "halves.h"

namespace evenkeel {
namespace {

struct VecF {
  using Value = float;
  static constexpr std::size_t kLanes = 16;
  __m512 v;

  static inline VecF zero() { return {_mm512_setzero_ps()}; }
  static inline VecF broadcast(float s) { return {_mm512_set1_ps(s)}; }
  static inline VecF load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static inline VecF load_partial(const float* p, std::size_t n, VecF fill) {
    return {_mm512_mask_loadu_ps(fill.v, mask(n), p)};
  }
  inline void store(float* p) const { _mm512_storeu_ps(p, v); }
  inline void stream(float* p) const { _mm512_stream_ps(p, v); }
  inline void store_partial(float* p, std::size_t n) const { _mm512_mask_storeu_ps(p, mask(n), v); }

 private:
  static inline __mmask16 mask(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
};

inline VecF operator+(VecF a, VecF b) { return {_mm512_add_ps(a.v, b.v)}; }
inline VecF operator-(VecF a, VecF b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline VecF operator*(VecF a, VecF b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline VecF fused(VecF a, VecF b, VecF c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }

struct VecD {
  using Value = double;
  static constexpr std::size_t kLanes = 8;
  __m512d v;

  static inline VecD zero() { return {_mm512_setzero_pd()}; }
  static inline VecD broadcast(double s) { return {_mm512_set1_pd(s)}; }
  static inline VecD load(const double* p) { return {_mm512_loadu_pd(p)}; }
  static inline VecD load_partial(const double* p, std::size_t n, VecD fill) {
    return {_mm512_mask_loadu_pd(fill.v, mask(n), p)};
  }
  inline void store(double* p) const { _mm512_storeu_pd(p, v); }
  inline void stream(double* p) const { _mm512_stream_pd(p, v); }
  inline void store_partial(double* p, std::size_t n) const {
    _mm512_mask_storeu_pd(p, mask(n), v);
  }

 private:
  static inline __mmask8 mask(std::size_t n) { return static_cast<__mmask8>((1u << n) - 1u); }
};

inline VecD operator+(VecD a, VecD b) { return {_mm512_add_pd(a.v, b.v)}; }
inline VecD operator-(VecD a, VecD b) { return {_mm512_sub_pd(a.v, b.v)}; }
inline VecD operator*(VecD a, VecD b) { return {_mm512_mul_pd(a.v, b.v)}; }

// a < 0 ? 0 : a (NaN and -0 stay), and a <= 0 ? 0 : b.
inline VecF positive_part(VecF a) { return {_mm512_max_ps(_mm512_setzero_ps(), a.v)}; }
inline VecD positive_part(VecD a) { return {_mm512_max_pd(_mm512_setzero_pd(), a.v)}; }
inline VecF where_positive(VecF a, VecF b) {
  const __mmask16 keep = _mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_NLE_UQ);
  return {_mm512_maskz_mov_ps(keep, b.v)};
}
inline VecD where_positive(VecD a, VecD b) {
  const __mmask8 keep = _mm512_cmp_pd_mask(a.v, _mm512_setzero_pd(), _CMP_NLE_UQ);
  return {_mm512_maskz_mov_pd(keep, b.v)};
}

inline Halves<VecD> widen(VecF a) {
  const __m256d high = _mm512_extractf64x4_pd(_mm512_castps_pd(a.v), 1);
  return {{_mm512_cvtps_pd(_mm512_castps512_ps256(a.v))},
          {_mm512_cvtps_pd(_mm256_castpd_ps(high))}};
}

using RegF = float __attribute__((vector_size(64)));
using RegD = double __attribute__((vector_size(64)));

inline RegF fused(RegF a, RegF b, RegF c) {
  return (RegF)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
inline RegD fused(RegD a, RegD b, RegD c) {
  return (RegD)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
inline RegF fused_minus(RegF a, RegF b, RegF c) {
  return (RegF)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
inline RegF root(RegF x) { return (RegF)_mm512_sqrt_ps((__m512)x); }
inline RegD root(RegD x) { return (RegD)_mm512_sqrt_pd((__m512d)x); }
inline RegF smaller(RegF a, RegF b) { return (RegF)_mm512_min_ps((__m512)a, (__m512)b); }
inline RegF larger(RegF a, RegF b) { return (RegF)_mm512_max_ps((__m512)a, (__m512)b); }
#define EVENKEEL_SCALES
inline RegF scaled(RegF x, RegF n) { return (RegF)_mm512_scalef_ps((__m512)x, (__m512)n); }
inline bool all_between(RegF x, float least, float most) {
  const __mmask16 high = _mm512_cmp_ps_mask((__m512)x, _mm512_set1_ps(least), _CMP_GE_OQ);
  return _mm512_mask_cmp_ps_mask(high, (__m512)x, _mm512_set1_ps(most), _CMP_LE_OQ) == 0xffff;
}
using RegL = decltype(RegD{} < RegD{});
#define EVENKEEL_ASKS_FOR_NUMBERS
EVENKEEL_INLINE bool all_numbers(RegF a, RegF b, RegF c, RegF d) {
  const __mmask16 two = _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_ORD_Q);
  return _mm512_mask_cmp_ps_mask(two, (__m512)c, (__m512)d, _CMP_ORD_Q) == 0xffff;
}
#define EVENKEEL_CHOOSES
#define EVENKEEL_CHOOSES_FLOATS
EVENKEEL_INLINE RegF chosen(const float (&table)[16], decltype(RegF{} < RegF{}) index) {
  return (RegF)_mm512_permutexvar_ps((__m512i)index, _mm512_loadu_ps(table));
}
EVENKEEL_INLINE RegD chosen(const double (&table)[16], RegL index) {
  return (RegD)_mm512_permutex2var_pd(_mm512_loadu_pd(table), (__m512i)index,
                                      _mm512_loadu_pd(table + 8));
}
EVENKEEL_INLINE bool all_between(RegD x, double least, double most) {
  const __mmask8 high = _mm512_cmp_pd_mask((__m512d)x, _mm512_set1_pd(least), _CMP_GE_OQ);
  return _mm512_mask_cmp_pd_mask(high, (__m512d)x, _mm512_set1_pd(most), _CMP_LE_OQ) == 0xff;
}
template <class Function, class... More>
EVENKEEL_INLINE VecF by_register(const Function& f, VecF x, More... more) {
  return {(__m512)f((RegF)x.v, (RegF)more.v...)};
}
template <class Function, class... More>
EVENKEEL_INLINE VecD by_register(const Function& f, VecD x, More... more) {
  return {(__m512d)f((RegD)x.v, (RegD)more.v...)};
}

// Four columns of 16 rows, `stride` apart, each as one vector.
inline void load_columns(const float* p, std::size_t stride, VecF columns[4]) {
  __m512 rows[4];  // quarter q of rows[i]: row i + 4 q
  for (std::size_t i = 0; i < 4; ++i) {
    const float* row = p + i * stride;
    __m512 r = _mm512_castps128_ps512(_mm_loadu_ps(row));
    r = _mm512_insertf32x4(r, _mm_loadu_ps(row + 4 * stride), 1);
    r = _mm512_insertf32x4(r, _mm_loadu_ps(row + 8 * stride), 2);
    rows[i] = _mm512_insertf32x4(r, _mm_loadu_ps(row + 12 * stride), 3);
  }
  const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(rows[0], rows[1]));
  const __m512d b = _mm512_castps_pd(_mm512_unpacklo_ps(rows[2], rows[3]));
  const __m512d c = _mm512_castps_pd(_mm512_unpackhi_ps(rows[0], rows[1]));
  const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(rows[2], rows[3]));
  columns[0] = {_mm512_castpd_ps(_mm512_unpacklo_pd(a, b))};
  columns[1] = {_mm512_castpd_ps(_mm512_unpackhi_pd(a, b))};
  columns[2] = {_mm512_castpd_ps(_mm512_unpacklo_pd(c, d))};
  columns[3] = {_mm512_castpd_ps(_mm512_unpackhi_pd(c, d))};
}

// 8 floats from memory: two instructions fewer than by way of a register.
inline VecD load_widened(const float* p) { return {_mm512_cvtps_pd(_mm256_loadu_ps(p))}; }

// The fixed tree 8 -> 4 -> 2 -> 1: lane i meets i+4, then i+2, then i+1.
inline double fold(VecD a) {
  const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(a.v), _mm512_extractf64x4_pd(a.v, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// 8 words in the low halves of 64-bit lanes; what is in the high halves does not matter.
struct VecW {
  static constexpr std::size_t kLanes = 8;
  __m512i v;

  static inline VecW broadcast(unsigned long long s) {
    return {_mm512_set1_epi64(static_cast<long long>(s))};
  }
  static inline VecW load(const unsigned long long* p) { return {_mm512_loadu_si512(p)}; }
};

inline VecW operator+(VecW a, VecW b) { return {_mm512_add_epi64(a.v, b.v)}; }
inline VecW operator^(VecW a, VecW b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline VecW multiply_low(VecW a, VecW b) {
  return {_mm512_mul_epu32(a.v, b.v)};
}  // 64-bit products
inline VecW high_half(VecW a) { return {_mm512_srli_epi64(a.v, 32)}; }
inline void store_low(VecW a, unsigned int* p) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi64_epi32(a.v));
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
// Whether long formulas are walked in two loops.
constexpr bool kSplitsFormulas = false;

// Matrix multiply: rows x vectors of the register tile (24 of 32 registers accumulate).
constexpr std::size_t kTileRows = 12;
constexpr std::size_t kTileRowStep = 4;
constexpr std::size_t kTileVectors = 2;
// Terms of a tile's loop that are written out.
constexpr std::size_t kTermsTogether = 1;

// Convolution: columns of which x is read at a time; weights that pass for each tile of columns: all where they are no
// more bytes than kWeightBytes, else one tile's.
constexpr std::size_t kLaneColumns = 512;
constexpr std::size_t kWeightBytes = std::size_t{20} << 10, kWeightPart = 0;

// Sums of columns: rows x vectors of a tile (4 x (2 origin + 4 sums) = 24 of 32 registers), and how many columns
// ahead is prefetched, or 0 for 16 rows.
constexpr std::size_t kSumRows = 16;
constexpr std::size_t kSumVectors = 4;
constexpr std::size_t kSumAhead = 0;

constexpr bool kReadsTwoStreams = false;  // whether memory is read faster so

}  // namespace
}  // namespace evenkeel
