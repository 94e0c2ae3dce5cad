// Longer than 250 lines because each kind of convolution is a walk of its own over the same windows.
#include "conv1d.h"

#include <algorithm>
#include <cstring>

#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../runtime/scratch_tasks.h"
#include "conv1d_lanes.h"
#include "conv1d_windows.h"

namespace evenkeel {
namespace {

using namespace windows;

// Columns of a matrix of windows that are made at a time: a chunk stays in L2. A part of the definition of
// conv1d_transposed: it adds chunk by chunk.
size_t chunk_columns(size_t rows) { return rows <= 512 ? 512 : rows <= 1024 ? 256 : 128; }

// So many outputs of a sample are worth a product of their own, written where it belongs.
constexpr size_t kColumnsAlone = 96;
// Outputs of a depthwise shape in a task.
constexpr size_t kRowValues = 4096;
// Tiles of outputs that go through scratch at a time.
constexpr size_t kTilesTogether = 8;

// The weight as it is, [out, in / groups, taps]. Turned: of the convolution whose transpose, of stride 1, this is, with
// inputs for outputs and the taps in reverse.
template <class T>
struct Weight {
  const T* values;
  bool turned;

  // Of output `o` and input `c` of a group, of tap `j`.
  T at(const Conv1d& shape, size_t group, size_t o, size_t c, size_t j) const {
    const size_t inputs = shape.group_in(), outputs = shape.group_out();
    return turned ? values[((group * inputs + c) * outputs + o) * shape.taps + shape.taps - 1 - j]
                  : values[((group * outputs + o) * inputs + c) * shape.taps + j];
  }
};

// y of `outputs` channels from an array of rows [output, column of the chunk], with the bias; `step` columns from sample
// to sample.
template <class T>
void write_outputs(const T* from, size_t stride, size_t step, const T* bias, T* y,
                   const Conv1d& shape, Range outputs, const Chunk& chunk) {
  for (size_t s = 0; s < chunk.samples; ++s) {
    for (size_t o = 0; o < outputs.size(); ++o) {
      const T* in = from + o * stride + s * step;
      T* out =
          y + ((chunk.sample + s) * shape.out + outputs.begin + o) * shape.out_length + chunk.from;
      if (bias == nullptr) {
        std::memcpy(out, in, chunk.each() * sizeof(T));
        continue;
      }
      const T shift = bias[outputs.begin + o];
      for (size_t t = 0; t < chunk.each(); ++t) out[t] = in[t] + shift;
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
  run_with_scratch<T>(
      chunks.count() * shape.groups, work_of(shape), (terms + outputs) * stride + phases, workspace,
      [&](size_t task, T* scratch) {
        const size_t group = task % shape.groups, first = group * outputs;
        const Chunk chunk = chunks.at(task / shape.groups);
        T* sums = scratch + terms * stride;
        const Range channels = cut(shape.in, shape.group_in(), group);
        read_windows(x, shape, channels, chunk, scratch, stride, sums + outputs * stride);
        table.multiply({{{weight + first * terms, terms, 1}, nullptr},
                        in_place(table, scratch, stride, chunk.columns()),
                        nullptr,
                        sums,
                        stride,
                        terms},
                       0, outputs, 0, chunk.columns());
        write_outputs(sums, stride, chunk.each(), bias, y, shape, {first, first + outputs}, chunk);
      });
}

// The weight of a group as panels: tiles of outputs side by side.
template <class T>
size_t panels_size(const Conv1d& shape) {
  const size_t tile = kernels_of<T>().matmul.tile_rows;
  return divide_up(shape.group_out(), tile) * tile * shape.terms();
}
template <class T>
const T* weight_panels(Weight<T> weight, const Conv1d& shape, Workspace& workspace) {
  const MatmulKernels<T>& table = kernels_of<T>().matmul;
  const size_t terms = shape.terms(), outputs = shape.group_out(), tile = table.tile_rows;
  const size_t tiles = divide_up(outputs, tile);
  T* panels = workspace.take<T>(shape.groups * panels_size<T>(shape));
  run_tasks(shape.groups * tiles, shape.out * terms, [&](size_t task) {
    const size_t group = task / tiles, first = task % tiles * tile;
    const size_t rows = std::min(tile, outputs - first);
    T* panel = panels + task * tile * terms;
    // Not rows of one value: they would be copied as vectors, beyond a tile.
    if (!weight.turned && terms > 1) {
      table.pack_b({weight.values + (group * outputs + first) * terms, 1, terms}, terms, rows, tile,
                   panel);
      return;
    }
    const size_t step = shape.taps, inputs = shape.group_in();
    for (size_t c = 0; c < inputs; ++c) {
      // Of input c and the outputs from `first` on. A weight that is not turned has one term here.
      const T* from = weight.turned
                          ? weight.values + ((group * inputs + c) * outputs + first) * step
                          : weight.values + (group * outputs + first) * inputs + c;
      for (size_t j = step; j-- > 0; panel += tile) {
        for (size_t i = 0; i < rows; ++i) panel[i] = from[i * step + j];
        for (size_t i = rows; i < tile; ++i) panel[i] = T(0);
      }
    }
  });
  return panels;
}

// The same where each value is read once, a block of terms after the other.
template <class T>
void by_lanes(const T* x, Weight<T> weight, const T* bias, T* y, const Conv1d& shape,
              const Chunks& chunks, Workspace& workspace) {
  const auto product = kernels_of<T>().convolution.product;
  const size_t outputs = shape.group_out(), terms = shape.terms();
  const T* panels = weight_panels(weight, shape, workspace);
  const size_t panels_each = panels_size<T>(shape);
  // Also where rows share lines of L1: by way of scratch [32, 64, 1024] to 128 channels took 2.4 ms, so 2.1.
  const bool alone = chunks.together == 1;
  const Lanes<T> lanes(shape, std::min(chunks.together, shape.samples),
                       std::min(chunks.length, chunks.most), workspace);
  const size_t most = std::min(chunks.together, shape.samples) * lanes.step();
  const size_t stride = alone ? shape.out_length : padded(most);
  const size_t values = lanes.scratch(std::min(shape.group_in(), kMatmulBlock / shape.taps + 2));
  // What goes through scratch stays there until its last block of terms.
  const size_t block =
      alone || terms > kMatmulBlock ? outputs : kTilesTogether * kernels_of<T>().matmul.tile_rows;
  const size_t rows = std::min(block, outputs);
  run_with_scratch<T>(
      chunks.count() * shape.groups, work_of(shape), values + (alone ? 0 : rows * stride),
      workspace, [&](size_t task, T* scratch) {
        const size_t group = task % shape.groups, before = group * shape.group_in();
        const Chunk chunk = chunks.at(task / shape.groups);
        for (size_t first = 0; first < terms; first += kMatmulBlock) {
          const size_t end = std::min(first + kMatmulBlock, terms);
          const WindowLanes<T> windows =
              lanes.of(x, {before + first / shape.taps, before + divide_up(end, shape.taps)}, chunk,
                       scratch, false);
          for (size_t i = 0; i < divide_up(outputs, block); ++i) {
            const Range part = cut(outputs, block, i);
            const Range own{group * outputs + part.begin, group * outputs + part.end};
            T* to = alone ? y + (chunk.sample * shape.out + own.begin) * stride + chunk.from
                          : scratch + values;
            product(panels + group * panels_each + part.begin * terms, {terms, first, end - first},
                    windows, bias != nullptr && end == terms ? bias + own.begin : nullptr,
                    part.size(), to, stride, lanes.columns(chunk));
            if (alone || end < terms) continue;
            write_outputs(to, stride, lanes.step(), static_cast<const T*>(nullptr), y, shape, own,
                          chunk);
          }
        }
      });
}

// Positions of a row of a depthwise shape whose windows are read where x is. Before and behind them, whole vectors but
// the last one, windows reach beyond x.
template <class T>
Range read_in_place(const Conv1d& shape, const ChannelWindows& windows) {
  const size_t lanes = kernels_of<T>().matmul.lanes;
  if (!windows.within) return {0, 0};
  const ptrdiff_t last = static_cast<ptrdiff_t>(shape.length) -
                         static_cast<ptrdiff_t>(windows.reach(shape)) + shape.pad;
  const size_t begin =
      shape.pad <= 0 ? 0 : divide_up(static_cast<size_t>(shape.pad), lanes) * lanes;
  const size_t end =
      static_cast<size_t>(std::clamp<ptrdiff_t>(last, 0, static_cast<ptrdiff_t>(shape.out_length)));
  if (end <= begin) return {0, 0};
  return {begin, end == shape.out_length ? end : begin + (end - begin) / lanes * lanes};
}

// One input channel a group, few outputs: each row by itself.
template <class T>
void depthwise(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
               Workspace& workspace) {
  const auto weighted_rows = kernels_of<T>().convolution.weighted_rows;
  const ChannelWindows windows(shape);
  const size_t rows = shape.samples * shape.out, reach = windows.reach(shape);
  const Range in_place = read_in_place<T>(shape, windows);
  // To begin a task waits until all is written that was written before.
  const size_t together = std::max<size_t>(1, kRowValues / shape.out_length);
  run_with_scratch<T>(
      divide_up(rows, together), work_of(shape), windows.size + reach, workspace,
      [&](size_t task, T* scratch) {
        const Range own = cut(rows, together, task);
        for (size_t row = own.begin; row < own.end; ++row) {
          const size_t o = row % shape.out, c = o / shape.group_out();
          const T* in = x + (row / shape.out * shape.in + c) * shape.length;
          const T* factors = weight + o * shape.taps;
          const T shift = bias != nullptr ? bias[o] : T(0);
          T* out = y + row * shape.out_length;
          const auto put = [&](const T* from, size_t begin, size_t end) {
            weighted_rows(from, windows.step, factors, shape.taps, shift, out + begin, end - begin);
          };
          if (in_place.size() == 0) {
            windows.read(in, shape, scratch);
            put(scratch, 0, shape.out_length);
            continue;
          }
          // The ends last: what has just been copied in small pieces is not there to be read as vectors at once.
          const bool before = in_place.begin > 0, behind = in_place.end < shape.out_length;
          T* end = scratch + in_place.begin + reach;
          if (before) windows.read_part(in, shape, 0, in_place.begin + reach, scratch);
          if (behind) windows.read_part(in, shape, in_place.end, windows.size, end);
          put(in + (static_cast<ptrdiff_t>(in_place.begin) - shape.pad), in_place.begin,
              in_place.end);
          if (before) put(scratch, 0, in_place.begin);
          if (behind) put(end, in_place.end, shape.out_length);
        }
      });
}

// The weight as the convolution of that shape has it.
template <class T>
const T* in_order(Weight<T> weight, const Conv1d& shape, Workspace& workspace) {
  if (!weight.turned) return weight.values;
  T* values = workspace.take<T>(shape.out * shape.terms());
  T* to = values;
  for (size_t o = 0; o < shape.out; ++o) {
    for (size_t c = 0; c < shape.group_in(); ++c) {
      for (size_t j = 0; j < shape.taps; ++j) {
        *to++ = weight.at(shape, o / shape.group_out(), o % shape.group_out(), c, j);
      }
    }
  }
  return values;
}

template <class T>
void forward(const T* x, Weight<T> weight, const T* bias, T* y, const Conv1d& shape,
             Workspace& workspace) {
  if (shape.samples * shape.out_length == 0) return;
  if (shape.is_depthwise()) {
    depthwise(x, in_order(weight, shape, workspace), bias, y, shape, workspace);
    return;
  }
  Chunks chunks(shape.samples, shape.out_length, kernels_of<T>().convolution.columns);
  if (shape.out_length >= kColumnsAlone) chunks.together = 1;
  // Few positions are not worth packing the weight for.
  const bool pays = shape.samples * shape.out_length >= kColumnsAlone;
  if (pays && has_lanes(shape, std::min(chunks.together, shape.samples))) {
    by_lanes(x, weight, bias, y, shape, chunks, workspace);
  } else {
    by_product(x, in_order(weight, shape, workspace), bias, y, shape, workspace);
  }
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

// Where windows overlap: the sums of x phase by phase (place mod stride), so that what a tap adds is consecutive.
template <class T>
class PhaseSums {
 public:
  explicit PhaseSums(const Conv1d& shape)
      : shape_(shape),
        stride_(static_cast<ptrdiff_t>(shape.stride)),
        first_(floor_of(-shape.pad, stride_)),
        each_(std::max(phase_length(shape, shape.out_length),
                       shape.length / shape.stride + static_cast<size_t>(1 - first_))) {}

  static bool serves(const Conv1d& shape) {
    return has_phases(shape) && shape.pad >= 0 && shape.group_in() * shape.length <= kMost;
  }
  size_t size() const { return shape_.group_in() * shape_.stride * each_; }

  // The same sums in the same order as add_windows.
  void add(const T* rows, size_t row_stride, size_t from, size_t to, T* sums) const {
    const auto add = kernels_of<T>().elementwise.add;
    for (size_t j = 0; j < shape_.taps; ++j) {
      const ptrdiff_t offset = offset_of(shape_, j), behind = floor_of(offset, stride_);
      const size_t phase = static_cast<size_t>(offset - behind * stride_);
      const size_t at = phase * each_ + static_cast<size_t>(behind - first_) + from;
      for (size_t c = 0; c < shape_.group_in(); ++c) {
        T* of_channel = sums + c * shape_.stride * each_ + at;
        add(of_channel, rows + (c * shape_.taps + j) * row_stride, of_channel, to - from);
      }
    }
  }

  void write(const T* sums, T* x) const {
    const size_t before = static_cast<size_t>(-first_), whole = shape_.length / shape_.stride;
    for (size_t c = 0; c < shape_.group_in(); ++c, x += shape_.length) {
      const T* from = sums + c * shape_.stride * each_ + before;
      kernels_of<T>().matmul.pack_b({from, 1, each_}, whole, shape_.stride, shape_.stride, x);
      for (size_t i = whole * shape_.stride; i < shape_.length; ++i) {
        x[i] = from[i % shape_.stride * each_ + whole];
      }
    }
  }

 private:
  static constexpr size_t kMost = size_t{1} << 17;
  Conv1d shape_;
  ptrdiff_t stride_, first_;
  size_t each_;
};

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
  const PhaseSums<T> phases(shape);
  const bool by_phases = PhaseSums<T>::serves(shape);
  run_with_scratch<T>(
      shape.samples * shape.groups, work_of(shape),
      (terms + outputs) * stride + (by_phases ? phases.size() : 0), workspace,
      [&](size_t task, T* scratch) {
        const size_t sample = task / shape.groups, group = task % shape.groups;
        T* to = x + (sample * shape.in + group * shape.group_in()) * shape.length;
        T *windows = scratch + outputs * stride, *sums = windows + terms * stride;
        if (by_phases) {
          std::fill_n(sums, phases.size(), T(0));
        } else {
          std::fill(to, to + shape.group_in() * shape.length, T(0));
        }
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
          if (by_phases) {
            phases.add(windows, stride, chunk.from, chunk.to, sums);
          } else {
            add_windows(windows, stride, shape, chunk.from, chunk.to, to);
          }
        }
        if (by_phases) phases.write(sums, to);
        if (bias == nullptr) return;
        for (size_t c = 0; c < shape.group_in(); ++c, to += shape.length) {
          const T shift = bias[group * shape.group_in() + c];
          for (size_t i = 0; i < shape.length; ++i) to[i] += shift;
        }
      });
}

}  // namespace

template <class T>
void conv1d(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
            Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  forward(x, {weight, false}, bias, y, shape, workspace);
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
  forward(dy, {weight, true}, bias, x, turned, workspace);
}

#define EVENKEEL_FOR(T)                                                              \
  template void conv1d(const T*, const T*, const T*, T*, const Conv1d&, Workspace&); \
  template void conv1d_transposed(const T*, const T*, const T*, T*, const Conv1d&, Workspace&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
