// Layout choice, work split and per-channel scalar maths. The loops over data are in
// kernels/batchnorm-inl.h.
#include "batchnorm.h"

#include <cmath>
#include <type_traits>

#include "dispatch.h"
#include "float_environment.h"
#include "kernels.h"
#include "work_split.h"

namespace evenkeel {
namespace {

template <class T>
const BatchNormKernels<T>& loops() {
  if constexpr (std::is_same_v<T, float>) {
    return kernels().batchnorm_f32;
  } else {
    return kernels().batchnorm_f64;
  }
}

// (N, C, 1) is (N, C), and (N, 1) is one run of N: whichever way a caller says it, the same loops
// run and the same bits come out.
BatchShape canonical(BatchShape shape) {
  if (shape.c == 1) return {1, 1, shape.n * shape.l};
  return shape;
}

// ---- Per-channel scalars -----------------------------------------------------------------------

struct Moments {
  double mean, residual, var;  // mean + residual is the mean; var is biased
};

// From shifted sums s = sum(x - shift), q = sum((x - shift)^2) over m values:
// mean = shift + s / m, var = (q - s^2 / m) / m. With the shift a value of the channel, the
// subtraction loses at most a factor m + 1, and double has 29 bits more than float.
template <class T>
Moments moments(T shift, double s, double q, double m) {
  const double origin = static_cast<double>(shift), step = s / m;
  const double mean = origin + step;
  double residual = 0.0;
  if constexpr (std::is_same_v<T, double>) {
    const double seen = mean - origin;  // TwoSum, Knuth
    residual = (origin - (mean - seen)) + (step - seen);
  }
  const double squares = q - s * step;
  return {mean, residual, (squares < 0.0 ? 0.0 : squares) / m};  // NaN stays NaN
}

double inverse_deviation(double var, double eps) { return 1.0 / std::sqrt(var + eps); }

// The first value of a channel, or 0 where it would turn every difference into NaN.
template <class T>
T shift_from(T first) {
  return std::isfinite(first) ? first : T(0);
}

// The mean as two Ts: center = T(mean) and what center leaves over.
template <class T>
struct SplitMean {
  T center, low;
  SplitMean(double mean, double residual)
      : center(static_cast<T>(mean)),
        low(static_cast<T>((mean - static_cast<double>(center)) + residual)) {}
};

// y = (x - center) * scale + offset: the centred form, the mean's low half folded into the offset.
template <class T>
struct NormalizeTerms {
  T center, scale, offset;
  NormalizeTerms(double mean, double residual, double invstd, const T* weight, const T* bias,
                 std::size_t c) {
    const SplitMean<T> split(mean, residual);
    const double gain = weight != nullptr ? static_cast<double>(weight[c]) : 1.0;
    const double shift = bias != nullptr ? static_cast<double>(bias[c]) : 0.0;
    center = split.center;
    scale = static_cast<T>(gain * invstd);
    offset = static_cast<T>(shift - static_cast<double>(split.low) * static_cast<double>(scale));
  }
};

// dx = dy * a + (x - center) * b + k, or dy * a alone where the running statistics normalised.
template <class T>
struct GradientTerms {
  T center, a, b, k;
  GradientTerms(const BatchNormBackward<T>& call, std::size_t c, double m, double sum, double dot) {
    const double* saved = call.saved;
    const std::size_t channels = call.shape.c;
    const SplitMean<T> split(saved[c], saved[channels + c]);
    const double invstd = saved[2 * channels + c];
    const double gain = call.weight != nullptr ? static_cast<double>(call.weight[c]) : 1.0;
    const double slope = gain * invstd, tilt = slope * invstd * invstd * dot / m;
    center = split.center;
    a = static_cast<T>(slope);
    b = static_cast<T>(-tilt);
    k = static_cast<T>(tilt * static_cast<double>(split.low) - slope * sum / m);
  }
};

template <class T>
void save(const BatchNormForward<T>& call, std::size_t c, double mean, double residual,
          double invstd) {
  if (call.saved == nullptr) return;
  call.saved[c] = mean;
  call.saved[call.shape.c + c] = residual;
  call.saved[2 * call.shape.c + c] = invstd;
}

// The last thing a forward does.
template <class T>
void update_running(const BatchNormForward<T>& call, const double* mean, const double* var) {
  if (!call.update) return;
  const double m = static_cast<double>(call.shape.n * call.shape.l);
  const double fresh = call.momentum, kept = 1.0 - fresh;
  for (std::size_t c = 0; c < call.shape.c; ++c) {
    const double unbiased = var[c] * (m / (m - 1.0));
    call.running_mean[c] =
        static_cast<T>(kept * static_cast<double>(call.running_mean[c]) + fresh * mean[c]);
    call.running_var[c] =
        static_cast<T>(kept * static_cast<double>(call.running_var[c]) + fresh * unbiased);
  }
}

// ---- (N, C) --------------------------------------------------------------------------------------

// Tiles of rows x channels. Row blocks own partial sums, so their number is part of the result: at
// least 64 rows (the partials are then 1/16 of the data read) and at most 64 blocks. Channel chunks
// are free: 2 KB and more a row keeps the prefetcher going.
struct TilesNC {
  std::size_t rows, channels, row_step, row_blocks, channel_step, channel_chunks;

  explicit TilesNC(BatchShape shape) : rows(shape.n), channels(shape.c) {
    const std::size_t blocks = std::clamp<std::size_t>(rows / 64, 1, 64);
    row_step = divide_up(divide_up(rows, blocks), 8) * 8;
    row_blocks = divide_up(rows, row_step);
    channel_step = channels <= 768 ? channels : 512;
    channel_chunks = divide_up(channels, channel_step);
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
void normalize_all_nc(const BatchNormForward<T>& call, const TilesNC& tiles, const T* center,
                      const T* scale, const T* offset) {
  const std::size_t stride = tiles.channels;
  const bool stream = tiles.rows * stride * sizeof(T) >= kStreamBytes;
  tiles.run([&](std::size_t, Range r, Range c) {
    const std::size_t at = r.begin * stride + c.begin;
    loops<T>().normalize_nc(call.x + at, call.y + at, r.size(), c.size(), stride, center + c.begin,
                            scale + c.begin, offset + c.begin, stream);
  });
}

template <class T>
void forward_nc(const BatchNormForward<T>& call, Workspace& workspace) {
  const TilesNC tiles(call.shape);
  const std::size_t channels = tiles.channels;
  T* center = workspace.take<T>(channels);
  T* scale = workspace.take<T>(channels);
  T* offset = workspace.take<T>(channels);
  const auto set_terms = [&](std::size_t c, double mean, double residual, double invstd) {
    const NormalizeTerms<T> terms(mean, residual, invstd, call.weight, call.bias, c);
    center[c] = terms.center;
    scale[c] = terms.scale;
    offset[c] = terms.offset;
    save(call, c, mean, residual, invstd);
  };

  if (call.statistics == Statistics::running) {
    for (std::size_t c = 0; c < channels; ++c) {
      const double var = static_cast<double>(call.running_var[c]);
      set_terms(c, static_cast<double>(call.running_mean[c]), 0.0,
                inverse_deviation(var, call.eps));
    }
    normalize_all_nc(call, tiles, center, scale, offset);
    return;
  }

  T* shift = workspace.take<T>(channels);
  double* mean = workspace.take<double>(channels);
  double* var = workspace.take<double>(channels);
  const PartialsNC partials(tiles, workspace);
  for (std::size_t c = 0; c < channels; ++c) shift[c] = shift_from(call.x[c]);
  tiles.run([&](std::size_t block, Range r, Range c) {
    loops<T>().sum_nc(call.x + r.begin * channels + c.begin, r.size(), c.size(), channels,
                      shift + c.begin, partials.first(block) + c.begin,
                      partials.second(block) + c.begin);
  });
  partials.merge(tiles);
  const double m = static_cast<double>(tiles.rows);
  for (std::size_t c = 0; c < channels; ++c) {
    const Moments of = moments(shift[c], partials.first(0)[c], partials.second(0)[c], m);
    mean[c] = of.mean;
    var[c] = of.var;
    set_terms(c, of.mean, of.residual, inverse_deviation(of.var, call.eps));
  }
  normalize_all_nc(call, tiles, center, scale, offset);
  update_running(call, mean, var);
}

template <class T>
void backward_nc(const BatchNormBackward<T>& call, Workspace& workspace) {
  const TilesNC tiles(call.shape);
  const std::size_t channels = tiles.channels;
  const bool batch = call.statistics == Statistics::batch;
  const double m = static_cast<double>(tiles.rows);
  T* center = workspace.take<T>(channels);
  T* a = workspace.take<T>(channels);
  T* b = workspace.take<T>(channels);
  T* k = workspace.take<T>(channels);
  const PartialsNC partials(tiles, workspace);

  if (batch || call.dweight != nullptr || call.dbias != nullptr) {
    T* low = workspace.take<T>(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      const SplitMean<T> split(call.saved[c], call.saved[channels + c]);
      center[c] = split.center;
      low[c] = split.low;
    }
    tiles.run([&](std::size_t block, Range r, Range c) {
      const std::size_t at = r.begin * channels + c.begin;
      loops<T>().grad_sum_nc(call.x + at, call.dy + at, r.size(), c.size(), channels,
                             center + c.begin, low + c.begin, partials.first(block) + c.begin,
                             partials.second(block) + c.begin);
    });
    partials.merge(tiles);
  }
  const double* sum = partials.first(0);
  const double* dot = partials.second(0);
  if (call.dx != nullptr) {
    for (std::size_t c = 0; c < channels; ++c) {
      const GradientTerms<T> terms(call, c, m, batch ? sum[c] : 0.0, batch ? dot[c] : 0.0);
      center[c] = terms.center;
      a[c] = terms.a;
      b[c] = terms.b;
      k[c] = terms.k;
    }
    const bool stream = tiles.rows * channels * sizeof(T) >= kStreamBytes;
    tiles.run([&](std::size_t, Range r, Range c) {
      const std::size_t at = r.begin * channels + c.begin;
      if (batch) {
        loops<T>().grad_apply_nc(call.x + at, call.dy + at, call.dx + at, r.size(), c.size(),
                                 channels, center + c.begin, a + c.begin, b + c.begin, k + c.begin,
                                 stream);
      } else {
        loops<T>().scale_nc(call.dy + at, call.dx + at, r.size(), c.size(), channels, a + c.begin,
                            stream);
      }
    });
  }
  for (std::size_t c = 0; c < channels; ++c) {
    if (call.dbias != nullptr) call.dbias[c] = static_cast<T>(sum[c]);
    if (call.dweight != nullptr) {
      call.dweight[c] = static_cast<T>(dot[c] * call.saved[2 * channels + c]);
    }
  }
}

// ---- (N, C, L) -----------------------------------------------------------------------------------

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
  const BatchShape shape = call.shape;
  const TilesNCL tiles(shape, workspace);
  const bool batch = call.statistics == Statistics::batch, stream = tiles.stream<T>();
  const double m = static_cast<double>(shape.n * shape.l);
  double* mean = workspace.take<double>(shape.c);
  double* var = workspace.take<double>(shape.c);
  double* residual = workspace.take<double>(shape.c);

  tiles.run(
      batch,
      [&](std::size_t c, Range rows, Range positions) {
        double out[2];
        loops<T>().sum_ncl(call.x + tiles.at(c, rows, positions), rows.size(), positions.size(),
                           tiles.stride(), shift_from(call.x[c * shape.l]), out);
        return Pair{out[0], out[1]};
      },
      [&](std::size_t c, Pair total) {
        Moments of = {0.0, 0.0, 0.0};
        if (batch) {
          of = moments(shift_from(call.x[c * shape.l]), total.first, total.second, m);
        } else {
          of.mean = static_cast<double>(call.running_mean[c]);
          of.var = static_cast<double>(call.running_var[c]);
        }
        mean[c] = of.mean;
        residual[c] = of.residual;
        var[c] = of.var;
        save(call, c, of.mean, of.residual, inverse_deviation(of.var, call.eps));
      },
      [&](std::size_t c, Range rows, Range positions) {
        const std::size_t at = tiles.at(c, rows, positions);
        const NormalizeTerms<T> terms(mean[c], residual[c], inverse_deviation(var[c], call.eps),
                                      call.weight, call.bias, c);
        loops<T>().normalize_ncl(call.x + at, call.y + at, rows.size(), positions.size(),
                                 tiles.stride(), terms.center, terms.scale, terms.offset, stream);
      });
  update_running(call, mean, var);
}

template <class T>
void backward_ncl(const BatchNormBackward<T>& call, Workspace& workspace) {
  const BatchShape shape = call.shape;
  const TilesNCL tiles(shape, workspace);
  const bool batch = call.statistics == Statistics::batch, stream = tiles.stream<T>();
  const double m = static_cast<double>(shape.n * shape.l);
  Pair* totals = workspace.take<Pair>(shape.c);

  tiles.run(
      batch || call.dweight != nullptr || call.dbias != nullptr,
      [&](std::size_t c, Range rows, Range positions) {
        const std::size_t at = tiles.at(c, rows, positions);
        const SplitMean<T> split(call.saved[c], call.saved[shape.c + c]);
        double out[2];
        loops<T>().grad_sum_ncl(call.x + at, call.dy + at, rows.size(), positions.size(),
                                tiles.stride(), split.center, split.low, out);
        return Pair{out[0], out[1]};
      },
      [&](std::size_t c, Pair total) { totals[c] = total; },
      [&](std::size_t c, Range rows, Range positions) {
        if (call.dx == nullptr) return;
        const std::size_t at = tiles.at(c, rows, positions);
        const Pair total = batch ? totals[c] : Pair{0.0, 0.0};
        const GradientTerms<T> terms(call, c, m, total.first, total.second);
        if (batch) {
          loops<T>().grad_apply_ncl(call.x + at, call.dy + at, call.dx + at, rows.size(),
                                    positions.size(), tiles.stride(), terms.center, terms.a,
                                    terms.b, terms.k, stream);
        } else {
          loops<T>().scale_ncl(call.dy + at, call.dx + at, rows.size(), positions.size(),
                               tiles.stride(), terms.a, stream);
        }
      });
  for (std::size_t c = 0; c < shape.c; ++c) {
    if (call.dbias != nullptr) call.dbias[c] = static_cast<T>(totals[c].first);
    if (call.dweight != nullptr) {
      call.dweight[c] = static_cast<T>(totals[c].second * call.saved[2 * shape.c + c]);
    }
  }
}

}  // namespace

template <class T>
void batchnorm_forward(const BatchNormForward<T>& asked, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  BatchNormForward<T> call = asked;
  call.shape = canonical(asked.shape);
  if (call.shape.n * call.shape.c * call.shape.l == 0) return;
  if (call.shape.l == 1) {
    forward_nc(call, workspace);
  } else {
    forward_ncl(call, workspace);
  }
}

template <class T>
void batchnorm_backward(const BatchNormBackward<T>& asked, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  BatchNormBackward<T> call = asked;
  call.shape = canonical(asked.shape);
  if (call.shape.n * call.shape.c * call.shape.l == 0) {
    if (call.dweight != nullptr) std::fill_n(call.dweight, call.shape.c, T(0));
    if (call.dbias != nullptr) std::fill_n(call.dbias, call.shape.c, T(0));
    return;
  }
  if (call.shape.l == 1) {
    backward_nc(call, workspace);
  } else {
    backward_ncl(call, workspace);
  }
}

template void batchnorm_forward(const BatchNormForward<float>&, Workspace&);
template void batchnorm_forward(const BatchNormForward<double>&, Workspace&);
template void batchnorm_backward(const BatchNormBackward<float>&, Workspace&);
template void batchnorm_backward(const BatchNormBackward<double>&, Workspace&);

}  // namespace evenkeel
