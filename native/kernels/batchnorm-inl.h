// The BatchNorm loops, written once over 16 float (8 double) lanes. Included by every isa/*.cc after
// its vec_*.h; knows neither layout choice nor threads (batchnorm.cc does).
// Statistics: shifted sums in double (Chan, Golub, LeVeque 1979). Output: the centred form.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

// The bodies of the loops below are lambdas that for_vectors calls with constants; unless they are
// inlined there, each vector pays for the branches (1 MB: 39 us against 30).
#if defined(__GNUC__)
#define EVENKEEL_INLINED __attribute__((always_inline))
#else
#define EVENKEEL_INLINED
#endif

constexpr std::size_t kCacheLine = 64;

// The sums of (N, C) take 16 rows of 4 vectors of channels at a time: the double accumulators are then
// loaded and stored once in 16 rows, a row is read in runs of 256 bytes, and the next 16 rows are
// prefetched meanwhile. 1 MB in L2: 62 us row by row, 40 so; 34 MB: 3.3 ms against 1.7.
constexpr std::size_t kSumRows = 16;
constexpr std::size_t kSumVectors = 4;

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

// kVectors vectors of channels over `rows` rows, added to what sum and sumsq hold. A partial vector
// (n < kLanes) stands alone.
template <class T, std::size_t kVectors, bool kFull>
inline void sum_rows(const T* x, std::size_t rows, std::size_t n, std::size_t stride,
                     const T* shift, double* sum, double* sumsq) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  Wide origin[kVectors], s[kVectors], q[kVectors];
  for (std::size_t j = 0; j < kVectors; ++j) {
    origin[j] = widen(Vec::load(shift + j * kLanes));
    s[j] = Wide::load(sum + j * kLanes);
    q[j] = Wide::load(sumsq + j * kLanes);
  }
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    for (std::size_t j = 0; j < kVectors; ++j) {
      const T* at = x + j * kLanes;
      prefetch(at + kSumRows * stride);
      const Vec value = kFull ? Vec::load(at) : Vec::load_partial(at, n, Vec::load(shift));
      const Wide d = widen(value) - origin[j];
      s[j] = s[j] + d;
      q[j] = q[j] + d * d;
    }
  }
  for (std::size_t j = 0; j < kVectors; ++j) {
    s[j].store(sum + j * kLanes);
    q[j].store(sumsq + j * kLanes);
  }
}

// The same for sum dy and sum dy * (x - center), widened before they meet.
template <class T, std::size_t kVectors, bool kFull>
inline void grad_sum_rows(const T* x, const T* dy, std::size_t rows, std::size_t n,
                          std::size_t stride, const T* center, double* sum, double* dot) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  Vec fill[kVectors];
  Wide origin[kVectors];
  Wide s[kVectors], q[kVectors];
  for (std::size_t j = 0; j < kVectors; ++j) {
    fill[j] = Vec::load(center + j * kLanes);
    origin[j] = widen(fill[j]);
    s[j] = Wide::load(sum + j * kLanes);
    q[j] = Wide::load(dot + j * kLanes);
  }
  for (std::size_t r = 0; r < rows; ++r, x += stride, dy += stride) {
    for (std::size_t j = 0; j < kVectors; ++j) {
      const T* at = x + j * kLanes;
      const T* dat = dy + j * kLanes;
      prefetch(at + kSumRows * stride);
      prefetch(dat + kSumRows * stride);
      const Vec value = kFull ? Vec::load(at) : Vec::load_partial(at, n, fill[j]);
      const Wide g = widen(kFull ? Vec::load(dat) : Vec::load_partial(dat, n, Vec::zero()));
      s[j] = s[j] + g;
      q[j] = q[j] + g * (widen(value) - origin[j]);
    }
  }
  for (std::size_t j = 0; j < kVectors; ++j) {
    s[j].store(sum + j * kLanes);
    q[j].store(dot + j * kLanes);
  }
}

// Calls strip(row, rows, c), vector(row, rows, c) and part(row, rows, c, n): strips of kSumVectors
// vectors, then single ones, then the last n channels.
template <class T, class Strip, class Vector, class Part>
inline void for_sum_tiles(std::size_t rows, std::size_t channels, const Strip& strip,
                          const Vector& vector, const Part& part) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  for (std::size_t r = 0; r < rows; r += kSumRows) {
    const std::size_t group = min_size(kSumRows, rows - r);
    std::size_t c = 0;
    for (; c + kSumVectors * kLanes <= channels; c += kSumVectors * kLanes) strip(r, group, c);
    for (; c + kLanes <= channels; c += kLanes) vector(r, group, c);
    if (c < channels) part(r, group, c, channels - c);
  }
}

// Zeros for `channels` channels, to the next whole vector.
template <class T>
inline void clear(double* sums, std::size_t channels) {
  for (std::size_t c = 0; c < channels; c += Simd<T>::Vec::kLanes) {
    Simd<T>::Wide::zero().store(sums + c);
  }
}

template <class T>
void sum_nc(const T* x, std::size_t rows, std::size_t channels, std::size_t stride, const T* shift,
            double* sum, double* sumsq) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  clear<T>(sum, channels);
  clear<T>(sumsq, channels);
  for_sum_tiles<T>(
      rows, channels,
      [=](std::size_t r, std::size_t group, std::size_t c) {
        sum_rows<T, kSumVectors, true>(x + r * stride + c, group, kLanes, stride, shift + c,
                                       sum + c, sumsq + c);
      },
      [=](std::size_t r, std::size_t group, std::size_t c) {
        sum_rows<T, 1, true>(x + r * stride + c, group, kLanes, stride, shift + c, sum + c,
                             sumsq + c);
      },
      [=](std::size_t r, std::size_t group, std::size_t c, std::size_t n) {
        sum_rows<T, 1, false>(x + r * stride + c, group, n, stride, shift + c, sum + c, sumsq + c);
      });
}

template <class T>
void grad_sum_nc(const T* x, const T* dy, std::size_t rows, std::size_t channels,
                 std::size_t stride, const T* center, double* sum, double* dot) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  clear<T>(sum, channels);
  clear<T>(dot, channels);
  for_sum_tiles<T>(
      rows, channels,
      [=](std::size_t r, std::size_t group, std::size_t c) {
        const std::size_t at = r * stride + c;
        grad_sum_rows<T, kSumVectors, true>(x + at, dy + at, group, kLanes, stride, center + c,
                                            sum + c, dot + c);
      },
      [=](std::size_t r, std::size_t group, std::size_t c) {
        const std::size_t at = r * stride + c;
        grad_sum_rows<T, 1, true>(x + at, dy + at, group, kLanes, stride, center + c, sum + c,
                                  dot + c);
      },
      [=](std::size_t r, std::size_t group, std::size_t c, std::size_t n) {
        const std::size_t at = r * stride + c;
        grad_sum_rows<T, 1, false>(x + at, dy + at, group, n, stride, center + c, sum + c, dot + c);
      });
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
  if (stream) {
    for (; i + kLanes <= size; i += kLanes) one(i, kLanes, true);
  } else {
    for (; i + kLanes <= size; i += kLanes) one(i, kLanes, false);
  }
  if (i < size) one(i, size - i, false);
}

template <class T>
inline void put(typename Simd<T>::Vec v, T* p, std::size_t n, bool stream) {
  if (stream) {
    v.stream(p);
  } else {
    store_up_to<T>(v, p, n);
  }
}

// The elementwise passes go row by row: with two rows a power of two apart, reads and writes evict
// each other from their L1 set and streams double (34 MB: 2.1 ms at 1 row, 2.7 at 2).
template <class T>
void normalize_nc(const T* x, T* y, std::size_t rows, std::size_t channels, std::size_t stride,
                  const T* center, const T* scale, const T* offset, bool stream) {
  using Vec = typename Simd<T>::Vec;
  for (std::size_t r = 0; r < rows; ++r, x += stride, y += stride) {
    for_vectors(
        y, channels, stream, [=](std::size_t c, std::size_t n, bool streamed) EVENKEEL_INLINED {
          const Vec d = load_up_to(x + c, n, Vec::zero()) - load_up_to(center + c, n, Vec::zero());
          const Vec s = load_up_to(scale + c, n, Vec::zero());
          put<T>(d * s + load_up_to(offset + c, n, Vec::zero()), y + c, n, streamed);
        });
  }
  if (stream) stream_fence();
}

template <class T>
void grad_apply_nc(const T* x, const T* dy, T* dx, std::size_t rows, std::size_t channels,
                   std::size_t stride, const T* center, const T* a, const T* b, const T* k,
                   bool stream) {
  using Vec = typename Simd<T>::Vec;
  for (std::size_t r = 0; r < rows; ++r, x += stride, dy += stride, dx += stride) {
    for_vectors(
        dx, channels, stream, [=](std::size_t c, std::size_t n, bool streamed) EVENKEEL_INLINED {
          const Vec d = load_up_to(x + c, n, Vec::zero()) - load_up_to(center + c, n, Vec::zero());
          const Vec g = load_up_to(dy + c, n, Vec::zero());
          const Vec tilt = d * load_up_to(b + c, n, Vec::zero());
          const Vec rest = (g + tilt) + load_up_to(k + c, n, Vec::zero());
          put<T>(rest * load_up_to(a + c, n, Vec::zero()), dx + c, n, streamed);
        });
  }
  if (stream) stream_fence();
}

template <class T>
void scale_nc(const T* dy, T* dx, std::size_t rows, std::size_t channels, std::size_t stride,
              const T* a, bool stream) {
  using Vec = typename Simd<T>::Vec;
  for (std::size_t r = 0; r < rows; ++r, dy += stride, dx += stride) {
    for_vectors(dx, channels, stream,
                [=](std::size_t c, std::size_t n, bool streamed) EVENKEEL_INLINED {
                  const Vec g = load_up_to(dy + c, n, Vec::zero());
                  put<T>(g * load_up_to(a + c, n, Vec::zero()), dx + c, n, streamed);
                });
  }
  if (stream) stream_fence();
}

// ---- (N, C, L): lanes are positions within a run --------------------------------------------------
//
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

// Calls one(i, n, stream) for vectors that cover [0, length) of one run, like for_channels.
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

template <class T>
constexpr BatchNormKernels<T> batchnorm_kernels() {
  return {sum_nc<T>,  normalize_nc<T>,  grad_sum_nc<T>,  grad_apply_nc<T>,  scale_nc<T>,
          sum_ncl<T>, normalize_ncl<T>, grad_sum_ncl<T>, grad_apply_ncl<T>, scale_ncl<T>};
}

}  // namespace
}  // namespace evenkeel
