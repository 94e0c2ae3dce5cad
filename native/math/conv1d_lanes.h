// What a convolution reads for its products, each value once: channel after channel of x with the zeros of its padding,
// sample beside sample. Of a stride above 1 one phase (place mod stride) after another, so that what a tap reads of
// consecutive positions is consecutive.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "../kernels/dispatch.h"
#include "../runtime/workspace.h"
#include "conv1d_windows.h"

namespace evenkeel::windows {

// Whether lanes pay: with a stride, most phases are read; what lies between two samples is computed for nothing.
inline bool has_lanes(const Conv1d& shape, std::size_t samples_together) {
  const std::size_t reach = (shape.taps - 1) * shape.dilation / shape.stride;
  if (shape.stride > 1 && !has_phases(shape)) return false;
  return reach <= 2 * shape.length && (samples_together == 1 || 4 * reach <= shape.out_length);
}

template <class T>
class Lanes {
 public:
  // For chunks of up to so many samples and positions.
  Lanes(const Conv1d& shape, std::size_t samples, std::size_t positions, Workspace& workspace)
      : shape_(shape),
        samples_(samples),
        step_(phase_length(shape, positions)),
        first_(floor_of(-shape.pad, static_cast<ptrdiff_t>(shape.stride))),
        offsets_(workspace.take<std::size_t>(shape.taps)),
        taps_(workspace.take<std::size_t>(shape.taps)) {
    const ptrdiff_t stride = static_cast<ptrdiff_t>(shape.stride);
    for (std::size_t j = 0; j < shape.taps; ++j) {
      const ptrdiff_t offset = offset_of(shape, j), behind = floor_of(offset, stride);
      offsets_[j] = static_cast<std::size_t>(offset - behind * stride) * phase() +
                    static_cast<std::size_t>(behind - first_);
      taps_[j] = j * shape.dilation;
    }
  }

  // From sample to sample.
  std::size_t step() const { return step_; }
  // Columns from the first to the last of a chunk, with those between its samples.
  std::size_t columns(const Chunk& chunk) const {
    return (chunk.samples - 1) * step_ + chunk.each();
  }
  // Elements of scratch for so many channels.
  std::size_t scratch(std::size_t channels) const { return channels * channel(); }

  // Channels `channels` of x for a chunk: where they are, or in scratch. `by_value`: values of a row are read one after
  // another, not vectors of many rows in turns.
  WindowLanes<T> of(const T* x, Range channels, const Chunk& chunk, T* scratch,
                    bool by_value) const {
    const T* first = x + (chunk.sample * shape_.in + channels.begin) * shape_.length;
    const bool as_they_are = shape_.stride == 1 && shape_.pad == 0 && chunk.samples == 1;
    // A tile reads on behind its columns, and that has to be x, too. Rows so many elements apart share lines of L1.
    const std::size_t behind =
        ((shape_.samples - chunk.sample) * shape_.in - channels.end) * shape_.length;
    const bool apart = by_value || shape_.length % 128 != 0;
    if (as_they_are && behind >= kernels_of<T>().matmul.tile_columns && apart) {
      return {first + chunk.from, shape_.length, taps_, shape_.taps};
    }
    return read(x, channels, chunk, scratch);
  }

  // The same in scratch.
  WindowLanes<T> read(const T* x, Range channels, const Chunk& chunk, T* scratch) const {
    if (shape_.stride == 1) {
      read_rows(x, channels, chunk, scratch);
      return {scratch, channel(), offsets_, shape_.taps};
    }
    const ptrdiff_t place =
        (static_cast<ptrdiff_t>(chunk.from) + first_) * static_cast<ptrdiff_t>(shape_.stride);
    for (std::size_t c = 0; c < channels.size(); ++c) {
      T* to = scratch + c * channel();
      for (std::size_t s = 0; s < chunk.samples; ++s) {
        const T* in = x + ((chunk.sample + s) * shape_.in + channels.begin + c) * shape_.length;
        read_sample(in, place, chunk.samples == 1, to + s * step_);
      }
      const std::size_t end = chunk.samples * step_;
      for (std::size_t f = 0; f < shape_.stride; ++f) {
        std::fill(to + f * phase() + end, to + (f + 1) * phase(), T(0));
      }
    }
    return {scratch, channel(), offsets_, shape_.taps};
  }

 private:
  // Of all samples, and what a tile reads behind them.
  std::size_t phase() const { return samples_ * step_ + 64; }
  std::size_t channel() const { return (shape_.stride * phase() + 15) / 16 * 16 + 16; }

  // Of stride 1: what lies within x is the same of every row.
  void read_rows(const T* x, Range channels, const Chunk& chunk, T* to) const {
    const ptrdiff_t place = static_cast<ptrdiff_t>(chunk.from) + first_;
    const ptrdiff_t count = static_cast<ptrdiff_t>(step_);
    const ptrdiff_t from = std::clamp<ptrdiff_t>(-place, 0, count);
    const ptrdiff_t end =
        std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(shape_.length) - place, from, count);
    const std::size_t bytes = static_cast<std::size_t>(end - from) * sizeof(T), each = channel();
    const std::size_t behind = phase() - (chunk.samples - 1) * step_;
    for (std::size_t s = 0; s < chunk.samples; ++s, to += step_) {
      const T* in = x + ((chunk.sample + s) * shape_.in + channels.begin) * shape_.length;
      const std::size_t whole = s + 1 < chunk.samples ? step_ : behind;
      for (std::size_t c = 0; c < channels.size(); ++c, in += shape_.length) {
        T* row = to + c * each;
        for (ptrdiff_t i = 0; i < from; ++i) row[i] = T(0);
        if (bytes > 0) std::memcpy(row + from, in + place + from, bytes);
        std::fill(row + end, row + whole, T(0));
      }
    }
  }

  // Value i of phase f is x[place + i * stride + f], or 0 outside of x.
  void read_sample(const T* x, ptrdiff_t place, bool alone, T* to) const {
    const ptrdiff_t stride = static_cast<ptrdiff_t>(shape_.stride);
    const ptrdiff_t length = static_cast<ptrdiff_t>(shape_.length);
    const ptrdiff_t count = static_cast<ptrdiff_t>(step_);
    // Where all phases are within x, they are turned around together.
    const ptrdiff_t whole_from = std::clamp<ptrdiff_t>(-floor_of(place, stride), 0, count);
    const ptrdiff_t whole_to =
        std::clamp<ptrdiff_t>(floor_of(length - place, stride), whole_from, count);
    // What turns them clears as much behind the last phase as lies before them: there is room for so much.
    const bool turned = alone && whole_from <= 16 && whole_to - whole_from >= 16;
    if (turned) {
      const std::size_t values = static_cast<std::size_t>(whole_to - whole_from);
      kernels_of<T>().matmul.pack_b({x + place + whole_from * stride, 1, shape_.stride},
                                    shape_.stride, values, phase(), to + whole_from);
    }
    for (ptrdiff_t f = 0; f < stride; ++f, to += phase()) {
      const ptrdiff_t start = place + f;
      const ptrdiff_t from = std::clamp<ptrdiff_t>(-floor_of(start, stride), 0, count);
      const ptrdiff_t end = std::clamp<ptrdiff_t>(-floor_of(start - length, stride), from, count);
      std::fill(to, to + from, T(0));
      const ptrdiff_t before = turned ? whole_from : end, behind = turned ? whole_to : end;
      for (ptrdiff_t i = from; i < before; ++i) to[i] = x[start + i * stride];
      for (ptrdiff_t i = behind; i < end; ++i) to[i] = x[start + i * stride];
      std::fill(to + end, to + count, T(0));
    }
  }

  Conv1d shape_;
  std::size_t samples_, step_;
  ptrdiff_t first_;               // of the values, from the position that comes first
  std::size_t *offsets_, *taps_;  // of the taps, in scratch and in x itself
};

}  // namespace evenkeel::windows
