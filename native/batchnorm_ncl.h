// (N, C, L): one channel at a time, so that its second pass reads from cache.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "batchnorm_terms.h"
#include "dispatch.h"
#include "work_split.h"

namespace evenkeel {

// A channel's values in pieces of about 8192: whole runs where they are short, parts of one run where
// it is long. Pieces own partial sums, so they are part of the result.
struct Pieces {
  static constexpr std::size_t kElements = 8192;
  std::size_t n, l, runs, length, parts, count;

  explicit Pieces(BatchShape shape)
      : n(shape.n),
        l(shape.l),
        runs(std::max<std::size_t>(1, kElements / shape.l)),
        length(std::min(shape.l, kElements)),
        parts(divide_up(shape.l, length)),
        count(divide_up(shape.n, runs) * parts) {}

  Range rows(std::size_t piece) const { return cut(n, runs, piece / parts); }
  Range positions(std::size_t piece) const { return cut(l, length, piece % parts); }
};

struct Pair {
  double first, second;
};

// With 8 channels and more, a task takes whole channels, and what the first pass read is in cache for
// the second; fewer channels are cut into pieces to have tasks at all. Either way the sums are those
// of the pieces, added in order.
class TilesNCL {
 public:
  TilesNCL(BatchShape shape, Workspace& workspace)
      : shape_(shape), pieces_(shape), by_channel_(shape.c >= 8) {
    group_ = std::max<std::size_t>(1, 16384 / std::max<std::size_t>(1, shape.n * shape.l));
    if (!by_channel_) sums_ = workspace.take<Pair>(shape.c * pieces_.count);
  }

  // sum(piece of channel c) -> Pair; finish(c, total) once per channel; apply(c, rows, positions).
  // Any of the passes may be empty.
  template <class Sum, class Finish, class Apply>
  void run(bool needs_sums, const Sum& sum, const Finish& finish, const Apply& apply) const {
    if (by_channel_) {
      run_tasks(divide_up(shape_.c, group_), elements(), [&](std::size_t task) {
        const Range channels = cut(shape_.c, group_, task);
        for (std::size_t c = channels.begin; c < channels.end; ++c) {
          Pair total{0.0, 0.0};
          for (std::size_t p = 0; needs_sums && p < pieces_.count; ++p) {
            add(total, sum(c, pieces_.rows(p), pieces_.positions(p)));
          }
          finish(c, total);
          apply(c, Range{0, shape_.n}, Range{0, shape_.l});
        }
      });
      return;
    }
    const std::size_t count = pieces_.count;
    if (needs_sums) {
      run_tasks(shape_.c * count, elements(), [&](std::size_t task) {
        const std::size_t p = task % count;
        sums_[task] = sum(task / count, pieces_.rows(p), pieces_.positions(p));
      });
    }
    for (std::size_t c = 0; c < shape_.c; ++c) {
      Pair total{0.0, 0.0};
      for (std::size_t p = 0; needs_sums && p < count; ++p) add(total, sums_[c * count + p]);
      finish(c, total);
    }
    run_tasks(shape_.c * count, elements(), [&](std::size_t task) {
      const std::size_t p = task % count;
      apply(task / count, pieces_.rows(p), pieces_.positions(p));
    });
  }

  std::size_t stride() const { return shape_.c * shape_.l; }
  std::size_t at(std::size_t c, Range rows, Range positions) const {
    return rows.begin * stride() + c * shape_.l + positions.begin;
  }
  template <class T>
  bool stream() const {
    return elements() * sizeof(T) >= kStreamBytes;
  }

 private:
  static void add(Pair& total, Pair part) {
    total.first += part.first;
    total.second += part.second;
  }
  std::size_t elements() const { return shape_.n * shape_.c * shape_.l; }

  BatchShape shape_;
  Pieces pieces_;
  bool by_channel_;
  std::size_t group_;
  Pair* sums_ = nullptr;
};

template <class T>
void forward_ncl(const BatchNormForward<T>& call, Workspace& workspace) {
  const std::size_t length = call.shape.l;
  const TilesNCL tiles(call.shape, workspace);
  const Normalization<T> terms(call, workspace);
  const bool batch = call.statistics == Statistics::batch, stream = tiles.stream<T>();
  T* shift = workspace.take<T>(batch ? call.shape.c : 0);
  for (std::size_t c = 0; batch && c < call.shape.c; ++c) shift[c] = shift_from(call.x[c * length]);

  tiles.run(
      batch,
      [&](std::size_t c, Range rows, Range positions) {
        double out[2];
        kernels_of<T>().batchnorm.sum_ncl(call.x + tiles.at(c, rows, positions), rows.size(),
                                          positions.size(), tiles.stride(), shift[c], out);
        return Pair{out[0], out[1]};
      },
      [&](std::size_t c, Pair total) {
        if (batch) {
          terms.from_sums(c, 1, shift + c, &total.first, &total.second);
        } else {
          terms.from_running(c, 1);
        }
      },
      [&](std::size_t c, Range rows, Range positions) {
        const std::size_t at = tiles.at(c, rows, positions);
        kernels_of<T>().batchnorm.normalize_ncl(call.x + at, call.y + at, rows.size(),
                                                positions.size(), tiles.stride(), terms.center[c],
                                                terms.scale[c], terms.offset[c], stream);
      });
  terms.update_running();
}

template <class T>
void backward_ncl(const BatchNormBackward<T>& call, Workspace& workspace) {
  const TilesNCL tiles(call.shape, workspace);
  const Gradient<T> terms(call, workspace);
  const bool stream = tiles.stream<T>();

  tiles.run(
      terms.needs_sums,
      [&](std::size_t c, Range rows, Range positions) {
        const std::size_t at = tiles.at(c, rows, positions);
        double out[2];
        kernels_of<T>().batchnorm.grad_sum_ncl(call.x + at, call.dy + at, rows.size(),
                                               positions.size(), tiles.stride(), terms.center[c],
                                               out);
        return Pair{out[0], out[1]};
      },
      [&](std::size_t c, Pair total) {
        terms.sum[c] = total.first;
        terms.dot[c] = total.second;
        terms.finish(c, 1);
      },
      [&](std::size_t c, Range rows, Range positions) {
        if (call.dx == nullptr) return;
        const std::size_t at = tiles.at(c, rows, positions);
        if (terms.batch) {
          kernels_of<T>().batchnorm.grad_apply_ncl(
              call.x + at, call.dy + at, call.dx + at, rows.size(), positions.size(),
              tiles.stride(), terms.center[c], terms.a[c], terms.b[c], terms.k[c], stream);
        } else {
          kernels_of<T>().batchnorm.scale_ncl(call.dy + at, call.dx + at, rows.size(),
                                              positions.size(), tiles.stride(), terms.a[c], stream);
        }
      });
  terms.write_parameter_gradients();
}

}  // namespace evenkeel
