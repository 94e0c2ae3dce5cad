// (N, C, L) seen as rows of columns for the elementwise passes, and the channels' coefficients spread over columns.
// No passes (nc.h); sums see rows of their own (row_sums.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include "batchnorm.h"
#include "coefficients.h"
#include "../kernels/dispatch.h"
#include "../runtime/work_split.h"

namespace evenkeel {

// (N, C, L) as a matrix. A row holds `repeat` samples of `channels` channels of `inner` values; column j
// belongs to channel (j / inner) % channels. Short runs (L of 7: half a vector) and narrow samples (C of
// 7) become full vectors this way. What does not fill a row is a shorter one, `tail`.
struct Rows {
  std::size_t channels, inner, repeat, width, count, tail;

  explicit Rows(BatchShape shape) : channels(shape.c), inner(shape.l), repeat(1) {
    const std::size_t sample = channels * inner;
    // Whole vectors of 16 from 256 columns on, given 16 rows of that to make it worth while.
    const std::size_t step = 16 / std::gcd(sample, std::size_t{16});
    const std::size_t samples = (256 / step + sample - 1) / sample * step;
    if (sample < 128 && shape.n >= 16 * samples) repeat = samples;
    width = repeat * sample;
    count = shape.n / repeat;
    tail = shape.n % repeat * sample;
  }

  bool columns_are_channels() const { return width == channels; }
  std::size_t elements() const { return count * width + tail; }

  // The parts of a range: passes(offset, part) for columns of channels that are not wide(channel), and
  // values(offset, n, channel) for those of one that is.
  template <class Wide, class Passes, class Values>
  void split(MatrixRange range, const Wide& wide, const Passes& passes,
             const Values& values) const {
    const auto column_of = [&](std::size_t i) { return (range.first + i) % range.columns; };
    const auto channel_of = [&](std::size_t i) { return column_of(i) / inner % channels; };
    const auto run_at = [&](std::size_t i) {  // what is left of one channel's run
      return std::min(inner - column_of(i) % inner, range.n - i);
    };
    for (std::size_t i = 0; i < range.n;) {
      const std::size_t begin = i;
      if (wide(channel_of(i))) {
        i += run_at(i);
        values(begin, i - begin, channel_of(begin));
        continue;
      }
      while (i < range.n && !wide(channel_of(i))) i += run_at(i);
      passes(begin, MatrixRange{i - begin, column_of(begin), range.columns});
    }
  }

  template <class T>
  bool stream() const {
    return elements() * sizeof(T) >= kStreamBytes;
  }

  // body(offset, range): the elementwise passes, in ranges of 64 KB of floats.
  template <class Body>
  void run_ranges(const Body& body) const {
    constexpr std::size_t kStep = 16 * 1024;
    run_tasks(divide_up(elements(), kStep), elements(), [&](std::size_t task) {
      const Range range = cut(elements(), kStep, task);
      body(range.begin, MatrixRange{range.size(), range.begin % width, width});
    });
  }
};

// Per-channel coefficients as per-column ones, with kPeriodic more behind: in place where columns are channels.
template <class T, std::size_t kCount>
class Columns {
 public:
  // The channels' arrays come from take_beside(beside, ...), and so do the columns', of at least `repeat` samples.
  Columns(const Rows& rows, std::size_t repeat, const std::array<T*, kCount>& channels,
          const T* beside, Workspace& workspace)
      : rows_(rows),
        repeat_(std::max(repeat, rows.repeat)),
        in_place_(rows.inner == 1 && repeat_ == 1),
        channels_(channels),
        columns_(channels) {
    if (in_place_) return;
    const std::size_t width = repeat_ * rows.channels * rows.inner;
    for (T*& each : columns_) each = take_beside(beside, width, workspace);
  }
  // Once the channels in the range are there.
  void update(Range channels) const {
    if (in_place_) return;
    for (std::size_t i = 0; i < kCount; ++i) spread(channels_[i], channels, columns_[i]);
  }
  // Once all of them are.
  void close() const {
    const std::size_t width = repeat_ * rows_.channels * rows_.inner;
    for (T* each : columns_) {
      for (std::size_t i = 0; i < kPeriodic; ++i) each[width + i] = each[i];
    }
  }
  T* operator[](std::size_t i) const { return columns_[i]; }
  NormalizeCoefficients<T> normalize(std::size_t column) const {
    return {columns_[0] + column, columns_[1] + column, columns_[2] + column};
  }

 private:
  // to[column] = from[channel]
  void spread(const T* from, Range range, T* to) const {
    for (std::size_t r = 0; r < repeat_; ++r) {
      for (std::size_t c = range.begin; c < range.end; ++c) {
        std::fill_n(to + (r * rows_.channels + c) * rows_.inner, rows_.inner, from[c]);
      }
    }
  }

  const Rows& rows_;
  std::size_t repeat_;
  bool in_place_;
  std::array<T*, kCount> channels_, columns_;
};

}  // namespace evenkeel
