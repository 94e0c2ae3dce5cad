// (N, C, L) with runs long enough for vectors: one channel at a time, so that its second pass reads
// from cache; where nothing has to be summed, sample by sample, as memory lies.
#pragma once

#include <algorithm>
#include <cstddef>

#include "batchnorm.h"
#include "terms.h"
#include "../kernels/dispatch.h"
#include "../runtime/parallel.h"
#include "../runtime/work_split.h"

namespace evenkeel {

// Fewer channels than this are cut into pieces to have tasks at all.
inline constexpr std::size_t kFewChannels = 8;

// The two sums of a channel, or of a piece of one.
struct Pair {
  double sums[2] = {0.0, 0.0};
  Pair& operator+=(const Pair& part) {
    sums[0] += part.sums[0];
    sums[1] += part.sums[1];
    return *this;
  }
};

// A channel's values are cut into pieces of about 8192: whole runs where they are short, parts of one
// run where it is long. Pieces own partial sums, so they are part of the result.
struct Pieces {
  static constexpr std::size_t kElements = 8192;
  BatchShape shape;
  std::size_t runs, length, parts, count;

  explicit Pieces(BatchShape of)
      : shape(of),
        runs(std::max<std::size_t>(1, kElements / of.l)),
        length(std::min(of.l, kElements)),
        parts(divide_up(of.l, length)),
        count(divide_up(of.n, runs) * parts) {}

  std::size_t stride() const { return shape.c * shape.l; }
  std::size_t channel() const { return shape.n * shape.l; }
  std::size_t elements() const { return shape.c * channel(); }

  Range rows(std::size_t piece) const { return cut(shape.n, runs, piece / parts); }
  Range positions(std::size_t piece) const { return cut(shape.l, length, piece % parts); }

  // Where a piece begins, and its runs; a dy that is not dense is one run, read again.
  std::size_t at(std::size_t channel, std::size_t piece) const {
    return rows(piece).begin * stride() + channel * shape.l + positions(piece).begin;
  }
  Runs runs_of(std::size_t piece, bool dense = true) const {
    return {rows(piece).size(), positions(piece).size(), stride(), dense ? stride() : 0, 0};
  }
  // each(where a run begins, its length)
  template <class Each>
  void each_run(std::size_t channel, std::size_t piece, const Each& each) const {
    const std::size_t n = positions(piece).size();
    for (std::size_t r = 0; r < rows(piece).size(); ++r) each(at(channel, piece) + r * stride(), n);
  }
};

// Too few channels to go round are cut into pieces; the pieces' sums are added in the same order.
// sum(channel, piece) -> Pair
// finish(first channel, how many, their first sums, their second sums): once a channel
// apply(channel, piece, next) -> Pair: writes the piece, and sums the same piece of channel `next` where that is
// another one
template <class Sum, class Finish, class Apply>
void run_pieces(const Pieces& pieces, Workspace& workspace, const Sum& sum, const Finish& finish,
                const Apply& apply) {
  const std::size_t channels = pieces.shape.c, count = pieces.count;
  Pair* parts = workspace.take<Pair>(channels * count);
  run_tasks(channels * count, pieces.elements(),
            [&](std::size_t task) { parts[task] = sum(task / count, task % count); });
  for (std::size_t c = 0; c < channels; ++c) {
    Pair total;
    for (std::size_t p = 0; p < count; ++p) total += parts[c * count + p];
    finish(c, 1, total.sums, total.sums + 1);
  }
  run_tasks(channels * count, pieces.elements(),
            [&](std::size_t task) { apply(task / count, task % count, task / count); });
}

// Otherwise a task takes neighbouring channels: what was read for the sums is in cache for the output,
// and while one channel is written the next is summed. Two tasks a thread: the first channel of each
// has no such neighbour.
template <class Sum, class Finish, class Apply>
void run_channels(const Pieces& pieces, const Sum& sum, const Finish& finish, const Apply& apply) {
  const std::size_t channels = pieces.shape.c, count = pieces.count;
  const std::size_t step = std::max<std::size_t>(4, divide_up(channels, 2 * thread_count()));
  const StopFlag stop;  // a task may be half of all there is
  run_tasks(divide_up(channels, step), pieces.elements(), [&](std::size_t task) {
    const Range range = cut(channels, step, task);
    Pair total;
    for (std::size_t p = 0; p < count && !stop.raised(); ++p) total += sum(range.begin, p);
    for (std::size_t c = range.begin; c < range.end; ++c) {
      finish(c, 1, total.sums, total.sums + 1);
      total = Pair();
      const std::size_t next = std::min(c + 1, range.end - 1);
      for (std::size_t p = 0; p < count && !stop.raised(); ++p) total += apply(c, p, next);
    }
  });
}

// Short channels of a forward: what there is to do per channel between the passes costs as much as a pass over 100
// values, and a third of that for several channels at once, which are in L1 for the second pass (double, 512 channels
// of 32: 40 us one by one, 29 so). Between the passes of a backward there is less to do.
inline constexpr std::size_t kShortChannel = 128;

template <class Sum, class Finish, class Apply>
void run_groups(const Pieces& pieces, const Sum& sum, const Finish& finish, const Apply& apply) {
  constexpr std::size_t kGroup = 16;
  const std::size_t channels = pieces.shape.c;
  run_tasks(divide_up(channels, kGroup), pieces.elements(), [&](std::size_t task) {
    const Range range = cut(channels, kGroup, task);
    double first[kGroup], second[kGroup];
    for (std::size_t i = 0; i < range.size(); ++i) {
      const Pair total = sum(range.begin + i, 0);
      first[i] = total.sums[0];
      second[i] = total.sums[1];
    }
    finish(range.begin, range.size(), first, second);
    for (std::size_t c = range.begin; c < range.end; ++c) apply(c, 0, c);
  });
}

template <class Sum, class Finish, class Apply>
void run_summed(const Pieces& pieces, Workspace& workspace, const Sum& sum, const Finish& finish,
                const Apply& apply) {
  if (pieces.shape.c < kFewChannels) {
    run_pieces(pieces, workspace, sum, finish, apply);
  } else {
    run_channels(pieces, sum, finish, apply);
  }
}

// Passes without sums: tasks of neighbouring runs of one sample, or of a part of a long one, 64 KB of
// floats each. body(offset, runs, first channel).
template <class Body>
void run_samples(BatchShape shape, bool dense, const Body& body) {
  constexpr std::size_t kElements = 16 * 1024;
  const std::size_t length = std::min(shape.l, kElements), parts = divide_up(shape.l, length);
  const std::size_t step = std::clamp<std::size_t>(kElements / shape.l, 1, shape.c);
  const std::size_t groups = divide_up(shape.c, step);
  run_tasks(shape.n * groups * parts, shape.n * shape.c * shape.l, [&](std::size_t task) {
    const Range l = cut(shape.l, length, task % parts);
    const Range c = cut(shape.c, step, task / parts % groups);
    const std::size_t sample = task / parts / groups;
    body((sample * shape.c + c.begin) * shape.l + l.begin,
         Runs{c.size(), l.size(), shape.l, dense ? shape.l : 0, 1}, c.begin);
  });
}

// body(offset, run, channel) for each run of a body of run_samples.
template <class Body>
void one_by_one(std::size_t at, Runs runs, std::size_t channel, const Body& body) {
  for (std::size_t r = 0; r < runs.count; ++r) {
    body(at + r * runs.stride, Runs{1, runs.length, runs.stride, runs.dy, runs.terms}, channel + r);
  }
}

template <class T>
void forward_ncl(const BatchNormForward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Pieces pieces(call.shape);
  const Normalization<T> terms(call, workspace);
  const bool stream = pieces.elements() * sizeof(T) >= kStreamBytes;
  if (call.statistics != Statistics::batch) {
    terms.from_given(0, call.shape.c);
    const auto passes = [&](std::size_t at, Runs runs, std::size_t c) {
      table.normalize_ncl(call.x + at, call.y + at, runs, terms.terms(c), call.relu, stream, {});
    };
    run_samples(call.shape, true, [&](std::size_t at, Runs runs, std::size_t c) {
      if (!terms.any()) return passes(at, runs, c);
      one_by_one(at, runs, c, [&](std::size_t i, Runs one, std::size_t channel) {
        if (!terms.wide(channel)) return passes(i, one, channel);
        terms.write(channel, call.x + i, call.y + i, one.length);
      });
    });
    return;
  }

  T* shift = workspace.take<T>(call.shape.c);
  for (std::size_t c = 0; c < call.shape.c; ++c) shift[c] = shift_from(call.x[c * call.shape.l]);
  const auto channel = [&](std::size_t c, std::size_t p, double* out) {
    return SumOf<T>{call.x + pieces.at(c, p), shift[c], out};
  };
  const auto sum = [&](std::size_t c, std::size_t p) {
    Pair pair;
    table.sum_ncl(pieces.runs_of(p), channel(c, p, pair.sums));
    return pair;
  };
  const auto finish = [&](std::size_t c, std::size_t n, const double* sums, const double* squares) {
    terms.from_sums(c, n, shift + c, sums, squares);
  };
  const auto apply = [&](std::size_t c, std::size_t p, std::size_t next) {
    if (call.y == nullptr) return next != c ? sum(next, p) : Pair();
    const std::size_t at = pieces.at(c, p);
    if (terms.wide(c)) {
      pieces.each_run(
          c, p, [&](std::size_t i, std::size_t n) { terms.write(c, call.x + i, call.y + i, n); });
      return next != c ? sum(next, p) : Pair();
    }
    Pair pair;
    table.normalize_ncl(call.x + at, call.y + at, pieces.runs_of(p), terms.terms(c), call.relu,
                        stream, next != c ? channel(next, p, pair.sums) : SumOf<T>{});
    return pair;
  };
  if (pieces.channel() <= kShortChannel) {
    run_groups(pieces, sum, finish, apply);
  } else {
    run_summed(pieces, workspace, sum, finish, apply);
  }
  terms.update_running();
}

template <class T>
void backward_ncl(const BatchNormBackward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Pieces pieces(call.shape);
  const Gradient<T> terms(call, workspace);
  const bool stream = pieces.elements() * sizeof(T) >= kStreamBytes;
  // A gradient of one value is one run, read again and again.
  const bool dense = call.dy != nullptr;
  T* run = workspace.take<T>(dense ? 0 : call.shape.l);
  if (!dense) std::fill_n(run, call.shape.l, call.dy_value);
  const auto dy = [&](std::size_t at) { return dense ? call.dy + at : run; };
  if (!terms.needs_sums && !terms.batch) {
    terms.finish(0, call.shape.c);
    if (call.dx == nullptr) return;
    const auto passes = [&](std::size_t at, Runs runs, std::size_t c) {
      table.scale_ncl(call.x + at, dy(at), call.dx + at, runs, terms.a + c, terms.gate(c), stream);
    };
    run_samples(call.shape, dense, [&](std::size_t at, Runs runs, std::size_t c) {
      if (!terms.any) return passes(at, runs, c);
      one_by_one(at, runs, c, [&](std::size_t i, Runs one, std::size_t channel) {
        if (!terms.wide(channel)) return passes(i, one, channel);
        terms.write(channel, i, one.length);
      });
    });
    return;
  }

  const auto channel = [&](std::size_t c, std::size_t p, double* out) {
    const std::size_t at = pieces.at(c, p);
    return GradSumOf<T>{call.x + at, dy(at), terms.center[c], terms.gate(c), out};
  };
  const auto sum = [&](std::size_t c, std::size_t p) {
    Pair pair;
    table.grad_sum_ncl(pieces.runs_of(p, dense), channel(c, p, pair.sums));
    return pair;
  };
  const auto apply = [&](std::size_t c, std::size_t p, std::size_t next) {
    const std::size_t at = pieces.at(c, p);
    const Runs runs = pieces.runs_of(p, dense);
    if (call.dx != nullptr && terms.wide(c)) {
      pieces.each_run(c, p, [&](std::size_t i, std::size_t n) { terms.write(c, i, n); });
      return next != c ? sum(next, p) : Pair();
    }
    Pair pair;
    if (call.dx != nullptr && terms.batch) {
      table.grad_apply_ncl(call.x + at, dy(at), call.dx + at, runs, terms.terms(c), terms.gate(c),
                           stream, next != c ? channel(next, p, pair.sums) : GradSumOf<T>{});
      return pair;
    }
    if (call.dx != nullptr) {
      table.scale_ncl(call.x + at, dy(at), call.dx + at, runs, terms.a + c, terms.gate(c), stream);
    }
    return next != c ? sum(next, p) : pair;
  };
  if (!terms.needs_sums) {  // they are given
    terms.finish(0, call.shape.c);
    run_tasks(call.shape.c * pieces.count, pieces.elements(), [&](std::size_t task) {
      const std::size_t c = task / pieces.count;
      apply(c, task % pieces.count, c);
    });
    return;
  }
  run_summed(
      pieces, workspace, sum,
      [&](std::size_t c, std::size_t n, const double* sums, const double* products) {
        std::copy_n(sums, n, terms.sum + c);
        std::copy_n(products, n, terms.dot + c);
        terms.finish(c, n);
      },
      apply);
}

}  // namespace evenkeel
