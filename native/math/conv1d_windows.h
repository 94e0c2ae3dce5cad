// What a convolution reads for its products: windows of x as the columns of a matrix, chunk by chunk.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "../runtime/work_split.h"
#include "conv1d.h"

namespace evenkeel::windows {

using std::ptrdiff_t;
using std::size_t;

// From row to row of a chunk: rows a power of two apart would share few lines of L1.
constexpr size_t padded(size_t columns) { return (columns + 63) / 64 * 64 + 16; }

// Consecutive columns (sample, position): whole samples, or a part of one.
struct Chunk {
  size_t sample, samples, from, to;
  size_t each() const { return to - from; }
  size_t columns() const { return samples * each(); }
};

// How the columns of all samples are cut. Whole samples go together up to `most` columns.
struct Chunks {
  size_t samples, length, most, together, parts;
  Chunks(size_t count, size_t values, size_t columns)
      : samples(count),
        length(values),
        most(columns),
        together(std::max<size_t>(1, columns / std::max<size_t>(1, values))),
        parts(divide_up(values, columns)) {}
  size_t groups() const { return divide_up(samples, together); }
  size_t count() const { return groups() * parts; }
  Chunk at(size_t index) const {
    const Range s = cut(samples, together, index / parts), t = cut(length, most, index % parts);
    return {s.begin, s.size(), t.begin, t.end};
  }
};

// Positions t whose read at t * stride + offset lies within x.
inline Range inside(const Conv1d& shape, ptrdiff_t offset) {
  const ptrdiff_t stride = static_cast<ptrdiff_t>(shape.stride);
  const ptrdiff_t room = static_cast<ptrdiff_t>(shape.length) - offset;
  const ptrdiff_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const ptrdiff_t past = room <= 0 ? 0 : (room + stride - 1) / stride;
  const size_t end = std::min(static_cast<size_t>(past), shape.out_length);
  return {std::min(static_cast<size_t>(first), end), end};
}

inline ptrdiff_t offset_of(const Conv1d& shape, size_t tap) {
  return static_cast<ptrdiff_t>(tap * shape.dilation) - shape.pad;
}

// What one tap, with that offset, reads of a channel for positions [from, to); `within`: inside(shape, offset).
template <class T>
void read_window(const T* x, const Conv1d& shape, ptrdiff_t offset, Range within, size_t from,
                 size_t to, T* out) {
  const size_t begin = std::clamp(within.begin, from, to), end = std::clamp(within.end, begin, to);
  std::fill(out, out + (begin - from), T(0));
  if (begin < end) {
    const T* in = x + static_cast<ptrdiff_t>(begin * shape.stride) + offset;
    if (shape.stride == 1) {
      std::memcpy(out + (begin - from), in, (end - begin) * sizeof(T));
    } else {
      for (size_t i = 0; i < end - begin; ++i) out[begin - from + i] = in[i * shape.stride];
    }
  }
  std::fill(out + (end - from), out + (to - from), T(0));
}

// How the windows of a depthwise shape are read, channel by channel: what tap j reads of consecutive positions is one row
// after another, `step` apart. Of stride 1 these rows lie within each other, in the channel with the zeros around it.
struct ChannelWindows {
  bool within;
  size_t step, size;

  explicit ChannelWindows(const Conv1d& shape)
      : within(shape.stride == 1 &&
               reach(shape) + shape.out_length <= 2 * (shape.length + shape.out_length)),
        step(within ? shape.dilation : shape.out_length),
        size(within ? reach(shape) + shape.out_length : shape.taps * shape.out_length) {}

  // Values behind a position that its last tap reads.
  static size_t reach(const Conv1d& shape) { return (shape.taps - 1) * shape.dilation; }

  // All of them, of the channel x.
  template <class T>
  void read(const T* x, const Conv1d& shape, T* out) const {
    if (within) {
      read_part(x, shape, 0, size, out);
      return;
    }
    for (size_t j = 0; j < shape.taps; ++j, out += shape.out_length) {
      const ptrdiff_t offset = offset_of(shape, j);
      read_window(x, shape, offset, inside(shape, offset), 0, shape.out_length, out);
    }
  }
  // Where they lie within each other: values [from, to) of the channel with the zeros before it.
  template <class T>
  void read_part(const T* x, Conv1d shape, size_t from, size_t to, T* out) const {
    shape.out_length = size;
    read_window(x, shape, -shape.pad, inside(shape, -shape.pad), from, to, out);
  }
};

// With more taps than the stride, what is read at the stride is read by several taps: it is put side by side once,
// one phase (place mod stride) after another, and the taps copy runs of it.
inline bool has_phases(const Conv1d& shape) {
  return shape.stride > 1 && shape.taps > shape.stride &&
         (shape.taps - 1) * shape.dilation <= 2 * shape.length;
}
inline ptrdiff_t floor_of(ptrdiff_t a, ptrdiff_t b) { return (a < 0 ? a - b + 1 : a) / b; }
// Values of each phase for so many positions.
inline size_t phase_length(const Conv1d& shape, size_t positions) {
  return positions + (shape.taps - 1) * shape.dilation / shape.stride + 2;
}
// Scratch for the phases of up to so many positions.
inline size_t phases_size(const Conv1d& shape, size_t positions) {
  return has_phases(shape) ? shape.stride * phase_length(shape, positions) : 0;
}

// One channel for positions [from, to), by phases: row j of the matrix is `row` elements behind row j - 1.
template <class T>
void read_phases(const T* x, const Conv1d& shape, size_t from, size_t to, T* matrix, size_t row,
                 T* phases) {
  const ptrdiff_t stride = static_cast<ptrdiff_t>(shape.stride);
  const size_t each = phase_length(shape, to - from);
  const ptrdiff_t first = static_cast<ptrdiff_t>(from) + floor_of(-shape.pad, stride);
  const ptrdiff_t length = static_cast<ptrdiff_t>(shape.length);
  for (size_t phase = 0; phase < shape.stride; ++phase) {
    T* out = phases + phase * each;
    const ptrdiff_t place = static_cast<ptrdiff_t>(phase) + first * stride;
    for (size_t i = 0; i < each; ++i) {
      const ptrdiff_t at = place + static_cast<ptrdiff_t>(i) * stride;
      out[i] = at >= 0 && at < length ? x[at] : T(0);
    }
  }
  for (size_t j = 0; j < shape.taps; ++j, matrix += row) {
    const ptrdiff_t offset = offset_of(shape, j), step = floor_of(offset, stride);
    const size_t phase = static_cast<size_t>(offset - step * stride);
    const size_t behind = static_cast<size_t>(static_cast<ptrdiff_t>(from) + step - first);
    std::memcpy(matrix, phases + phase * each + behind, (to - from) * sizeof(T));
  }
}

// Channels `channels` of x for a chunk, as the matrix [channel and tap, column]; rows are `stride` apart, and zero from
// the last column to the end of a tile. `phases`: phases_size(shape, positions of a sample).
template <class T>
void read_windows(const T* x, const Conv1d& shape, Range channels, const Chunk& chunk, T* matrix,
                  size_t stride, T* phases) {
  const size_t columns = chunk.columns(), whole = (columns + 63) / 64 * 64;
  const auto sample = [&](size_t s, size_t c) {
    return x + ((chunk.sample + s) * shape.in + channels.begin + c) * shape.length;
  };
  if (has_phases(shape)) {
    for (size_t c = 0; c < channels.size(); ++c) {
      for (size_t s = 0; s < chunk.samples; ++s) {
        read_phases(sample(s, c), shape, chunk.from, chunk.to,
                    matrix + c * shape.taps * stride + s * chunk.each(), stride, phases);
      }
    }
  } else {
    for (size_t j = 0; j < shape.taps; ++j) {
      const ptrdiff_t offset = offset_of(shape, j);
      const Range within = inside(shape, offset);
      for (size_t c = 0; c < channels.size(); ++c) {
        T* row = matrix + (c * shape.taps + j) * stride;
        for (size_t s = 0; s < chunk.samples; ++s) {
          read_window(sample(s, c), shape, offset, within, chunk.from, chunk.to,
                      row + s * chunk.each());
        }
      }
    }
  }
  for (size_t row = 0; row < channels.size() * shape.taps; ++row) {
    std::fill(matrix + row * stride + columns, matrix + row * stride + whole, T(0));
  }
}

// What takes as long as that many elements through memory.
inline size_t work_of(const Conv1d& shape) {
  const size_t values = shape.samples * shape.out * shape.out_length;
  return std::max(values * shape.terms() / 16, values + shape.samples * shape.in * shape.length);
}

}  // namespace evenkeel::windows
