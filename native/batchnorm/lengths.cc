#include "lengths.h"

#include <algorithm>

#include "../runtime/work_split.h"

namespace evenkeel {
namespace {

// A task takes neighbouring runs of about 64 KB of floats.
constexpr std::size_t kBlock = 16 * 1024;

// body(elements that count, where the run begins in x, where in packed), for the run of every sample and
// channel.
template <class Body>
void for_runs(const std::int32_t* lengths, PaddedShape shape, Workspace& workspace,
              const Body& body) {
  workspace.reset();
  std::size_t* before = workspace.take<std::size_t>(shape.n + 1);
  before[0] = 0;
  for (std::size_t i = 0; i < shape.n; ++i) {
    before[i + 1] = before[i] + static_cast<std::size_t>(lengths[i]) * shape.unit;
  }
  const std::size_t run = shape.l * shape.unit, all = before[shape.n], runs = shape.n * shape.c;
  const std::size_t step = std::max<std::size_t>(1, kBlock / std::max<std::size_t>(1, run));
  run_tasks(divide_up(runs, step), runs * run, [&](std::size_t task) {
    const Range range = cut(runs, step, task);
    for (std::size_t r = range.begin; r < range.end; ++r) {
      const std::size_t i = r / shape.c, c = r % shape.c;
      body(before[i + 1] - before[i], r * run, c * all + before[i]);
    }
  });
}

}  // namespace

template <class T>
void pack(const T* x, T* packed, const std::int32_t* lengths, PaddedShape shape,
          Workspace& workspace) {
  for_runs(lengths, shape, workspace, [&](std::size_t counted, std::size_t from, std::size_t to) {
    std::copy_n(x + from, counted, packed + to);
  });
}

template <class T>
void unpack(const T* packed, T* x, const std::int32_t* lengths, PaddedShape shape,
            Workspace& workspace) {
  const std::size_t run = shape.l * shape.unit;
  for_runs(lengths, shape, workspace, [&](std::size_t counted, std::size_t to, std::size_t from) {
    std::copy_n(packed + from, counted, x + to);
    std::fill_n(x + to + counted, run - counted, T(0));
  });
}

template void pack(const float*, float*, const std::int32_t*, PaddedShape, Workspace&);
template void pack(const double*, double*, const std::int32_t*, PaddedShape, Workspace&);
template void unpack(const float*, float*, const std::int32_t*, PaddedShape, Workspace&);
template void unpack(const double*, double*, const std::int32_t*, PaddedShape, Workspace&);

}  // namespace evenkeel
