// What every loop below is made of: loads and stores of whole and partial vectors, and the walk over a
// row that begins whole vectors at cache lines.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

constexpr std::size_t kCacheLine = 64;

template <class T>
constexpr std::size_t min_size(std::size_t a, T b) {
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
// A vector in double, straight from memory: on its way through a register it costs three instructions
// more. Part of one: lanes from n on are those of `fill`.
template <class T, bool kFull>
inline typename Simd<T>::Wide load_wide_up_to(const T* p, std::size_t n, const T* fill) {
  using Vec = typename Simd<T>::Vec;
  if constexpr (kFull) return load_wide(p);
  return widen(Vec::load_partial(p, n, Vec::load(fill)));
}

template <class T>
inline void store_up_to(typename Simd<T>::Vec v, T* p, std::size_t n) {
  if (n == Simd<T>::Vec::kLanes) {
    v.store(p);
  } else {
    v.store_partial(p, n);
  }
}

// Vectors from which a run is worth beginning at a cache line: parts of vectors at both ends cost more than a few that
// straddle two lines.
constexpr std::size_t kAlignedRun = 16;

// Where the whole vectors of [0, size) of `out` begin. V8's arrays start 16 bytes past a line, and a vector that
// straddles two costs twice in L1 and cannot be streamed.
template <class T>
inline std::size_t first_whole(const T* out, std::size_t size, bool stream) {
  if (!stream && size < kAlignedRun * Simd<T>::Vec::kLanes) return 0;
  return min_size(elements_to_line(out), size);
}

// Calls one(i, n, stream) for vectors that cover [0, size) of `out`. Lanes are channels or positions of an elementwise
// pass here, so where vectors begin changes no bits. Inlined: a closure that is passed is written to memory, once a run.
template <class T, class One>
EVENKEEL_INLINE void for_vectors(const T* out, std::size_t size, bool stream, const One& one) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  std::size_t i = first_whole(out, size, stream);
  stream = stream && on_line(out + i);
  if (i > 0) one(std::size_t{0}, i, false);
  if (stream) {
    for (; i + kLanes <= size; i += kLanes) one(i, kLanes, true);
  } else {
    for (; i + kLanes <= size; i += kLanes) one(i, kLanes, false);
  }
  if (i < size) one(i, size - i, false);
}

// body(yes) or body(no): the flag as a constant within.
struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};
template <class Body>
inline void with_flag(bool flag, const Body& body) {
  if (flag) {
    body(Yes{});
  } else {
    body(No{});
  }
}

// (x - center) * scale + offset from column c on. Forward and the gate of a backward share it, and with
// it every bit.
template <class T>
inline typename Simd<T>::Vec normalized(typename Simd<T>::Vec x,
                                        NormalizeCoefficients<T> coefficients, std::size_t c) {
  using Vec = typename Simd<T>::Vec;
  return (x - Vec::load(coefficients.center + c)) * Vec::load(coefficients.scale + c) +
         Vec::load(coefficients.offset + c);
}

// dy where the forward's y was above 0 (or NaN), else 0.
template <class T>
inline typename Simd<T>::Vec gated(typename Simd<T>::Vec x, typename Simd<T>::Vec dy,
                                   NormalizeCoefficients<T> gate, std::size_t c) {
  return where_positive(normalized<T>(x, gate, c), dy);
}

// What a sum has added up so far. Passed by value and handed back: held by reference it is stored to
// memory after every vector.
template <class T>
struct Accumulated {
  typename Simd<T>::Wide first, second;
};

// Adds one vector of dy to `first` and of dy (x - origin) to `second`. Half by half: whole vectors of
// floats in double want more registers than AVX2 has.
EVENKEEL_INLINE void add_gradient(VecD& first, VecD& second, VecD x, VecD dy, VecD origin) {
  first = added(first, dy);
  second = second + dy * less(x, origin);
}
EVENKEEL_INLINE void add_gradient(VecD& first, VecD& second, const double* x, const double* dy,
                                  VecD origin) {
  add_gradient(first, second, load_wide(x), load_wide(dy), origin);
}
EVENKEEL_INLINE void add_gradient(Wide16& first, Wide16& second, const float* x, const float* dy,
                                  const Wide16& origin) {
  add_gradient(first.a, second.a, load_widened(x), load_widened(dy), origin.a);
  add_gradient(first.b, second.b, load_widened(x + 8), load_widened(dy + 8), origin.b);
}

// Calls total = add(total, i, n) for the vectors of [0, size) that begin at 0.
template <class T, class Add>
EVENKEEL_INLINE Accumulated<T> for_lanes(std::size_t size, Accumulated<T> total, const Add& add,
                                         std::size_t i = 0) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  for (; i + kLanes <= size; i += kLanes) total = add(total, i, kLanes);
  return i < size ? add(total, i, size - i) : total;
}

// for_vectors and for_lanes in one loop.
template <class T, bool kStream, class One, class Add>
EVENKEEL_INLINE Accumulated<T> for_both(const T* out, std::size_t size, const One& one,
                                        Accumulated<T> total, const Add& add) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  std::size_t i = first_whole(out, size, kStream), k = 0;
  if (i > 0) one(std::size_t{0}, i, false);
  for (; i + kLanes <= size; i += kLanes, k += kLanes) {
    one(i, kLanes, kStream);
    total = add(total, k, kLanes);
  }
  if (i < size) one(i, size - i, false);
  return for_lanes<T>(size, total, add, k);
}
template <class T, class One, class Add>
EVENKEEL_INLINE Accumulated<T> for_vectors_and_lanes(const T* out, std::size_t size, bool stream,
                                                     const One& one, Accumulated<T> total,
                                                     const Add& add) {
  if (stream && on_line(out + first_whole(out, size, stream))) {
    return for_both<T, true>(out, size, one, total, add);
  }
  return for_both<T, false>(out, size, one, total, add);
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
