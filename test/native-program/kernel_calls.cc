// Longer than 250 lines because each kernel has a call.
#include "kernel_calls.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace evenkeel::check {
namespace {

template <class T>
const KernelsOf<T>& part(const Kernels& kernels) {
  if constexpr (sizeof(T) == 4) {
    return kernels.f32;
  } else {
    return kernels.f64;
  }
}

std::size_t padded(std::size_t n) { return (n + 15) / 16 * 16; }

// Coefficients for n columns that go on for `more` behind them.
template <class T>
NormalizeCoefficients<T> coefficients(Memory& memory, std::size_t n) {
  const T* center = memory.input<T>(n);
  const T* scale = memory.input<T>(n);
  return {center, scale, memory.input<T>(n)};
}
template <class T>
NormalizeCoefficients<T> gate(Draw& draw, Memory& memory, std::size_t n) {
  if (draw.flip()) return {nullptr, nullptr, nullptr};
  return coefficients<T>(memory, n);
}
template <class T>
GradientCoefficients<T> gradient_coefficients(Memory& memory, std::size_t n) {
  const T* center = memory.input<T>(n);
  const T* a = memory.input<T>(n);
  const T* b = memory.input<T>(n);
  return {center, a, b, memory.input<T>(n)};
}

// ---- (N, C) -----------------------------------------------------------------------------------------

// Rows of `columns` values with perhaps some between them: what an array of them holds.
struct Matrix {
  std::size_t rows, columns, stride;
  Matrix(Draw& draw, std::size_t length)
      : rows(draw.between(1, 40)), columns(length), stride(length + draw.below(3) * 5) {}
  std::size_t size() const { return columns == 0 ? 0 : (rows - 1) * stride + columns; }
};

// The nodes of a sum over the rows of a matrix, in leaves of a few of them; what lies behind the columns is scratch.
struct Nodes {
  LeafRows rows;
  LeafNodes nodes;
  std::size_t columns;

  Nodes(Draw& draw, const Matrix& x, Memory& memory)
      : rows{x.rows, draw.between(1, 40), x.stride}, nodes{}, columns(x.columns) {
    const std::size_t leaves = (rows.count + rows.leaf - 1) / rows.leaf;
    nodes.step = padded(columns);
    nodes.first = memory.output<double>(nodes.step);
    nodes.second = memory.output<double>(nodes.step);
    scratch_ = 2 * tree_levels(leaves - 1) * nodes.step;
    nodes.waiting = memory.output<double>(scratch_);
  }
  void clear() const {
    std::fill(nodes.first + columns, nodes.first + nodes.step, 0.0);
    std::fill(nodes.second + columns, nodes.second + nodes.step, 0.0);
    std::fill_n(nodes.waiting, scratch_, 0.0);
  }

 private:
  std::size_t scratch_;
};

template <class T>
void sum_nc(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const Matrix x(draw, length);
  const T* data = memory.input<T>(x.size());
  const T* shift = draw.one_in(3) ? nullptr : memory.input<T>(padded(length));
  const Nodes sums(draw, x, memory);
  part<T>(kernels).batchnorm.sum_nc(data, sums.rows, length, shift, sums.nodes);
  sums.clear();
}

template <class T>
void grad_sum_nc(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const Matrix x(draw, length);
  const bool repeats = draw.one_in(3);
  const T* data = memory.input<T>(x.size());
  const T* dy = memory.input<T>(repeats ? length : x.size());
  const T* center = memory.input<T>(padded(length));
  const NormalizeCoefficients<T> behind = gate<T>(draw, memory, padded(length));
  const Nodes sums(draw, x, memory);
  part<T>(kernels).batchnorm.grad_sum_nc(data, dy, sums.rows, repeats ? 0 : x.stride, length,
                                         center, behind, sums.nodes);
  sums.clear();
}

// A range of `length` elements of rows that are narrower or wider than that.
MatrixRange range_of(Draw& draw, std::size_t length) {
  const std::size_t columns = draw.between(2, 130);
  return {length, draw.below(columns), columns};
}

// Coefficients that go on for 16 columns as kernels/batchnorm.h has it, however few the columns.
template <class T>
const T* periodic(Memory& memory, std::size_t columns) {
  const T* drawn = memory.input<T>(columns);
  T* to = memory.output<T>(columns + 16);
  for (std::size_t i = 0; i < columns + 16; ++i) to[i] = drawn[i % columns];
  return to;
}
template <class T>
NormalizeCoefficients<T> periodic_terms(Memory& memory, std::size_t columns) {
  const T* center = periodic<T>(memory, columns);
  const T* scale = periodic<T>(memory, columns);
  return {center, scale, periodic<T>(memory, columns)};
}

template <class T>
void normalize_nc(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const MatrixRange range = range_of(draw, length);
  const NormalizeCoefficients<T> by = periodic_terms<T>(memory, range.columns);
  const T* x = memory.input<T>(length);
  T* y = memory.output_over(x, length);
  const bool relu = draw.flip(), stream = draw.flip();
  part<T>(kernels).batchnorm.normalize_nc(x, y, range, by, relu, stream);
}

template <class T>
void grad_apply_nc(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const MatrixRange range = range_of(draw, length);
  const T* center = periodic<T>(memory, range.columns);
  const T* a = periodic<T>(memory, range.columns);
  const T* b = periodic<T>(memory, range.columns);
  const T* k = periodic<T>(memory, range.columns);
  NormalizeCoefficients<T> behind{nullptr, nullptr, nullptr};
  if (draw.flip()) behind = periodic_terms<T>(memory, range.columns);
  const T* x = memory.input<T>(length);
  const T* dy = memory.input<T>(length);
  const bool dense = !draw.one_in(3), stream = draw.flip(), scaled = draw.one_in(3);
  T* dx = memory.output_over(dy, length);
  if (scaled) {
    part<T>(kernels).batchnorm.scale_nc(x, dense ? dy : nullptr, T(0.5), dx, range, a, behind,
                                        stream);
  } else {
    part<T>(kernels).batchnorm.grad_apply_nc(x, dense ? dy : nullptr, T(0.5), dx, range,
                                             {center, a, b, k}, behind, stream);
  }
}

// ---- (N, C, L) --------------------------------------------------------------------------------------

Runs draw_runs(Draw& draw, std::size_t length) {
  const std::size_t stride = length + draw.below(3) * 7;
  return {draw.between(1, 4), length, stride, draw.one_in(3) ? 0 : stride, draw.below(2)};
}
std::size_t size_of(Runs runs, std::size_t step) { return (runs.count - 1) * step + runs.length; }
std::size_t terms_of(Runs runs) { return (runs.count - 1) * runs.coefficients + 1; }

// Now and then one run of several leaves.
Runs draw_sum_runs(Draw& draw, std::size_t length) {
  Runs runs = draw_runs(draw, length);
  if (!draw.one_in(3) || length == 0) return runs;
  runs.count = 1;
  runs.leaf = draw.between(1, length + 3);
  return runs;
}

template <class T>
void sum_ncl(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const Runs runs = draw_sum_runs(draw, length);
  const T* x = memory.input<T>(size_of(runs, runs.stride));
  part<T>(kernels).batchnorm.sum_ncl(runs, {x, T(0.25), memory.output<double>(2)});
}

template <class T>
void grad_sum_ncl(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const Runs runs = draw_sum_runs(draw, length);
  const T* x = memory.input<T>(size_of(runs, runs.stride));
  const T* dy = memory.input<T>(size_of(runs, runs.dy));
  const NormalizeCoefficients<T> behind = gate<T>(draw, memory, 1);
  double* out = memory.output<double>(2);
  part<T>(kernels).batchnorm.grad_sum_ncl(runs, {x, dy, T(0.25), behind, out});
}

template <class T>
void normalize_ncl(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const Runs runs = draw_runs(draw, length);
  const NormalizeCoefficients<T> by = coefficients<T>(memory, terms_of(runs));
  const T* x = memory.input<T>(size_of(runs, runs.stride));
  SumOf<T> beside{};
  if (draw.flip()) beside = {memory.input<T>(size_of(runs, runs.stride)), T(1), nullptr};
  if (beside.x != nullptr) beside.out = memory.output<double>(2);
  // Between runs that lie apart an output keeps what it was.
  const std::size_t size = size_of(runs, runs.stride);
  T* y = runs.stride == length ? memory.output_over(x, size) : memory.output<T>(size);
  const bool relu = draw.flip(), stream = draw.flip();
  part<T>(kernels).batchnorm.normalize_ncl(x, y, runs, by, relu, stream, beside);
}

template <class T>
void grad_apply_ncl(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const Runs runs = draw_runs(draw, length);
  const GradientCoefficients<T> by = gradient_coefficients<T>(memory, terms_of(runs));
  const NormalizeCoefficients<T> behind = gate<T>(draw, memory, terms_of(runs));
  const T* x = memory.input<T>(size_of(runs, runs.stride));
  const T* dy = memory.input<T>(size_of(runs, runs.dy));
  const bool scaled = draw.one_in(3), stream = draw.flip();
  GradSumOf<T> beside{};
  if (!scaled && draw.flip()) {
    beside.x = memory.input<T>(size_of(runs, runs.stride));
    beside.dy = memory.input<T>(size_of(runs, runs.dy));
    if (behind.center != nullptr) beside.gate = coefficients<T>(memory, 1);
    beside.out = memory.output<double>(2);
  }
  T* dx = memory.output<T>(size_of(runs, runs.stride));
  if (scaled) {
    part<T>(kernels).batchnorm.scale_ncl(x, dy, dx, runs, by.a, behind, stream);
  } else {
    part<T>(kernels).batchnorm.grad_apply_ncl(x, dy, dx, runs, by, behind, stream, beside);
  }
}

// ---- Per channel ------------------------------------------------------------------------------------

template <class T>
void channels(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const ChannelKernels<T>& table = part<T>(kernels).channels;
  const double m = static_cast<double>(draw.between(2, 1000));
  const T* shift = memory.input<T>(n);
  const double* sum = memory.input<double>(n);
  const double* sumsq = memory.positive<double>(n);
  double* mean = memory.output<double>(n);
  double* residual = memory.output<double>(n);
  double* var = memory.output<double>(n);
  double* invstd = memory.output<double>(n);
  const T* weight = draw.one_in(3) ? nullptr : memory.input<T>(n);
  const T* bias = draw.one_in(3) ? nullptr : memory.input<T>(n);
  table.moments(shift, sum, sumsq, m, n, mean, residual, var);
  table.inverse_deviation(var, 1e-5, n, invstd);
  T* center = memory.output<T>(n);
  T* scale = memory.output<T>(n);
  T* offset = memory.output<T>(n);
  table.normalize_coefficients(mean, residual, invstd, weight, bias, n, center, scale, offset);
  double* dot = memory.inout<double>(n);
  T* a = memory.output<T>(n);
  T* b = memory.output<T>(n);
  T* k = memory.output<T>(n);
  table.gradient_coefficients(mean, residual, invstd, weight, sum, dot, m, n, a, b, k);
  table.update_running(memory.inout<T>(n), mean, 1.25, draw.fraction(), n);
}

// ---- Matrix multiply --------------------------------------------------------------------------------

template <class T>
MatrixView<T> view(Draw& draw, Memory& memory, std::size_t rows, std::size_t columns) {
  const T* data = memory.input<T>(rows * columns);
  if (draw.flip()) return {data, columns, 1};
  return {data, 1, rows};
}

template <class T>
void pack(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const MatmulKernels<T>& table = part<T>(kernels).matmul;
  // The size of a tile, and with it the number of zeros, is the instruction set's: not part of the result.
  const std::size_t k = draw.between(1, 12), tile = table.tile_rows;
  const T* a = memory.input<T>(length * k);
  const auto same = [](T packed, T expected) {
    return packed == expected || (packed != packed && expected != expected);
  };
  constexpr T kBlank = std::numeric_limits<T>::max();
  const std::size_t rows = (length + tile - 1) / tile * tile;
  std::vector<T> panels(rows * k + 64, kBlank);
  table.pack_a({a, 1, length}, length, k, panels.data());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t p = 0; p < k; ++p) {
      const T expected = i < length ? a[p * length + i] : T(0);
      memory.expect(same(panels[i / tile * tile * k + p * tile + i % tile], expected));
    }
  }
  const MatrixView<T> b = view<T>(draw, memory, k, length);
  for (std::size_t j = 0; j < length; j += table.tile_columns) {
    const std::size_t columns = std::min(table.tile_columns, length - j), lanes = table.lanes;
    const std::size_t width = (columns + lanes - 1) / lanes * lanes;
    std::vector<T> panel(k * width, kBlank);
    table.pack_b(b.at(0, j), k, columns, width, panel.data());
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t i = 0; i < width; ++i) {
        const T expected = i < columns ? b.data[p * b.row + (j + i) * b.column] : T(0);
        memory.expect(same(panel[p * width + i], expected));
      }
    }
  }
}

template <class T>
void multiply(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const MatmulKernels<T>& table = part<T>(kernels).matmul;
  // The three sizes take turns to be the length. Both matrices in place.
  std::size_t sizes[3] = {draw.between(1, 9), draw.between(1, 40), draw.between(1, 20)};
  sizes[draw.below(3)] = std::max<std::size_t>(1, length);
  const auto [m, n, k] = sizes;
  const T* a = memory.input<T>(m * k);
  const T* b = memory.input<T>(k * n);
  const T* bias = draw.one_in(3) ? nullptr : memory.input<T>(n);
  T* c = memory.output<T>(m * n);
  // As native/math/matmul.cc: what is no whole vector is a packed panel.
  const std::size_t tile = table.tile_columns, rest = n % tile;
  const std::size_t packed_from = rest % table.lanes == 0 ? n : n - rest;
  const std::size_t width = (rest + table.lanes - 1) / table.lanes * table.lanes;
  std::vector<T> panel(k * tile);
  if (packed_from < n) table.pack_b({b + packed_from, n, 1}, k, rest, width, panel.data());
  const Product<T> product{
      {{a, k, 1}, nullptr}, {{b, n, 1}, panel.data(), packed_from, n, tile, width}, bias, c, n, k};
  table.multiply(product, 0, m, 0, n);
}

// ---- Element by element -----------------------------------------------------------------------------

template <class T>
void elementwise(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const ElementwiseKernels<T>& table = part<T>(kernels).elementwise;
  const T* a = memory.input<T>(n);
  const T* b = memory.input<T>(n);
  const RandomPlace place{kRandomGroup * draw.below(9), draw.next(), draw.next()};
  memory.result(table.squared_difference(a, b, n).high);
  table.relu(a, memory.output<T>(n), n);
  table.relu_backward(a, b, memory.output<T>(n), n);
  table.add(a, b, memory.output<T>(n), n);
  table.multiply(a, b, memory.output<T>(n), n);
  table.scale(a, T(-0.75), memory.output<T>(n), n);
  table.difference(a, b, T(3), memory.output<T>(n), n);
  table.dropout(a, memory.output<T>(n), n, place, 1u << 30, draw.one_in(5), T(1.25));
  table.uniform(memory.output<T>(n), n, place, T(-2), T(5));
}

template <class T>
void steps(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const ElementwiseKernels<T>& table = part<T>(kernels).elementwise;
  T* parameter = memory.inout<T>(n);
  const T* gradient = memory.input<T>(n);
  T* momentum = draw.one_in(3) ? nullptr : memory.inout<T>(n);
  const bool nesterov = draw.flip(), maximize = draw.flip(), first = draw.flip();
  table.sgd(parameter, gradient, momentum, n, {0.1, 0.9, 0.25, 0.01, nesterov, maximize, first});
  T* m = memory.inout<T>(n);
  T* v = memory.positive_inout<T>(n);
  const bool decoupled = draw.flip();
  table.adam(parameter, gradient, m, v, n,
             {0.1, 0.9, 0.999, 1e-8, 0.01, 0.5, 0.25, decoupled, maximize});
}

template <class T>
void more_steps(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const auto& table = part<T>(kernels).optimizers;
  T* parameter = memory.inout<T>(n);
  const T* gradient = memory.input<T>(n);
  T* square = memory.positive_inout<T>(n);
  T* momentum = memory.inout<T>(n);
  const bool flag = draw.flip();
  table.rmsprop(parameter, gradient, square, draw.flip() ? momentum : nullptr, nullptr, n,
                {0.1, 0.9, 1e-3, 0.01, 0.8, flag});
  table.adagrad(parameter, gradient, square, n, {0.1, 1e-10, 0.01, flag});
  table.nadam(parameter, gradient, momentum, square, n,
              {0.1, 0.9, 0.99, 1e-8, 0.01, 0.3, 0.05, 0.07, flag, !flag});
  table.lars(parameter, gradient, momentum, n, {0.1, 0.9, 0.01, 0.3, flag});
  table.lerp(parameter, gradient, flag ? T(0.25) : T(0.75), memory.output<T>(n), n);
  table.clip_values(gradient, T(0.5), memory.output<T>(n), n);
  for (const Norm kind : {Norm::kSum, Norm::kSquares, Norm::kLargest}) {
    memory.result(table.norm(gradient, n, kind).high);
  }
  memory.result(table.exp_nonpositive(-0.3));
}

template <class T>
void losses(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const auto& table = part<T>(kernels).losses;
  const LossKind kind = static_cast<LossKind>(draw.between(0, kLossKinds - 1));
  const LossOperands<T> operands{memory.input<T>(n), memory.positive_inout<T>(n),
                                 draw.flip() ? memory.input<T>(n) : nullptr, nullptr, 0.5};
  const Total total = table.sum(kind, operands, n);
  memory.result(total.high);
  table.values(kind, operands, memory.output<T>(n), n);
  table.gradients(kind, operands, draw.flip(), nullptr, 0.5, memory.output<T>(n), n);
  const std::size_t classes = std::max<std::size_t>(1, n), rows = draw.between(1, 4);
  const RowOperands<T> logits{memory.input<T>(rows * classes),
                              nullptr,
                              memory.positive_inout<T>(rows * classes),
                              nullptr,
                              classes,
                              0.25,
                              -100};
  double* lse = memory.output<double>(rows);
  double* loss = memory.output<double>(rows);
  table.row_losses(logits, rows, lse, loss);
  // Arguments have no order: arrays that are taken among them would lie elsewhere with another compiler.
  T *dlogits = memory.output<T>(rows * classes), *dtarget = memory.output<T>(rows * classes);
  table.row_gradients(logits, rows, lse, loss, dlogits, dtarget);
}

template <class T>
void arithmetic(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const auto& table = part<T>(kernels).arithmetic;
  const T *a = memory.input<T>(n), *b = memory.input<T>(n);
  const std::int32_t* mask = memory.integers(n, 0, 1);
  const Numbers numbers{0.5, 2.0};
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t code = draw.below(static_cast<std::size_t>(UnaryCode::count));
    const std::size_t other = draw.below(static_cast<std::size_t>(BinaryCode::count));
    table.unary(static_cast<UnaryCode>(code), a, memory.output<T>(n), n, numbers, draw.flip());
    table.binary(static_cast<BinaryCode>(other), a, b, memory.output<T>(n), one_row(n), numbers,
                 draw.flip());
  }
  // Rows of a matrix beside one row, a column, or rows of their own.
  const std::size_t count = draw.between(1, 4);
  const bool a_single = draw.flip(), b_single = draw.flip();
  const BinaryRows rows{count,    n,       a_single ? 1 : n, b_single ? 1 : draw.flip() ? n : 0,
                        a_single, b_single};
  if (n > 0) {
    const T* left = memory.input<T>(a_single ? count : count * n);
    const T* right = memory.input<T>(b_single ? count : rows.b_step == 0 ? n : count * n);
    table.binary(BinaryCode::sub, left, right, memory.output<T>(count * n), rows, numbers,
                 draw.flip());
  }
  table.compare(static_cast<CompareCode>(draw.below(6)), a, b, memory.output<int>(n), n);
  table.choose(mask, a, b, memory.output<T>(n), n);
  table.stream(a, memory.output<T>(n), n);
  table.fence();
}

// What softmax along rows makes of each column of two matrices.
template <class T>
void column_maps(const Kernels& kernels, const Matrix& x, std::size_t n, Draw draw,
                 Memory& memory) {
  const auto& table = part<T>(kernels).reductions;
  const T *a = memory.input<T>(x.size()), *b = memory.input<T>(x.size());
  const T *p = memory.input<T>(n), *q = memory.input<T>(n);
  double* high = memory.output<double>(padded(n));
  double* low = memory.output<double>(padded(n));
  std::fill_n(high, padded(n), 0.0);
  std::fill_n(low, padded(n), 0.0);
  // Between rows nothing is written.
  T *y = memory.output<T>(x.size()), *z = memory.output<T>(x.size());
  std::fill_n(y, x.size(), T(0));
  std::fill_n(z, x.size(), T(0));
  table.exp_columns(a, y, x.rows, n, x.stride, p, high, low);
  table.dot_columns(a, b, x.rows, n, x.stride, high, low);
  std::fill(high + n, high + padded(n), 0.0);
  std::fill(low + n, low + padded(n), 0.0);
  table.map_columns(static_cast<ColumnMap>(draw.below(4)), y, b, z, x.rows, n, x.stride, p, q);
  int* places = memory.output<int>(n);
  std::fill_n(places, n, -1);
  const std::size_t last = n == 0 ? 0 : (x.rows - 1) * x.stride;
  table.first_in_columns(a, x.rows, n, x.stride, a + last, places);
}

template <class T>
void reductions(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const auto& table = part<T>(kernels).reductions;
  const T *a = memory.input<T>(n), *b = memory.input<T>(n);
  const auto kind = static_cast<SumOfEach>(draw.below(4));
  for (const Total total : {table.sum_row(kind, a, n, 0.25), table.dot_row(a, b, n)}) {
    memory.result(total.high);
  }
  const Matrix x(draw, n);
  const T* data = memory.input<T>(x.size());
  double* high = memory.output<double>(padded(n));
  double* low = memory.output<double>(padded(n));
  std::fill_n(high, padded(n), 0.0);
  std::fill_n(low, padded(n), 0.0);
  const double* center = memory.input<double>(n);
  const T* origin = memory.input<T>(n);
  table.sum_columns(kind, data, x.rows, n, x.stride, {center, origin}, high, low);
  std::fill(high + n, high + padded(n), 0.0);
  std::fill(low + n, low + padded(n), 0.0);
  // Two parts of n totals each, one behind the other.
  const double *parts = memory.input<double>(2 * n), *rest = memory.input<double>(2 * n);
  double *whole = memory.output<double>(n), *lost = memory.output<double>(n);
  table.merge_parts(parts, rest, 2, n, n, whole, lost);
  const bool largest = draw.flip();
  table.extreme_columns(largest, data, x.rows, n, x.stride, memory.output<T>(n));
  if (n > 0) {
    const T best = table.extreme_row(largest, a, n);
    memory.result(static_cast<double>(best));
    memory.result(static_cast<double>(table.first_of(a, n, best)));
  }
  T* e = memory.output<T>(n);
  memory.result(table.exp_row(a, e, n, 0.5, draw.flip()).high);
  for (const bool stream : {false, true}) {
    table.divide_row(e, e, n, 3.0, stream);
    table.shift_row(a, memory.output<T>(n), n, {0.3, 1e-9}, stream);
    table.softmax_gradient(a, b, memory.output<T>(n), n, 0.7, stream);
    table.log_softmax_gradient(a, b, memory.output<T>(n), n, 0.7, stream);
  }
  column_maps<T>(kernels, x, n, draw, memory);
  const std::size_t few = draw.below(4);
  Total totals[3];
  table.sum_each_row(memory.input<T>(few * n), few, n, totals);
  for (std::size_t r = 0; r < few; ++r) memory.result(totals[r].high);
}

template <class T>
void pairs(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  const auto& table = part<T>(kernels).pairs;
  const T *a = memory.input<T>(n), *b = memory.input<T>(n), *c = memory.input<T>(n);
  const PairSums sums = table.sums(a, b, n);
  for (const double each : {sums.ab, sums.aa, sums.bb}) memory.result(each);
  table.gradient(a, b, n, 0.5, 0.25, memory.output<T>(n));
  const bool squares = draw.flip();
  const double near = table.distance(a, b, n, 1e-6, squares);
  memory.result(near);
  const TripletRow row{near, 1.5, 0.5, 1e-6, squares, draw.flip()};
  T* da = memory.output<T>(n);
  T* db = draw.flip() ? memory.output<T>(n) : nullptr;
  T* dc = memory.output<T>(n);
  table.triplet_gradients(a, b, c, n, row, da, db, dc);
}

template <class T>
void softmax(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory) {
  const std::size_t classes = std::max<std::size_t>(1, length), rows = draw.between(1, 5);
  const T* logits = memory.input<T>(rows * classes);
  T* probabilities = memory.output<T>(rows * classes);
  double* maximum = memory.output<double>(rows);
  double* sum = memory.output<double>(rows);
  double* work = memory.output<double>(classes);
  part<T>(kernels).elementwise.softmax(logits, probabilities, rows, classes, maximum, sum, work);
}

void others(const Kernels& kernels, std::size_t n, Draw draw, Memory& memory) {
  double* total = memory.inout<double>(n);
  kernels.add_doubles(total, memory.input<double>(n), n);
  const std::uint64_t key = draw.next(), offset = draw.next();
  kernels.random_words(memory.output<unsigned int>(n), n, key, offset);
  const float* source = memory.input<float>(n);
  kernels.copy(source, memory.output<float>(n), n, draw.flip());
  memory.result(kernels.read(source, n));
}

constexpr KernelCall kCalls[] = {
    {"sum_nc float", sum_nc<float>},
    {"sum_nc double", sum_nc<double>},
    {"grad_sum_nc float", grad_sum_nc<float>},
    {"grad_sum_nc double", grad_sum_nc<double>},
    {"normalize_nc float", normalize_nc<float>},
    {"normalize_nc double", normalize_nc<double>},
    {"grad_apply_nc, scale_nc float", grad_apply_nc<float>},
    {"grad_apply_nc, scale_nc double", grad_apply_nc<double>},
    {"sum_ncl float", sum_ncl<float>},
    {"sum_ncl double", sum_ncl<double>},
    {"grad_sum_ncl float", grad_sum_ncl<float>},
    {"grad_sum_ncl double", grad_sum_ncl<double>},
    {"normalize_ncl float", normalize_ncl<float>},
    {"normalize_ncl double", normalize_ncl<double>},
    {"grad_apply_ncl, scale_ncl float", grad_apply_ncl<float>},
    {"grad_apply_ncl, scale_ncl double", grad_apply_ncl<double>},
    {"channels float", channels<float>},
    {"channels double", channels<double>},
    {"pack_a, pack_b float", pack<float>},
    {"pack_a, pack_b double", pack<double>},
    {"multiply float", multiply<float>},
    {"multiply double", multiply<double>},
    {"elementwise float", elementwise<float>},
    {"elementwise double", elementwise<double>},
    {"sgd, adam float", steps<float>},
    {"sgd, adam double", steps<double>},
    {"the other optimisers float", more_steps<float>},
    {"the other optimisers double", more_steps<double>},
    {"losses float", losses<float>},
    {"losses double", losses<double>},
    {"the pointwise operations float", arithmetic<float>},
    {"the pointwise operations double", arithmetic<double>},
    {"reductions float", reductions<float>},
    {"reductions double", reductions<double>},
    {"losses of pairs float", pairs<float>},
    {"losses of pairs double", pairs<double>},
    {"softmax float", softmax<float>},
    {"softmax double", softmax<double>},
    {"add_doubles, random_words, copy, read", others},
};

}  // namespace

std::span<const KernelCall> kernel_calls() { return kCalls; }

}  // namespace evenkeel::check
