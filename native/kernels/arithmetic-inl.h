// The pointwise operations: one loop for each formula of pointwise.inc, over registers.
// Longer than 250 lines because the loops in double and in floats share their walks and the list of formulas.
#pragma once

#include <cstddef>

#include "arithmetic.h"
#include "float-functions-inl.h"

namespace evenkeel {
namespace {

template <class T>
constexpr int kDigitsOf = sizeof(T) == sizeof(float) ? 24 : 53;

EVENKEEL_INLINE RegF magnitude(RegF x) { return magnitude_of(x); }
EVENKEEL_INLINE RegD magnitude(RegD x) { return from_bits(bits_of(x) & ~(Bits{1} << 63)); }
// p where x is less (more); NaN stays.
EVENKEEL_INLINE RegF not_below(RegF x, float p) { return at_least(x, p); }
EVENKEEL_INLINE RegF not_above(RegF x, float p) { return at_most(x, p); }
EVENKEEL_INLINE RegD not_below(RegD x, double p) { return pick(x < p, p, x); }
EVENKEEL_INLINE RegD not_above(RegD x, double p) { return pick(x > p, p, x); }

// The nearest whole number, of two as near the even one. Beside 2^23 (2^52) no fraction has room, and adding it rounds so.
// What is as large is whole, or NaN; zeros keep their sign, and so do those that a fraction becomes.
template <class R, class T>
EVENKEEL_INLINE R whole_of(R x, T room) {
  const R size = magnitude(x), whole = (size + room) - room;
  return pick((size < room) & (size > T(0)), pick(x < T(0), -whole, whole), x);
}
EVENKEEL_INLINE RegF whole_of(RegF x) { return whole_of(x, 0x1p23f); }
EVENKEEL_INLINE RegD whole_of(RegD x) { return whole_of(x, 0x1p52); }
EVENKEEL_INLINE RegF floor_of(RegF x) {
  const RegF whole = whole_of(x);
  return pick(whole > x, whole - 1.0f, whole);
}
EVENKEEL_INLINE RegD floor_of(RegD x) {
  const RegD whole = whole_of(x);
  return pick(whole > x, whole - 1.0, whole);
}

// The functions of double, by the names of float's.
EVENKEEL_INLINE RegD rsqrt_of(RegD x) { return 1.0 / root(x); }
EVENKEEL_INLINE RegD exp_of(RegD x) { return exponential<53>(x); }
EVENKEEL_INLINE RegD log_of(RegD x) { return logarithm(x); }
EVENKEEL_INLINE RegD log1p_of(RegD x) { return logarithm_of_1_plus(x); }
EVENKEEL_INLINE RegD sigmoid_of(RegD x) { return sigmoid(x); }
EVENKEEL_INLINE RegD tanh_of(RegD x) { return hyperbolic_tangent(x); }
EVENKEEL_INLINE RegD silu_of(RegD x) { return x * sigmoid(x); }
EVENKEEL_INLINE RegD gelu_of(RegD x) { return x * normal_distribution(x); }
EVENKEEL_INLINE RegD gelu_tanh_of(RegD x) { return x * sigmoid(tanh_argument(x)); }
EVENKEEL_INLINE RegD falling_exp_of(RegD x) { return falling_exponential(x); }
EVENKEEL_INLINE RegD softplus_from(RegD x, RegD e, double p, double q) {
  return pick(x * p > q, x, softplus_from(x * p, e) / p);
}
EVENKEEL_INLINE RegD log_sigmoid_from(RegD x, RegD e) { return -softplus_from(-x, e); }
EVENKEEL_INLINE RegD elu_of(RegD x, double p) {
  return pick(x > 0.0, x, p * exponential_minus_1(pick(x > 0.0, 0.0, x)));
}
EVENKEEL_INLINE RegD mish_of(RegD x) { return x * tanh_of_softplus(x); }
EVENKEEL_INLINE RegD cube_of(RegD x) { return x * x * x; }
EVENKEEL_INLINE RegD silu_derivative(RegD x) { return sigmoid_derivative(x); }
EVENKEEL_INLINE RegD gelu_derivative(RegD x) { return normal_derivative(x); }

// How far ahead operands are asked for, in bytes, where they come from memory: behind the dozens of instructions that a
// long formula has for a vector, the processor sees too few of the next loads (64 MB, gelu: half the time).
constexpr std::size_t kAhead = 2048;

// y = f(x) or f(x, other), register by register. One body, or the functions would be there four times: whole vectors are a
// loop of a few instructions beside f, and what is before the first cache line or behind the last vector is computed in
// buffers by the same loop. `next`: how many elements behind those of x the ones lie that are asked for meanwhile; 0: none.
template <class T, class Function, class... Other>
EVENKEEL_INLINE void map_registers(const Function& f, T* y, std::size_t n, bool stream,
                                   std::size_t next, const T* x, const Other*... other) {
  static_assert(sizeof...(Other) <= 1);
  using Vec = typename Simd<T>::Vec;
  using Long = typename Simd<T>::Long;
  constexpr std::size_t kLanes = Long::kLanes;
  alignas(kCacheLine) T left[kLanes], out[kLanes];
  alignas(kCacheLine) [[maybe_unused]] T right[kLanes];
  for (std::size_t at = 0; at < n;) {
    const std::size_t to_line = at == 0 && n > kLanes ? elements_to_line(y) : 0;
    const std::size_t ahead = n - at;
    const bool is_whole = to_line == 0 && ahead >= kLanes;
    const std::size_t count = is_whole       ? ahead / kLanes * kLanes
                              : to_line != 0 ? min_size(to_line, ahead)
                                             : ahead;
    const std::size_t size = is_whole ? count : kLanes;
    const bool past = stream && is_whole && on_line(y + at);
    const auto for_parts = [=](const auto& part) EVENKEEL_INLINED {
      for (std::size_t i = 0; i < kLanes; i += Vec::kLanes) {
        part(i, i < count ? min_size(Vec::kLanes, count - i) : 0);
      }
    };
    if (!is_whole) {
      for_parts([&](std::size_t i, std::size_t some) EVENKEEL_INLINED {
        load_up_to(x + at + i, some, Vec::zero()).store(left + i);
        (load_up_to(other + at + i, some, Vec::zero()).store(right + i), ...);
      });
    }
    const auto place = [=](const T* from, const T* buffer) {
      return is_whole ? from + at : buffer;
    };
    T* const to = is_whole ? y + at : out;
    const auto walk = [=](const auto*... from) EVENKEEL_INLINED {
      for (std::size_t i = 0; i < size; i += kLanes) {
        if (next != 0) [[unlikely]] {  // out of the way of arrays in the caches
          for (std::size_t j = 0; j < kLanes; j += Vec::kLanes)
            (prefetch(from + i + j + next), ...);
        }
        const Long value = by_register(f, Long::load(from + i)...);
        if (past) {
          value.stream(to + i);
        } else {
          value.store(to + i);
        }
      }
    };
    walk(place(x, left), place(other, right)...);
    if (!is_whole) {
      for_parts([&](std::size_t i, std::size_t some)
                    EVENKEEL_INLINED { Vec::load(out + i).store_partial(y + at + i, some); });
    }
    at += count;
  }
}
template <class T>
constexpr std::size_t next_of(bool stream) {
  return stream ? kAhead / sizeof(T) : 0;
}
// y = second(x, first(x)), one behind the other for a block: in one formula so long, instructions wait for each other longer
// than the processor looks ahead (softplus on Zen 3: 9.3 ns for 8 elements, in two 7.2).
template <class T, class First, class Second>
EVENKEEL_INLINE void map_in_two(const First& first, const Second& second, T* y, std::size_t n,
                                bool stream, const T* x) {
  if constexpr (!kSplitsFormulas) {
    const auto whole = [=](auto of) EVENKEEL_INLINED { return second(of, first(of)); };
    return map_registers(whole, y, n, stream, next_of<T>(stream), x);
  }
  constexpr std::size_t kBlock = 4096 / sizeof(T), kLanes = Simd<T>::Vec::kLanes;
  alignas(kCacheLine) T part[kBlock];
  for (std::size_t i = 0; i < n;) {
    // The first block ends at a cache line of y.
    const std::size_t size = i == 0 ? kBlock - kLanes + elements_to_line(y) : kBlock;
    const std::size_t count = min_size(size, n - i);
    map_registers(first, part, count, false, next_of<T>(stream), x + i);
    map_registers(second, y + i, count, stream, 0, x + i, static_cast<const T*>(part));
    i += count;
  }
}
// The same for formulas of a few instructions, where asking how long a vector is would count.
template <class T, class Function, class... More>
EVENKEEL_INLINE void map_quickly(const Function& f, T* y, std::size_t n, bool stream, const T* x,
                                 const More*... more) {
  using Vec = typename Simd<T>::Vec;
  for_vectors(y, n, stream, [=](std::size_t i, std::size_t count, bool past) EVENKEEL_INLINED {
    put<T>(by_register(f, load_up_to(x + i, count, Vec::zero()),
                       load_up_to(more + i, count, Vec::zero())...),
           y + i, count, past);
  });
}

// The same row by row. An element that all of a row meet is read as a vector of it.
template <class T, class Function>
EVENKEEL_INLINE void map_rows(const Function& f, T* y, BinaryRows rows, bool stream, const T* a,
                              const T* b) {
  using Vec = typename Simd<T>::Vec;
  T one_a[Vec::kLanes], one_b[Vec::kLanes];
  const std::size_t a_mask = rows.a_single ? 0 : ~std::size_t{0};
  const std::size_t b_mask = rows.b_single ? 0 : ~std::size_t{0};
  for (std::size_t r = 0; r < rows.count; ++r) {
    const T *left = a + r * rows.a_step, *right = b + r * rows.b_step;
    if (rows.a_single) {
      Vec::broadcast(*left).store(one_a);
      left = one_a;
    }
    if (rows.b_single) {
      Vec::broadcast(*right).store(one_b);
      right = one_b;
    }
    T* const out = y + r * rows.columns;
    for_vectors(out, rows.columns, stream,
                [=](std::size_t i, std::size_t count, bool past) EVENKEEL_INLINED {
                  put<T>(by_register(f, load_up_to(left + (i & a_mask), count, Vec::zero()),
                                     load_up_to(right + (i & b_mask), count, Vec::zero())),
                         out + i, count, past);
                });
  }
}

template <class T>
void stream_elements(const T* x, T* y, std::size_t n) {
  using Reg = typename Simd<T>::Reg;
  map_quickly([](Reg v) EVENKEEL_INLINED { return v; }, y, n, true, x);
}

// Elements that a loop over doubles takes at a time: with its buffers in the first cache.
constexpr std::size_t kDoubles = 256;

EVENKEEL_INLINE VecD load_as_doubles(const float* p) { return load_widened(p); }
EVENKEEL_INLINE VecD load_as_doubles(const double* p) { return VecD::load(p); }
EVENKEEL_INLINE void store_doubles(VecD x, float* p) { store_narrowed(x, p); }
EVENKEEL_INLINE void store_doubles(VecD x, double* p) { x.store(p); }

// y = f(x, ...) in double, vector by vector; the last one is filled up with ones. `ahead`: operands of y's type come
// from memory.
template <class T, class Function, class... From>
EVENKEEL_INLINE void in_double(const Function& f, T* y, std::size_t n, bool stream, bool ahead,
                               const From*... from) {
  constexpr std::size_t kLanes = VecD::kLanes;
  T out[kDoubles];
  for (std::size_t i = 0; i < n; i += kDoubles) {
    const std::size_t count = min_size(kDoubles, n - i);
    T* const to = stream ? out : y + i;
    for (std::size_t j = 0; j < count; j += kLanes) {
      const auto ask = [=]<class U>(const U* at) EVENKEEL_INLINED {
        if constexpr (sizeof(U) == sizeof(T)) prefetch(at + next_of<U>(true));
      };
      if (ahead) (ask(from + i + j), ...);
      const std::size_t left = count - j;
      const auto read = [&]<class U>(const U* at) EVENKEEL_INLINED {
        if (left >= kLanes) return load_as_doubles(at);
        U lanes[kLanes];
        for (std::size_t k = 0; k < kLanes; ++k) lanes[k] = k < left ? at[k] : U(1);
        return load_as_doubles(lanes);
      };
      const VecD value = by_register(f, read(from + i + j)...);
      if (left >= kLanes) {
        store_doubles(value, to + j);
      } else {
        T lanes[kLanes];
        store_doubles(value, lanes);
        for (std::size_t k = 0; k < left; ++k) to[j + k] = lanes[k];
      }
    }
    if (stream) stream_elements(out, y + i, count);
  }
}

// y = finish(x^p, more...) in double. Of floats all logarithms of a block come first: a whole power's instructions wait for
// each other longer than the processor can look ahead (Zen 3: 28 ns for 8, and 19 in two loops).
template <class T, class Finish, class... More>
EVENKEEL_INLINE void map_power(const Finish& finish, double p, T* y, std::size_t n, bool stream,
                               const T* x, const More*... more) {
  const auto whole = [=](RegD s, auto... d) EVENKEEL_INLINED -> RegD {
    return finish(power<kDigitsOf<T>>(s, p), d...);
  };
  if constexpr (!kSplitsFormulas || sizeof(T) == sizeof(double)) {
    in_double(whole, y, n, stream, stream, x, more...);
  } else {
    alignas(kCacheLine) double scaled[kDoubles];
    for (std::size_t i = 0; i < n; i += kDoubles) {
      const std::size_t count = min_size(kDoubles, n - i);
      RegL usual = RegL{} - 1, negative = RegL{};
      const auto first = [&](RegD s) EVENKEEL_INLINED -> RegD {
        const RegD size = magnitude(s);
        usual &= (size >= 0x1p-149) & (size <= 0x1.fffffep127);
        negative |= s < 0.0;
        return p * log2_of_float(size);
      };
      in_double(first, scaled, count, false, stream, x + i);
      bool is_usual = true, is_positive = true;
      for (std::size_t k = 0; k < sizeof(RegD) / sizeof(double); ++k) {
        is_usual &= usual[k] != 0;
        is_positive &= negative[k] == 0;
      }
      const bool ahead = stream && sizeof...(More) > 0;
      if (!is_usual) {
        in_double(whole, y + i, count, stream, ahead, x + i, more + i...);
      } else if (is_positive) {
        in_double([=](RegD s, auto... d)
                      EVENKEEL_INLINED -> RegD { return finish(power_of_2_for_float(s), d...); },
                  y + i, count, stream, ahead, scaled, more + i...);
      } else {
        in_double(
            [=](RegD s, RegD of, auto... d) EVENKEEL_INLINED -> RegD {
              return finish(power_of_sign(of, power_of_2_for_float(s), p), d...);
            },
            y + i, count, stream, ahead, scaled, x + i, more + i...);
      }
    }
  }
}

template <class T>
void unary(UnaryCode code, const T* from, T* y, std::size_t n, Numbers numbers, bool stream) {
  using Reg = typename Simd<T>::Reg;
  [[maybe_unused]] const T p = static_cast<T>(numbers.p), q = static_cast<T>(numbers.q);
  switch (code) {
#define UNARY(name, formula)                                                                   \
  case UnaryCode::name:                                                                        \
    return map_quickly([=](Reg x) EVENKEEL_INLINED -> Reg { return (formula); }, y, n, stream, \
                       from);
#define TRANSCENDENTAL(name, formula)                                                      \
  case UnaryCode::name:                                                                    \
    return map_registers([=](auto x) EVENKEEL_INLINED { return (formula); }, y, n, stream, \
                         next_of<T>(stream), from);
#define IN_TWO(name, first, second)                                                               \
  case UnaryCode::name:                                                                           \
    return map_in_two([=](auto x) EVENKEEL_INLINED { return (first); },                           \
                      [=](auto x, auto part) EVENKEEL_INLINED { return (second); }, y, n, stream, \
                      from);
#define POWER(name, exponent, formula)                                                   \
  case UnaryCode::name:                                                                  \
    return map_power([](RegD power_of_x) EVENKEEL_INLINED -> RegD { return (formula); }, \
                     (exponent), y, n, stream, from);
#include "pointwise.inc"
#undef UNARY
#undef TRANSCENDENTAL
#undef IN_TWO
#undef POWER
    case UnaryCode::count:
      return;
  }
}

template <class T>
void binary(BinaryCode code, const T* left, const T* right, T* y, BinaryRows rows, Numbers numbers,
            bool stream) {
  const std::size_t n = rows.columns;  // where there is one row
  using Reg = typename Simd<T>::Reg;
  [[maybe_unused]] const T p = static_cast<T>(numbers.p), q = static_cast<T>(numbers.q);
  switch (code) {
#define BINARY(name, formula)                                                                 \
  case BinaryCode::name:                                                                      \
    return map_rows([=](Reg a, Reg b) EVENKEEL_INLINED -> Reg { return (formula); }, y, rows, \
                    stream, left, right);
#define TRANSCENDENTAL_GRADIENT(name, formula)                                                     \
  case BinaryCode::name:                                                                           \
    return map_registers([=](auto s, auto d) EVENKEEL_INLINED { return (formula); }, y, n, stream, \
                         next_of<T>(stream), left, right);
#define IN_DOUBLE_GRADIENT(name, formula)                                                     \
  case BinaryCode::name: {                                                                    \
    [[maybe_unused]] constexpr int kDigits = kDigitsOf<T>;                                    \
    return in_double([](RegD s, RegD d) EVENKEEL_INLINED -> RegD { return (formula); }, y, n, \
                     stream, stream, left, right);                                            \
  }
#define POWER_GRADIENT(name, exponent, formula)                          \
  case BinaryCode::name:                                                 \
    return map_power([p = numbers.p](RegD power_of_s, RegD d)            \
                         EVENKEEL_INLINED -> RegD { return (formula); }, \
                     (exponent), y, n, stream, left, right);
#include "pointwise.inc"
#undef BINARY
#undef TRANSCENDENTAL_GRADIENT
#undef IN_DOUBLE_GRADIENT
#undef POWER_GRADIENT
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

inline void fence() { stream_fence(); }

template <class T>
constexpr ArithmeticKernels<T> arithmetic_kernels() {
  return {unary<T>, binary<T>, compare<T>, choose<T>, stream_elements<T>, fence};
}

}  // namespace
}  // namespace evenkeel
