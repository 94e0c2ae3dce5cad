// The table of loops that one kernel family provides. One table is chosen at load; everything
// above it (batchnorm.cc, matmul.cc, ...) is compiled once, for the baseline CPU.
//
// Contract of every function here: pointers may have any alignment the element type allows,
// ranges are half-open, outputs may equal an input exactly (same pointer) but never overlap one
// partly, nothing is read or written outside the stated ranges, and the result has the same bits
// in every family. Scratch marked "padded" has room for a multiple of 16 elements.
#pragma once

#include <cstddef>

#include "arithmetic.h"
#include "loss_kinds.h"
#include "optimizer_steps.h"
#include "reductions.h"

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
struct Runs {
  std::size_t count, length, stride, dy, coefficients;
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

// What the loops below share. A forward with `relu` writes max(y, 0). A backward behind a ReLU gets the
// forward's coefficients as `gate` and takes dy as 0 where that forward's y was not above 0 (gate.center is
// null where there was no ReLU).
template <class T>
struct BatchNormKernels {
  // (N, C): `rows` rows of `columns` contiguous values, `stride` elements from row to row. Shifts,
  // centers, the gate and sums are padded.
  // sum[c] = sum_r (x - shift[c]), sumsq[c] = sum_r (x - shift[c])^2, added row by row in double.
  void (*sum_nc)(const T* x, std::size_t rows, std::size_t columns, std::size_t stride,
                 const T* shift, double* sum, double* sumsq);
  // sum[c] = sum_r dy, dot[c] = sum_r dy * (x - center[c]), in double. dy has a stride of its own: 0
  // repeats one row.
  void (*grad_sum_nc)(const T* x, const T* dy, std::size_t rows, std::size_t columns,
                      std::size_t stride, std::size_t dy_stride, const T* center,
                      NormalizeCoefficients<T> gate, double* sum, double* dot);
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

// A matrix seen through two strides: element (i, j) is data[i * row + j * column].
template <class T>
struct MatrixView {
  const T* data;
  std::size_t row;
  std::size_t column;

  constexpr MatrixView at(std::size_t i, std::size_t j) const {
    return {data + i * row + j * column, row, column};
  }
};

// A as the register tiles read it: in place where it is row-major, else (panels) tile_rows rows side by
// side, element (i, p) of a tile at p * tile_rows + i, one tile's k columns after another's.
template <class T>
struct LeftSide {
  MatrixView<T> a;
  const T* panels;
};

// B as the register tiles read it: columns before `packed_from` in place (B is row-major), the others
// as panels of one tile's columns each, one after another; the last may be narrower.
template <class T>
struct RightSide {
  MatrixView<T> b;
  const T* panels;
  std::size_t packed_from, columns, tile_columns, last_width;

  // Where the tile at column j begins, and the way from one row of it to the next.
  constexpr const T* tile(std::size_t j, std::size_t k) const {
    return j < packed_from ? b.data + j : panels + (j - packed_from) * k;
  }
  constexpr std::size_t step(std::size_t j) const {
    return j < packed_from ? b.row : j + tile_columns <= columns ? tile_columns : last_width;
  }
};

// C[m, n] = A[m, k] * B[k, n] (+ bias[column]), k > 0.
template <class T>
struct Product {
  LeftSide<T> a;
  RightSide<T> b;
  const T* bias;  // nullable
  T* c;
  std::size_t n, k;
};

template <class T>
struct MatmulKernels {
  std::size_t tile_rows, tile_columns;  // what the largest register tile holds of C
  std::size_t lanes;                    // of one vector: a panel's width is a multiple of it
  // Packs `rows` rows and k columns of a column-major A into panels, zero-filled to whole tiles.
  void (*pack_a)(MatrixView<T> a, std::size_t rows, std::size_t k, T* panels);
  // Packs k rows of `columns` columns of B into a panel, zero-filled to `width`.
  void (*pack_b)(MatrixView<T> b, std::size_t k, std::size_t columns, std::size_t width, T* panel);
  // Rows [top, bottom) and columns [left, right) of C; top and left begin a tile. Every element is
  // summed over k in order, in blocks of kMatmulBlock, whatever the tile.
  void (*multiply)(const Product<T>& product, std::size_t top, std::size_t bottom, std::size_t left,
                   std::size_t right);
};

// Products of one k-block are summed in one register; blocks are then added in order. Part of the
// result's definition: changing it changes bits.
inline constexpr std::size_t kMatmulBlock = 256;

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the momentum buffer starts as the gradient
};

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  double bias_correction1, bias_correction2_sqrt;  // 1 - beta1^t, sqrt(1 - beta2^t)
  bool decoupled;                                  // AdamW: decay the parameter, not the gradient
  bool maximize;
};

// Random words come in groups of this many; a user takes whole groups, 4 words a counter.
inline constexpr std::size_t kRandomGroup = 64;

// A place in a random stream.
struct RandomPlace {
  std::size_t first;  // index of the first element in its tensor, a multiple of kRandomGroup
  unsigned long long key, offset;
};

template <class T>
struct ElementwiseKernels {
  void (*relu)(const T* x, T* y, std::size_t n);
  void (*relu_backward)(const T* y, const T* dy, T* dx, std::size_t n);
  void (*add)(const T* a, const T* b, T* out, std::size_t n);
  void (*multiply)(const T* a, const T* b, T* out, std::size_t n);
  void (*scale)(const T* x, T factor, T* out, std::size_t n);
  void (*difference)(const T* a, const T* b, T factor, T* out, std::size_t n);  // (a - b) * factor
  // An element is dropped when its random word is below `threshold`, or all are (p = 1); the others
  // are multiplied by `scale`.
  void (*dropout)(const T* x, T* y, std::size_t n, RandomPlace place, unsigned int threshold,
                  bool drop_all, T scale);
  void (*uniform)(T* out, std::size_t n, RandomPlace place, T low, T high);
  void (*sgd)(T* parameter, const T* gradient, T* momentum, std::size_t n, SgdStep step);
  void (*adam)(T* parameter, const T* gradient, T* m, T* v, std::size_t n, AdamStep step);
  Total (*sum)(const T* x, std::size_t n);
  Total (*squared_difference)(const T* a, const T* b, std::size_t n);
  // Per row: probability[j] = exp(logit[j] - max) / sum. loss[r] = log(sum) - (logit[target] - max)
  // is finished by loss.cc from maximum[r] and total[r]. work: `classes` doubles.
  void (*softmax)(const T* logits, T* probabilities, std::size_t rows, std::size_t classes,
                  double* maximum, double* total, double* work);
};

template <class T>
struct OptimizerKernels {
  void (*rmsprop)(T* parameter, const T* gradient, T* square, T* momentum, T* mean, std::size_t n,
                  RmspropStep step);
  void (*adagrad)(T* parameter, const T* gradient, T* sum, std::size_t n, AdagradStep step);
  void (*nadam)(T* parameter, const T* gradient, T* m, T* v, std::size_t n, NadamStep step);
  void (*lars)(T* parameter, const T* gradient, T* momentum, std::size_t n, LarsStep step);
  void (*lerp)(const T* a, const T* b, T weight, T* out, std::size_t n);
  void (*limit)(const T* x, T most, T* out, std::size_t n);
  Total (*norm)(const T* x, std::size_t n, Norm kind);
  double (*exp_nonpositive)(double x);
};

template <class T>
struct LossKernels {
  Total (*sum)(LossKind kind, const LossOperands<T>& operands, std::size_t n);
  void (*values)(LossKind kind, const LossOperands<T>& operands, T* out, std::size_t n);
  void (*slopes)(LossKind kind, const LossOperands<T>& operands, bool of_target, const T* dy,
                 double factor, T* out, std::size_t n);
  void (*row_losses)(const RowOperands<T>& operands, std::size_t rows, double* lse, double* loss);
  void (*row_slopes)(const RowOperands<T>& operands, std::size_t rows, const double* lse,
                     const double* scale, T* dx, T* dtarget);
};

template <class T>
struct KernelsOf {
  BatchNormKernels<T> batchnorm;
  ChannelKernels<T> channels;
  MatmulKernels<T> matmul;
  ElementwiseKernels<T> elementwise;
  OptimizerKernels<T> optimizers;
  LossKernels<T> losses;
  ArithmeticKernels<T> arithmetic;
  ReductionKernels<T> reductions;
};

struct Kernels {
  const char* name;
  KernelsOf<float> f32;
  KernelsOf<double> f64;
  void (*add_doubles)(double* total, const double* part, std::size_t n);  // total += part
  void (*random_words)(unsigned int* out, std::size_t n, unsigned long long key,
                       unsigned long long offset);
  // The limit a benchmark compares with (limits.h).
  void (*copy)(const float* source, float* target, std::size_t n, bool stream);
  double (*read)(const float* source, std::size_t n);
};

}  // namespace evenkeel
