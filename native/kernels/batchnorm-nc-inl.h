// BatchNorm on (N, C): lanes are channels, written once over 16 float (8 double) lanes. Knows neither
// layout choice nor threads (batchnorm_nc.h does).
// Statistics: shifted sums in double (Chan, Golub, LeVeque 1979). Output: the centred form.
#pragma once

#include <cstddef>

#include "../kernels.h"

namespace evenkeel {
namespace {

// The sums of (N, C) take 16 rows of 4 vectors of channels at a time: the double accumulators are then
// loaded and stored once in 16 rows, a row is read in runs of 256 bytes, and the next 16 rows are
// prefetched meanwhile. 1 MB in L2: 62 us row by row, 40 so; 34 MB: 3.3 ms against 1.7.
constexpr std::size_t kSumRows = 16;
constexpr std::size_t kSumVectors = 4;

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

}  // namespace
}  // namespace evenkeel
