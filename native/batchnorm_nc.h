// (N, C): tiles of rows x channels, read twice and written once.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "batchnorm_terms.h"
#include "dispatch.h"
#include "work_split.h"

namespace evenkeel {

// Tiles of rows x channels. Row blocks own partial sums, so their number is part of the result: at
// least 64 rows (the partials are then 1/16 of the data read) and at most 64 blocks. Channel chunks
// change no bits: where row blocks are few, chunks of 2 KB a row make tasks enough for more threads;
// otherwise they only keep a block's accumulators (16 bytes a channel) within L2.
struct TilesNC {
  std::size_t rows, channels, row_step, row_blocks, channel_step, channel_chunks;

  explicit TilesNC(BatchShape shape) : rows(shape.n), channels(shape.c) {
    const std::size_t blocks = std::clamp<std::size_t>(rows / 64, 1, 64);
    row_step = divide_up(divide_up(rows, blocks), 16) * 16;
    row_blocks = divide_up(rows, row_step);
    const std::size_t widest = row_blocks < 16 ? 512 : 8192;
    channel_step = channels <= widest + widest / 2 ? channels : widest;
    channel_chunks = divide_up(channels, channel_step);
  }

  template <class T>
  bool stream() const {
    return rows * channels * sizeof(T) >= kStreamBytes;
  }

  // body(block, row range, channel range)
  template <class Body>
  void run(const Body& body) const {
    run_tasks(row_blocks * channel_chunks, rows * channels, [&](std::size_t task) {
      const std::size_t block = task / channel_chunks;
      body(block, cut(rows, row_step, block), cut(channels, channel_step, task % channel_chunks));
    });
  }
};

// Per block two rows of `channels` doubles, added up in block order into the first block's.
struct PartialsNC {
  std::size_t width;
  double* data;

  PartialsNC(const TilesNC& tiles, Workspace& workspace)
      : width(divide_up(tiles.channels, 16) * 16),
        data(workspace.take<double>(2 * width * tiles.row_blocks)) {}

  double* first(std::size_t block) const { return data + 2 * width * block; }
  double* second(std::size_t block) const { return first(block) + width; }

  void merge(const TilesNC& tiles) const {
    run_tasks(tiles.channel_chunks, tiles.row_blocks * tiles.channels, [&](std::size_t chunk) {
      const Range c = cut(tiles.channels, tiles.channel_step, chunk);
      for (std::size_t block = 1; block < tiles.row_blocks; ++block) {
        kernels().add_doubles(first(0) + c.begin, first(block) + c.begin, c.size());
        kernels().add_doubles(second(0) + c.begin, second(block) + c.begin, c.size());
      }
    });
  }
};

template <class T>
void forward_nc(const BatchNormForward<T>& call, Workspace& workspace) {
  const TilesNC tiles(call.shape);
  const std::size_t channels = tiles.channels;
  const Normalization<T> terms(call, workspace);
  if (call.statistics == Statistics::running) {
    terms.from_running(0, channels);
  } else {
    T* shift = workspace.take<T>(channels);
    const PartialsNC partials(tiles, workspace);
    for (std::size_t c = 0; c < channels; ++c) shift[c] = shift_from(call.x[c]);
    tiles.run([&](std::size_t block, Range r, Range c) {
      kernels_of<T>().batchnorm.sum_nc(call.x + r.begin * channels + c.begin, r.size(), c.size(),
                                       channels, shift + c.begin, partials.first(block) + c.begin,
                                       partials.second(block) + c.begin);
    });
    partials.merge(tiles);
    terms.from_sums(0, channels, shift, partials.first(0), partials.second(0));
  }
  const bool stream = tiles.template stream<T>();
  tiles.run([&](std::size_t, Range r, Range c) {
    const std::size_t at = r.begin * channels + c.begin;
    kernels_of<T>().batchnorm.normalize_nc(call.x + at, call.y + at, r.size(), c.size(), channels,
                                           terms.center + c.begin, terms.scale + c.begin,
                                           terms.offset + c.begin, stream);
  });
  terms.update_running();
}

template <class T>
void backward_nc(const BatchNormBackward<T>& call, Workspace& workspace) {
  const TilesNC tiles(call.shape);
  const std::size_t channels = tiles.channels;
  Gradient<T> terms(call, workspace);
  if (terms.needs_sums) {
    const PartialsNC partials(tiles, workspace);
    tiles.run([&](std::size_t block, Range r, Range c) {
      const std::size_t at = r.begin * channels + c.begin;
      kernels_of<T>().batchnorm.grad_sum_nc(call.x + at, call.dy + at, r.size(), c.size(), channels,
                                            terms.center + c.begin, partials.first(block) + c.begin,
                                            partials.second(block) + c.begin);
    });
    partials.merge(tiles);
    terms.sum = partials.first(0);
    terms.dot = partials.second(0);
  }
  terms.finish(0, channels);
  if (call.dx != nullptr) {
    const bool stream = tiles.template stream<T>();
    tiles.run([&](std::size_t, Range r, Range c) {
      const std::size_t at = r.begin * channels + c.begin;
      if (terms.batch) {
        kernels_of<T>().batchnorm.grad_apply_nc(call.x + at, call.dy + at, call.dx + at, r.size(),
                                                c.size(), channels, terms.center + c.begin,
                                                terms.a + c.begin, terms.b + c.begin,
                                                terms.k + c.begin, stream);
      } else {
        kernels_of<T>().batchnorm.scale_nc(call.dy + at, call.dx + at, r.size(), c.size(), channels,
                                           terms.a + c.begin, stream);
      }
    });
  }
  terms.write_parameter_gradients();
}

}  // namespace evenkeel
