// BatchNorm on (N, C): lanes are columns, written once over 16 float (8 double) lanes. Knows neither
// layout choice nor threads (batchnorm/nc.h does).
// Statistics: shifted sums in double (Chan, Golub, LeVeque 1979). Output: the centred form.
// Longer than 250 lines because the passes share the walk over leaves of rows and the tiles.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

// The sums of (N, C) take kSumRows rows of kSumVectors vectors of columns at a time: the double
// accumulators are then loaded and stored once in so many rows, and what follows is prefetched meanwhile.
// With AVX-512, 1 MB in L2: 62 us row by row, 40 so; 34 MB: 3.3 ms against 1.7.
// A vector of doubles has half the accumulators of one of floats.
constexpr std::size_t kWidestTile = 4;
template <class T>
constexpr std::size_t kSumTile = min_size(kWidestTile, kSumVectors * sizeof(T) / sizeof(float));
// Behind a ReLU three more coefficients a vector want registers.
template <class T>
constexpr std::size_t kGatedTile = (kSumTile<T> + 1) / 2;

// Rows of at most kSumAhead columns lie so close that a tile is read as memory lies: 16 rows and, for
// gradients, the widest tile, whose accumulators then are in memory. (65536, 256) on Zen 3: 12.9 ms against 14.8.
constexpr std::size_t kNarrowGroup = 16;
inline bool is_narrow(std::size_t columns) { return columns <= kSumAhead; }

// Up to kSumRows rows of one leaf.
struct RowGroup {
  std::size_t row, rows;
  bool begins;        // the leaf
  std::size_t ahead;  // how many elements further is prefetched
};

// From column c on: kSumAhead columns further in these rows and, towards their end, the first columns of
// the next ones. Where that is 0 or the rows are narrow, the same columns 16 rows further.
inline std::size_t prefetch_ahead(std::size_t c, std::size_t columns, std::size_t stride) {
  if (kSumAhead == 0 || is_narrow(columns)) return 16 * stride;
  return c + kSumAhead < columns ? kSumAhead : kSumRows * stride + kSumAhead - columns;
}

// What a group adds to.
alignas(64) constexpr double kZeros[kWidestTile * 16] = {};
inline const double* sums_so_far(const RowGroup& group, const double* sums) {
  return group.begins ? kZeros : sums;
}

// A leaf's sums meet the nodes that wait: the last one all of them, another one those that it completes (sum_tree.h).
// Apart from the sums: in one function GCC 12 keeps these in memory.
template <class T>
inline void end_leaf(std::size_t leaf, bool last, std::size_t columns, const LeafNodes& nodes) {
  using Wide = typename Simd<T>::Wide;
  const auto add = [&](std::size_t level) {
    const double* node = nodes.waiting + 2 * level * nodes.step;
    for (std::size_t c = 0; c < columns; c += Simd<T>::Vec::kLanes) {
      (Wide::load(node + c) + Wide::load(nodes.first + c)).store(nodes.first + c);
      (Wide::load(node + nodes.step + c) + Wide::load(nodes.second + c)).store(nodes.second + c);
    }
  };
  if (last) {
    fold_leaves(leaf, add);
    return;
  }
  double* node = nodes.waiting + 2 * push_leaf(leaf, add) * nodes.step;
  for (std::size_t c = 0; c < columns; c += Simd<T>::Vec::kLanes) {
    Wide::load(nodes.first + c).store(node + c);
    Wide::load(nodes.second + c).store(node + nodes.step + c);
  }
}

// A partial vector (n < kLanes) stands alone.
template <class T, std::size_t kVectors, bool kFull, bool kShifted>
inline void sum_rows(const T* x, const RowGroup& group, std::size_t n, std::size_t stride,
                     const T* shift, const LeafNodes& nodes, std::size_t c) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  Wide origin[kVectors], s[kVectors], q[kVectors];
#pragma GCC unroll 4
  for (std::size_t j = 0; j < kVectors; ++j) {
    if constexpr (kShifted) origin[j] = load_wide(shift + c + j * kLanes);
    s[j] = Wide::load(sums_so_far(group, nodes.first + c) + j * kLanes);
    q[j] = Wide::load(sums_so_far(group, nodes.second + c) + j * kLanes);
  }
  x += group.row * stride + c;
  for (std::size_t r = 0, rows = group.rows; r < rows; ++r, x += stride) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      const T* at = x + j * kLanes;
      prefetch(at + group.ahead);
      Wide d;
      if constexpr (kShifted) {
        d = less(load_wide_up_to<T, kFull>(at, n, shift + c + j * kLanes), origin[j]);
      } else {
        d = kFull ? load_wide(at) : widen(Vec::load_partial(at, n, Vec::zero()));
      }
      s[j] = added(s[j], d);
      q[j] = q[j] + d * d;
    }
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < kVectors; ++j) {
    s[j].store(nodes.first + c + j * kLanes);
    q[j].store(nodes.second + c + j * kLanes);
  }
}

// The same for sum dy and sum dy * (x - center), widened before they meet.
template <class T, std::size_t kVectors, bool kFull, bool kGated>
inline void grad_sum_rows(const T* x, const T* dy, const RowGroup& group, std::size_t n,
                          std::size_t stride, std::size_t dy_stride, const T* center,
                          NormalizeCoefficients<T> gate, const LeafNodes& nodes, std::size_t c) {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  constexpr std::size_t kLanes = Vec::kLanes;
  Wide origin[kVectors], s[kVectors], q[kVectors];
#pragma GCC unroll 4
  for (std::size_t j = 0; j < kVectors; ++j) {
    origin[j] = widen(Vec::load(center + c + j * kLanes));
    s[j] = Wide::load(sums_so_far(group, nodes.first + c) + j * kLanes);
    q[j] = Wide::load(sums_so_far(group, nodes.second + c) + j * kLanes);
  }
  x += group.row * stride + c;
  dy += group.row * dy_stride + c;
  const std::size_t dy_ahead = dy_stride == 0 ? 0 : group.ahead;
  for (std::size_t r = 0, rows = group.rows; r < rows; ++r, x += stride, dy += dy_stride) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      const T* at = x + j * kLanes;
      const T* dat = dy + j * kLanes;
      prefetch(at + group.ahead);
      prefetch(dat + dy_ahead);
      if constexpr (kFull && !kGated) {
        add_gradient(s[j], q[j], at, dat, origin[j]);
        continue;
      }
      Wide value, g;
      if constexpr (kGated) {
        const Vec v =
            kFull ? Vec::load(at) : Vec::load_partial(at, n, Vec::load(center + c + j * kLanes));
        const Vec gradient = kFull ? Vec::load(dat) : Vec::load_partial(dat, n, Vec::zero());
        value = widen(v);
        g = widen(gated(v, gradient, gate, c + j * kLanes));
      } else {
        value = load_wide_up_to<T, kFull>(at, n, center + c + j * kLanes);
        g = kFull ? load_wide(dat) : widen(Vec::load_partial(dat, n, Vec::zero()));
      }
      s[j] = s[j] + g;
      q[j] = q[j] + g * (value - origin[j]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < kVectors; ++j) {
    s[j].store(nodes.first + c + j * kLanes);
    q[j].store(nodes.second + c + j * kLanes);
  }
}

// Calls strip(group, c), vector(group, c) and part(group, c, n): strips of kVectors vectors, then
// single ones, then the last n columns.
template <class T, std::size_t kVectors, class Strip, class Vector, class Part>
inline void for_sum_tiles(LeafRows rows, std::size_t columns, const LeafNodes& nodes,
                          const Strip& strip, const Vector& vector, const Part& part) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  RowGroup group{};
  const std::size_t most = is_narrow(columns) ? kNarrowGroup : kSumRows;
  for (std::size_t leaf = 0, end = 0; end < rows.count; ++leaf) {
    end = min_size(end + rows.leaf, rows.count);
    group.begins = true;
    for (; group.row < end; group.row += group.rows, group.begins = false) {
      group.rows = min_size(most, end - group.row);
      const auto at = [&](std::size_t column) -> const RowGroup& {
        group.ahead = prefetch_ahead(column, columns, rows.stride);
        return group;
      };
      std::size_t c = 0;
      for (; c + kVectors * kLanes <= columns; c += kVectors * kLanes) strip(at(c), c);
      for (; c + kLanes <= columns; c += kLanes) vector(at(c), c);
      if (c < columns) part(at(c), c, columns - c);
    }
    end_leaf<T>(leaf, end == rows.count, columns, nodes);
  }
}

template <class T>
void sum_nc(const T* x, LeafRows rows, std::size_t columns, const T* shift, LeafNodes nodes) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  with_flag(shift != nullptr, [&](auto is_shifted) {
    constexpr bool kShifted = decltype(is_shifted)::value;
    for_sum_tiles<T, kSumTile<T>>(
        rows, columns, nodes,
        [&](const RowGroup& group, std::size_t c) {
          sum_rows<T, kSumTile<T>, true, kShifted>(x, group, kLanes, rows.stride, shift, nodes, c);
        },
        [&](const RowGroup& group, std::size_t c) {
          sum_rows<T, 1, true, kShifted>(x, group, kLanes, rows.stride, shift, nodes, c);
        },
        [&](const RowGroup& group, std::size_t c, std::size_t n) {
          sum_rows<T, 1, false, kShifted>(x, group, n, rows.stride, shift, nodes, c);
        });
  });
}

template <class T, std::size_t kVectors, bool kGated>
inline void grad_sum_tiles(const T* x, const T* dy, LeafRows rows, std::size_t dy_stride,
                           std::size_t columns, const T* center, NormalizeCoefficients<T> gate,
                           const LeafNodes& nodes) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  for_sum_tiles<T, kVectors>(
      rows, columns, nodes,
      [&](const RowGroup& group, std::size_t c) {
        grad_sum_rows<T, kVectors, true, kGated>(x, dy, group, kLanes, rows.stride, dy_stride,
                                                 center, gate, nodes, c);
      },
      [&](const RowGroup& group, std::size_t c) {
        grad_sum_rows<T, 1, true, kGated>(x, dy, group, kLanes, rows.stride, dy_stride, center,
                                          gate, nodes, c);
      },
      [&](const RowGroup& group, std::size_t c, std::size_t n) {
        grad_sum_rows<T, 1, false, kGated>(x, dy, group, n, rows.stride, dy_stride, center, gate,
                                           nodes, c);
      });
}

template <class T>
void grad_sum_nc(const T* x, const T* dy, LeafRows rows, std::size_t dy_stride, std::size_t columns,
                 const T* center, NormalizeCoefficients<T> gate, LeafNodes nodes) {
  if (gate.center == nullptr && is_narrow(columns)) {
    grad_sum_tiles<T, kWidestTile, false>(x, dy, rows, dy_stride, columns, center, gate, nodes);
  } else if (gate.center == nullptr) {
    grad_sum_tiles<T, kSumTile<T>, false>(x, dy, rows, dy_stride, columns, center, gate, nodes);
  } else {
    grad_sum_tiles<T, kGatedTile<T>, true>(x, dy, rows, dy_stride, columns, center, gate, nodes);
  }
}

// The elementwise passes: rows lie one behind the other, so a range of them is one stream of whole
// vectors, and a vector that begins in one row may end in the next. Calls one(i, column, n, streamed).
template <class T, class One>
inline void for_matrix_range(const T* out, MatrixRange range, bool stream, const One& one) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  std::size_t i = min_size(elements_to_line(out), range.n);
  stream = stream && on_line(out + i);
  std::size_t column = range.first;
  if (i > 0) one(std::size_t{0}, column, i, false);
  column = (column + i) % range.columns;
  const auto whole_vectors = [&](auto streamed) {
    while (i + kLanes <= range.n) {
      const std::size_t in_row = (range.columns - column + kLanes - 1) / kLanes;
      const std::size_t vectors = min_size(in_row, (range.n - i) / kLanes);
      for (std::size_t v = 0; v < vectors; ++v, i += kLanes, column += kLanes) {
        one(i, column, kLanes, decltype(streamed)::value);
      }
      column = column < range.columns ? column : column % range.columns;
    }
  };
  with_flag(stream, whole_vectors);
  if (i < range.n) one(i, column, range.n - i, false);
}

template <class T>
void normalize_nc(const T* x, T* y, MatrixRange range, NormalizeCoefficients<T> coefficients,
                  bool relu, bool stream) {
  using Vec = typename Simd<T>::Vec;
  with_flag(relu, [&](auto rectified) {
    for_matrix_range(
        y, range, stream,
        [=](std::size_t i, std::size_t c, std::size_t n, bool streamed) EVENKEEL_INLINED {
          Vec v = normalized<T>(load_up_to(x + i, n, Vec::zero()), coefficients, c);
          if constexpr (decltype(rectified)::value) v = positive_part(v);
          put<T>(v, y + i, n, streamed);
        });
  });
  if (stream) stream_fence();
}

// The gradient's vector at i, behind the gate.
template <class T, bool kDense, bool kGated>
inline typename Simd<T>::Vec gradient_at(const T* x, const T* dy, T dy_value, std::size_t i,
                                         std::size_t c, std::size_t n,
                                         NormalizeCoefficients<T> gate) {
  using Vec = typename Simd<T>::Vec;
  Vec g = Vec::broadcast(dy_value);
  if constexpr (kDense) g = load_up_to(dy + i, n, Vec::zero());
  if constexpr (kGated) g = gated(load_up_to(x + i, n, Vec::zero()), g, gate, c);
  return g;
}

template <class T>
void grad_apply_nc(const T* x, const T* dy, T dy_value, T* dx, MatrixRange range,
                   GradientCoefficients<T> coefficients, NormalizeCoefficients<T> gate,
                   bool stream) {
  using Vec = typename Simd<T>::Vec;
  with_flag(dy != nullptr, [&](auto dense) {
    with_flag(gate.center != nullptr, [&](auto is_gated) {
      for_matrix_range(
          dx, range, stream,
          [=](std::size_t i, std::size_t c, std::size_t n, bool streamed) EVENKEEL_INLINED {
            const Vec g = gradient_at<T, decltype(dense)::value, decltype(is_gated)::value>(
                x, dy, dy_value, i, c, n, gate);
            const Vec d = load_up_to(x + i, n, Vec::zero()) - Vec::load(coefficients.center + c);
            const Vec rest =
                (g + d * Vec::load(coefficients.b + c)) + Vec::load(coefficients.k + c);
            put<T>(rest * Vec::load(coefficients.a + c), dx + i, n, streamed);
          });
    });
  });
  if (stream) stream_fence();
}

template <class T>
void scale_nc(const T* x, const T* dy, T dy_value, T* dx, MatrixRange range, const T* a,
              NormalizeCoefficients<T> gate, bool stream) {
  using Vec = typename Simd<T>::Vec;
  with_flag(dy != nullptr, [&](auto dense) {
    with_flag(gate.center != nullptr, [&](auto is_gated) {
      for_matrix_range(
          dx, range, stream,
          [=](std::size_t i, std::size_t c, std::size_t n, bool streamed) EVENKEEL_INLINED {
            const Vec g = gradient_at<T, decltype(dense)::value, decltype(is_gated)::value>(
                x, dy, dy_value, i, c, n, gate);
            put<T>(g * Vec::load(a + c), dx + i, n, streamed);
          });
    });
  });
  if (stream) stream_fence();
}

}  // namespace
}  // namespace evenkeel
