// (N, C, L) as the runs of its channels: how a channel is cut into chunks, and in which order channels and chunks are
// walked. No passes (ncl.h).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include "../kernels/kernels.h"
#include "../kernels/sum_tree.h"
#include "../runtime/parallel.h"
#include "../runtime/work_split.h"
#include "../runtime/workspace.h"
#include "batchnorm.h"
#include "node_total.h"

namespace evenkeel {

// Fewer channels than this are cut into chunks to have tasks at all.
inline constexpr std::size_t kFewChannels = 8;

// A channel's values are cut into chunks, which are nodes of its sums: leaves of whole runs where these are short, or
// parts of one run where it is long. One channel has its runs one behind the other: its chunks are one run of many
// leaves, which the kernels cut.
struct Chunks {
  BatchShape shape;
  std::size_t runs, length, parts, count;

  explicit Chunks(BatchShape of)
      : shape(of),
        runs(of.c > 1 ? leaf_samples(of.l)
                      : std::max<std::size_t>(1, std::bit_floor(kLeafValues / of.l))),
        length(std::min(of.l, kLeafValues)),
        parts(divide_up(of.l, length)),
        count(divide_up(of.n, runs) * parts) {}

  std::size_t stride() const { return shape.c * shape.l; }
  std::size_t channel() const { return shape.n * shape.l; }
  std::size_t elements() const { return shape.c * channel(); }

  // Where a chunk begins, and its runs; a dy that is not dense is one run, read again.
  std::size_t at(std::size_t channel, std::size_t chunk) const {
    return rows(chunk).begin * stride() + channel * shape.l + positions(chunk).begin;
  }
  Runs runs_of(std::size_t chunk, bool dense = true) const {
    const std::size_t samples = rows(chunk).size();
    if (shape.c == 1 && parts == 1) {
      return {1, samples * length, 0, 0, 0, leaf_samples(length) * length};
    }
    return {samples, positions(chunk).size(), stride(), dense ? stride() : 0, 0};
  }
  // each(where a run begins, its length)
  template <class Each>
  void each_run(std::size_t channel, std::size_t chunk, const Each& each) const {
    const std::size_t n = positions(chunk).size();
    for (std::size_t r = 0; r < rows(chunk).size(); ++r) each(at(channel, chunk) + r * stride(), n);
  }

  // The sum over a channel of the chunks' sums, which part(chunk) gives in order. The parts of a run have a tree of
  // their own.
  template <class Part>
  Pair total(const Part& part) const {
    if (count == 1) return part(0);
    NodeTotal all, run;
    for (std::size_t chunk = 0; chunk < count; ++chunk) {
      if (parts == 1) {
        all.add(part(chunk));
        continue;
      }
      run.add(part(chunk));
      if ((chunk + 1) % parts == 0) all.add(run.take());
    }
    return all.take();
  }

 private:
  Range rows(std::size_t chunk) const { return cut(shape.n, runs, chunk / parts); }
  Range positions(std::size_t chunk) const { return cut(shape.l, length, chunk % parts); }
};

// Too few channels to go round are cut into chunks; the chunks' sums are added in the same order.
// sum(channel, chunk) -> Pair
// finish(first channel, how many, their first sums, their second sums): once a channel
// apply(channel, chunk, next) -> Pair: writes the chunk, and sums the same chunk of channel `next` where that is
// another one
template <class Sum, class Finish, class Apply>
void run_chunks(const Chunks& chunks, Workspace& workspace, const Sum& sum, const Finish& finish,
                const Apply& apply) {
  const std::size_t channels = chunks.shape.c, count = chunks.count;
  Pair* parts = workspace.take<Pair>(channels * count);
  run_tasks(channels * count, chunks.elements(),
            [&](std::size_t task) { parts[task] = sum(task / count, task % count); });
  if (is_stopped()) return;
  for (std::size_t c = 0; c < channels; ++c) {
    const Pair total = chunks.total([&](std::size_t p) { return parts[c * count + p]; });
    finish(c, 1, total.sums, total.sums + 1);
  }
  run_tasks(channels * count, chunks.elements(),
            [&](std::size_t task) { apply(task / count, task % count, task / count); });
}

// Otherwise a task takes neighbouring channels: what was read for the sums is in cache for the output,
// and while one channel is written the next is summed. Two tasks a thread: the first channel of each
// has no such neighbour.
template <class Sum, class Finish, class Apply>
void run_channels(const Chunks& chunks, const Sum& sum, const Finish& finish, const Apply& apply) {
  const std::size_t channels = chunks.shape.c;
  const std::size_t step = std::max<std::size_t>(4, divide_up(channels, 2 * thread_count()));
  const StopFlag stop;  // a task may be half of all there is
  run_tasks(divide_up(channels, step), chunks.elements(), [&](std::size_t task) {
    const Range range = cut(channels, step, task);
    Pair total =
        chunks.total([&](std::size_t p) { return stop.raised() ? Pair() : sum(range.begin, p); });
    for (std::size_t c = range.begin; c < range.end; ++c) {
      finish(c, 1, total.sums, total.sums + 1);
      const std::size_t next = std::min(c + 1, range.end - 1);
      total =
          chunks.total([&](std::size_t p) { return stop.raised() ? Pair() : apply(c, p, next); });
    }
  });
}

// Short channels of a forward: what there is to do per channel between the passes costs as much as a pass over 100
// values, and a third of that for several channels at once, which are in L1 for the second pass (double, 512 channels
// of 32: 40 us one by one, 29 so). Between the passes of a backward there is less to do.
inline constexpr std::size_t kShortChannel = 128;

template <class Sum, class Finish, class Apply>
void run_groups(const Chunks& chunks, const Sum& sum, const Finish& finish, const Apply& apply) {
  constexpr std::size_t kGroup = 16;
  const std::size_t channels = chunks.shape.c;
  run_tasks(divide_up(channels, kGroup), chunks.elements(), [&](std::size_t task) {
    const Range range = cut(channels, kGroup, task);
    double first[kGroup], second[kGroup];
    for (std::size_t i = 0; i < range.size(); ++i) {
      const Pair total = chunks.total([&](std::size_t p) { return sum(range.begin + i, p); });
      first[i] = total.sums[0];
      second[i] = total.sums[1];
    }
    finish(range.begin, range.size(), first, second);
    for (std::size_t c = range.begin; c < range.end; ++c) {
      for (std::size_t p = 0; p < chunks.count; ++p) apply(c, p, c);
    }
  });
}

template <class Sum, class Finish, class Apply>
void run_summed(const Chunks& chunks, Workspace& workspace, const Sum& sum, const Finish& finish,
                const Apply& apply) {
  if (chunks.shape.c < kFewChannels) {
    run_chunks(chunks, workspace, sum, finish, apply);
  } else {
    run_channels(chunks, sum, finish, apply);
  }
}

// Passes without sums: tasks of neighbouring runs of one sample, or of a part of a long one, 64 KB of
// floats each. body(offset, runs, first channel).
template <class Body>
void run_samples(BatchShape of, bool dense, const Body& body) {
  const BatchShape shape = of.c == 1 ? BatchShape{1, 1, of.n * of.l} : of;
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
    body(at + r * runs.stride, Runs{1, runs.length, runs.stride, runs.dy, runs.coefficients},
         channel + r);
  }
}

}  // namespace evenkeel
