#include <algorithm>
#include <cstdio>
#include <new>
#include <vector>

#include "../../native/kernels/dispatch.h"
#include "../../native/runtime/parallel.h"
#include "checks.h"
#include "operations.h"

namespace evenkeel::check {
namespace {

// What runtime/workspace.h promises of scratch: where it begins, that padding is nobody else's, and what is kept.
const char* scratch(Draw draw) {
  Workspace workspace;
  for (int round = 0; round < 20; ++round) {
    struct Taken {
      const double *from, *to;
    };
    std::vector<Taken> all;
    workspace.reset();
    for (int i = 0; i < 40; ++i) {
      const std::size_t n = draw.between(1, 3000);
      const double* const at = workspace.take<double>(n);
      if (reinterpret_cast<std::uintptr_t>(at) % 64 != 0) return "scratch begins within a line";
      all.push_back({at, at + (n + 15) / 16 * 16});
    }
    std::sort(all.begin(), all.end(), [](Taken a, Taken b) { return a.from < b.from; });
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[i - 1].to > all[i].from) return "the padding of scratch is other scratch";
    }
  }
  const std::size_t before = allocated_bytes();
  workspace.reset();
  workspace.take<char>(std::size_t{100} << 20);
  workspace.reset();
  return allocated_bytes() <= before ? nullptr : "scratch of 100 MB is kept";
}

}  // namespace

bool allocations(const Settings& settings) {
  now("allocations --seed %llu: scratch", static_cast<unsigned long long>(settings.seed));
  if (const char* wrong = scratch(Draw(settings.seed))) return failed(wrong);
  Memory memory(32, std::size_t{70'000} * 4 * sizeof(double));
  std::size_t failures = 0, cases = 0;
  set_thread_count(4);
  const std::size_t each = settings.cases / 200 + 4;
  for (std::size_t i = 0; i < operations().size() * each; ++i) {
    const Operation& operation = operations()[i % operations().size()];
    Draw draw(mixed(settings.seed + 99) + i);
    const std::size_t elements = draw.one_in(3) ? 70'000 : 3'000;
    memory.begin_case(draw.next(), Values::ordinary);
    const auto run = [&] {
      memory.begin_run(Place::shifted, false, i);
      memory.workspace = Workspace();
      return operation.run(draw, elements, memory);
    };
    run();
    const std::uint64_t expected = memory.hash();
    ++cases;
    for (const bool from_there_on : {false, true}) {
      for (long nth = 1;; ++nth) {
        now("allocations --seed %llu: case %zu, %s, allocation %ld fails%s",
            static_cast<unsigned long long>(settings.seed), i, operation.name, nth,
            from_there_on ? " and all behind it" : "");
        bool threw = false;
        fail_allocation(nth, from_there_on);
        try {
          run();
        } catch (const std::bad_alloc&) {
          threw = true;
        }
        const bool had_failed = allocation_failed();
        fail_allocation(0, false);
        if (threw && !memory.kept_state()) return failed("the call threw, and state has changed");
        if (!threw && memory.hash() != expected)
          return failed("another hash than without failures");
        // The Workspace of the call that failed serves the next.
        memory.begin_run(Place::shifted, false, i);
        const std::string wrong = operation.run(draw, elements, memory) + memory.faults();
        if (!wrong.empty()) return failed(wrong.c_str());
        if (memory.hash() != expected) return failed("another hash after a failure");
        if (!had_failed) break;
        ++failures;
      }
    }
  }
  std::printf(
      "allocations  %zu of %zu operations failed, each once and for good: state kept, the next "
      "call the "
      "same bits\n",
      failures, cases);
  return true;
}

}  // namespace evenkeel::check
