#include "conv1d.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../kernels/sum_tree.h"
#include "blocks.h"

namespace evenkeel {
namespace {

using std::ptrdiff_t;
using std::size_t;

// Columns of a matrix of windows that are made at a time: a chunk stays in L2. A part of the definition of
// conv1d_transposed: it adds chunk by chunk.
size_t chunk_columns(size_t rows) { return rows <= 512 ? 512 : rows <= 1024 ? 256 : 128; }
// Products that one value of a weight's gradient gets in one call of the multiply: one of its blocks.
constexpr size_t kChunkTerms = kMatmulBlock;
// From row to row of a chunk: rows a power of two apart would share few lines of L1.
constexpr size_t padded(size_t columns) { return (columns + 63) / 64 * 64 + 16; }
// Values of a channel that a leaf of a sum over the batch holds at most, or one sample. Part of the result.
constexpr size_t kLeafValues = 8192;
// Memory for leaves of a weight's gradient at a time.
constexpr size_t kLeafBytes = size_t{16} << 20;
// Up to so many outputs a channel, a group of one input channel is walked by itself; more are worth a multiply.
constexpr size_t kDepthwiseOutputs = 4;

// Samples of `length` values that make a leaf (sum_tree.h): a power of two, so that a leaf never crosses one of 64.
size_t samples_in_leaf(size_t length) {
  size_t samples = 1;
  while (samples < kLeafSamples && 2 * samples * length <= kLeafValues) samples *= 2;
  return samples;
}

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
Range inside(const Conv1d& shape, ptrdiff_t offset) {
  const ptrdiff_t stride = static_cast<ptrdiff_t>(shape.stride);
  const ptrdiff_t room = static_cast<ptrdiff_t>(shape.length) - offset;
  const ptrdiff_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const ptrdiff_t past = room <= 0 ? 0 : (room + stride - 1) / stride;
  const size_t end = std::min(static_cast<size_t>(past), shape.out_length);
  return {std::min(static_cast<size_t>(first), end), end};
}

ptrdiff_t offset_of(const Conv1d& shape, size_t tap) {
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

// All taps of a channel.
template <class T>
void read_taps(const T* x, const Conv1d& shape, T* out) {
  for (size_t j = 0; j < shape.taps; ++j, out += shape.out_length) {
    const ptrdiff_t offset = offset_of(shape, j);
    read_window(x, shape, offset, inside(shape, offset), 0, shape.out_length, out);
  }
}

// With more taps than the stride, what is read at the stride is read by several taps: it is put side by side once,
// one phase (place mod stride) after another, and the taps copy runs of it.
bool has_phases(const Conv1d& shape) {
  return shape.stride > 1 && shape.taps > shape.stride &&
         (shape.taps - 1) * shape.dilation <= 2 * shape.length;
}
ptrdiff_t floor_of(ptrdiff_t a, ptrdiff_t b) { return (a < 0 ? a - b + 1 : a) / b; }
// Values of each phase for so many positions.
size_t phase_length(const Conv1d& shape, size_t positions) {
  return positions + (shape.taps - 1) * shape.dilation / shape.stride + 2;
}
// Scratch for the phases of up to so many positions.
size_t phases_size(const Conv1d& shape, size_t positions) {
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

// body(task, scratch of its own) for every task, in any order, on as many threads as there are.
template <class T, class Body>
void run_with_scratch(size_t tasks, size_t elements, size_t scratch, Workspace& workspace,
                      const Body& body) {
  const size_t threads = elements < kParallelElements ? 1 : std::min(tasks, thread_count());
  const size_t each = (scratch + 63) / 64 * 64;
  T* memory = workspace.take<T>(threads * each);
  std::atomic<size_t> next{0};
  const StopFlag stop;
  run_tasks(threads, elements, [&](size_t thread) {
    while (!stop.raised()) {
      const size_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks) return;
      body(task, memory + thread * each);
    }
  });
}

// What takes as long as that many elements through memory.
size_t work_of(const Conv1d& shape) {
  const size_t values = shape.samples * shape.out * shape.out_length;
  return std::max(values * shape.terms() / 16, values + shape.samples * shape.in * shape.length);
}

// y from an array of rows [outputs, columns of the chunk], with the bias.
template <class T>
void write_outputs(const T* from, size_t stride, const T* bias, T* y, const Conv1d& shape,
                   size_t first, const Chunk& chunk) {
  for (size_t s = 0; s < chunk.samples; ++s) {
    for (size_t o = 0; o < shape.group_out(); ++o) {
      const T* in = from + o * stride + s * chunk.each();
      T* out = y + ((chunk.sample + s) * shape.out + first + o) * shape.out_length + chunk.from;
      const T shift = bias != nullptr ? bias[first + o] : T(0);
      for (size_t t = 0; t < chunk.each(); ++t) out[t] = bias != nullptr ? in[t] + shift : in[t];
    }
  }
}

// A chunk of the windows as the right-hand side of a product: read where it is.
template <class T>
RightSide<T> in_place(const MatmulKernels<T>& table, const T* matrix, size_t stride,
                      size_t columns) {
  return {{matrix, stride, 1}, nullptr, columns, columns, table.tile_columns, 0};
}

template <class T>
void by_product(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
                Workspace& workspace) {
  const MatmulKernels<T>& table = kernels_of<T>().matmul;
  const size_t terms = shape.terms(), outputs = shape.group_out();
  const Chunks chunks(shape.samples, shape.out_length, chunk_columns(terms));
  const size_t most = chunks.parts == 1 ? chunks.together * chunks.length : chunks.most;
  const size_t stride = padded(most);
  const size_t phases = phases_size(shape, std::min(chunks.length, chunks.most));
  run_with_scratch<T>(chunks.count() * shape.groups, work_of(shape),
                      (terms + outputs) * stride + phases, workspace, [&](size_t task, T* scratch) {
                        const size_t group = task % shape.groups, first = group * outputs;
                        const Chunk chunk = chunks.at(task / shape.groups);
                        T* sums = scratch + terms * stride;
                        const Range channels = cut(shape.in, shape.group_in(), group);
                        read_windows(x, shape, channels, chunk, scratch, stride,
                                     sums + outputs * stride);
                        table.multiply({{{weight + first * terms, terms, 1}, nullptr},
                                        in_place(table, scratch, stride, chunk.columns()),
                                        nullptr,
                                        sums,
                                        stride,
                                        terms},
                                       0, outputs, 0, chunk.columns());
                        write_outputs(sums, stride, bias, y, shape, first, chunk);
                      });
}

// One input channel a group, few outputs: each row by itself, from where it is or from rows of its windows.
template <class T>
void depthwise(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
               Workspace& workspace) {
  const auto& kernels = kernels_of<T>().convolution;
  const size_t reach = (shape.taps - 1) * shape.dilation + shape.out_length;
  const bool together = shape.stride == 1 && reach <= 2 * (shape.length + shape.out_length);
  const size_t step = together ? shape.dilation : shape.out_length;
  // Of stride 1 one row has all windows: the row of a convolution with one tap and as many positions.
  Conv1d row = shape;
  if (together) {
    row.taps = 1;
    row.out_length = reach;
  }
  run_with_scratch<T>(shape.samples * shape.out, work_of(shape),
                      together ? reach : shape.taps * shape.out_length, workspace,
                      [&](size_t task, T* scratch) {
                        const size_t o = task % shape.out, c = o / shape.group_out();
                        const T* in = x + (task / shape.out * shape.in + c) * shape.length;
                        read_taps(in, row, scratch);
                        T* out = y + task * shape.out_length;
                        const T shift = bias != nullptr ? bias[o] : T(0);
                        kernels.weighted_rows(scratch, step, weight + o * shape.taps, shape.taps,
                                              shift, out, shape.out_length);
                      });
}

bool is_depthwise(const Conv1d& shape) {
  return shape.group_in() == 1 && shape.group_out() <= kDepthwiseOutputs && shape.groups > 1;
}

template <class T>
void forward(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
             Workspace& workspace) {
  if (shape.samples * shape.out_length == 0) return;
  if (is_depthwise(shape)) {
    depthwise(x, weight, bias, y, shape, workspace);
  } else {
    by_product(x, weight, bias, y, shape, workspace);
  }
}

// The weight of the convolution that is the transpose of one of stride 1: [in, out / groups, taps], taps in reverse.
template <class T>
T* reversed(const T* weight, const Conv1d& shape, Workspace& workspace) {
  const size_t inputs = shape.group_in(), outputs = shape.group_out();
  T* turned = workspace.take<T>(shape.out * shape.terms());
  for (size_t o = 0; o < shape.out; ++o) {
    for (size_t c = 0; c < inputs; ++c) {
      const size_t channel = o / outputs * inputs + c;
      const T* from = weight + (o * inputs + c) * shape.taps;
      T* to = turned + (channel * outputs + o % outputs) * shape.taps;
      for (size_t j = 0; j < shape.taps; ++j) to[j] = from[shape.taps - 1 - j];
    }
  }
  return turned;
}

// x of one sample += the rows [channel and tap, column] of a part of it.
template <class T>
void add_windows(const T* rows, size_t stride, const Conv1d& shape, size_t from, size_t to, T* x) {
  for (size_t j = 0; j < shape.taps; ++j) {
    const ptrdiff_t offset = offset_of(shape, j);
    const Range within = inside(shape, offset);
    const size_t begin = std::clamp(within.begin, from, to);
    const size_t end = std::clamp(within.end, begin, to);
    for (size_t c = 0; c < shape.group_in(); ++c) {
      const T* row = rows + (c * shape.taps + j) * stride;
      for (size_t t = begin; t < end; ++t) {
        x[static_cast<ptrdiff_t>(c * shape.length + t * shape.stride) + offset] += row[t - from];
      }
    }
  }
}

// Of a stride above 1: the windows' gradient, which is a product, added to where the windows were read.
template <class T>
void by_windows(const T* dy, const T* weight, const T* bias, T* x, const Conv1d& shape,
                Workspace& workspace) {
  const MatmulKernels<T>& table = kernels_of<T>().matmul;
  const size_t terms = shape.terms(), outputs = shape.group_out();
  const size_t height = divide_up(terms, table.tile_rows) * table.tile_rows;
  T* panels = workspace.take<T>(shape.groups * height * outputs);
  for (size_t g = 0; g < shape.groups; ++g) {
    table.pack_a({weight + g * outputs * terms, 1, terms}, terms, outputs,
                 panels + g * height * outputs);
  }
  // dy, as the windows of a convolution with one tap.
  Conv1d plain = shape;
  plain.in = shape.out;
  plain.length = shape.out_length;
  plain.taps = plain.stride = 1;
  plain.pad = 0;
  const size_t most = std::min(chunk_columns(terms), shape.out_length), stride = padded(most);
  run_with_scratch<T>(
      shape.samples * shape.groups, work_of(shape), (terms + outputs) * stride, workspace,
      [&](size_t task, T* scratch) {
        const size_t sample = task / shape.groups, group = task % shape.groups;
        T* to = x + (sample * shape.in + group * shape.group_in()) * shape.length;
        std::fill(to, to + shape.group_in() * shape.length, T(0));
        T* windows = scratch + outputs * stride;
        for (size_t from = 0; from < shape.out_length; from += most) {
          const Chunk chunk{sample, 1, from, std::min(shape.out_length, from + most)};
          read_windows(dy, plain, cut(shape.out, outputs, group), chunk, scratch, stride,
                       static_cast<T*>(nullptr));
          table.multiply({{{weight, 1, terms}, panels + group * height * outputs},
                          in_place(table, scratch, stride, chunk.columns()),
                          nullptr,
                          windows,
                          stride,
                          outputs},
                         0, terms, 0, chunk.columns());
          add_windows(windows, stride, shape, chunk.from, chunk.to, to);
        }
        if (bias == nullptr) return;
        for (size_t c = 0; c < shape.group_in(); ++c, to += shape.length) {
          const T shift = bias[group * shape.group_in() + c];
          for (size_t i = 0; i < shape.length; ++i) to[i] += shift;
        }
      });
}

// The sums over one leaf, or a part of its channels: [channel and tap, output] of one group.
template <class T>
class LeafOfProducts {
 public:
  LeafOfProducts(const T* x, const T* dy, const Conv1d& shape)
      : table_(kernels_of<T>().matmul), x_(x), dy_(dy), shape_(shape) {
    const size_t outputs = shape.group_out(), rest = outputs % table_.tile_columns;
    width_ = divide_up(rest, table_.lanes) * table_.lanes;
    panel_ = divide_up(outputs, table_.tile_columns) * table_.tile_columns * kChunkTerms;
  }

  // Of so many channels.
  size_t scratch(size_t channels) const {
    const size_t rows = channels * shape_.taps;
    return panel_ + rows * (kStride + shape_.group_out()) +
           phases_size(shape_, std::min(shape_.out_length, kChunkTerms));
  }

  void add_up(Range samples, size_t group, Range channels, T* sums, T* scratch) const {
    const size_t outputs = shape_.group_out(), rows = channels.size() * shape_.taps;
    T *windows = scratch + panel_, *part = windows + rows * kStride;
    std::fill(sums, sums + rows * outputs, T(0));
    const Chunks chunks(samples.size(), shape_.out_length, kChunkTerms);
    for (size_t i = 0; i < chunks.count(); ++i) {
      Chunk chunk = chunks.at(i);
      chunk.sample += samples.begin;
      read_windows(x_, shape_, channels, chunk, windows, kStride, part + rows * outputs);
      pack(chunk, group, scratch);
      const RightSide<T> right{{dy_, 1, shape_.out_length}, scratch, 0, outputs,
                               table_.tile_columns,         width_};
      table_.multiply(
          {{{windows, kStride, 1}, nullptr}, right, nullptr, part, outputs, chunk.columns()}, 0,
          rows, 0, outputs);
      kernels_of<T>().elementwise.add(sums, part, sums, rows * outputs);
    }
  }

 private:
  static constexpr size_t kStride = padded(kChunkTerms);

  // dy of a chunk as panels [column, output].
  void pack(const Chunk& chunk, size_t group, T* panels) const {
    const size_t outputs = shape_.group_out(), tile = table_.tile_columns;
    for (size_t o = 0; o < outputs; o += tile) {
      const size_t width = outputs - o < tile ? width_ : tile;
      T* panel = panels + o * chunk.columns();
      for (size_t s = 0; s < chunk.samples; ++s) {
        const size_t row = (chunk.sample + s) * shape_.out + group * outputs + o;
        table_.pack_b({dy_ + row * shape_.out_length + chunk.from, 1, shape_.out_length},
                      chunk.each(), std::min(tile, outputs - o), width,
                      panel + s * chunk.each() * width);
      }
    }
  }

  const MatmulKernels<T>& table_;
  const T *x_, *dy_;
  Conv1d shape_;
  size_t width_, panel_;
};

// dweight[o, c, j] from [group, (c, j), o].
template <class T>
void write_weights(const T* sums, T* dweight, const Conv1d& shape) {
  const size_t terms = shape.terms(), outputs = shape.group_out();
  for (size_t g = 0; g < shape.groups; ++g, sums += terms * outputs) {
    for (size_t o = 0; o < outputs; ++o) {
      T* to = dweight + (g * outputs + o) * terms;
      for (size_t i = 0; i < terms; ++i) to[i] = sums[i * outputs + o];
    }
  }
}

template <class T>
void weights_by_product(const T* x, const T* dy, T* dweight, const Conv1d& shape,
                        Workspace& workspace) {
  const size_t size = shape.out * shape.terms(), each = samples_in_leaf(shape.out_length);
  const size_t leaves = divide_up(shape.samples, each);
  const auto add = kernels_of<T>().elementwise.add;
  const LeafOfProducts<T> leaf(x, dy, shape);
  // A power of two of leaves at a time; what they add up to are the leaves of the tree above.
  size_t together = 2;
  while (together < leaves && 2 * together * size * sizeof(T) <= kLeafBytes) together *= 2;
  const size_t rounds = divide_up(leaves, together);
  T* parts = workspace.take<T>(std::min(leaves, together) * size);
  T* waiting = rounds == 1 ? nullptr : workspace.take<T>(tree_levels(rounds) * size);
  for (size_t round = 0; round < rounds; ++round) {
    const Range range = cut(leaves, together, round);
    const size_t tasks = range.size() * shape.groups;
    const size_t splits = std::clamp<size_t>(2 * thread_count() / tasks, 1, shape.group_in());
    const size_t channels = divide_up(shape.group_in(), splits);
    const size_t cuts = divide_up(shape.group_in(), channels);
    run_with_scratch<T>(tasks * cuts, work_of(shape), leaf.scratch(channels), workspace,
                        [&](size_t task, T* scratch) {
                          const size_t group = task / cuts % shape.groups;
                          const size_t number = task / cuts / shape.groups;
                          const Range own = cut(shape.group_in(), channels, task % cuts);
                          const size_t before = group * shape.group_in();
                          T* sums = parts + number * size +
                                    (before + own.begin) * shape.taps * shape.group_out();
                          leaf.add_up(cut(shape.samples, each, range.begin + number), group,
                                      {before + own.begin, before + own.end}, sums, scratch);
                        });
    fold_nodes(range.size(), [&](size_t i, size_t j) {
      add(parts + i * size, parts + j * size, parts + i * size, size);
    });
    if (rounds == 1) break;
    const size_t level =
        push_leaf(round, [&](size_t below) { add(waiting + below * size, parts, parts, size); });
    std::copy_n(parts, size, waiting + level * size);
  }
  if (rounds > 1) {
    bool first = true;
    fold_leaves(rounds, [&](size_t level) {
      const T* node = waiting + level * size;
      if (first) {
        std::copy_n(node, size, parts);
      } else {
        add(node, parts, parts, size);
      }
      first = false;
    });
  }
  write_weights(parts, dweight, shape);
}

// Sums in double of every sample of a channel: of(sample, sums), `count` of them; then the tree.
template <class Of>
void sum_samples(size_t samples, size_t length, size_t count, double* parts, const Of& of) {
  const size_t each = samples_in_leaf(length), leaves = divide_up(samples, each);
  std::fill_n(parts, leaves * count, 0.0);
  for (size_t s = 0; s < samples; ++s) of(s, parts + s / each * count);
  fold_nodes(leaves, [&](size_t i, size_t j) {
    for (size_t k = 0; k < count; ++k) parts[i * count + k] += parts[j * count + k];
  });
}

template <class T>
void weights_by_row(const T* x, const T* dy, T* dweight, const Conv1d& shape,
                    Workspace& workspace) {
  const auto dot = kernels_of<T>().reductions.dot_row;
  const size_t leaves = divide_up(shape.samples, samples_in_leaf(shape.out_length));
  // The sums, in doubles, before the windows.
  const size_t sums = leaves * shape.taps;
  run_with_scratch<double>(
      shape.out, work_of(shape), sums + shape.out_length, workspace,
      [&](size_t o, double* scratch) {
        T* window = reinterpret_cast<T*>(scratch + sums);
        const size_t c = o / shape.group_out();
        sum_samples(
            shape.samples, shape.out_length, shape.taps, scratch, [&](size_t s, double* to) {
              const T* in = x + (s * shape.in + c) * shape.length;
              const T* out = dy + (s * shape.out + o) * shape.out_length;
              for (size_t j = 0; j < shape.taps; ++j) {
                const ptrdiff_t offset = offset_of(shape, j);
                read_window(in, shape, offset, inside(shape, offset), 0, shape.out_length, window);
                to[j] += value_of(dot(window, out, shape.out_length));
              }
            });
        for (size_t j = 0; j < shape.taps; ++j) {
          dweight[o * shape.taps + j] = static_cast<T>(scratch[j]);
        }
      });
}

}  // namespace

template <class T>
void conv1d(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
            Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  forward(x, weight, bias, y, shape, workspace);
}

template <class T>
void conv1d_transposed(const T* dy, const T* weight, const T* bias, T* x, const Conv1d& shape,
                       Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (shape.samples * shape.length == 0) return;
  if (shape.stride > 1) {
    by_windows(dy, weight, bias, x, shape, workspace);
    return;
  }
  Conv1d turned = shape;
  std::swap(turned.in, turned.out);
  std::swap(turned.length, turned.out_length);
  turned.pad = static_cast<ptrdiff_t>((shape.taps - 1) * shape.dilation) - shape.pad;
  forward(dy, reversed(weight, shape, workspace), bias, x, turned, workspace);
}

template <class T>
void conv1d_weight_gradient(const T* x, const T* dy, T* dweight, const Conv1d& shape,
                            Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (shape.samples * shape.out_length == 0) {
    std::fill_n(dweight, shape.out * shape.terms(), T(0));
  } else if (is_depthwise(shape)) {
    weights_by_row(x, dy, dweight, shape, workspace);
  } else {
    weights_by_product(x, dy, dweight, shape, workspace);
  }
}

template <class T>
void channel_sums(const T* x, T* sums, size_t samples, size_t channels, size_t length,
                  Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  const auto sum = kernels_of<T>().reductions.sum_row;
  const size_t leaves = divide_up(samples, samples_in_leaf(length));
  run_with_scratch<double>(channels, samples * channels * length, leaves + 1, workspace,
                           [&](size_t c, double* parts) {
                             sum_samples(samples, length, 1, parts, [&](size_t s, double* to) {
                               const T* row = x + (s * channels + c) * length;
                               *to += value_of(sum(SumOfEach::value, row, length, 0.0));
                             });
                             sums[c] = static_cast<T>(samples == 0 ? 0.0 : parts[0]);
                           });
}

#define EVENKEEL_FOR(T)                                                                         \
  template void conv1d(const T*, const T*, const T*, T*, const Conv1d&, Workspace&);            \
  template void conv1d_transposed(const T*, const T*, const T*, T*, const Conv1d&, Workspace&); \
  template void conv1d_weight_gradient(const T*, const T*, T*, const Conv1d&, Workspace&);      \
  template void channel_sums(const T*, T*, size_t, size_t, size_t, Workspace&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
