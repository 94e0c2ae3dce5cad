// The BatchNorm loops, written once over 16 float (8 double) lanes. Included by every isa/*.cc after
// its vec_*.h; knows neither layout choice nor threads (batchnorm.cc does).
// Statistics: shifted sums in double (Chan, Golub, LeVeque 1979). Output: the centred form.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

constexpr std::size_t kCacheLine = 64;

// Rows that share one load and store of the per-channel double accumulators: at 16 that traffic is
// 1/16 of a vector's (1 MB: 62 us at 1 row, 42 at 8, 38 at 16).
constexpr std::size_t kSumRows = 16;

// Rows that share one load of the per-channel parameters in the elementwise passes. More than 2 lose:
// rows a power of two apart share one L1 set, and 4 reads and 4 writes there evict each other
// (256 x 1024 floats: 30 us at 1 or 2 rows, 59 at 4, 84 at 8).
constexpr std::size_t kApplyRows = 2;

template <class T>
inline std::size_t min_size(std::size_t a, T b) {
  return a < b ? a : b;
}

// Elements until p reaches a cache line, and 0 where it never can.
template <class T>
inline std::size_t elements_to_line(const T* p) {
  const std::size_t past = reinterpret_cast<std::size_t>(p) % kCacheLine;
  return past % sizeof(T) != 0 ? 0 : (kCacheLine - past) % kCacheLine / sizeof(T);
}
template <class T>
inline bool on_line(const T* p) {
  return reinterpret_cast<std::size_t>(p) % kCacheLine == 0;
}

template <class T>
inline typename Simd<T>::Vec load_up_to(const T* p, std::size_t n, typename Simd<T>::Vec fill) {
  using Vec = typename Simd<T>::Vec;
  return n == Vec::kLanes ? Vec::load(p) : Vec::load_partial(p, n, fill);
}
template <class T>
inline void store_up_to(typename Simd<T>::Vec v, T* p, std::size_t n) {
  if (n == Simd<T>::Vec::kLanes) {
    v.store(p);
  } else {
    v.store_partial(p, n);
  }
}

// ---- (N, C): lanes are channels ----------------------------------------------------------------

// One vector of channels over `rows` rows, added to what sum and sumsq hold. kFull: all lanes.
template <class T, bool kFull>
inline void sum_rows(const T* x, std::size_t rows, std::size_t n, std::size_t stride,
                     const T* shift, double* sum, double* sumsq) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  const Vec origin = Vec::load(shift);
  const Wide wide_origin = widen(origin);
  Wide s = Wide::load(sum), q = Wide::load(sumsq);
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    const Wide d = widen(kFull ? Vec::load(x) : Vec::load_partial(x, n, origin)) - wide_origin;
    s = s + d;
    q = q + d * d;
  }
  s.store(sum);
  q.store(sumsq);
}

template <class T>
void sum_nc(const T* x, std::size_t rows, std::size_t channels, std::size_t stride, const T* shift,
            double* sum, double* sumsq) {
  using Vec = typename Simd<T>::Vec;
  constexpr std::size_t kLanes = Vec::kLanes;
  for (std::size_t c = 0; c < channels; c += kLanes) {
    Simd<T>::Wide::zero().store(sum + c);
    Simd<T>::Wide::zero().store(sumsq + c);
  }
  const std::size_t whole = channels - channels % kLanes;
  for (std::size_t r = 0; r < rows; r += kSumRows, x += kSumRows * stride) {
    const std::size_t group = min_size(kSumRows, rows - r);
    for (std::size_t c = 0; c < whole; c += kLanes) {
      sum_rows<T, true>(x + c, group, kLanes, stride, shift + c, sum + c, sumsq + c);
    }
    if (whole < channels) {
      sum_rows<T, false>(x + whole, group, channels - whole, stride, shift + whole, sum + whole,
                         sumsq + whole);
    }
  }
}

template <class T, bool kFull>
inline void grad_sum_rows(const T* x, const T* dy, std::size_t rows, std::size_t n,
                          std::size_t stride, const T* center, const T* residual, double* sum,
                          double* dot) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  const Vec hi = Vec::load(center), lo = Vec::load(residual);
  Wide s = Wide::load(sum), q = Wide::load(dot);
  for (std::size_t r = 0; r < rows; ++r, x += stride, dy += stride) {
    const Vec value = kFull ? Vec::load(x) : Vec::load_partial(x, n, hi);
    const Wide g = widen(kFull ? Vec::load(dy) : Vec::load_partial(dy, n, Vec::zero()));
    s = s + g;
    q = q + g * widen((value - hi) - lo);
  }
  s.store(sum);
  q.store(dot);
}

template <class T>
void grad_sum_nc(const T* x, const T* dy, std::size_t rows, std::size_t channels,
                 std::size_t stride, const T* center, const T* residual, double* sum, double* dot) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  for (std::size_t c = 0; c < channels; c += kLanes) {
    Simd<T>::Wide::zero().store(sum + c);
    Simd<T>::Wide::zero().store(dot + c);
  }
  const std::size_t whole = channels - channels % kLanes;
  for (std::size_t r = 0; r < rows; r += kSumRows) {
    const std::size_t group = min_size(kSumRows, rows - r);
    for (std::size_t c = 0; c < whole; c += kLanes) {
      grad_sum_rows<T, true>(x + c, dy + c, group, kLanes, stride, center + c, residual + c,
                             sum + c, dot + c);
    }
    if (whole < channels) {
      grad_sum_rows<T, false>(x + whole, dy + whole, group, channels - whole, stride,
                              center + whole, residual + whole, sum + whole, dot + whole);
    }
    x += kSumRows * stride;
    dy += kSumRows * stride;
  }
}

// Calls one(i, n, stream) for vectors that cover [0, size) of `out`, whole ones beginning at cache
// lines where out allows it: V8's arrays start 16 bytes past one, and a vector that straddles two
// lines costs twice in L1 and cannot be streamed. Lanes are channels or positions of an elementwise
// pass here, so where vectors begin changes no bits.
template <class T, class One>
inline void for_vectors(const T* out, std::size_t size, bool stream, const One& one) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  std::size_t i = min_size(elements_to_line(out), size);
  stream = stream && on_line(out + i);
  if (i > 0) one(std::size_t{0}, i, false);
  for (; i + kLanes <= size; i += kLanes) one(i, kLanes, stream);
  if (i < size) one(i, size - i, false);
}

// Streaming whole rows needs every row to start at the same place in its cache line.
template <class T>
inline bool rows_can_stream(std::size_t stride) {
  return stride * sizeof(T) % kCacheLine == 0;
}

template <class T>
inline void put(typename Simd<T>::Vec v, T* p, std::size_t n, bool stream) {
  if (stream) {
    v.stream(p);
  } else {
    store_up_to<T>(v, p, n);
  }
}

template <class T>
void normalize_nc(const T* x, T* y, std::size_t rows, std::size_t channels, std::size_t stride,
                  const T* center, const T* scale, const T* offset, bool stream) {
  using Vec = typename Simd<T>::Vec;
  stream = stream && rows_can_stream<T>(stride);
  for (std::size_t r = 0; r < rows; r += kApplyRows) {
    const std::size_t group = min_size(kApplyRows, rows - r);
    for_vectors(y, channels, stream, [=](std::size_t c, std::size_t n, bool streamed) {
      const Vec m = load_up_to(center + c, n, Vec::zero());
      const Vec s = load_up_to(scale + c, n, Vec::zero());
      const Vec o = load_up_to(offset + c, n, Vec::zero());
      for (std::size_t i = 0; i < group; ++i) {
        const Vec v = load_up_to(x + i * stride + c, n, Vec::zero());
        put<T>((v - m) * s + o, y + i * stride + c, n, streamed);
      }
    });
    x += kApplyRows * stride;
    y += kApplyRows * stride;
  }
  if (stream) stream_fence();
}

template <class T>
void grad_apply_nc(const T* x, const T* dy, T* dx, std::size_t rows, std::size_t channels,
                   std::size_t stride, const T* center, const T* a, const T* b, const T* k,
                   bool stream) {
  using Vec = typename Simd<T>::Vec;
  stream = stream && rows_can_stream<T>(stride);
  for (std::size_t r = 0; r < rows; r += kApplyRows) {
    const std::size_t group = min_size(kApplyRows, rows - r);
    for_vectors(dx, channels, stream, [=](std::size_t c, std::size_t n, bool streamed) {
      const Vec m = load_up_to(center + c, n, Vec::zero());
      const Vec va = load_up_to(a + c, n, Vec::zero());
      const Vec vb = load_up_to(b + c, n, Vec::zero());
      const Vec vk = load_up_to(k + c, n, Vec::zero());
      for (std::size_t i = 0; i < group; ++i) {
        const Vec v = load_up_to(x + i * stride + c, n, Vec::zero());
        const Vec g = load_up_to(dy + i * stride + c, n, Vec::zero());
        put<T>((g * va + (v - m) * vb) + vk, dx + i * stride + c, n, streamed);
      }
    });
    x += kApplyRows * stride;
    dy += kApplyRows * stride;
    dx += kApplyRows * stride;
  }
  if (stream) stream_fence();
}

template <class T>
void scale_nc(const T* dy, T* dx, std::size_t rows, std::size_t channels, std::size_t stride,
              const T* a, bool stream) {
  using Vec = typename Simd<T>::Vec;
  stream = stream && rows_can_stream<T>(stride);
  for (std::size_t r = 0; r < rows; r += kApplyRows) {
    const std::size_t group = min_size(kApplyRows, rows - r);
    for_vectors(dx, channels, stream, [=](std::size_t c, std::size_t n, bool streamed) {
      const Vec va = load_up_to(a + c, n, Vec::zero());
      for (std::size_t i = 0; i < group; ++i) {
        put<T>(load_up_to(dy + i * stride + c, n, Vec::zero()) * va, dx + i * stride + c, n,
               streamed);
      }
    });
    dy += kApplyRows * stride;
    dx += kApplyRows * stride;
  }
  if (stream) stream_fence();
}

// ---- (N, C, L): lanes are positions within a run --------------------------------------------------

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
                  T center, T residual, double out[2]) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  const Vec hi = Vec::broadcast(center), lo = Vec::broadcast(residual);
  const std::size_t whole = length - length % kLanes;
  Wide s = Wide::zero(), q = Wide::zero();
  for (std::size_t r = 0; r < runs; ++r, x += stride, dy += stride) {
    for (std::size_t i = 0; i < whole; i += kLanes) {
      const Wide g = widen(Vec::load(dy + i));
      s = s + g;
      q = q + g * widen((Vec::load(x + i) - hi) - lo);
    }
    if (whole < length) {
      const std::size_t n = length - whole;
      const Wide g = widen(Vec::load_partial(dy + whole, n, Vec::zero()));
      s = s + g;
      q = q + g * widen((Vec::load_partial(x + whole, n, hi) - hi) - lo);
    }
  }
  out[0] = fold(s);
  out[1] = fold(q);
}

// Calls one(i, n, stream) for vectors that cover [0, length) of one run, like for_channels.
template <class T, class One>
inline void for_runs(const T* out, std::size_t runs, std::size_t length, std::size_t stride,
                     bool stream, const One& one) {
  for (std::size_t r = 0; r < runs; ++r) {
    const std::size_t base = r * stride;
    for_vectors(out + base, length, stream,
                [&](std::size_t i, std::size_t n, bool streamed) { one(base + i, n, streamed); });
  }
  if (stream) stream_fence();
}

template <class T>
void normalize_ncl(const T* x, T* y, std::size_t runs, std::size_t length, std::size_t stride,
                   T center, T scale, T offset, bool stream) {
  using Vec = typename Simd<T>::Vec;
  const Vec m = Vec::broadcast(center), s = Vec::broadcast(scale), o = Vec::broadcast(offset);
  for_runs(y, runs, length, stride, stream, [=](std::size_t i, std::size_t n, bool streamed) {
    put<T>((load_up_to(x + i, n, Vec::zero()) - m) * s + o, y + i, n, streamed);
  });
}

template <class T>
void grad_apply_ncl(const T* x, const T* dy, T* dx, std::size_t runs, std::size_t length,
                    std::size_t stride, T center, T a, T b, T k, bool stream) {
  using Vec = typename Simd<T>::Vec;
  const Vec m = Vec::broadcast(center), va = Vec::broadcast(a), vb = Vec::broadcast(b);
  const Vec vk = Vec::broadcast(k);
  for_runs(dx, runs, length, stride, stream, [=](std::size_t i, std::size_t n, bool streamed) {
    const Vec v = load_up_to(x + i, n, Vec::zero()), g = load_up_to(dy + i, n, Vec::zero());
    put<T>((g * va + (v - m) * vb) + vk, dx + i, n, streamed);
  });
}

template <class T>
void scale_ncl(const T* dy, T* dx, std::size_t runs, std::size_t length, std::size_t stride, T a,
               bool stream) {
  using Vec = typename Simd<T>::Vec;
  const Vec va = Vec::broadcast(a);
  for_runs(dx, runs, length, stride, stream, [=](std::size_t i, std::size_t n, bool streamed) {
    put<T>(load_up_to(dy + i, n, Vec::zero()) * va, dx + i, n, streamed);
  });
}

template <class T>
constexpr BatchNormKernels<T> batchnorm_kernels() {
  return {sum_nc<T>,  normalize_nc<T>,  grad_sum_nc<T>,  grad_apply_nc<T>,  scale_nc<T>,
          sum_ncl<T>, normalize_ncl<T>, grad_sum_ncl<T>, grad_apply_ncl<T>, scale_ncl<T>};
}

}  // namespace
}  // namespace evenkeel
