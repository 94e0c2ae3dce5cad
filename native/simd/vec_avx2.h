// 16 float lanes in two ymm registers, 8 double lanes in two. AVX2 and FMA.
// Contract shared by every vec_*.h: docs/architecture.md, "A kernel family".
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace evenkeel {
namespace {

// Sliding window over 8 ones and 8 zeros: the mask of the first n lanes starts at 8 - n.
alignas(32) constexpr int kMaskWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                             0,  0,  0,  0,  0,  0,  0,  0};

inline __m256i mask8(std::size_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskWindow + 8 - (n < 8 ? n : 8)));
}
inline __m256i mask4(std::size_t n) {
  return _mm256_cvtepi32_epi64(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMaskWindow + 8 - (n < 4 ? n : 4))));
}
inline std::size_t beyond(std::size_t n, std::size_t first) { return n > first ? n - first : 0; }

struct VecF {
  static constexpr std::size_t kLanes = 16;
  __m256 a, b;

  static inline VecF zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static inline VecF broadcast(float s) { return {_mm256_set1_ps(s), _mm256_set1_ps(s)}; }
  static inline VecF load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static inline VecF load_partial(const float* p, std::size_t n, VecF fill) {
    const __m256i m = mask8(n), k = mask8(beyond(n, 8));
    return {_mm256_blendv_ps(fill.a, _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m)),
            _mm256_blendv_ps(fill.b, _mm256_maskload_ps(p + 8, k), _mm256_castsi256_ps(k))};
  }
  inline void store(float* p) const {
    _mm256_storeu_ps(p, a);
    _mm256_storeu_ps(p + 8, b);
  }
  inline void stream(float* p) const {
    _mm256_stream_ps(p, a);
    _mm256_stream_ps(p + 8, b);
  }
  inline void store_partial(float* p, std::size_t n) const {
    _mm256_maskstore_ps(p, mask8(n), a);
    _mm256_maskstore_ps(p + 8, mask8(beyond(n, 8)), b);
  }
};

inline VecF operator+(VecF x, VecF y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
inline VecF operator-(VecF x, VecF y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
inline VecF operator*(VecF x, VecF y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
inline VecF fused(VecF x, VecF y, VecF z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}

struct VecD {
  static constexpr std::size_t kLanes = 8;
  __m256d a, b;

  static inline VecD zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
  static inline VecD broadcast(double s) { return {_mm256_set1_pd(s), _mm256_set1_pd(s)}; }
  static inline VecD load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
  static inline VecD load_partial(const double* p, std::size_t n, VecD fill) {
    const __m256i m = mask4(n), k = mask4(beyond(n, 4));
    return {_mm256_blendv_pd(fill.a, _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m)),
            _mm256_blendv_pd(fill.b, _mm256_maskload_pd(p + 4, k), _mm256_castsi256_pd(k))};
  }
  inline void store(double* p) const {
    _mm256_storeu_pd(p, a);
    _mm256_storeu_pd(p + 4, b);
  }
  inline void stream(double* p) const {
    _mm256_stream_pd(p, a);
    _mm256_stream_pd(p + 4, b);
  }
  inline void store_partial(double* p, std::size_t n) const {
    _mm256_maskstore_pd(p, mask4(n), a);
    _mm256_maskstore_pd(p + 4, mask4(beyond(n, 4)), b);
  }
};

inline VecD operator+(VecD x, VecD y) { return {_mm256_add_pd(x.a, y.a), _mm256_add_pd(x.b, y.b)}; }
inline VecD operator-(VecD x, VecD y) { return {_mm256_sub_pd(x.a, y.a), _mm256_sub_pd(x.b, y.b)}; }
inline VecD operator*(VecD x, VecD y) { return {_mm256_mul_pd(x.a, y.a), _mm256_mul_pd(x.b, y.b)}; }

// a < 0 ? 0 : a (NaN and -0 stay), and a <= 0 ? 0 : b.
inline VecF positive_part(VecF x) {
  const __m256 zero = _mm256_setzero_ps();
  return {_mm256_max_ps(zero, x.a), _mm256_max_ps(zero, x.b)};
}
inline VecD positive_part(VecD x) {
  const __m256d zero = _mm256_setzero_pd();
  return {_mm256_max_pd(zero, x.a), _mm256_max_pd(zero, x.b)};
}
inline VecF where_positive(VecF x, VecF y) {
  const __m256 zero = _mm256_setzero_ps();
  return {_mm256_and_ps(_mm256_cmp_ps(x.a, zero, _CMP_NLE_UQ), y.a),
          _mm256_and_ps(_mm256_cmp_ps(x.b, zero, _CMP_NLE_UQ), y.b)};
}
inline VecD where_positive(VecD x, VecD y) {
  const __m256d zero = _mm256_setzero_pd();
  return {_mm256_and_pd(_mm256_cmp_pd(x.a, zero, _CMP_NLE_UQ), y.a),
          _mm256_and_pd(_mm256_cmp_pd(x.b, zero, _CMP_NLE_UQ), y.b)};
}

inline VecD widen(__m256 eight) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(eight)),
          _mm256_cvtps_pd(_mm256_extractf128_ps(eight, 1))};
}
inline VecD widen_low(VecF x) { return widen(x.a); }
inline VecD widen_high(VecF x) { return widen(x.b); }

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
  for (std::size_t i = 0; i < 4; ++i) columns[i] = {upper[i], lower[i]};
}

inline VecD load_widened(const float* p) {
  return {_mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4))};
}

// The fixed tree 8 -> 4 -> 2 -> 1: lane i meets i+4, then i+2, then i+1.
inline double fold(VecD x) {
  const __m256d four = _mm256_add_pd(x.a, x.b);
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// 8 words in the low halves of 64-bit lanes; what is in the high halves does not matter.
struct VecW {
  static constexpr std::size_t kLanes = 8;
  __m256i a, b;

  static inline VecW broadcast(unsigned long long s) {
    const __m256i v = _mm256_set1_epi64x(static_cast<long long>(s));
    return {v, v};
  }
  static inline VecW load(const unsigned long long* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 4))};
  }
  inline void store_low(unsigned int* p) const {
    // Low halves of a0 a1 b0 b1 | a2 a3 b2 b3, and the middle quarters change places.
    const __m256 low = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_permute4x64_epi64(_mm256_castps_si256(low), 0xd8));
  }
};

inline VecW operator+(VecW x, VecW y) {
  return {_mm256_add_epi64(x.a, y.a), _mm256_add_epi64(x.b, y.b)};
}
inline VecW operator^(VecW x, VecW y) {
  return {_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b)};
}
inline VecW multiply_low(VecW x, VecW y) {  // 64-bit products
  return {_mm256_mul_epu32(x.a, y.a), _mm256_mul_epu32(x.b, y.b)};
}
inline VecW high_half(VecW x) { return {_mm256_srli_epi64(x.a, 32), _mm256_srli_epi64(x.b, 32)}; }

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

// Matrix multiply: rows x vectors of the register tile (6 x 2 ymm = 12 of 16 registers accumulate).
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileRowStep = 2;
constexpr std::size_t kTileVectors = 1;

}  // namespace
}  // namespace evenkeel
