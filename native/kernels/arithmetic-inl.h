// The pointwise operations: one loop for each formula of pointwise.inc, which the compiler makes vector instructions of.
#pragma once

#include <cstddef>

#include "arithmetic.h"
#include "functions-inl.h"

namespace evenkeel {
namespace {

template <class T>
constexpr int kDigitsOf = sizeof(T) == sizeof(float) ? 24 : 53;

template <class T>
inline T magnitude(T x) {
  return x < T(0) ? -x : (x == T(0) ? T(0) : x);
}
template <class T>
inline T root(T x) {
  return static_cast<T>(__builtin_sqrt(x));
}
inline float root(float x) { return __builtin_sqrtf(x); }
template <class T>
inline T at_least(T x, T p) {
  return x < p ? p : x;
}
template <class T>
inline T at_most(T x, T p) {
  return x > p ? p : x;
}

// Elements that a loop over doubles takes at a time: with its buffers in the first cache.
constexpr std::size_t kDoubles = 256;

// y = f(x), in double. Three loops: one that also converts does not become vector instructions everywhere.
template <class T, class Function>
inline void in_double(const T* x, T* y, std::size_t n, const Function& f) {
  double work[kDoubles];
  for (std::size_t i = 0; i < n; i += kDoubles) {
    const std::size_t count = min_size(kDoubles, n - i);
    for (std::size_t j = 0; j < count; ++j) work[j] = static_cast<double>(x[i + j]);
    for (std::size_t j = 0; j < count; ++j) work[j] = f(work[j]);
    for (std::size_t j = 0; j < count; ++j) y[i + j] = static_cast<T>(work[j]);
  }
}
template <class T, class Function>
inline void in_double(const T* a, const T* b, T* y, std::size_t n, const Function& f) {
  double work[kDoubles], other[kDoubles];
  for (std::size_t i = 0; i < n; i += kDoubles) {
    const std::size_t count = min_size(kDoubles, n - i);
    for (std::size_t j = 0; j < count; ++j) work[j] = static_cast<double>(a[i + j]);
    for (std::size_t j = 0; j < count; ++j) other[j] = static_cast<double>(b[i + j]);
    for (std::size_t j = 0; j < count; ++j) work[j] = f(work[j], other[j]);
    for (std::size_t j = 0; j < count; ++j) y[i + j] = static_cast<T>(work[j]);
  }
}

template <class T>
void unary(UnaryCode code, const T* from, T* y, std::size_t n, Numbers numbers) {
  switch (code) {
#define UNARY(name, formula)                                \
  case UnaryCode::name: {                                   \
    [[maybe_unused]] const T p = static_cast<T>(numbers.p); \
    [[maybe_unused]] const T q = static_cast<T>(numbers.q); \
    for (std::size_t i = 0; i < n; ++i) {                   \
      const T x = from[i];                                  \
      y[i] = (formula);                                     \
    }                                                       \
    return;                                                 \
  }
#define TRANSCENDENTAL(name, formula)                                            \
  case UnaryCode::name: {                                                        \
    constexpr int kDigits = kDigitsOf<T>;                                        \
    [[maybe_unused]] const double p = numbers.p, q = numbers.q;                  \
    in_double(from, y, n, [=](double x) EVENKEEL_INLINED { return (formula); }); \
    return;                                                                      \
  }
#include "pointwise.inc"
#undef UNARY
#undef TRANSCENDENTAL
    case UnaryCode::count:
      return;
  }
}

template <class T>
void binary(BinaryCode code, const T* left, const T* right, T* y, std::size_t n, Numbers numbers) {
  switch (code) {
#define BINARY(name, formula)                               \
  case BinaryCode::name: {                                  \
    [[maybe_unused]] const T p = static_cast<T>(numbers.p); \
    [[maybe_unused]] const T q = static_cast<T>(numbers.q); \
    for (std::size_t i = 0; i < n; ++i) {                   \
      const T a = left[i], b = right[i];                    \
      y[i] = (formula);                                     \
    }                                                       \
    return;                                                 \
  }
#define TRANSCENDENTAL_GRADIENT(name, formula)                                                    \
  case BinaryCode::name: {                                                                        \
    constexpr int kDigits = kDigitsOf<T>;                                                         \
    [[maybe_unused]] const double p = numbers.p, q = numbers.q;                                   \
    in_double(left, right, y, n, [=](double s, double d) EVENKEEL_INLINED { return (formula); }); \
    return;                                                                                       \
  }
#include "pointwise.inc"
#undef BINARY
#undef TRANSCENDENTAL_GRADIENT
    case BinaryCode::count:
      return;
  }
}

template <class T, class Holds>
inline void mark_where(const T* a, const T* b, int* y, std::size_t n, const Holds& holds) {
  for (std::size_t i = 0; i < n; ++i) y[i] = holds(a[i], b[i]) ? 1 : 0;
}
template <class T>
void compare(CompareCode code, const T* a, const T* b, int* y, std::size_t n) {
  switch (code) {
    case CompareCode::eq:
      return mark_where(a, b, y, n, [](T l, T r) { return l == r; });
    case CompareCode::ne:
      return mark_where(a, b, y, n, [](T l, T r) { return l != r; });
    case CompareCode::lt:
      return mark_where(a, b, y, n, [](T l, T r) { return l < r; });
    case CompareCode::le:
      return mark_where(a, b, y, n, [](T l, T r) { return l <= r; });
    case CompareCode::gt:
      return mark_where(a, b, y, n, [](T l, T r) { return l > r; });
    case CompareCode::ge:
      return mark_where(a, b, y, n, [](T l, T r) { return l >= r; });
    case CompareCode::count:
      return;
  }
}

template <class T>
void choose(const int* mask, const T* a, const T* b, T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const T yes = a[i], no = b[i];
    y[i] = mask[i] != 0 ? yes : no;
  }
}

template <class T>
void stream_elements(const T* x, T* y, std::size_t n) {
  using Vec = typename Simd<T>::Vec;
  for_vectors(y, n, true, [=](std::size_t i, std::size_t count, bool stream) EVENKEEL_INLINED {
    put<T>(load_up_to(x + i, count, Vec::zero()), y + i, count, stream);
  });
  stream_fence();
}

template <class T>
constexpr ArithmeticKernels<T> arithmetic_kernels() {
  return {unary<T>, binary<T>, compare<T>, choose<T>, stream_elements<T>};
}

}  // namespace
}  // namespace evenkeel
