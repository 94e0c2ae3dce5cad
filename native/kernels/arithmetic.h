// The table of pointwise operations: each operation by its code, and comparisons. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

namespace evenkeel {

// Codes, in the order of pointwise.inc: UNARY, TRANSCENDENTAL, IN_TWO, POWER; and BINARY, TRANSCENDENTAL_GRADIENT,
// IN_DOUBLE_GRADIENT, POWER_GRADIENT.
enum class UnaryCode : unsigned int {
#define UNARY(name, formula) name,
#define TRANSCENDENTAL(name, formula) name,
#define IN_TWO(name, first, second) name,
#define POWER(name, exponent, formula) name,
#include "pointwise.inc"
#undef UNARY
#undef TRANSCENDENTAL
#undef IN_TWO
#undef POWER
  count
};
enum class BinaryCode : unsigned int {
#define BINARY(name, formula) name,
#define TRANSCENDENTAL_GRADIENT(name, formula) name,
#define IN_DOUBLE_GRADIENT(name, formula) name,
#define POWER_GRADIENT(name, exponent, formula) name,
#include "pointwise.inc"
#undef BINARY
#undef TRANSCENDENTAL_GRADIENT
#undef IN_DOUBLE_GRADIENT
#undef POWER_GRADIENT
  count
};
enum class CompareCode : unsigned int { eq, ne, lt, le, gt, ge, count };

// What a pointwise operation takes besides its operands.
struct Numbers {
  double p, q;
};

// Rows of `columns` elements that a binary operation walks: y's lie one behind the other, an operand's its step apart (0:
// one row again), and of one that is `single` the first element of a row is met by all of the row.
struct BinaryRows {
  std::size_t count, columns, a_step, b_step;
  bool a_single, b_single;
};
constexpr BinaryRows one_row(std::size_t n) { return {1, n, 0, 0, false, false}; }
// Whether an operation takes more than one_row(n).
constexpr bool takes_rows(BinaryCode code) {
  switch (code) {
#define BINARY(name, formula) case BinaryCode::name:
#include "pointwise.inc"
#undef BINARY
    return true;
    default:
      return false;
  }
}

// `stream`: y is written past the caches where its place allows it. Before another thread reads it: fence().
template <class T>
struct ArithmeticKernels {
  void (*unary)(UnaryCode code, const T* x, T* y, std::size_t n, Numbers numbers, bool stream);
  void (*binary)(BinaryCode code, const T* a, const T* b, T* y, BinaryRows rows, Numbers numbers,
                 bool stream);
  void (*compare)(CompareCode code, const T* a, const T* b, int* y, std::size_t n);
  // y = mask != 0 ? a : b
  void (*choose)(const int* mask, const T* a, const T* b, T* y, std::size_t n);
  void (*stream)(const T* x, T* y, std::size_t n);
  void (*fence)();
};

}  // namespace evenkeel
