// (N, C), and everything that is best walked as such: rows of columns, read twice and written once.
#pragma once

#include <algorithm>
#include <cstddef>

#include "activation.h"
#include "batchnorm.h"
#include "coefficients.h"
#include "gradient.h"
#include "row_sums.h"
#include "rows.h"
#include "../kernels/dispatch.h"

namespace evenkeel {

// Of x - shift and its square, into what `sums` was made with but for its merge(). shift is padded, by channel.
template <class T>
void sums_nc(BatchShape shape, const T* x, T* shift, const RowSums& sums, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Rows rows(shape);
  const Columns<T, 1> shifts(rows, sums.layout.repeat, {shift}, x, workspace);
  shifts.update({0, rows.channels});
  sums.run([&](std::size_t row, std::size_t column, LeafRows at, std::size_t n, LeafNodes nodes) {
    table.sum_nc(x + row * at.stride + column, at, n, shifts[0] + column, nodes);
  });
}

template <class T>
void forward_nc(const BatchNormForward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Rows rows(call.shape);
  const Normalization<T> coefficients(call, workspace);
  const Columns<T, 3> columns(
      rows, 1, {coefficients.center, coefficients.scale, coefficients.offset}, call.y, workspace);

  if (call.statistics != Statistics::batch) {
    run_channel_ranges(rows.channels, 0, [&](Range c) {
      coefficients.from_given(c.begin, c.size());
      columns.update(c);
    });
  } else {
    double* sum = workspace.take<double>(rows.channels);
    double* sumsq = workspace.take<double>(rows.channels);
    const RowSums sums(call.shape, sum, sumsq, workspace);
    T* shift = workspace.take<T>(rows.channels);
    first_values(call.shape, call.x, shift);
    sums_nc(call.shape, call.x, shift, sums, workspace);
    if (is_stopped()) return;
    run_channel_ranges(rows.channels, sums.blocks, [&](Range c) {
      sums.merge(c);
      coefficients.from_sums(c.begin, c.size(), shift + c.begin, sum + c.begin, sumsq + c.begin);
      columns.update(c);
    });
  }
  if (is_stopped()) return;
  columns.close();
  if (call.y == nullptr) return;

  const bool stream = rows.template stream<T>();
  const Activation& activation = call.activation;
  const ColumnSlopes<T> slopes(rows, call.slopes, workspace);
  const auto passes = [&](std::size_t at, MatrixRange range) {
    if (!activation.given) {
      table.normalize_nc(call.x + at, call.y + at, range, columns.normalize(0), call.relu, stream);
      return;
    }
    const T* const x = call.x + at;
    T* const y = call.y + at;
    for_blocks_of<T>(
        range, stream ? nullptr : y,
        [&](std::size_t i, MatrixRange block, T* z) {
          table.normalize_nc(x + i, z, block, columns.normalize(0), false, false);
        },
        [&](std::size_t i, MatrixRange block, const T* z) {
          if (call.slopes.given()) {
            slopes.apply(BinaryCode::prelu, z, y + i, block, stream);
            return;
          }
          kernels_of<T>().arithmetic.unary(activation.code, z, y + i, block.n, activation.numbers,
                                           stream);
        });
    if (stream) kernels_of<T>().arithmetic.fence();
  };
  if (coefficients.any()) {
    const auto wide = [&](std::size_t c) { return coefficients.wide(c); };
    rows.run_ranges([&](std::size_t at, MatrixRange range) {
      rows.split(
          range, wide, [&](std::size_t i, MatrixRange part) { passes(at + i, part); },
          [&](std::size_t i, std::size_t n, std::size_t c) {
            coefficients.write(c, call.x + at + i, call.y + at + i, n);
            if (activation.given) activate(call, c, call.y + at + i, n);
          });
    });
  } else {
    rows.run_ranges(passes);
  }
  coefficients.update_running();
}

// The gradient that comes in: an array, or one value seen as a row that repeats.
template <class T>
class OutputGradient {
 public:
  OutputGradient(const BatchNormBackward<T>& call, std::size_t width, Workspace& workspace)
      : array_(call.dy), width_(width), row_(workspace.take<T>(call.dy == nullptr ? width : 0)) {
    if (call.dy == nullptr) std::fill_n(row_, width, call.dy_value);
  }
  std::size_t stride() const { return array_ != nullptr ? width_ : 0; }
  const T* at(std::size_t row, std::size_t column) const {
    return array_ != nullptr ? array_ + row * width_ + column : row_ + column;
  }

 private:
  const T* array_;
  std::size_t width_;
  T* row_;
};

template <class T>
void backward_nc(const BatchNormBackward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Rows rows(call.shape);
  const Gradient<T> coefficients(call, workspace);
  const RowSums sums(call.shape, coefficients.sum, coefficients.dot, workspace);
  const Columns<T, 3> forward(rows, sums.layout.repeat,
                              {coefficients.center, coefficients.scale, coefficients.offset},
                              call.dx, workspace);
  const Columns<T, 3> columns(rows, 1, {coefficients.a, coefficients.b, coefficients.k}, call.dx,
                              workspace);
  forward.update({0, rows.channels});
  forward.close();
  const auto gate = [&](std::size_t column) {
    return call.relu ? forward.normalize(column)
                     : NormalizeCoefficients<T>{nullptr, nullptr, nullptr};
  };

  if (coefficients.needs_sums) {
    const OutputGradient<T> dy(call, sums.layout.width, workspace);
    sums.run([&](std::size_t row, std::size_t column, LeafRows at, std::size_t n, LeafNodes nodes) {
      table.grad_sum_nc(call.x + row * at.stride + column, dy.at(row, column), at, dy.stride(), n,
                        forward[0] + column, gate(column), nodes);
    });
    if (is_stopped()) return;
  }
  run_channel_ranges(rows.channels, sums.blocks, [&](Range c) {
    if (coefficients.needs_sums) sums.merge(c);
    coefficients.finish(c.begin, c.size());
    columns.update(c);
  });
  if (call.dx == nullptr || is_stopped()) return;

  columns.close();
  const bool stream = rows.template stream<T>();
  const auto passes = [&](std::size_t at, MatrixRange range) {
    const T* dy = call.dy != nullptr ? call.dy + at : nullptr;
    if (coefficients.batch) {
      table.grad_apply_nc(call.x + at, dy, call.dy_value, call.dx + at, range,
                          {forward[0], columns[0], columns[1], columns[2]}, gate(0), stream);
    } else {
      table.scale_nc(call.x + at, dy, call.dy_value, call.dx + at, range, columns[0], gate(0),
                     stream);
    }
  };
  if (!coefficients.any) {
    rows.run_ranges(passes);
    return;
  }
  const auto wide = [&](std::size_t c) { return coefficients.wide(c); };
  rows.run_ranges([&](std::size_t at, MatrixRange range) {
    rows.split(
        range, wide, [&](std::size_t i, MatrixRange part) { passes(at + i, part); },
        [&](std::size_t i, std::size_t n, std::size_t c) { coefficients.write(c, at + i, n); });
  });
}

}  // namespace evenkeel
