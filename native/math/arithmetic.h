// The pointwise operations with broadcasting, comparisons and choices. Arrays are contiguous; outputs may be the same
// array as an operand that is not broadcast. Same bits for every instruction set and thread count: elements do not meet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../kernels/kernels.h"

namespace evenkeel {

inline constexpr std::size_t kMostDims = 16;

// How an operand's elements are met by those of a result of `rank` sizes: element (i0, i1, ...) is at
// i0 * strides[0] + i1 * strides[1] + ...; 0 repeats one. Null: the operand has the result's own order.
struct Layout {
  std::size_t rank;
  const double* sizes;
  const double* strides;
};

template <class T>
struct Operand {
  const T* data;
  Layout layout;
};

template <class T>
void apply_unary(UnaryCode code, const T* x, T* y, std::size_t n, Numbers numbers);
template <class T>
void apply_binary(BinaryCode code, Operand<T> a, Operand<T> b, T* y, std::size_t n,
                  Numbers numbers);
// y = 1 where it holds, else 0
template <class T>
void compare(CompareCode code, Operand<T> a, Operand<T> b, std::int32_t* y, std::size_t n);
// y = mask != 0 ? a : b
template <class T>
void choose(Operand<std::int32_t> mask, Operand<T> a, Operand<T> b, T* y, std::size_t n);

}  // namespace evenkeel
