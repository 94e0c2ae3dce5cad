// (N, C, L) seen as rows of columns, and what is kept per column while they are walked: how rows are cut
// into tiles, the tiles' partial sums, and the channels' coefficients spread over columns. No passes
// (nc.h).
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

  // to[column] = from[channel]
  template <class T>
  void spread(const T* from, Range range, T* to) const {
    for (std::size_t r = 0; r < repeat; ++r) {
      for (std::size_t c = range.begin; c < range.end; ++c) {
        std::fill_n(to + (r * channels + c) * inner, inner, from[c]);
      }
    }
  }

  // to[channel] = sum of its columns, in order
  void fold(const double* from, Range range, double* to) const {
    if (columns_are_channels()) {
      std::copy(from + range.begin, from + range.end, to + range.begin);
      return;
    }
    for (std::size_t c = range.begin; c < range.end; ++c) {
      double total = 0.0;
      for (std::size_t r = 0; r < repeat; ++r) {
        const double* column = from + (r * channels + c) * inner;
        for (std::size_t i = 0; i < inner; ++i) total += column[i];
      }
      to[c] = total;
    }
  }
};

// Tiles of rows x columns. Row blocks own partial sums, so their number is part of the result: at
// least 64 rows (the partials are then 1/16 of the data read) and at most 64 blocks. Column chunks
// change no bits: where row blocks are few, chunks of 2 KB a row make tasks enough for more threads;
// otherwise they only keep a block's accumulators (16 bytes a column) within L2.
struct TilesNC {
  Rows rows;
  std::size_t row_step, row_blocks, column_step, column_chunks;

  explicit TilesNC(BatchShape shape) : rows(shape) {
    const std::size_t blocks = std::clamp<std::size_t>(rows.count / 64, 1, 64);
    row_step = divide_up(divide_up(rows.count, blocks), 16) * 16;
    row_blocks = divide_up(rows.count, row_step);
    const std::size_t widest = row_blocks < 16 ? 512 : 8192;
    column_step = rows.width <= widest + widest / 2 ? rows.width : widest;
    column_chunks = divide_up(rows.width, column_step);
  }

  template <class T>
  bool stream() const {
    return rows.elements() * sizeof(T) >= kStreamBytes;
  }
  std::size_t blocks() const { return row_blocks + (rows.tail > 0 ? 1 : 0); }

  // body(block, row range, column range). The tail is a block of one row.
  template <class Body>
  void run(const Body& body) const {
    const std::size_t tasks = row_blocks * column_chunks;
    run_tasks(tasks + (rows.tail > 0 ? 1 : 0), rows.elements(), [&](std::size_t task) {
      if (task == tasks) {
        body(row_blocks, Range{rows.count, rows.count + 1}, Range{0, rows.tail});
        return;
      }
      const std::size_t block = task / column_chunks;
      body(block, cut(rows.count, row_step, block),
           cut(rows.width, column_step, task % column_chunks));
    });
  }

  // body(offset, range): the elementwise passes, in ranges of 64 KB of floats.
  template <class Body>
  void run_ranges(const Body& body) const {
    constexpr std::size_t kStep = 16 * 1024;
    run_tasks(divide_up(rows.elements(), kStep), rows.elements(), [&](std::size_t task) {
      const Range range = cut(rows.elements(), kStep, task);
      body(range.begin, MatrixRange{range.size(), range.begin % rows.width, rows.width});
    });
  }

  // body(channel range): what there is to do per channel between the passes; a channel's
  // divisions and root are worth 48 elements.
  template <class Body>
  void run_channels(const Body& body) const {
    constexpr std::size_t kStep = 256;
    run_tasks(divide_up(rows.channels, kStep), rows.width * (row_blocks + 48),
              [&](std::size_t task) { body(cut(rows.channels, kStep, task)); });
  }
};

// Per block two rows of `width` doubles, added up in block order into the first block's, and from there
// into one pair a channel.
class PartialsNC {
 public:
  PartialsNC(const TilesNC& tiles, Workspace& workspace)
      : tiles_(tiles),
        width_(divide_up(tiles.rows.width, 16) * 16),
        data_(workspace.take<double>(2 * width_ * tiles.blocks())) {}

  double* first(std::size_t block) const { return data_ + 2 * width_ * block; }
  double* second(std::size_t block) const { return first(block) + width_; }

  void merge(Range channels, double* sum, double* other) const {
    const Rows& rows = tiles_.rows;
    for (std::size_t r = 0; r < rows.repeat; ++r) {
      const std::size_t begin = (r * rows.channels + channels.begin) * rows.inner;
      const std::size_t end = (r * rows.channels + channels.end) * rows.inner;
      for (std::size_t block = 1; block < tiles_.blocks(); ++block) {
        const std::size_t n = std::min(end, columns_of(block)) - std::min(begin, columns_of(block));
        kernels().add_doubles(first(0) + begin, first(block) + begin, n);
        kernels().add_doubles(second(0) + begin, second(block) + begin, n);
      }
    }
    rows.fold(first(0), channels, sum);
    rows.fold(second(0), channels, other);
  }

 private:
  std::size_t columns_of(std::size_t block) const {
    return block < tiles_.row_blocks ? tiles_.rows.width : tiles_.rows.tail;
  }

  const TilesNC& tiles_;
  std::size_t width_;
  double* data_;
};

// Per-channel coefficients as per-column ones, with kPeriodic more behind: in place where columns are channels.
template <class T, std::size_t kCount>
class Columns {
 public:
  // The channels' arrays come from take_beside(beside, ...), and so do the columns'.
  Columns(const Rows& rows, const std::array<T*, kCount>& channels, const T* beside,
          Workspace& workspace)
      : rows_(rows), channels_(channels), columns_(channels) {
    if (rows.columns_are_channels()) return;
    for (T*& each : columns_) each = take_beside(beside, rows.width, workspace);
  }
  // Once the channels in the range are there.
  void update(Range channels) const {
    if (rows_.columns_are_channels()) return;
    for (std::size_t i = 0; i < kCount; ++i) rows_.spread(channels_[i], channels, columns_[i]);
  }
  // Once all of them are.
  void close() const {
    for (T* each : columns_) {
      for (std::size_t i = 0; i < kPeriodic; ++i) each[rows_.width + i] = each[i];
    }
  }
  T* channels(std::size_t i) const { return channels_[i]; }
  T* operator[](std::size_t i) const { return columns_[i]; }
  NormalizeCoefficients<T> normalize(std::size_t column) const {
    return {columns_[0] + column, columns_[1] + column, columns_[2] + column};
  }

 private:
  const Rows& rows_;
  std::array<T*, kCount> channels_, columns_;
};

}  // namespace evenkeel
