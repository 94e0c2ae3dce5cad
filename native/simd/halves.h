// A vector of two halves, each of them a register or halves again: what is done to the whole is done to both.
// Needs of a half: kLanes, Value, zero, broadcast, load, load_partial, store, stream, store_partial, and the
// operations below that are used. Contract: docs/architecture.md, "An instruction set".
#pragma once

#include <cstddef>

// The bodies of the loops are lambdas that are called with constants; unless they are inlined there, each vector pays
// for the branches (1 MB: 39 us against 30). INLINED stands behind a lambda's parameters, INLINE before a function. What is
// APART is compiled by itself, with all registers.
#if defined(__GNUC__)
#define EVENKEEL_INLINED __attribute__((always_inline))
#define EVENKEEL_INLINE __attribute__((always_inline)) inline
#define EVENKEEL_APART __attribute__((noinline))
#else
#define EVENKEEL_INLINED
#define EVENKEEL_INLINE inline
#define EVENKEEL_APART
#endif

namespace evenkeel {
namespace {

template <class Half>
struct Halves {
  using Value = typename Half::Value;
  static constexpr std::size_t kHalf = Half::kLanes;
  static constexpr std::size_t kLanes = 2 * kHalf;
  Half a, b;

  static inline Halves zero() { return {Half::zero(), Half::zero()}; }
  static inline Halves broadcast(Value s) { return {Half::broadcast(s), Half::broadcast(s)}; }
  static inline Halves load(const Value* p) { return {Half::load(p), Half::load(p + kHalf)}; }
  static inline Halves load_partial(const Value* p, std::size_t n, Halves fill) {
    return {Half::load_partial(p, in_first(n), fill.a),
            Half::load_partial(p + kHalf, in_second(n), fill.b)};
  }
  inline void store(Value* p) const {
    a.store(p);
    b.store(p + kHalf);
  }
  inline void stream(Value* p) const {
    a.stream(p);
    b.stream(p + kHalf);
  }
  inline void store_partial(Value* p, std::size_t n) const {
    a.store_partial(p, in_first(n));
    b.store_partial(p + kHalf, in_second(n));
  }

 private:
  static inline std::size_t in_first(std::size_t n) { return n < kHalf ? n : kHalf; }
  static inline std::size_t in_second(std::size_t n) { return n > kHalf ? n - kHalf : 0; }
};

template <class Half>
inline Halves<Half> operator+(Halves<Half> x, Halves<Half> y) {
  return {x.a + y.a, x.b + y.b};
}
template <class Half>
inline Halves<Half> operator-(Halves<Half> x, Halves<Half> y) {
  return {x.a - y.a, x.b - y.b};
}
template <class Half>
inline Halves<Half> operator*(Halves<Half> x, Halves<Half> y) {
  return {x.a * y.a, x.b * y.b};
}
template <class Half>
inline Halves<Half> operator^(Halves<Half> x, Halves<Half> y) {
  return {x.a ^ y.a, x.b ^ y.b};
}
template <class Half>
inline Halves<Half> fused(Halves<Half> x, Halves<Half> y, Halves<Half> z) {
  return {fused(x.a, y.a, z.a), fused(x.b, y.b, z.b)};
}
// f of each register.
template <class Function, class Half, class... More>
EVENKEEL_INLINE Halves<Half> by_register(const Function& f, Halves<Half> x, More... more) {
  return {by_register(f, x.a, more.a...), by_register(f, x.b, more.b...)};
}
template <class Half>
inline Halves<Half> positive_part(Halves<Half> x) {
  return {positive_part(x.a), positive_part(x.b)};
}
template <class Half>
inline Halves<Half> where_positive(Halves<Half> x, Halves<Half> y) {
  return {where_positive(x.a, y.a), where_positive(x.b, y.b)};
}
template <class Half>
inline Halves<Half> multiply_low(Halves<Half> x, Halves<Half> y) {
  return {multiply_low(x.a, y.a), multiply_low(x.b, y.b)};
}
template <class Half>
inline Halves<Half> high_half(Halves<Half> x) {
  return {high_half(x.a), high_half(x.b)};
}

// A half of floats widens to twice as many registers of doubles.
template <class Half>
inline auto widen(Halves<Half> x) {
  using Wide = decltype(widen(x.a));
  return Halves<Wide>{widen(x.a), widen(x.b)};
}

// The fixed tree: lane i meets i + kLanes / 2, and so on in the half that is left.
template <class Half>
inline double fold(Halves<Half> x) {
  return fold(x.a + x.b);
}

}  // namespace
}  // namespace evenkeel
