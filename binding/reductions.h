// Reductions, softmax and sorting along a dimension.
#pragma once

#include <cstdint>

#include "../native/math/reductions.h"
#include "args.h"

namespace evenkeel::binding {

inline Extent extent_at(const Args& args, Args::Slot outer, Args::Slot size, Args::Slot inner) {
  return {args.size(outer, "outer"), args.size(size, "size"), args.size(inner, "inner")};
}
inline std::size_t elements_of(const Args& args, Extent e) {
  return args.product(args.product(e.outer, e.size), e.inner);
}

// (x, y, code, outer, size, inner, correction)
template <class T>
struct ReduceCall {
  static constexpr std::size_t kArguments = 7;
  Extent extent;
  ReduceCode code;
  double correction;
  const T* x;
  T* y;

  explicit ReduceCall(const Args& args)
      : extent(extent_at(args, 3, 4, 5)),
        code(static_cast<ReduceCode>(args.size(2, "code"))),
        correction(args.number(6, "correction")),
        x(args.array<T>(0, "x", elements_of(args, extent))),
        y(args.array<T>(1, "y", args.product(extent.outer, extent.inner))) {
    if (code >= ReduceCode::count) args.fail("code", "a known one", "another");
    const bool is_extreme = code == ReduceCode::amax || code == ReduceCode::amin;
    if (is_extreme && extent.size == 0) args.fail("size", "at least 1", "0");
  }
  void run(Workspace& workspace) const {
    evenkeel::reduce(code, x, y, extent, correction, workspace);
  }
};

// (x, indices: BigInt64Array, largest, outer, size, inner)
template <class T>
struct ExtremeIndicesCall {
  static constexpr std::size_t kArguments = 6;
  Extent extent;
  bool largest;
  const T* x;
  std::int64_t* indices;

  explicit ExtremeIndicesCall(const Args& args)
      : extent(extent_at(args, 3, 4, 5)),
        largest(args.flag(2, "largest")),
        x(args.array<T>(0, "x", elements_of(args, extent))),
        indices(args.array<std::int64_t>(1, "indices", args.product(extent.outer, extent.inner))) {
    if (extent.size == 0) args.fail("size", "at least 1", "0");
  }
  void run() const { extreme_indices(largest, x, indices, extent); }
};

// (x, y, log, outer, size, inner)
template <class T>
struct SoftmaxCall {
  static constexpr std::size_t kArguments = 6;
  Extent extent;
  bool log;
  const T* x;
  T* y;

  explicit SoftmaxCall(const Args& args)
      : extent(extent_at(args, 3, 4, 5)), log(args.flag(2, "log")) {
    const std::size_t n = elements_of(args, extent);
    x = args.array<T>(0, "x", n);
    y = args.array<T>(1, "y", n);
    if (extent.size == 0) args.fail("size", "at least 1", "0");
  }
  void run() const { softmax(log, x, y, extent); }
};

// (y, dy, dx, log, outer, size, inner)
template <class T>
struct SoftmaxBackwardCall {
  static constexpr std::size_t kArguments = 7;
  Extent extent;
  bool log;
  const T *y, *dy;
  T* dx;

  explicit SoftmaxBackwardCall(const Args& args)
      : extent(extent_at(args, 4, 5, 6)), log(args.flag(3, "log")) {
    const std::size_t n = elements_of(args, extent);
    y = args.array<T>(0, "y", n);
    dy = args.array<T>(1, "dy", n);
    dx = args.array<T>(2, "dx", n);
  }
  void run() const { softmax_backward(log, y, dy, dx, extent); }
};

// (x, y, indices: BigInt64Array, rows, size, k, descending)
template <class T>
struct SortCall {
  static constexpr std::size_t kArguments = 7;
  std::size_t rows, size, k;
  bool descending;
  const T* x;
  T* y;
  std::int64_t* indices;

  explicit SortCall(const Args& args)
      : rows(args.size(3, "rows")),
        size(args.size(4, "size")),
        k(args.size(5, "k")),
        descending(args.flag(6, "descending")),
        x(args.array<T>(0, "x", args.product(rows, size))),
        y(args.array<T>(1, "y", args.product(rows, k))),
        indices(args.array<std::int64_t>(2, "indices", args.product(rows, k))) {
    if (k > size) args.fail("k", "at most the size", "more");
  }
  void run(Workspace& workspace) const {
    sort_rows(x, y, indices, rows, size, k, descending, workspace);
  }
};

}  // namespace evenkeel::binding
