// The tables of batch normalisation: its passes, and its scalars of a channel. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

#include "sum_tree.h"

namespace evenkeel {

// The coefficients of y = (x - center) * scale + offset: per column in (N, C), per run in (N, C, L).
template <class T>
struct NormalizeCoefficients {
  const T *center, *scale, *offset;
};

// The coefficients of dx = (dy + (x - center) * b + k) * a.
template <class T>
struct GradientCoefficients {
  const T *center, *a, *b, *k;
};

// `count` runs of `length` contiguous values. From one run to the next x and the output move by `stride`,
// dy by `dy` (0: one run, read again), and the coefficients by `coefficients` elements (0: the runs of one channel).
// Sums: all of it is a leaf (sum_tree.h), or, of one run, every `leaf` values, where that is not 0.
struct Runs {
  std::size_t count, length, stride, dy, coefficients, leaf = 0;
};

// A channel to be summed, and where its two sums go. Beside a channel that is being written: the same
// runs of another one, or of none (x is null).
template <class T>
struct SumOf {
  const T* x;
  T shift;
  double* out;
};
template <class T>
struct GradSumOf {
  const T *x, *dy;
  T center;
  NormalizeCoefficients<T> gate;
  double* out;
};

// A range of a row-major matrix that an elementwise pass walks as one stream: `n` elements from column
// `first` of a row of `columns` on.
struct MatrixRange {
  std::size_t n, first, columns;
};

// `count` > 0 rows, `stride` elements from one to the next, every `leaf` of them a leaf (sum_tree.h): added row by row.
struct LeafRows {
  std::size_t count, leaf, stride;
};

// Where two sums a column go, and scratch for as many nodes as wait at a time, tree_levels(leaves - 1): the pair of
// level k is at waiting + 2 * k * step and `step` doubles further.
struct LeafNodes {
  double *first, *second, *waiting;
  std::size_t step;
};

// What the loops below share. A forward with `relu` writes max(y, 0). A backward behind a ReLU gets the
// forward's coefficients as `gate` and takes dy as 0 where that forward's y was not above 0 (gate.center is
// null where there was no ReLU).
template <class T>
struct BatchNormKernels {
  // (N, C): rows of `columns` contiguous values. Shifts, centers, the gate and nodes are padded.
  // first[c] = sum_r (x - shift[c]), second[c] = sum_r (x - shift[c])^2 in double; shift is nullable: 0.
  void (*sum_nc)(const T* x, LeafRows rows, std::size_t columns, const T* shift, LeafNodes nodes);
  // first[c] = sum_r dy, second[c] = sum_r dy * (x - center[c]), in double. dy has a stride of its own: 0
  // repeats one row.
  void (*grad_sum_nc)(const T* x, const T* dy, LeafRows rows, std::size_t dy_stride,
                      std::size_t columns, const T* center, NormalizeCoefficients<T> gate,
                      LeafNodes nodes);
  // Arrays of coefficients hold 16 elements more than there are columns. Those repeat the first ones, so that a
  // vector that crosses the end of a row can load past it. dy is null where every element is dy_value.
  void (*normalize_nc)(const T* x, T* y, MatrixRange range, NormalizeCoefficients<T> coefficients,
                       bool relu, bool stream);
  void (*grad_apply_nc)(const T* x, const T* dy, T dy_value, T* dx, MatrixRange range,
                        GradientCoefficients<T> coefficients, NormalizeCoefficients<T> gate,
                        bool stream);
  // dx = dy * a[c]; x is read behind a ReLU only.
  void (*scale_nc)(const T* x, const T* dy, T dy_value, T* dx, MatrixRange range, const T* a,
                   NormalizeCoefficients<T> gate, bool stream);

  // (N, C, L): the runs of one channel. Lane = index in the run mod 16 (mod 8 for double); the lanes
  // fold once, at the end.
  void (*sum_ncl)(Runs runs, SumOf<T> channel);
  void (*grad_sum_ncl)(Runs runs, GradSumOf<T> channel);
  // Runs of one channel or of many. While a run is written, the same run of `beside` is summed, with the
  // bits of sum_ncl and grad_sum_ncl: sums keep the processor busy, writing the memory.
  void (*normalize_ncl)(const T* x, T* y, Runs runs, NormalizeCoefficients<T> coefficients,
                        bool relu, bool stream, SumOf<T> beside);
  void (*grad_apply_ncl)(const T* x, const T* dy, T* dx, Runs runs,
                         GradientCoefficients<T> coefficients, NormalizeCoefficients<T> gate,
                         bool stream, GradSumOf<T> beside);
  void (*scale_ncl)(const T* x, const T* dy, T* dx, Runs runs, const T* a,
                    NormalizeCoefficients<T> gate, bool stream);
};

// The statistics that the passes' arithmetic is right for: for others see batchnorm/wide.h. The bounds leave room
// for the largest of m values, which is up to sqrt(m) deviations from the mean, and for weights down to 1e-8
// before a scale has fewer bits.
template <class T>
struct NormalRange;
template <>
struct NormalRange<float> {
  static constexpr double kMean = 0x1p100, kLeast = 0x1p-100, kMost = 0x1p100;
  static constexpr double kScale = 0x1.fffffep127;
};
template <>
struct NormalRange<double> {
  static constexpr double kMean = 0x1p960, kLeast = 0x1p-480, kMost = 0x1p480;
  static constexpr double kScale = 0x1.fffffffffffffp1023;
};

// Per-channel scalars, n channels. Outputs overlap no input.
template <class T>
struct ChannelKernels {
  // From shifted sums over m values: mean = shift + sum / m, as mean + residual (0 for float, where
  // one double holds it), and the biased var = (sumsq - sum^2 / m) / m, never below 0. With the shift a
  // value of the channel, the subtraction loses at most a factor m + 1, and double has 29 bits more
  // than float.
  void (*moments)(const T* shift, const double* sum, const double* sumsq, double m, std::size_t n,
                  double* mean, double* residual, double* var);
  // invstd = 1 / sqrt(var + eps)
  void (*inverse_deviation)(const double* var, double eps, std::size_t n, double* invstd);
  // The coefficients of normalize_*: the centred form, the mean's low half folded into the offset.
  // weight and bias are nullable.
  void (*normalize_coefficients)(const double* mean, const double* residual, const double* invstd,
                                 const T* weight, const T* bias, std::size_t n, T* center, T* scale,
                                 T* offset);
  // The coefficients of grad_apply_*, from sum = sum dy and dot = sum dy * (x - T(mean)), which becomes
  // sum dy * (x - mean). weight is nullable.
  void (*gradient_coefficients)(const double* mean, const double* residual, const double* invstd,
                                const T* weight, const double* sum, double* dot, double m,
                                std::size_t n, T* a, T* b, T* k);
  // Whether |mean| < kMean, kLeast < invstd < kMost and |weight * invstd| <= kScale in every channel. NaN: no.
  bool (*all_normal)(const double* mean, const double* invstd, const T* weight, std::size_t n);
  // Whether least <= sumsq < most in every channel, or it is exactly `also`. NaN: no.
  bool (*all_between)(const double* sumsq, double least, double most, double also, std::size_t n);
  // running = (1 - momentum) * running + momentum * statistic * factor
  void (*update_running)(T* running, const double* statistic, double factor, double momentum,
                         std::size_t n);
};

}  // namespace evenkeel
