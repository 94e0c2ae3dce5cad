// What every loop below is made of: loads and stores of whole and partial vectors, and the walk over a
// row that begins whole vectors at cache lines.
#pragma once

#include <cstddef>

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

}  // namespace
}  // namespace evenkeel
