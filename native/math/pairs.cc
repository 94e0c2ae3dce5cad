#include "pairs.h"

#include <algorithm>
#include <cmath>

#include "../kernels/dispatch.h"
#include "blocks.h"

namespace evenkeel {
namespace {

constexpr double kSquaredLength = 1e-12;  // what PyTorch adds to each in cosine_embedding_loss

// max(0, x); NaN stays.
double positive_or_0(double x) { return x <= 0.0 ? 0.0 : x; }

template <class T>
T* at(T* array, std::size_t i) {
  return array != nullptr ? array + i : nullptr;
}

}  // namespace

template <class T>
void cosines(const PairRows<T>& pairs, double eps, PairSums* sums, T* y) {
  for_rows(pairs.rows, pairs.size, 1, [&](std::size_t row) {
    const std::size_t first = row * pairs.size;
    const PairSums found = kernels_of<T>().pairs.sums(pairs.a + first, pairs.b + first, pairs.size);
    sums[row] = found;
    y[row] = static_cast<T>(
        found.ab / (std::max(std::sqrt(found.aa), eps) * std::max(std::sqrt(found.bb), eps)));
  });
}

template <class T>
void cosine_gradients(const PairRows<T>& pairs, double eps, const PairSums* sums, const T* dy,
                      T* da, T* db) {
  for_rows(pairs.rows, pairs.size, 1, [&](std::size_t row) {
    const auto& kernels = kernels_of<T>().pairs;
    const std::size_t first = row * pairs.size, n = pairs.size;
    const T *a = pairs.a + first, *b = pairs.b + first;
    const PairSums found = sums[row];
    const double length_a = std::sqrt(found.aa), length_b = std::sqrt(found.bb);
    const double u = std::max(length_a, eps), v = std::max(length_b, eps);
    const double factor = static_cast<double>(dy[row]) / (u * v);
    // As in PyTorch, where a length is held at eps its own change counts still.
    const double along_a = length_a == 0.0 ? 0.0 : found.ab / (u * length_a);
    const double along_b = length_b == 0.0 ? 0.0 : found.ab / (v * length_b);
    if (da != nullptr) kernels.gradient(a, b, n, factor, along_a, da + first);
    if (db != nullptr) kernels.gradient(b, a, n, factor, along_b, db + first);
  });
}

template <class T>
void embedding_losses(const PairRows<T>& pairs, const std::int32_t* signs, double margin,
                      PairSums* sums, double* loss) {
  for_rows(pairs.rows, pairs.size, 1, [&](std::size_t row) {
    const std::size_t first = row * pairs.size;
    const PairSums found = kernels_of<T>().pairs.sums(pairs.a + first, pairs.b + first, pairs.size);
    sums[row] = found;
    const double cosine =
        found.ab / std::sqrt((found.aa + kSquaredLength) * (found.bb + kSquaredLength));
    loss[row] = signs[row] == 1 ? 1.0 - cosine : positive_or_0(cosine - margin);
  });
}

template <class T>
void embedding_gradients(const PairRows<T>& pairs, const std::int32_t* signs, double margin,
                         const PairSums* sums, RowScale<T> scale, T* da, T* db) {
  for_rows(pairs.rows, pairs.size, 1, [&](std::size_t row) {
    const auto& kernels = kernels_of<T>().pairs;
    const std::size_t first = row * pairs.size, n = pairs.size;
    const T *a = pairs.a + first, *b = pairs.b + first;
    const PairSums found = sums[row];
    const double u = found.aa + kSquaredLength, v = found.bb + kSquaredLength;
    const double root = std::sqrt(u * v), cosine = found.ab / root;
    const double derivative = signs[row] == 1 ? -1.0 : (cosine - margin > 0.0 ? 1.0 : 0.0);
    const double factor = derivative * scale.of(row) / root;
    if (da != nullptr) kernels.gradient(a, b, n, factor, found.ab / u, da + first);
    if (db != nullptr) kernels.gradient(b, a, n, factor, found.ab / v, db + first);
  });
}

template <class T>
void triplet_losses(const Triplets<T>& triplets, double* distances, double* loss) {
  const PairRows<T>& pairs = triplets.pairs;
  for_rows(pairs.rows, pairs.size, 3, [&](std::size_t row) {
    const std::size_t first = row * pairs.size;
    const T *a = pairs.a + first, *b = pairs.b + first, *c = triplets.c + first;
    const auto distance = [&](const T* x, const T* y) {
      const double sum =
          kernels_of<T>().pairs.distance(x, y, pairs.size, triplets.eps, triplets.squares);
      return triplets.squares ? std::sqrt(sum) : sum;
    };
    const double near = distance(a, b);
    double far = distance(a, c);
    const double other = triplets.swap ? distance(b, c) : far;
    const bool swapped = other < far;
    // NaN of either is one of the smaller one.
    if (swapped || other != other) far = other;
    distances[3 * row] = near;
    distances[3 * row + 1] = far;
    distances[3 * row + 2] = swapped ? 1.0 : 0.0;
    loss[row] = positive_or_0(near - far + triplets.margin);
  });
}

template <class T>
void triplet_gradients(const Triplets<T>& triplets, const double* distances, RowScale<T> scale,
                       T* da, T* db, T* dc) {
  const PairRows<T>& pairs = triplets.pairs;
  for_rows(pairs.rows, pairs.size, 3, [&](std::size_t row) {
    const std::size_t first = row * pairs.size;
    const double *of = distances + 3 * row, near = of[0], far = of[1];
    if (near - far + triplets.margin > 0.0) {
      kernels_of<T>().pairs.triplet_gradients(
          pairs.a + first, pairs.b + first, triplets.c + first, pairs.size,
          {near, far, scale.of(row), triplets.eps, triplets.squares, of[2] != 0.0}, at(da, first),
          at(db, first), at(dc, first));
      return;
    }
    for (T* each : {da, db, dc}) {
      if (each != nullptr) std::fill_n(each + first, pairs.size, T(0));
    }
  });
}

#define EVENKEEL_FOR(T)                                                                          \
  template void cosines(const PairRows<T>&, double, PairSums*, T*);                              \
  template void cosine_gradients(const PairRows<T>&, double, const PairSums*, const T*, T*, T*); \
  template void embedding_losses(const PairRows<T>&, const std::int32_t*, double, PairSums*,     \
                                 double*);                                                       \
  template void embedding_gradients(const PairRows<T>&, const std::int32_t*, double,             \
                                    const PairSums*, RowScale<T>, T*, T*);                       \
  template void triplet_losses(const Triplets<T>&, double*, double*);                            \
  template void triplet_gradients(const Triplets<T>&, const double*, RowScale<T>, T*, T*, T*);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
