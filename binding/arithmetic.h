// The pointwise operations, by code (native/kernels/pointwise.inc), comparisons and choices.
#pragma once

#include <cstdint>

#include "../native/math/arithmetic.h"
#include "args.h"

namespace evenkeel::binding {

template <class Code>
Code code_at(const Args& args, Args::Slot index) {
  const std::size_t code = args.size(index, "code");
  if (code >= static_cast<std::size_t>(Code::count)) args.fail("code", "a known one", "another");
  return static_cast<Code>(code);
}

// How operands are broadcast: a Float64Array of `rank` sizes, then `rank` strides for each operand, or null where all
// have the result's shape. A copy: another thread may write into a shared array after the check.
struct Layouts {
  std::size_t rank;
  const double* numbers;

  Layouts(const Args& args, Args::Slot index, Args::Slot rank_index, std::size_t operands)
      : rank(args.size(rank_index, "rank")), numbers(nullptr) {
    if (rank == 0) return;
    if (rank > kMostDims) args.fail("rank", "at most 16", "more");
    numbers = args.copied<double>(index, "layout", rank * (operands + 1));
  }

  // That a result of n elements reads `length` elements of operand number `which` at most.
  Layout of(const Args& args, std::size_t which, std::size_t n, std::size_t length) const {
    if (rank == 0) {
      if (length != n) args.fail("layout", "given where sizes differ", "none");
      return {0, nullptr, nullptr};
    }
    const double* strides = numbers + rank * (which + 1);
    double elements = 1.0, last = 0.0;
    for (std::size_t d = 0; d < rank; ++d) {
      const double size = numbers[d], stride = strides[d];
      if (!(size >= 1.0 && size <= 9007199254740991.0 && size == std::floor(size)) ||
          !(stride >= 0.0 && stride <= 9007199254740991.0 && stride == std::floor(stride))) {
        args.fail("layout", "sizes from 1 and strides from 0", "others");
      }
      elements *= size;
      last += (size - 1.0) * stride;
    }
    if (elements != static_cast<double>(n) || !(last < static_cast<double>(length))) {
      args.fail("layout", "within the operands", "beyond one");
    }
    return {rank, numbers, strides};
  }
};

// (x, y, n, code, p, q)
template <class T>
struct UnaryCall {
  static constexpr std::size_t kArguments = 6;
  std::size_t n;
  const T* x;
  T* y;
  UnaryCode code;
  Numbers numbers;

  explicit UnaryCall(const Args& args)
      : n(args.size(2, "n")),
        x(args.array<T>(0, "x", n)),
        y(args.array<T>(1, "y", n)),
        code(code_at<UnaryCode>(args, 3)),
        numbers{args.number(4, "p"), args.number(5, "q")} {}
  void run() const { apply_unary(code, x, y, n, numbers); }
};

// (a, b, y, lengthA, lengthB, n, code, p, q, layout?, rank)
template <class T>
struct BinaryCall {
  static constexpr std::size_t kArguments = 11;
  std::size_t n;
  Operand<T> a, b;
  T* y;
  BinaryCode code;
  Numbers numbers;

  explicit BinaryCall(const Args& args)
      : n(args.size(5, "n")),
        y(args.array<T>(2, "y", n)),
        code(code_at<BinaryCode>(args, 6)),
        numbers{args.number(7, "p"), args.number(8, "q")} {
    const std::size_t length_a = args.size(3, "lengthA"), length_b = args.size(4, "lengthB");
    const Layouts layouts(args, 9, 10, 2);
    a = {args.array<T>(0, "a", length_a), layouts.of(args, 0, n, length_a)};
    b = {args.array<T>(1, "b", length_b), layouts.of(args, 1, n, length_b)};
  }
  void run() const { apply_binary(code, a, b, y, n, numbers); }
};

// (a, b, y: Int32Array, lengthA, lengthB, n, code, layout?, rank)
template <class T>
struct CompareCall {
  static constexpr std::size_t kArguments = 9;
  std::size_t n;
  Operand<T> a, b;
  std::int32_t* y;
  CompareCode code;

  explicit CompareCall(const Args& args)
      : n(args.size(5, "n")),
        y(args.array<std::int32_t>(2, "y", n)),
        code(code_at<CompareCode>(args, 6)) {
    const std::size_t length_a = args.size(3, "lengthA"), length_b = args.size(4, "lengthB");
    const Layouts layouts(args, 7, 8, 2);
    a = {args.array<T>(0, "a", length_a), layouts.of(args, 0, n, length_a)};
    b = {args.array<T>(1, "b", length_b), layouts.of(args, 1, n, length_b)};
  }
  void run() const { compare(code, a, b, y, n); }
};

// (a, b, mask: Int32Array, y, lengthA, lengthB, lengthMask, n, layout?, rank)
template <class T>
struct ChooseCall {
  static constexpr std::size_t kArguments = 10;
  std::size_t n;
  Operand<T> a, b;
  Operand<std::int32_t> mask;
  T* y;

  explicit ChooseCall(const Args& args) : n(args.size(7, "n")), y(args.array<T>(3, "y", n)) {
    const std::size_t length_a = args.size(4, "lengthA"), length_b = args.size(5, "lengthB");
    const std::size_t length_mask = args.size(6, "lengthMask");
    const Layouts layouts(args, 8, 9, 3);
    a = {args.array<T>(0, "a", length_a), layouts.of(args, 0, n, length_a)};
    b = {args.array<T>(1, "b", length_b), layouts.of(args, 1, n, length_b)};
    mask = {args.array<std::int32_t>(2, "mask", length_mask), layouts.of(args, 2, n, length_mask)};
  }
  void run() const { choose(mask, a, b, y, n); }
};

}  // namespace evenkeel::binding
