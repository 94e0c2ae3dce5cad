#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "../../native/dispatch.h"
#include "../../native/parallel.h"
#include "checks.h"
#include "operations.h"

namespace evenkeel::check {
namespace {

// Large enough to be handed out, small enough to be many.
constexpr std::size_t kElements = 60'000;
constexpr std::size_t kCases = 40;

// A thread's own memory, and the hashes that one thread alone computes.
class Worker {
 public:
  explicit Worker(const Settings& settings)
      : seed_(settings.seed), memory_(32, kElements * 4 * sizeof(double)) {}

  std::uint64_t run(std::size_t number) {
    Draw draw(mixed(seed_ + 7) + number);
    const Operation& operation = operations()[number % operations().size()];
    memory_.begin_case(draw.next(), Values::ordinary);
    memory_.begin_run(Place::shifted, false, number);
    wrong_ = operation.run(draw, kElements, memory_) + memory_.faults();
    return memory_.hash();
  }
  const std::string& wrong() const { return wrong_; }

 private:
  std::uint64_t seed_;
  Memory memory_;
  std::string wrong_;
};

std::vector<std::uint64_t> alone(const Settings& settings) {
  Worker worker(settings);
  std::vector<std::uint64_t> hashes;
  set_thread_count(1);
  for (std::size_t i = 0; i < kCases; ++i) hashes.push_back(worker.run(i));
  return hashes;
}

bool all_equal(Worker& worker, const std::vector<std::uint64_t>& expected, std::size_t rounds) {
  for (std::size_t i = 0; i < rounds; ++i) {
    const bool equal = worker.run(i % kCases) == expected[i % kCases];
    if (equal && worker.wrong().empty()) continue;
    std::fprintf(stderr, "%s, case %zu: %s\n", operations()[i % kCases % operations().size()].name,
                 i % kCases, equal ? worker.wrong().c_str() : "another hash");
    return false;
  }
  return true;
}

// In a child process, which tells by its exit code.
template <class Body>
bool holds_in_child(const Body& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

// Every task of every call runs once, whoever calls at the same time.
bool count_tasks(std::uint64_t seed, std::size_t calls) {
  Draw draw(seed);
  std::vector<std::atomic<int>> counts(400);
  for (std::size_t call = 0; call < calls; ++call) {
    const std::size_t tasks = draw.below(counts.size());
    for (auto& count : counts) count.store(0, std::memory_order_relaxed);
    parallel_for(tasks, [&](std::size_t task) { counts[task].fetch_add(1); });
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i].load(std::memory_order_relaxed) != (i < tasks ? 1 : 0)) return false;
    }
  }
  return true;
}

}  // namespace

bool pool(const Settings& settings) {
  const std::vector<std::uint64_t> expected = alone(settings);

  // Before there is a pool: children whose pool gets some threads, or none.
  for (const long threads : {0L, 1L, 3L}) {
    now("pool --seed %llu: no thread can be made after %ld",
        static_cast<unsigned long long>(settings.seed), threads);
    if (!holds_in_child([&] {
          fail_threads_after(threads);
          set_thread_count(8);
          Worker worker(settings);
          return all_equal(worker, expected, 2 * kCases);
        })) {
      return failed("a child without threads did not compute the same");
    }
  }

  now("pool --seed %llu: several callers while threads and families change",
      static_cast<unsigned long long>(settings.seed));
  const std::size_t rounds = settings.cases / 4 + kCases;
  std::atomic<std::size_t> running{0};
  std::atomic<bool> equal{true}, once{true};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 6; ++i) {
    ++running;
    callers.emplace_back([&, i] {
      if (i < 4) {
        Worker worker(settings);
        if (!all_equal(worker, expected, rounds)) equal = false;
      } else if (!count_tasks(settings.seed + i, rounds * 20)) {
        once = false;
      }
      --running;
    });
  }
  Draw draw(settings.seed);
  std::size_t changes = 0;
  for (; running > 0; ++changes) {
    set_thread_count(draw.between(1, 16));
    select_family(available_families()[draw.below(available_families().size())]->name);
    std::this_thread::yield();
  }
  for (std::thread& caller : callers) caller.join();
  select_family(available_families().front()->name);
  if (!once) return failed("a task did not run exactly once");
  if (!equal) return failed("another hash than on one thread");

  now("pool --seed %llu: a forked child", static_cast<unsigned long long>(settings.seed));
  set_thread_count(8);
  if (!holds_in_child([&] {
        Worker worker(settings);
        return all_equal(worker, expected, kCases);
      })) {
    return failed("a forked child did not compute the same");
  }
  std::printf(
      "pool         %zu calls from 4 threads, %zu parallel_for from 2 more, %s changes of threads "
      "and "
      "families meanwhile; threads failing after 0, 1, 3; a forked child: the same bits\n",
      4 * rounds, 2 * rounds * 20, changes > 100 ? "hundreds of" : "few");
  return true;
}

}  // namespace evenkeel::check
