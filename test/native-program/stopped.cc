// Work that is stopped (runtime/parallel.h), before it begins and on the way. What tasks that were skipped would have
// written is garbage, and nobody may look at it: nothing but outputs changes, no search runs past the memory it is in,
// and no branch depends on it, of which valgrind hears.
#include <cstdio>
#include <thread>

#include "../../native/math/class_losses.h"
#include "../../native/math/reductions.h"
#include "work.h"

namespace evenkeel::check {
namespace {

// In scratch that is new each time: what an earlier call has left there would be a value.
const char* at_any_time(const Settings& settings, std::size_t times) {
  Worker worker(settings);
  Draw draw(mixed(settings.seed + 13));
  set_thread_count(2);
  for (std::size_t i = 0; i < times; ++i) {
    const std::size_t number = i % Worker::kCases;
    std::atomic<bool> flag{i < Worker::kCases}, begun{false};
    std::thread stopper([&, spins = draw.below(100'000)] {
      while (!begun) std::this_thread::yield();
      for (std::size_t spin = 0; spin < spins; ++spin) begun.load();
      flag = true;
    });
    {
      const StopWhen stop(flag);
      Workspace workspace;
      begun = true;
      worker.run(number, workspace);
    }
    stopper.join();
    if (!worker.wrong().empty()) {
      std::fprintf(stderr, "case %zu: %s\n", number, worker.wrong().c_str());
      return "work that was stopped changed something else";
    }
  }
  return nullptr;
}

// Searches that know that what they look for is there. Each is made once to its end, and leaves behind what the one
// that is stopped then finds; there is none of that before the page that cannot be touched.
template <class T>
const char* searches() {
  constexpr std::size_t kValues = 200'000;
  const std::atomic<bool> raised{true};
  Memory memory(2, kValues * sizeof(T));
  memory.begin_case(1, Values::ordinary);
  memory.begin_run(Place::before_guard, false, 1);
  T* const there = memory.output<T>(kValues);
  T* const none = memory.output<T>(kValues);
  std::fill_n(there, kValues, T(2));
  std::fill_n(none, kValues, T(1));
  const auto indices = [&](const T* x) {
    std::int64_t place = 0;
    extreme_indices(true, x, &place, Extent{1, kValues, 1});
    return place;
  };
  const auto outside = [&](const T* x) {
    return first_outside(x, kValues, 0.0, 1.0, memory.workspace);
  };
  if (indices(there) != 0 || outside(there) != 0) return "a search found another place";
  const StopWhen stop(raised);
  indices(none);
  outside(none);
  return nullptr;
}

}  // namespace

bool stopped(const Settings& settings) {
  const auto seed = static_cast<unsigned long long>(settings.seed);
  const std::size_t times = 2 * Worker::kCases + settings.cases;
  now("stopped --seed %llu: operations", seed);
  if (const char* wrong = at_any_time(settings, times)) return failed(wrong);
  now("stopped --seed %llu: searches", seed);
  for (const char* wrong : {searches<float>(), searches<double>()}) {
    if (wrong != nullptr) return failed(wrong);
  }
  std::printf("stopped      %zu operations before they began or on the way, and searches\n", times);
  return true;
}

}  // namespace evenkeel::check
