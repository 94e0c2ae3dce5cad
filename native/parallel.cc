#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>

#include <cstdio>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

#include "float_environment.h"
#include "thread.h"

namespace evenkeel {
namespace {

constexpr std::size_t kMaxThreads = 64;
// A worker looks for the next job this long before it parks: waking a parked thread costs the caller
// 3-50 us, and the passes and calls of a training step follow each other within a few.
constexpr int kSpins =
    4000;  // 20 us where a pause takes 5 ns (Zen 4), 180 where it takes 45 (Sapphire Rapids)
constexpr int kSpinsBeforeYield = 1000;

thread_local const std::atomic<bool>* stop_flag = nullptr;

inline void pause_cpu() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// One participant's share of a job: a contiguous range it works through from the front; whoever has
// finished its own share takes from the others'. Neighbouring tasks stay on one core, and with them
// their cache lines from pass to pass.
struct alignas(64) Share {
  std::atomic<std::size_t> next{0};
  std::size_t end = 0;
};

class Pool {
 public:
  void run(std::size_t tasks, void (*body)(void*, std::size_t), void* context) {
    const std::size_t wanted =
        std::min({tasks, limit_.load(std::memory_order_relaxed), kMaxThreads});
    if (wanted > 1 && !forked_.load(std::memory_order_relaxed) && busy_.try_lock()) {
      ensure_workers(wanted - 1);
      const std::size_t participants = std::min(wanted, workers_ + 1);
      if (participants > 1) {
        share_out(tasks, participants, body, context);
        busy_.unlock();
        return;
      }
      busy_.unlock();
    }
    const StopFlag stop;
    for (std::size_t task = 0; task < tasks && !stop.raised(); ++task) body(context, task);
  }

  explicit Pool(std::size_t cpus) : limit_(cpus), cpus_(cpus) {}

  std::atomic<std::size_t> limit_;
  std::atomic<bool> forked_{false};

 private:
  void share_out(std::size_t tasks, std::size_t participants, void (*body)(void*, std::size_t),
                 void* context) {
    body_ = body;
    context_ = context;
    stop_ = StopFlag();
    participants_ = participants;
    for (std::size_t i = 0; i < participants; ++i) {
      shares_[i].next.store(tasks * i / participants, std::memory_order_relaxed);
      shares_[i].end = tasks * (i + 1) / participants;
    }
    job_.fetch_add(1, std::memory_order_seq_cst);  // odd: open
    if (sleepers_.load(std::memory_order_seq_cst) > 0) {
      // Taking the lock orders this wake-up after a sleeper's last look at job_.
      { const std::lock_guard<std::mutex> lock(sleep_); }
      wake_.notify_all();
    }
    work(0);
    job_.fetch_add(1, std::memory_order_seq_cst);  // even: closed
    // Whoever came in before the close may still be in its last task.
    const int spins_before_yield = participants <= cpus_ ? kSpinsBeforeYield : 0;
    for (int spins = 0; inside_.load(std::memory_order_seq_cst) != 0; ++spins) {
      if (spins < spins_before_yield) {
        pause_cpu();
      } else {
        std::this_thread::yield();
      }
    }
  }

  void work(std::size_t self) {
    for (std::size_t i = 0; i < participants_; ++i) {
      Share& share = shares_[(self + i) % participants_];
      for (;;) {
        const std::size_t task = share.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= share.end || stop_.raised()) break;
        body_(context_, task);
      }
    }
  }

  void ensure_workers(std::size_t wanted) {
    while (workers_ < wanted && !exhausted_) {
      Seat& seat = seats_[workers_];
      seat = {this, workers_ + 1};
      const auto serve = [](void* taken) -> void* {
        const Seat* const mine = static_cast<Seat*>(taken);
        mine->pool->serve(mine->self);
      };
      if (start_thread(serve, &seat)) {
        ++workers_;
      } else {
        exhausted_ = true;  // fewer threads, the same bits
      }
    }
  }

  [[noreturn]] void serve(std::size_t self) {
    const FloatEnvironment environment;
    std::uint64_t seen = 0;
    for (;;) {
      const std::uint64_t job = next_job(seen, self < cpus_ ? kSpins : 0);
      seen = job;
      inside_.fetch_add(1, std::memory_order_seq_cst);
      // Still the same open job: the caller now waits for us. Otherwise it may be gone already.
      if (job_.load(std::memory_order_seq_cst) == job && self < participants_) work(self);
      inside_.fetch_sub(1, std::memory_order_seq_cst);
    }
  }

  // The next open job other than `seen`: spin first, then park. More threads than CPUs don't spin: they
  // would take the CPU from whoever computes.
  std::uint64_t next_job(std::uint64_t seen, int spins_before_parking) {
    const auto is_new = [&](std::uint64_t job) { return job % 2 == 1 && job != seen; };
    for (int spins = 0; spins < spins_before_parking; ++spins) {
      const std::uint64_t job = job_.load(std::memory_order_seq_cst);
      if (is_new(job)) return job;
      pause_cpu();
    }
    std::unique_lock<std::mutex> lock(sleep_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    std::uint64_t job = job_.load(std::memory_order_seq_cst);
    while (!is_new(job)) {
      wake_.wait(lock);
      job = job_.load(std::memory_order_seq_cst);
    }
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    return job;
  }

  // Who a worker is.
  struct Seat {
    Pool* pool;
    std::size_t self;
  };

  const std::size_t cpus_;
  Seat seats_[kMaxThreads];
  std::mutex busy_;  // held by the caller whose job the pool runs
  std::size_t workers_ = 0;
  bool exhausted_ = false;

  // The job. Written by the caller before job_ turns odd, read by workers counted in inside_.
  std::atomic<std::uint64_t> job_{0};
  std::atomic<std::size_t> inside_{0};
  void (*body_)(void*, std::size_t) = nullptr;
  void* context_ = nullptr;
  StopFlag stop_;
  std::size_t participants_ = 0;
  Share shares_[kMaxThreads];

  std::mutex sleep_;
  std::condition_variable wake_;
  std::atomic<std::size_t> sleepers_{0};
};

#if defined(__linux__)
// CPUs' worth of time the cgroup grants, rounded up; 0 where there is no limit to read.
std::size_t cgroup_quota() {
  long long quota = 0, period = 0;
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re")) {
    if (std::fscanf(file, "%lld %lld", &quota, &period) != 2) quota = 0;
    std::fclose(file);
  }
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<std::size_t>((quota + period - 1) / period);
}
#endif

std::size_t default_threads() {
  std::size_t count = std::max(1u, std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    count = static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  }
  if (const std::size_t quota = cgroup_quota(); quota > 0) count = std::min(count, quota);
#endif
  return std::min(count, kMaxThreads);
}

Pool& pool() {
  static Pool* const leaked = [] {
    Pool* made = new Pool(default_threads());
#if defined(__unix__) || defined(__APPLE__)
    // A forked child has our memory and none of our threads.
    pthread_atfork(nullptr, nullptr, [] { pool().forked_.store(true); });
#endif
    return made;
  }();
  return *leaked;
}

}  // namespace

StopFlag::StopFlag() : flag_(stop_flag) {}

StopWhen::StopWhen(const std::atomic<bool>& flag) { stop_flag = &flag; }
StopWhen::~StopWhen() { stop_flag = nullptr; }

void parallel_for(std::size_t tasks, void (*body)(void*, std::size_t), void* context) {
  pool().run(tasks, body, context);
}

std::size_t thread_count() { return pool().limit_.load(); }

void set_thread_count(std::size_t threads) {
  pool().limit_.store(std::clamp<std::size_t>(threads, 1, kMaxThreads));
}

}  // namespace evenkeel
