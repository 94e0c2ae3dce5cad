#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "work.h"

namespace evenkeel::check {
namespace {

bool all_equal(Worker& worker, const std::vector<std::uint64_t>& expected, std::size_t rounds) {
  for (std::size_t i = 0; i < rounds; ++i) {
    const std::size_t number = i % Worker::kCases;
    const bool equal = worker.run(number) == expected[number];
    if (equal && worker.wrong().empty()) continue;
    std::fprintf(stderr, "%s, case %zu: %s\n", operations()[number % operations().size()].name,
                 number, equal ? worker.wrong().c_str() : "another hash");
    return false;
  }
  return true;
}

// Every task of every call runs once, whoever calls at the same time; of one that is stopped, at most
// once. Returns the number of tasks; 0 when that does not hold.
std::size_t count_tasks(std::uint64_t seed, std::size_t calls) {
  Draw draw(seed);
  std::vector<std::atomic<int>> counts(400);
  std::size_t all = 0;
  for (std::size_t call = 0; call < calls; ++call) {
    const std::size_t tasks = draw.below(counts.size());
    const std::size_t last = draw.one_in(4) ? draw.below(counts.size()) : counts.size();
    for (auto& count : counts) count.store(0, std::memory_order_relaxed);
    std::atomic<bool> stopped{false};
    {
      const StopWhen stop(stopped);
      if (draw.one_in(8)) hold_workers(draw.below(200));
      parallel_for(tasks, [&](std::size_t task) {
        counts[task].fetch_add(1);
        if (task == last) stopped = true;
      });
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const int count = counts[i].load(std::memory_order_relaxed);
      if (count != (i < tasks ? 1 : 0) && !(stopped && count == 0)) return 0;
    }
    all += tasks;
  }
  return all;
}

// Where every task says that no more are wanted, a thread runs one at most.
bool stops_at_once(std::size_t threads) {
  set_thread_count(threads);
  for (int call = 0; call < 100; ++call) {
    std::atomic<bool> stopped{false};
    std::atomic<std::size_t> ran{0};
    const StopWhen stop(stopped);
    parallel_for(1000, [&](std::size_t) {
      ++ran;
      stopped = true;
    });
    if (ran == 0 || ran > threads) return false;
  }
  return true;
}

// What a worker hears of: a fault, a profiler's sample, and no signal of the host's.
bool masks_signals() {
  const pthread_t caller = pthread_self();
  const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::atomic<std::size_t> workers{0};
  std::atomic<bool> right{true};
  parallel_for(16, [&](std::size_t) {
    if (pthread_equal(pthread_self(), caller) != 0) {
      while (workers == 0 && std::chrono::steady_clock::now() < patience) {
        std::this_thread::yield();
      }
      return;
    }
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (const int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF}) {
      if (sigismember(&blocked, open) != 0) right = false;
    }
    for (const int hosts : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD}) {
      if (sigismember(&blocked, hosts) != 1) right = false;
    }
    ++workers;
  });
  return right && workers > 0;
}

}  // namespace

bool pool(const Settings& settings) {
  const std::vector<std::uint64_t> expected = Worker::alone(settings);
  const auto seed = static_cast<unsigned long long>(settings.seed);

  // Before there is a pool: children whose pool gets some threads, or none.
  for (const long threads : {0L, 1L, 3L}) {
    now("pool --seed %llu: no thread can be made after %ld", seed, threads);
    if (!holds_in_child([&] {
          fail_threads_after(threads);
          set_thread_count(8);
          Worker worker(settings);
          return all_equal(worker, expected, 2 * Worker::kCases);
        })) {
      return failed("a child without threads did not compute the same");
    }
  }

  now("pool --seed %llu: several callers while threads and instruction sets change", seed);
  const std::size_t rounds = settings.cases / 4 + Worker::kCases;
  std::atomic<std::size_t> running{0}, tasks{0};
  std::atomic<bool> equal{true}, once{true};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 6; ++i) {
    ++running;
    callers.emplace_back([&, i] {
      if (i < 4) {
        Worker worker(settings);
        if (!all_equal(worker, expected, rounds)) equal = false;
      } else {
        const std::size_t counted = count_tasks(settings.seed + i, rounds * 20);
        if (counted == 0) once = false;
        tasks += counted;
      }
      --running;
    });
  }
  const std::size_t changes = change_settings_while(running, Draw(settings.seed));
  for (std::thread& caller : callers) caller.join();
  if (!once) return failed("a task did not run exactly once");
  if (!equal) return failed("another hash than on one thread");

  now("pool --seed %llu: tasks behind a stop", seed);
  for (const std::size_t threads : {std::size_t{1}, std::size_t{4}}) {
    if (!stops_at_once(threads)) return failed("tasks ran on once they were stopped");
  }

  now("pool --seed %llu: signals of its threads", seed);
  set_thread_count(8);
  if (!masks_signals()) return failed("a worker has another mask of signals, or there is none");

  now("pool --seed %llu: a forked child", seed);
  if (!holds_in_child([&] {
        Worker worker(settings);
        return all_equal(worker, expected, Worker::kCases);
      })) {
    return failed("a forked child did not compute the same");
  }
  std::printf(
      "pool         %zu calls from 4 threads, %zu tasks of %zu parallel_for from 2 more, a quarter "
      "of them stopped, %s changes of threads and instruction sets meanwhile; threads failing "
      "after 0, 1, "
      "3; a forked child: the same bits\n",
      4 * rounds, tasks.load(), 2 * rounds * 20, changes > 100 ? "hundreds of" : "few");
  return true;
}

}  // namespace evenkeel::check
