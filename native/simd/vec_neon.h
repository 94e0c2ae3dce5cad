// 16 float lanes in four q registers, 8 double lanes in four. AArch64 Advanced SIMD.
// Contract shared by every vec_*.h: docs/architecture.md, "A kernel family".
#pragma once

#include <arm_neon.h>

#include <cstddef>

namespace evenkeel {
namespace {

struct VecF {
  static constexpr std::size_t kLanes = 16;
  float32x4_t q[4];

  static inline VecF broadcast(float s) {
    const float32x4_t v = vdupq_n_f32(s);
    return {{v, v, v, v}};
  }
  static inline VecF zero() { return broadcast(0.0f); }
  static inline VecF load(const float* p) {
    return {{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}};
  }
  static inline VecF load_partial(const float* p, std::size_t n, VecF fill) {
    float lanes[kLanes];
    fill.store(lanes);
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  inline void store(float* p) const {
    for (std::size_t i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, q[i]);
  }
  inline void stream(float* p) const { store(p); }
  inline void store_partial(float* p, std::size_t n) const {
    float lanes[kLanes];
    store(lanes);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
};

inline VecF operator+(VecF x, VecF y) {
  return {{vaddq_f32(x.q[0], y.q[0]), vaddq_f32(x.q[1], y.q[1]), vaddq_f32(x.q[2], y.q[2]),
           vaddq_f32(x.q[3], y.q[3])}};
}
inline VecF operator-(VecF x, VecF y) {
  return {{vsubq_f32(x.q[0], y.q[0]), vsubq_f32(x.q[1], y.q[1]), vsubq_f32(x.q[2], y.q[2]),
           vsubq_f32(x.q[3], y.q[3])}};
}
inline VecF operator*(VecF x, VecF y) {
  return {{vmulq_f32(x.q[0], y.q[0]), vmulq_f32(x.q[1], y.q[1]), vmulq_f32(x.q[2], y.q[2]),
           vmulq_f32(x.q[3], y.q[3])}};
}
inline VecF fused(VecF x, VecF y, VecF z) {
  return {{vfmaq_f32(z.q[0], x.q[0], y.q[0]), vfmaq_f32(z.q[1], x.q[1], y.q[1]),
           vfmaq_f32(z.q[2], x.q[2], y.q[2]), vfmaq_f32(z.q[3], x.q[3], y.q[3])}};
}

struct VecD {
  static constexpr std::size_t kLanes = 8;
  float64x2_t q[4];

  static inline VecD broadcast(double s) {
    const float64x2_t v = vdupq_n_f64(s);
    return {{v, v, v, v}};
  }
  static inline VecD zero() { return broadcast(0.0); }
  static inline VecD load(const double* p) {
    return {{vld1q_f64(p), vld1q_f64(p + 2), vld1q_f64(p + 4), vld1q_f64(p + 6)}};
  }
  static inline VecD load_partial(const double* p, std::size_t n, VecD fill) {
    double lanes[kLanes];
    fill.store(lanes);
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  inline void store(double* p) const {
    for (std::size_t i = 0; i < 4; ++i) vst1q_f64(p + 2 * i, q[i]);
  }
  inline void stream(double* p) const { store(p); }
  inline void store_partial(double* p, std::size_t n) const {
    double lanes[kLanes];
    store(lanes);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
};

inline VecD operator+(VecD x, VecD y) {
  return {{vaddq_f64(x.q[0], y.q[0]), vaddq_f64(x.q[1], y.q[1]), vaddq_f64(x.q[2], y.q[2]),
           vaddq_f64(x.q[3], y.q[3])}};
}
inline VecD operator-(VecD x, VecD y) {
  return {{vsubq_f64(x.q[0], y.q[0]), vsubq_f64(x.q[1], y.q[1]), vsubq_f64(x.q[2], y.q[2]),
           vsubq_f64(x.q[3], y.q[3])}};
}
inline VecD operator*(VecD x, VecD y) {
  return {{vmulq_f64(x.q[0], y.q[0]), vmulq_f64(x.q[1], y.q[1]), vmulq_f64(x.q[2], y.q[2]),
           vmulq_f64(x.q[3], y.q[3])}};
}

// a < 0 ? 0 : a (NaN and -0 stay), and a <= 0 ? 0 : b.
inline VecF positive_part(VecF x) {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  for (std::size_t i = 0; i < 4; ++i) x.q[i] = vbslq_f32(vcltq_f32(x.q[i], zero), zero, x.q[i]);
  return x;
}
inline VecD positive_part(VecD x) {
  const float64x2_t zero = vdupq_n_f64(0.0);
  for (std::size_t i = 0; i < 4; ++i) x.q[i] = vbslq_f64(vcltq_f64(x.q[i], zero), zero, x.q[i]);
  return x;
}
inline VecF where_positive(VecF x, VecF y) {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  for (std::size_t i = 0; i < 4; ++i) y.q[i] = vbslq_f32(vcleq_f32(x.q[i], zero), zero, y.q[i]);
  return y;
}
inline VecD where_positive(VecD x, VecD y) {
  const float64x2_t zero = vdupq_n_f64(0.0);
  for (std::size_t i = 0; i < 4; ++i) y.q[i] = vbslq_f64(vcleq_f64(x.q[i], zero), zero, y.q[i]);
  return y;
}

inline VecD widen(float32x4_t low, float32x4_t high) {
  return {{vcvt_f64_f32(vget_low_f32(low)), vcvt_high_f64_f32(low),
           vcvt_f64_f32(vget_low_f32(high)), vcvt_high_f64_f32(high)}};
}
inline VecD widen_low(VecF x) { return widen(x.q[0], x.q[1]); }
inline VecD widen_high(VecF x) { return widen(x.q[2], x.q[3]); }

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
    columns[0].q[q] = vreinterpretq_f32_f64(vzip1q_f64(a, b));
    columns[1].q[q] = vreinterpretq_f32_f64(vzip2q_f64(a, b));
    columns[2].q[q] = vreinterpretq_f32_f64(vzip1q_f64(c, d));
    columns[3].q[q] = vreinterpretq_f32_f64(vzip2q_f64(c, d));
  }
}

inline VecD load_widened(const float* p) { return widen(vld1q_f32(p), vld1q_f32(p + 4)); }

// The fixed tree 8 -> 4 -> 2 -> 1: lane i meets i+4, then i+2, then i+1.
inline double fold(VecD x) {
  const float64x2_t low = vaddq_f64(x.q[0], x.q[2]), high = vaddq_f64(x.q[1], x.q[3]);
  const float64x2_t two = vaddq_f64(low, high);
  return vgetq_lane_f64(two, 0) + vgetq_lane_f64(two, 1);
}

// 8 words in the low halves of 64-bit lanes; what is in the high halves does not matter.
struct VecW {
  static constexpr std::size_t kLanes = 8;
  uint64x2_t q[4];

  static inline VecW broadcast(unsigned long long s) {
    const uint64x2_t v = vdupq_n_u64(s);
    return {{v, v, v, v}};
  }
  static inline VecW load(const unsigned long long* p) {
    VecW r;  // created, not loaded: std::uint64_t may be another type than this one
    for (std::size_t i = 0; i < 4; ++i) {
      r.q[i] = vcombine_u64(vcreate_u64(p[2 * i]), vcreate_u64(p[2 * i + 1]));
    }
    return r;
  }
  inline void store_low(unsigned int* p) const {
    for (std::size_t i = 0; i < 4; ++i) vst1_u32(p + 2 * i, vmovn_u64(q[i]));
  }
};

inline VecW operator+(VecW x, VecW y) {
  for (std::size_t i = 0; i < 4; ++i) x.q[i] = vaddq_u64(x.q[i], y.q[i]);
  return x;
}
inline VecW operator^(VecW x, VecW y) {
  for (std::size_t i = 0; i < 4; ++i) x.q[i] = veorq_u64(x.q[i], y.q[i]);
  return x;
}
inline VecW multiply_low(VecW x, VecW y) {  // 64-bit products
  for (std::size_t i = 0; i < 4; ++i) x.q[i] = vmull_u32(vmovn_u64(x.q[i]), vmovn_u64(y.q[i]));
  return x;
}
inline VecW high_half(VecW x) {
  for (std::size_t i = 0; i < 4; ++i) x.q[i] = vshrq_n_u64(x.q[i], 32);
  return x;
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

// Matrix multiply: rows x vectors of the register tile (6 x 4 q = 24 of 32 registers accumulate).
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileRowStep = 2;
constexpr std::size_t kTileVectors = 1;

}  // namespace
}  // namespace evenkeel
