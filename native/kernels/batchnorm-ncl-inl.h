// BatchNorm on (N, C, L), one channel: lanes are positions within a run. Knows neither layout choice nor
// threads (batchnorm_ncl.h does). The same arithmetic as in batchnorm-nc-inl.h.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

// While a run is summed the next one is prefetched: it begins on another page, where the hardware
// does not look ahead (34 MB of runs of 1024 floats, a whole forward: 5.9 ms without, 4.3 with).

template <class T>
void sum_ncl(const T* x, std::size_t runs, std::size_t length, std::size_t stride, T shift,
             double out[2]) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  const Vec origin = Vec::broadcast(shift);
  const Wide wide_origin = widen(origin);
  const std::size_t whole = length - length % kLanes;
  Wide s = Wide::zero(), q = Wide::zero();
  for (std::size_t r = 0; r < runs; ++r, x += stride) {
    for (std::size_t i = 0; i < whole; i += kLanes) {
      prefetch(x + stride + i);
      const Wide d = widen(Vec::load(x + i)) - wide_origin;
      s = s + d;
      q = q + d * d;
    }
    if (whole < length) {
      const Wide d = widen(Vec::load_partial(x + whole, length - whole, origin)) - wide_origin;
      s = s + d;
      q = q + d * d;
    }
  }
  out[0] = fold(s);
  out[1] = fold(q);
}

template <class T>
void grad_sum_ncl(const T* x, const T* dy, std::size_t runs, std::size_t length, std::size_t stride,
                  T center, double out[2]) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  const Vec fill = Vec::broadcast(center);
  const Wide origin = widen(fill);
  const std::size_t whole = length - length % kLanes;
  Wide s = Wide::zero(), q = Wide::zero();
  for (std::size_t r = 0; r < runs; ++r, x += stride, dy += stride) {
    for (std::size_t i = 0; i < whole; i += kLanes) {
      prefetch(x + stride + i);
      prefetch(dy + stride + i);
      const Wide g = widen(Vec::load(dy + i));
      s = s + g;
      q = q + g * (widen(Vec::load(x + i)) - origin);
    }
    if (whole < length) {
      const std::size_t n = length - whole;
      const Wide g = widen(Vec::load_partial(dy + whole, n, Vec::zero()));
      s = s + g;
      q = q + g * (widen(Vec::load_partial(x + whole, n, fill)) - origin);
    }
  }
  out[0] = fold(s);
  out[1] = fold(q);
}

// for_vectors over every run.
template <class T, class One>
inline void for_runs(const T* out, std::size_t runs, std::size_t length, std::size_t stride,
                     bool stream, const One& one) {
  for (std::size_t r = 0; r < runs; ++r) {
    const std::size_t base = r * stride;
    for_vectors(out + base, length, stream,
                [&](std::size_t i, std::size_t n, bool streamed)
                    EVENKEEL_INLINED { one(base + i, n, streamed); });
  }
  if (stream) stream_fence();
}

template <class T>
void normalize_ncl(const T* x, T* y, std::size_t runs, std::size_t length, std::size_t stride,
                   T center, T scale, T offset, bool stream) {
  using Vec = typename Simd<T>::Vec;
  const Vec m = Vec::broadcast(center), s = Vec::broadcast(scale), o = Vec::broadcast(offset);
  for_runs(y, runs, length, stride, stream,
           [=](std::size_t i, std::size_t n, bool streamed) EVENKEEL_INLINED {
             put<T>((load_up_to(x + i, n, Vec::zero()) - m) * s + o, y + i, n, streamed);
           });
}

template <class T>
void grad_apply_ncl(const T* x, const T* dy, T* dx, std::size_t runs, std::size_t length,
                    std::size_t stride, T center, T a, T b, T k, bool stream) {
  using Vec = typename Simd<T>::Vec;
  const Vec m = Vec::broadcast(center), va = Vec::broadcast(a), vb = Vec::broadcast(b);
  const Vec vk = Vec::broadcast(k);
  for_runs(dx, runs, length, stride, stream,
           [=](std::size_t i, std::size_t n, bool streamed) EVENKEEL_INLINED {
             const Vec v = load_up_to(x + i, n, Vec::zero()),
                       g = load_up_to(dy + i, n, Vec::zero());
             put<T>(((g + (v - m) * vb) + vk) * va, dx + i, n, streamed);
           });
}

template <class T>
void scale_ncl(const T* dy, T* dx, std::size_t runs, std::size_t length, std::size_t stride, T a,
               bool stream) {
  using Vec = typename Simd<T>::Vec;
  const Vec va = Vec::broadcast(a);
  for_runs(dx, runs, length, stride, stream,
           [=](std::size_t i, std::size_t n, bool streamed) EVENKEEL_INLINED {
             put<T>(load_up_to(dy + i, n, Vec::zero()) * va, dx + i, n, streamed);
           });
}

}  // namespace
}  // namespace evenkeel
