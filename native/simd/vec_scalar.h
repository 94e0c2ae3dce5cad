// 16 float lanes and 8 double lanes as plain arrays: the family every CPU runs and every other
// family is compared with, bit for bit.
// Contract shared by every vec_*.h: docs/architecture.md, "A kernel family".
#pragma once

#include <cstddef>

namespace evenkeel {
namespace {

template <class T, std::size_t N>
struct Lanes {
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

inline VecD widen_low(const VecF& a) {
  VecD r;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = static_cast<double>(a.v[i]);
  return r;
}
inline VecD widen_high(const VecF& a) {
  VecD r;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = static_cast<double>(a.v[i + 8]);
  return r;
}

inline VecD load_widened(const float* p) {
  VecD r;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = static_cast<double>(p[i]);
  return r;
}

// The fixed tree 8 -> 4 -> 2 -> 1: lane i meets i+4, then i+2, then i+1.
inline double fold(const VecD& a) {
  const double four[4] = {a.v[0] + a.v[4], a.v[1] + a.v[5], a.v[2] + a.v[6], a.v[3] + a.v[7]};
  return (four[0] + four[2]) + (four[1] + four[3]);
}

inline void prefetch(const void*) {}
inline void stream_fence() {}

// Matrix multiply: rows x vectors of the register tile (2 x 4 xmm accumulate).
constexpr std::size_t kTileRows = 2;
constexpr std::size_t kTileVectors = 1;

}  // namespace
}  // namespace evenkeel
