// Longer than 250 lines because products, their gradient and rows share tiles and loads.
// Convolutions that read x where it is, not a matrix of its windows: depthwise ones row by row, others in the register
// tiles of matmul-inl.h, whose add_term they use. Lanes are positions; of a weight's gradient, outputs.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

// kVectors vectors of y at once: each factor is read once for all of them.
template <class T, std::size_t kVectors>
inline void weighted_vectors(const T* x, std::size_t step, const T* weight, std::size_t taps,
                             typename Simd<T>::Vec bias, T* y, std::size_t n) {
  using Vec = typename Simd<T>::Vec;
  Vec sum[kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) sum[v] = Vec::zero();
  for (std::size_t j = 0; j < taps; ++j) {
    const Vec factor = Vec::broadcast(weight[j]);
    const T* from = x + j * step;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t count = kVectors == 1 ? n : Vec::kLanes;
      sum[v] = add_product(sum[v], factor, load_up_to(from + v * Vec::kLanes, count, factor));
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) {
    const std::size_t count = kVectors == 1 ? n : Vec::kLanes;
    store_up_to<T>(sum[v] + bias, y + v * Vec::kLanes, count);
  }
}

template <class T>
void weighted_rows(const T* x, std::size_t step, const T* weight, std::size_t taps, T bias, T* y,
                   std::size_t n) {
  using Vec = typename Simd<T>::Vec;
  constexpr std::size_t kVectors = 4;
  const Vec last = Vec::broadcast(bias);
  std::size_t i = 0;
  for (; i + kVectors * Vec::kLanes <= n; i += kVectors * Vec::kLanes) {
    weighted_vectors<T, kVectors>(x + i, step, weight, taps, last, y + i, n);
  }
  for (; i < n; i += Vec::kLanes) {
    weighted_vectors<T, 1>(x + i, step, weight, taps, last, y + i, min_size(Vec::kLanes, n - i));
  }
}

// Rows whose sums with one other row are taken together, so that its values become doubles once for all of them. Their
// sums are a row's four registers each: only AVX-512 has room for more than one.
template <class T>
constexpr std::size_t kDotsTogether = sizeof(T) == sizeof(float) && sizeof(RegD) == 64 ? 4 : 1;

// Bit by bit what dot_row makes of each: a product of two floats is exact in double, so that it may be fused.
template <std::size_t kRows>
inline void dots_together(const float* x, std::size_t step, const float* dy, std::size_t n,
                          double* sums) {
  constexpr std::size_t kLanes = VecF::kLanes;
  Wide16 even[kRows], odd[kRows];
  for (std::size_t j = 0; j < kRows; ++j) even[j] = odd[j] = Wide16::zero();
  const auto add = [=](std::size_t i, std::size_t count, Wide16(&sum)[kRows]) EVENKEEL_INLINED {
    const Wide16 other = load_doubles(dy + i, count);
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kRows; ++j) {
      sum[j] = by_register([](RegD a, RegD b, RegD c) EVENKEEL_INLINED { return fused(a, b, c); },
                           load_doubles(x + j * step + i, count), other, sum[j]);
    }
  };
  std::size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    add(i, kLanes, even);
    add(i + kLanes, kLanes, odd);
  }
  if (i < n) add(i, min_size(kLanes, n - i), even);
  if (i + kLanes < n) add(i + kLanes, n - i - kLanes, odd);
#pragma GCC unroll 4
  for (std::size_t j = 0; j < kRows; ++j) sums[j] += fold(even[j] + odd[j]);
}

template <class T>
void row_dots(const T* x, std::size_t step, std::size_t rows, const T* dy, std::size_t n,
              double* sums) {
  if constexpr (kDotsTogether < T >> 1) {
    while (rows > 0) {
      // 9 are three times 3.
      const std::size_t calls = (rows + kDotsTogether<T> - 1) / kDotsTogether<T>;
      const std::size_t together = (rows + calls - 1) / calls;
      if (together == 4) dots_together<4>(x, step, dy, n, sums);
      if (together == 3) dots_together<3>(x, step, dy, n, sums);
      if (together == 2) dots_together<2>(x, step, dy, n, sums);
      if (together == 1) dots_together<1>(x, step, dy, n, sums);
      x += together * step;
      sums += together;
      rows -= together;
    }
  } else {
    for (std::size_t j = 0; j < rows; ++j) {
      const Total dot = dot_row(x + j * step, dy, n);
      // What is not finite has left NaN in `low`.
      sums[j] += dot.high - dot.high == 0.0 ? dot.high + dot.low : dot.high;
    }
  }
}

// A register tile's sums into C: `more` is nullable, a bias for each row.
template <class T, std::size_t kRows, std::size_t kVectors>
inline void put_tile(const typename Simd<T>::Vec (&sum)[kRows][kVectors], T* c, std::size_t stride,
                     std::size_t rows, std::size_t columns, bool first, const T* more) {
  using Vec = typename Simd<T>::Vec;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    if (i >= rows) break;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      const std::size_t at = j * Vec::kLanes;
      if (at >= columns) break;
      const std::size_t n = min_size(Vec::kLanes, columns - at);
      T* to = c + i * stride + at;
      // As in matmul-inl.h: lanes that are not stored are not filled with zero.
      Vec value = sum[i][j];
      if (!first) value = load_up_to(to, n, value) + value;
      if (more != nullptr) value = value + Vec::broadcast(more[i]);
      store_up_to<T>(value, to, n);
    }
  }
}

template <std::size_t kRows, std::size_t kVectors>
struct TileSize {
  static constexpr std::size_t rows = kRows, vectors = kVectors;
};

// The smallest of three heights and two widths of a tile that holds so many rows and columns.
template <class T, class Body>
inline void with_tile(std::size_t rows, std::size_t columns, const Body& body) {
  constexpr std::size_t kLow = kTileRowStep, kMiddle = kTileRows - kTileRowStep;
  const auto with_height = [&](auto vectors) EVENKEEL_INLINED {
    constexpr std::size_t kVectors = decltype(vectors)::vectors;
    if (rows <= kLow) {
      body(TileSize<kLow, kVectors>{});
    } else if (rows <= kMiddle) {
      body(TileSize<kMiddle, kVectors>{});
    } else {
      body(TileSize<kTileRows, kVectors>{});
    }
  };
  if (columns <= Simd<T>::Vec::kLanes) {
    with_height(TileSize<1, 1>{});
  } else {
    with_height(TileSize<1, kTileVectors>{});
  }
}

// One block of terms of a tile of c: term p reads from[p] on.
template <class T>
struct WindowTile {
  const T* weight;
  const T* const* from;
  std::size_t terms;
  const T* bias;  // nullable
  T* c;
  std::size_t stride, rows, columns;
  bool first;  // c is the sums, else they are added to it
};

// Not inlined: among other tiles GCC 12 has too few registers for the addresses, and adds them up in the loop.
template <class T, std::size_t kRows, std::size_t kVectors>
EVENKEEL_APART void window_tile(const WindowTile<T>& task) {
  using Vec = typename Simd<T>::Vec;
  // Where y is in no cache yet, its lines come while the sums are made.
  for (std::size_t i = 0; task.first && i < task.rows; ++i) {
    prefetch(task.c + i * task.stride);
    prefetch(task.c + i * task.stride + task.columns - 1);
  }
  Vec sum[kRows][kVectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) sum[i][j] = Vec::zero();
  }
  const T* weight = task.weight;
  const T *const *from = task.from, *const *const end = from + task.terms;
  const auto add = [&](std::size_t u) EVENKEEL_INLINED {
    const T* factors = weight + u * kTileRows;
    add_term<T>([=](std::size_t i) EVENKEEL_INLINED { return factors[i]; }, from[u], sum);
  };
  for (; from + kTermsTogether <= end;
       from += kTermsTogether, weight += kTermsTogether * kTileRows) {
#pragma GCC unroll 4
    for (std::size_t u = 0; u < kTermsTogether; ++u) add(u);
  }
  for (; from < end; ++from, weight += kTileRows) add(0);
  put_tile<T, kRows, kVectors>(sum, task.c, task.stride, task.rows, task.columns, task.first,
                               task.bias);
}

// Whether tiles of the fewest rows are twice as wide: below 8 sums their additions wait for each other.
constexpr bool kLowTilesInPairs =
    kTileRowStep * kTileColumns<float> * sizeof(float) < 8 * sizeof(RegF);

// Outputs whose weights, of so many bytes each, pass for each tile of columns: whole tiles.
constexpr std::size_t weight_part(std::size_t bytes) {
  const std::size_t tiles = kWeightPart / (kTileRows * bytes);
  return (tiles > 1 ? tiles : 1) * kTileRows;
}

template <class T>
void window_product(const T* weight, TermBlock terms, WindowLanes<T> x, const T* bias,
                    std::size_t outputs, T* c, std::size_t stride, std::size_t columns) {
  // Where terms read, once for all tiles: a walk of channels and taps takes instructions in the innermost loop.
  std::size_t at[kMatmulBlock];
  const T* from[kMatmulBlock];  // of one tile's columns
  std::size_t channel = 0, tap = terms.first % x.taps;
  for (std::size_t p = 0; p < terms.count; ++p) {
    at[p] = channel + x.offsets[tap];
    if (++tap == x.taps) {
      tap = 0;
      channel += x.channel;
    }
  }
  const auto task = [&](std::size_t o, std::size_t t, std::size_t width) EVENKEEL_INLINED {
    return WindowTile<T>{weight + o * terms.all + terms.first * kTileRows,
                         from,
                         terms.count,
                         bias != nullptr ? bias + o : nullptr,
                         c + o * stride + t,
                         stride,
                         min_size(kTileRows, outputs - o),
                         min_size(width, columns - t),
                         terms.first == 0};
  };
  const auto one = [&](std::size_t o, std::size_t t) EVENKEEL_INLINED {
    if (kLowTilesInPairs && outputs - o <= kTileRowStep) {
      if (t / kTileColumns<T> % 2 == 1) return;
      if (columns - t > kTileColumns<T>) {
        window_tile<T, kTileRowStep, 2 * kTileVectors>(task(o, t, 2 * kTileColumns<T>));
        return;
      }
    }
    const WindowTile<T> tile = task(o, t, kTileColumns<T>);
    with_tile<T>(tile.rows, tile.columns, [&](auto size) EVENKEEL_INLINED {
      window_tile<T, decltype(size)::rows, decltype(size)::vectors>(tile);
    });
  };
  const std::size_t each = terms.count * sizeof(T);
  const std::size_t block = outputs * each <= kWeightBytes ? outputs : weight_part(each);
  for (std::size_t begin = 0; begin < outputs; begin += block) {
    const std::size_t end = min_size(begin + block, outputs);
    for (std::size_t t = 0; t < columns; t += kTileColumns<T>) {
      for (std::size_t p = 0; p < terms.count; ++p) from[p] = x.values + t + at[p];
      for (std::size_t o = begin; o < end; o += kTileRows) one(o, t);
    }
  }
}

// A tile of a gradient: `rows` of x with a panel of dy.
template <class T>
struct GradientTile {
  const T* row[kTileRows];
  LaneColumns lanes;
  const T* dy;
  T* sums;
  std::size_t stride, rows, columns;
};

// Sums over the columns of all samples in one register each.
template <class T, std::size_t kRows, std::size_t kVectors>
EVENKEEL_APART void gradient_tile(const GradientTile<T>& task) {
  using Vec = typename Simd<T>::Vec;
  // The last panel is as wide as the vectors it needs.
  constexpr std::size_t kWidth = kVectors * Vec::kLanes;
  Vec sum[kRows][kVectors];
  const T* row[kRows];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    row[i] = task.row[i];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) sum[i][j] = Vec::zero();
  }
  const T* dy = task.dy;
  const auto add = [&](std::size_t p, std::size_t u) EVENKEEL_INLINED {
    add_term<T>([&](std::size_t i) EVENKEEL_INLINED { return row[i][p + u]; }, dy + u * kWidth,
                sum);
  };
  for (std::size_t s = 0; s < task.lanes.samples; ++s) {
    std::size_t p = s * task.lanes.step;
    const std::size_t end = p + task.lanes.each;
    for (; p + kTermsTogether <= end; p += kTermsTogether, dy += kTermsTogether * kWidth) {
#pragma GCC unroll 4
      for (std::size_t u = 0; u < kTermsTogether; ++u) add(p, u);
    }
    for (; p < end; ++p, dy += kWidth) add(p, 0);
  }
  put_tile<T, kRows, kVectors>(sum, task.sums, task.stride, task.rows, task.columns, false,
                               nullptr);
}

template <class T>
void window_gradient(WindowLanes<T> x, std::size_t channels, LaneColumns columns, const T* dy,
                     std::size_t outputs, T* sums, std::size_t stride) {
  const std::size_t terms = channels * x.taps;
  GradientTile<T> task;
  task.lanes = columns;
  task.stride = stride;
  // Rows of x stay in L1 while the panels pass: where x is read in place, its rows share few lines.
  for (std::size_t first = 0; first < terms; first += kTileRows) {
    task.rows = min_size(kTileRows, terms - first);
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const std::size_t term = first + min_size(i, task.rows - 1);
      task.row[i] = x.values + term / x.taps * x.channel + x.offsets[term % x.taps];
    }
    for (std::size_t o = 0; o < outputs; o += kTileColumns<T>) {
      task.columns = min_size(kTileColumns<T>, outputs - o);
      task.dy = dy + o * columns.samples * columns.each;
      task.sums = sums + first * stride + o;
      with_tile<T>(task.rows, task.columns, [&](auto size) EVENKEEL_INLINED {
        gradient_tile<T, decltype(size)::rows, decltype(size)::vectors>(task);
      });
    }
  }
}

template <class T>
constexpr ConvolutionKernels<T> convolution_kernels() {
  return {kLaneColumns, weighted_rows<T>, row_dots<T>, window_product<T>, window_gradient<T>};
}

}  // namespace
}  // namespace evenkeel
