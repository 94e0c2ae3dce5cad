// Losses that compare vectors.
#pragma once

#include <cstdint>

#include "../native/math/class_losses.h"
#include "../native/math/pairs.h"
#include "args.h"

namespace evenkeel::binding {

inline PairSums* sums_at(const Args& args, Args::Slot slot, std::size_t rows) {
  static_assert(sizeof(PairSums) == 3 * sizeof(double));
  return reinterpret_cast<PairSums*>(args.array<double>(slot, "sums", args.product(3, rows)));
}

// (a, b, y, sums: Float64Array(3 rows), rows, size, eps)
template <class T>
struct Cosines {
  static constexpr std::size_t kArguments = 7;
  PairRows<T> pairs;
  T* y;
  PairSums* sums;
  double eps;

  explicit Cosines(const Args& args)
      : pairs{nullptr, nullptr, args.size(4, "rows"), args.size(5, "size")},
        y(args.array<T>(2, "y", pairs.rows)),
        sums(sums_at(args, 3, pairs.rows)),
        eps(args.number(6, "eps")) {
    const std::size_t elements = args.product(pairs.rows, pairs.size);
    pairs.a = args.array<T>(0, "a", elements);
    pairs.b = args.array<T>(1, "b", elements);
  }
  void run() const { cosines(pairs, eps, sums, y); }
};

// (a, b, sums: Float64Array(3 rows), dy, rows, size, eps, da?, db?)
template <class T>
struct CosineGradients {
  static constexpr std::size_t kArguments = 9;
  PairRows<T> pairs;
  const PairSums* sums;
  const T* dy;
  double eps;
  T *da, *db;

  explicit CosineGradients(const Args& args)
      : pairs{nullptr, nullptr, args.size(4, "rows"), args.size(5, "size")},
        sums(sums_at(args, 2, pairs.rows)),
        dy(args.array<T>(3, "dy", pairs.rows)),
        eps(args.number(6, "eps")) {
    const std::size_t elements = args.product(pairs.rows, pairs.size);
    pairs.a = args.array<T>(0, "a", elements);
    pairs.b = args.array<T>(1, "b", elements);
    da = args.array_or_null<T>(7, "da", elements);
    db = args.array_or_null<T>(8, "db", elements);
  }
  void run() const { cosine_gradients(pairs, eps, sums, dy, da, db); }
};

// (a, b, signs: Int32Array, rows, size, margin, sums: Float64Array(3 rows), values?) -> the sum of losses
template <class T>
struct EmbeddingLosses {
  static constexpr std::size_t kArguments = 8;
  PairRows<T> pairs;
  const std::int32_t* signs;
  double margin;
  PairSums* sums;
  T* values;

  explicit EmbeddingLosses(const Args& args)
      : pairs{nullptr, nullptr, args.size(3, "rows"), args.size(4, "size")},
        signs(args.array<std::int32_t>(2, "signs", pairs.rows)),
        margin(args.number(5, "margin")),
        sums(sums_at(args, 6, pairs.rows)),
        values(args.array_or_null<T>(7, "values", pairs.rows)) {
    const std::size_t elements = args.product(pairs.rows, pairs.size);
    pairs.a = args.array<T>(0, "a", elements);
    pairs.b = args.array<T>(1, "b", elements);
  }
  double run(Workspace& workspace) const {
    workspace.reset();
    double* losses = workspace.take<double>(pairs.rows);
    embedding_losses(pairs, signs, margin, sums, losses);
    return finish_losses(losses, pairs.rows, values);
  }
};

// (a, b, signs: Int32Array, rows, size, margin, sums: Float64Array(3 rows), dy?, factor, da?, db?)
template <class T>
struct EmbeddingGradients {
  static constexpr std::size_t kArguments = 11;
  PairRows<T> pairs;
  const std::int32_t* signs;
  double margin;
  const PairSums* sums;
  RowScale<T> scale;
  T *da, *db;

  explicit EmbeddingGradients(const Args& args)
      : pairs{nullptr, nullptr, args.size(3, "rows"), args.size(4, "size")},
        signs(args.array<std::int32_t>(2, "signs", pairs.rows)),
        margin(args.number(5, "margin")),
        sums(sums_at(args, 6, pairs.rows)),
        scale{args.array_or_null<T>(7, "dy", pairs.rows), args.number(8, "factor")} {
    const std::size_t elements = args.product(pairs.rows, pairs.size);
    pairs.a = args.array<T>(0, "a", elements);
    pairs.b = args.array<T>(1, "b", elements);
    da = args.array_or_null<T>(9, "da", elements);
    db = args.array_or_null<T>(10, "db", elements);
  }
  void run() const { embedding_gradients(pairs, signs, margin, sums, scale, da, db); }
};

template <class T>
Triplets<T> triplets_at(const Args& args) {
  const std::size_t rows = args.size(3, "rows"), size = args.size(4, "size");
  const std::size_t elements = args.product(rows, size);
  return {
      {args.array<T>(0, "anchor", elements), args.array<T>(1, "positive", elements), rows, size},
      args.array<T>(2, "negative", elements),
      args.number(5, "margin"),
      args.number(6, "eps"),
      args.flag(7, "squares"),
      args.flag(8, "swap")};
}

// (anchor, positive, negative, rows, size, margin, eps, squares, swap, distances: Float64Array(3 rows), values?)
// -> the sum of losses
template <class T>
struct TripletLosses {
  static constexpr std::size_t kArguments = 11;
  Triplets<T> triplets;
  double* distances;
  T* values;

  explicit TripletLosses(const Args& args)
      : triplets(triplets_at<T>(args)),
        distances(args.array<double>(9, "distances", args.product(3, triplets.pairs.rows))),
        values(args.array_or_null<T>(10, "values", triplets.pairs.rows)) {}
  double run(Workspace& workspace) const {
    workspace.reset();
    double* losses = workspace.take<double>(triplets.pairs.rows);
    triplet_losses(triplets, distances, losses);
    return finish_losses(losses, triplets.pairs.rows, values);
  }
};

// (anchor, positive, negative, rows, size, margin, eps, squares, swap, distances: Float64Array(3 rows), dy?, factor,
//  dAnchor?, dPositive?, dNegative?)
template <class T>
struct TripletGradients {
  static constexpr std::size_t kArguments = 15;
  Triplets<T> triplets;
  const double* distances;
  RowScale<T> scale;
  T *da, *db, *dc;

  explicit TripletGradients(const Args& args)
      : triplets(triplets_at<T>(args)),
        distances(args.array<double>(9, "distances", args.product(3, triplets.pairs.rows))),
        scale{args.array_or_null<T>(10, "dy", triplets.pairs.rows), args.number(11, "factor")} {
    const std::size_t elements = triplets.pairs.rows * triplets.pairs.size;
    da = args.array_or_null<T>(12, "dAnchor", elements);
    db = args.array_or_null<T>(13, "dPositive", elements);
    dc = args.array_or_null<T>(14, "dNegative", elements);
  }
  void run() const { triplet_gradients(triplets, distances, scale, da, db, dc); }
};

}  // namespace evenkeel::binding
