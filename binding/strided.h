// Elements moved from one order to another, and selected by indices. The arrays of integers come as those of floats of
// the same size: nothing looks at a value.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

#include "../native/math/strided.h"
#include "args.h"
#include "indices.h"

namespace evenkeel::binding {

template <class T>
using WordOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// (from, to, lengthFrom, lengthTo, layout, rank): layout is a Float64Array of the two offsets, `rank` sizes, the strides
// in `from`, the strides in `to`. A copy: another thread may write into a shared array after the check.
template <class T>
struct CopyStridedCall {
  static constexpr std::size_t kArguments = 6;
  std::size_t rank;
  const T* from;
  T* to;
  const double* numbers;

  explicit CopyStridedCall(const Args& args) : rank(args.size(5, "rank")) {
    const std::size_t length_from = args.size(2, "lengthFrom"),
                      length_to = args.size(3, "lengthTo");
    if (rank > kMostStrided) args.fail("rank", "at most 16", "more");
    from = args.array<T>(0, "from", length_from);
    to = args.array<T>(1, "to", length_to);
    numbers = args.copied<double>(4, "layout", 2 + 3 * rank);
    check(args, numbers[0], numbers + 2 + rank, length_from);
    check(args, numbers[1], numbers + 2 + 2 * rank, length_to);
  }
  void run() const {
    using Word = WordOf<T>;
    const double* sizes = numbers + 2;
    copy_strided(reinterpret_cast<const Word*>(from),
                 {static_cast<std::ptrdiff_t>(numbers[0]), sizes + rank},
                 reinterpret_cast<Word*>(to),
                 {static_cast<std::ptrdiff_t>(numbers[1]), sizes + 2 * rank}, sizes, rank);
  }

 private:
  static bool whole(double x) { return x == std::floor(x) && std::fabs(x) <= 9007199254740991.0; }

  // That the first and the last element that a walk can reach are there.
  void check(const Args& args, double offset, const double* strides, std::size_t length) const {
    double least = offset, most = offset;
    bool good = whole(offset), empty = false;
    for (std::size_t d = 0; d < rank; ++d) {
      const double size = numbers[2 + d], stride = strides[d];
      good = good && whole(size) && size >= 0.0 && whole(stride);
      if (size == 0.0) empty = true;
      (stride < 0.0 ? least : most) += (size - 1.0) * stride;
    }
    if (!good) args.fail("layout", "of whole numbers", "another");
    if (!empty && !(least >= 0.0 && most < static_cast<double>(length))) {
      args.fail("layout", "within the arrays", "beyond one");
    }
  }
};

// (x, index: Int32Array | BigInt64Array, y, outer, size, count, inner): y [outer, count, inner] of
// x [outer, size, inner]; `kEach`: an index for each element of y. -> -1, or where the first index stands that is none
// of 0 to size - 1: then nothing has been written.
template <class T, bool kEach>
struct Selection {
  static constexpr std::size_t kArguments = 7;
  std::size_t outer, size, count, inner;
  T* x;
  T* y;
  Indices indices;

  explicit Selection(const Args& args)
      : outer(args.size(3, "outer")),
        size(args.size(4, "size")),
        count(args.size(5, "count")),
        inner(args.size(6, "inner")),
        x(args.array<T>(0, "x", args.product(args.product(outer, size), inner))),
        y(args.array<T>(2, "y", args.product(args.product(outer, count), inner))),
        indices(args, 1, "index", kEach ? outer * count * inner : count) {}

  template <class Select>
  double with_indices(Workspace& workspace, const Select& select) const {
    workspace.reset();
    std::int32_t* index = workspace.take<std::int32_t>(indices.count);
    const double bad = indices.copy_to(index, {size});
    if (bad < 0.0) select(index);
    return bad;
  }
};

template <class T>
struct IndexSelectCall : Selection<T, false> {
  using Selection<T, false>::Selection;
  double run(Workspace& workspace) const {
    return this->with_indices(workspace, [this](const std::int32_t* index) {
      index_select(reinterpret_cast<const WordOf<T>*>(this->x), index,
                   reinterpret_cast<WordOf<T>*>(this->y), this->outer, this->size, this->count,
                   this->inner);
    });
  }
};
template <class T>
struct GatherCall : Selection<T, true> {
  using Selection<T, true>::Selection;
  double run(Workspace& workspace) const {
    return this->with_indices(workspace, [this](const std::int32_t* index) {
      gather(reinterpret_cast<const WordOf<T>*>(this->x), index,
             reinterpret_cast<WordOf<T>*>(this->y), this->outer, this->size, this->count,
             this->inner);
    });
  }
};
template <class T>
struct IndexAddCall : Selection<T, false> {
  using Selection<T, false>::Selection;
  double run(Workspace& workspace) const {
    return this->with_indices(workspace, [this](const std::int32_t* index) {
      index_add(this->x, index, static_cast<const T*>(this->y), this->outer, this->size,
                this->count, this->inner);
    });
  }
};
template <class T>
struct IndexSumCall : Selection<T, false> {
  using Selection<T, false>::Selection;
  double run(Workspace& workspace) const {
    return this->with_indices(workspace, [&](const std::int32_t* index) {
      index_sum(this->x, index, static_cast<const T*>(this->y), this->outer, this->size,
                this->count, this->inner, workspace);
    });
  }
};
template <class T>
struct ScatterAddCall : Selection<T, true> {
  using Selection<T, true>::Selection;
  double run(Workspace& workspace) const {
    return this->with_indices(workspace, [this](const std::int32_t* index) {
      scatter_add(this->x, index, static_cast<const T*>(this->y), this->outer, this->size,
                  this->count, this->inner);
    });
  }
};

// (x, value, n): every element becomes the value.
template <class T>
struct FillCall {
  static constexpr std::size_t kArguments = 3;
  std::size_t n;
  double value;
  T* x;

  explicit FillCall(const Args& args)
      : n(args.size(2, "n")), value(args.number(1, "value")), x(args.array<T>(0, "x", n)) {}
  void run() const { fill(x, static_cast<T>(value), n); }
};

}  // namespace evenkeel::binding
