// (N, C), and everything that is best walked as such: rows of columns, read twice and written once.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "rows.h"
#include "coefficients.h"
#include "gradient.h"
#include "../kernels/dispatch.h"

namespace evenkeel {

template <class T>
void forward_nc(const BatchNormForward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const TilesNC tiles(call.shape);
  const Rows& rows = tiles.rows;
  const Normalization<T> coefficients(call, workspace);
  const Columns<T, 3> columns(rows, {coefficients.center, coefficients.scale, coefficients.offset},
                              call.y, workspace);

  if (call.statistics != Statistics::batch) {
    tiles.run_channels([&](Range c) {
      coefficients.from_given(c.begin, c.size());
      columns.update(c);
    });
  } else {
    const Columns<T, 1> shifts(rows, {workspace.take<T>(rows.channels + kPeriodic)}, call.x,
                               workspace);
    double* sum = workspace.take<double>(rows.channels);
    double* sumsq = workspace.take<double>(rows.channels);
    const PartialsNC partials(tiles, workspace);
    T* shift = shifts.channels(0);
    for (std::size_t c = 0; c < rows.channels; ++c) shift[c] = shift_from(call.x[c * rows.inner]);
    shifts.update({0, rows.channels});
    tiles.run([&](std::size_t block, Range r, Range c) {
      table.sum_nc(call.x + r.begin * rows.width + c.begin, r.size(), c.size(), rows.width,
                   shifts[0] + c.begin, partials.first(block) + c.begin,
                   partials.second(block) + c.begin);
    });
    tiles.run_channels([&](Range c) {
      partials.merge(c, sum, sumsq);
      coefficients.from_sums(c.begin, c.size(), shift + c.begin, sum + c.begin, sumsq + c.begin);
      columns.update(c);
    });
  }
  columns.close();
  if (call.y == nullptr) return;

  const bool stream = tiles.template stream<T>();
  const auto passes = [&](std::size_t at, MatrixRange range) {
    table.normalize_nc(call.x + at, call.y + at, range, columns.normalize(0), call.relu, stream);
  };
  if (coefficients.any()) {
    const auto wide = [&](std::size_t c) { return coefficients.wide(c); };
    tiles.run_ranges([&](std::size_t at, MatrixRange range) {
      rows.split(
          range, wide, [&](std::size_t i, MatrixRange part) { passes(at + i, part); },
          [&](std::size_t i, std::size_t n, std::size_t c) {
            coefficients.write(c, call.x + at + i, call.y + at + i, n);
          });
    });
  } else {
    tiles.run_ranges(passes);
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
  const TilesNC tiles(call.shape);
  const Rows& rows = tiles.rows;
  const Gradient<T> coefficients(call, workspace);
  const Columns<T, 3> forward(rows, {coefficients.center, coefficients.scale, coefficients.offset},
                              call.dx, workspace);
  const Columns<T, 3> columns(rows, {coefficients.a, coefficients.b, coefficients.k}, call.dx,
                              workspace);
  forward.update({0, rows.channels});
  forward.close();
  const auto gate = [&](std::size_t column) {
    return call.relu ? forward.normalize(column)
                     : NormalizeCoefficients<T>{nullptr, nullptr, nullptr};
  };

  const PartialsNC partials(tiles, workspace);
  if (coefficients.needs_sums) {
    const OutputGradient<T> dy(call, rows.width, workspace);
    tiles.run([&](std::size_t block, Range r, Range c) {
      table.grad_sum_nc(call.x + r.begin * rows.width + c.begin, dy.at(r.begin, c.begin), r.size(),
                        c.size(), rows.width, dy.stride(), forward[0] + c.begin, gate(c.begin),
                        partials.first(block) + c.begin, partials.second(block) + c.begin);
    });
  }
  tiles.run_channels([&](Range c) {
    if (coefficients.needs_sums) partials.merge(c, coefficients.sum, coefficients.dot);
    coefficients.finish(c.begin, c.size());
    columns.update(c);
  });
  if (call.dx == nullptr) return;

  columns.close();
  const bool stream = tiles.template stream<T>();
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
    tiles.run_ranges(passes);
    return;
  }
  const auto wide = [&](std::size_t c) { return coefficients.wide(c); };
  tiles.run_ranges([&](std::size_t at, MatrixRange range) {
    rows.split(
        range, wide, [&](std::size_t i, MatrixRange part) { passes(at + i, part); },
        [&](std::size_t i, std::size_t n, std::size_t c) { coefficients.write(c, at + i, n); });
  });
}

}  // namespace evenkeel
