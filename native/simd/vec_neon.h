// 16 float lanes in four q registers, 8 double lanes in four. AArch64 Advanced SIMD.
// Contract shared by every vec_*.h: docs/architecture.md, "An instruction set".
#pragma once

#include <arm_neon.h>

#include <cstddef>

#include "halves.h"

namespace evenkeel {
namespace {

struct QuarterF {
  using Value = float;
  static constexpr std::size_t kLanes = 4;
  float32x4_t v;

  static inline QuarterF broadcast(float s) { return {vdupq_n_f32(s)}; }
  static inline QuarterF zero() { return broadcast(0.0f); }
  static inline QuarterF load(const float* p) { return {vld1q_f32(p)}; }
  static inline QuarterF load_partial(const float* p, std::size_t n, QuarterF fill) {
    float lanes[kLanes];
    fill.store(lanes);
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  inline void store(float* p) const { vst1q_f32(p, v); }
  inline void stream(float* p) const { store(p); }
  inline void store_partial(float* p, std::size_t n) const {
    float lanes[kLanes];
    store(lanes);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
};

inline QuarterF operator+(QuarterF x, QuarterF y) { return {vaddq_f32(x.v, y.v)}; }
inline QuarterF operator-(QuarterF x, QuarterF y) { return {vsubq_f32(x.v, y.v)}; }
inline QuarterF operator*(QuarterF x, QuarterF y) { return {vmulq_f32(x.v, y.v)}; }
inline QuarterF fused(QuarterF x, QuarterF y, QuarterF z) { return {vfmaq_f32(z.v, x.v, y.v)}; }

struct QuarterD {
  using Value = double;
  static constexpr std::size_t kLanes = 2;
  float64x2_t v;

  static inline QuarterD broadcast(double s) { return {vdupq_n_f64(s)}; }
  static inline QuarterD zero() { return broadcast(0.0); }
  static inline QuarterD load(const double* p) { return {vld1q_f64(p)}; }
  static inline QuarterD load_partial(const double* p, std::size_t n, QuarterD fill) {
    double lanes[kLanes];
    fill.store(lanes);
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  inline void store(double* p) const { vst1q_f64(p, v); }
  inline void stream(double* p) const { store(p); }
  inline void store_partial(double* p, std::size_t n) const {
    double lanes[kLanes];
    store(lanes);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
};

inline QuarterD operator+(QuarterD x, QuarterD y) { return {vaddq_f64(x.v, y.v)}; }
inline QuarterD operator-(QuarterD x, QuarterD y) { return {vsubq_f64(x.v, y.v)}; }
inline QuarterD operator*(QuarterD x, QuarterD y) { return {vmulq_f64(x.v, y.v)}; }

// a < 0 ? 0 : a (NaN and -0 stay), and a <= 0 ? 0 : b.
inline QuarterF positive_part(QuarterF x) {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  return {vbslq_f32(vcltq_f32(x.v, zero), zero, x.v)};
}
inline QuarterD positive_part(QuarterD x) {
  const float64x2_t zero = vdupq_n_f64(0.0);
  return {vbslq_f64(vcltq_f64(x.v, zero), zero, x.v)};
}
inline QuarterF where_positive(QuarterF x, QuarterF y) {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  return {vbslq_f32(vcleq_f32(x.v, zero), zero, y.v)};
}
inline QuarterD where_positive(QuarterD x, QuarterD y) {
  const float64x2_t zero = vdupq_n_f64(0.0);
  return {vbslq_f64(vcleq_f64(x.v, zero), zero, y.v)};
}

inline double fold(QuarterD x) { return vgetq_lane_f64(x.v, 0) + vgetq_lane_f64(x.v, 1); }

using RegF = float __attribute__((vector_size(16)));
using RegD = double __attribute__((vector_size(16)));

inline RegF fused(RegF a, RegF b, RegF c) {
  return (RegF)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
inline RegD fused(RegD a, RegD b, RegD c) {
  return (RegD)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
inline RegF fused_minus(RegF a, RegF b, RegF c) {
  return (RegF)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
inline RegF root(RegF x) { return (RegF)vsqrtq_f32((float32x4_t)x); }
inline RegD root(RegD x) { return (RegD)vsqrtq_f64((float64x2_t)x); }
inline RegF smaller(RegF a, RegF b) { return a < b ? a : b; }
inline RegF larger(RegF a, RegF b) { return a > b ? a : b; }
inline bool all_between(RegF x, float least, float most) {
  const uint32x4_t high = vcgeq_f32((float32x4_t)x, vdupq_n_f32(least));
  const uint32x4_t low = vcleq_f32((float32x4_t)x, vdupq_n_f32(most));
  return vminvq_u32(vandq_u32(high, low)) != 0;
}
// 16 floats are the four registers of one look-up, which takes each byte by its number.
#define EVENKEEL_CHOOSES_FLOATS
EVENKEEL_INLINE RegF chosen(const float (&table)[16], decltype(RegF{} < RegF{}) index) {
  const unsigned char* const bytes = reinterpret_cast<const unsigned char*>(table);
  const uint8x16x4_t all = {
      {vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
  const uint32x4_t first = vmulq_n_u32(vreinterpretq_u32_s32((int32x4_t)(index & 15)), 0x04040404u);
  const uint32x4_t each = vaddq_u32(first, vdupq_n_u32(0x03020100u));
  return (RegF)vreinterpretq_f32_u8(vqtbl4q_u8(all, vreinterpretq_u8_u32(each)));
}
template <class Function, class... More>
EVENKEEL_INLINE QuarterF by_register(const Function& f, QuarterF x, More... more) {
  return {(float32x4_t)f((RegF)x.v, (RegF)more.v...)};
}
template <class Function, class... More>
EVENKEEL_INLINE QuarterD by_register(const Function& f, QuarterD x, More... more) {
  return {(float64x2_t)f((RegD)x.v, (RegD)more.v...)};
}

using VecF = Halves<Halves<QuarterF>>;
using VecD = Halves<Halves<QuarterD>>;

inline Halves<QuarterD> widen(QuarterF x) {
  return {{vcvt_f64_f32(vget_low_f32(x.v))}, {vcvt_high_f64_f32(x.v)}};
}
inline VecD load_widened(const float* p) { return widen(Halves<QuarterF>::load(p)); }

inline QuarterF& quarter(VecF& x, std::size_t q) {
  Halves<QuarterF>& half = q < 2 ? x.a : x.b;
  return q % 2 == 0 ? half.a : half.b;
}
// Four columns of 16 rows, `stride` apart, each as one vector.
inline void load_columns(const float* p, std::size_t stride, VecF columns[4]) {
  for (std::size_t q = 0; q < 4; ++q) {
    const float* row = p + 4 * q * stride;
    const float32x4_t r0 = vld1q_f32(row), r1 = vld1q_f32(row + stride);
    const float32x4_t r2 = vld1q_f32(row + 2 * stride), r3 = vld1q_f32(row + 3 * stride);
    const float64x2_t a = vreinterpretq_f64_f32(vzip1q_f32(r0, r1));
    const float64x2_t b = vreinterpretq_f64_f32(vzip1q_f32(r2, r3));
    const float64x2_t c = vreinterpretq_f64_f32(vzip2q_f32(r0, r1));
    const float64x2_t d = vreinterpretq_f64_f32(vzip2q_f32(r2, r3));
    quarter(columns[0], q).v = vreinterpretq_f32_f64(vzip1q_f64(a, b));
    quarter(columns[1], q).v = vreinterpretq_f32_f64(vzip2q_f64(a, b));
    quarter(columns[2], q).v = vreinterpretq_f32_f64(vzip1q_f64(c, d));
    quarter(columns[3], q).v = vreinterpretq_f32_f64(vzip2q_f64(c, d));
  }
}

// 8 words in the low halves of 64-bit lanes; what is in the high halves does not matter.
struct QuarterW {
  using Value = unsigned long long;
  static constexpr std::size_t kLanes = 2;
  uint64x2_t v;

  static inline QuarterW broadcast(unsigned long long s) { return {vdupq_n_u64(s)}; }
  static inline QuarterW load(const unsigned long long* p) {
    // created, not loaded: std::uint64_t may be another type than this one
    return {vcombine_u64(vcreate_u64(p[0]), vcreate_u64(p[1]))};
  }
};
using VecW = Halves<Halves<QuarterW>>;

inline QuarterW operator+(QuarterW x, QuarterW y) { return {vaddq_u64(x.v, y.v)}; }
inline QuarterW operator^(QuarterW x, QuarterW y) { return {veorq_u64(x.v, y.v)}; }
inline QuarterW multiply_low(QuarterW x, QuarterW y) {  // 64-bit products
  return {vmull_u32(vmovn_u64(x.v), vmovn_u64(y.v))};
}
inline QuarterW high_half(QuarterW x) { return {vshrq_n_u64(x.v, 32)}; }
inline void store_low(QuarterW x, unsigned int* p) { vst1_u32(p, vmovn_u64(x.v)); }
inline void store_low(VecW x, unsigned int* p) {
  store_low(x.a.a, p);
  store_low(x.a.b, p + 2);
  store_low(x.b.a, p + 4);
  store_low(x.b.b, p + 6);
}

// Spelled in assembly: see vec_avx512.h.
inline void prefetch(const void* p) {
#if defined(__GNUC__)
  __asm__ __volatile__("prfm pldl1keep, %0" : : "Q"(*static_cast<const char*>(p)));
#else
  (void)p;
#endif
}
inline void stream_fence() {}

// Whether `fused` is one instruction, of RegF and of RegD.
constexpr bool kFusesAtOnce = true;
// Whether long formulas are walked in two loops.
constexpr bool kSplitsFormulas = false;

// Matrix multiply: rows x vectors of the register tile (6 x 4 q = 24 of 32 registers accumulate).
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileRowStep = 2;
constexpr std::size_t kTileVectors = 1;
// Terms of a tile's loop that are written out.
constexpr std::size_t kTermsTogether = 1;

// Convolution: columns of which x is read at a time; weights that pass for each tile of columns: all where they are no
// more bytes than kWeightBytes, else one tile's.
constexpr std::size_t kLaneColumns = 512;
constexpr std::size_t kWeightBytes = std::size_t{20} << 10, kWeightPart = 0;

// Sums of columns: rows x vectors of a tile (8 origin + 16 sums = 24 of 32 registers), and how many columns
// ahead is prefetched, or 0 for 16 rows.
constexpr std::size_t kSumRows = 4;
constexpr std::size_t kSumVectors = 1;
constexpr std::size_t kSumAhead = 256;

constexpr bool kReadsTwoStreams = false;  // whether memory is read faster so

}  // namespace
}  // namespace evenkeel
