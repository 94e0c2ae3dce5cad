// Losses that compare vectors: dot products, distances and their gradients, in double, rounded once.
#pragma once

#include <cstddef>

#include "functions-inl.h"
#include "pairs.h"
#include "reductions-inl.h"

namespace evenkeel {
namespace {

// What is not finite has left NaN in `low`.
inline double folded(Total total) {
  return total.high - total.high == 0.0 ? total.high + total.low : total.high;
}

template <class T>
PairSums pair_sums(const T* a, const T* b, std::size_t n) {
  LaneSums<T> ab, aa, bb;
  double x[kSumLanes], y[kSumLanes], part[kSumLanes];
  for (std::size_t i = 0; i < n; i += kSumLanes) {
    const std::size_t count = min_size(kSumLanes, n - i);
    for (std::size_t j = 0; j < count; ++j) x[j] = static_cast<double>(a[i + j]);
    for (std::size_t j = 0; j < count; ++j) y[j] = static_cast<double>(b[i + j]);
    for (std::size_t j = count; j < kSumLanes; ++j) x[j] = y[j] = 0.0;
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = x[j] * y[j];
    ab.add(part);
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = x[j] * x[j];
    aa.add(part);
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = y[j] * y[j];
    bb.add(part);
  }
  return {folded(ab.total()), folded(aa.total()), folded(bb.total())};
}

template <class T>
void pair_gradient(const T* own, const T* other, std::size_t n, double factor, double along,
                   T* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const double difference = static_cast<double>(other[i]) - along * static_cast<double>(own[i]);
    out[i] = static_cast<T>(factor * difference);
  }
}

template <class T>
double pair_distance(const T* a, const T* b, std::size_t n, double eps, bool squares) {
  const auto difference = [=](std::size_t i) EVENKEEL_INLINED {
    return static_cast<double>(a[i]) - static_cast<double>(b[i]) + eps;
  };
  if (squares) {
    return folded(sum_lanes<T>(n, [=](std::size_t i) EVENKEEL_INLINED {
      const double d = difference(i);
      return d * d;
    }));
  }
  return folded(
      sum_lanes<T>(n, [=](std::size_t i) EVENKEEL_INLINED { return magnitude_of(difference(i)); }));
}

// d|difference| or d sqrt(sum difference^2): the length of nothing has no direction, so its gradient is 0.
template <bool kSquares>
inline double distance_derivative(double difference, double length) {
  if constexpr (kSquares) return length == 0.0 ? 0.0 : difference / length;
  return sign_of(difference);
}

template <class T, bool kSquares, bool kSwapped>
void triplet_gradients_of(const T* a, const T* b, const T* c, std::size_t n, const TripletRow& row,
                          T* da, T* db, T* dc) {
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    const double z = static_cast<double>(c[i]);
    const double toward = row.scale * distance_derivative<kSquares>(x - y + row.eps, row.near);
    const double away =
        row.scale * distance_derivative<kSquares>((kSwapped ? y : x) - z + row.eps, row.far);
    if (da != nullptr) da[i] = static_cast<T>(kSwapped ? toward : toward - away);
    if (db != nullptr) db[i] = static_cast<T>(kSwapped ? -toward - away : -toward);
    if (dc != nullptr) dc[i] = static_cast<T>(away);
  }
}

template <class T>
void triplet_gradients(const T* a, const T* b, const T* c, std::size_t n, const TripletRow& row,
                       T* da, T* db, T* dc) {
  with_flag(row.squares, [&](auto squares) {
    with_flag(row.swapped, [&](auto swapped) {
      triplet_gradients_of<T, decltype(squares)::value, decltype(swapped)::value>(a, b, c, n, row,
                                                                                  da, db, dc);
    });
  });
}

template <class T>
constexpr PairKernels<T> pair_kernels() {
  return {pair_sums<T>, pair_gradient<T>, pair_distance<T>, triplet_gradients<T>};
}

}  // namespace
}  // namespace evenkeel
