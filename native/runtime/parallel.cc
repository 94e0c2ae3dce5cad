// Longer than 250 lines because the pool is one class, and its order of locks and of memory is argued in one place.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
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

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// A worker looks for the next job this long before it parks: waking a parked thread costs the caller 3-50 us, and the
// passes of a call follow each other within a few. Where the last job came within kInARow of the one before, it looks
// longer: between the large calls of a training step lie small ones and JavaScript, 10-200 us.
constexpr microseconds kSpinning{20};
constexpr microseconds kInARow{400};
constexpr microseconds kSpinningInARow{200};
// hold_workers holds them so long at most.
constexpr microseconds kLongestHold{500};
// The caller waits this long for workers that are in their last task before it yields its CPU.
constexpr microseconds kSpinningBeforeYield{5};
// Where the system refused a thread, the next request for one waits this long, then twice as long after each
// refusal: a request that fails costs a call 10-50 us.
constexpr milliseconds kFirstRetry{10};
constexpr milliseconds kLastRetry{1000};

thread_local const std::atomic<bool>* stop_flag = nullptr;

inline void pause_cpu() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Spins until done() or for `limit` of time, and says whether done() came first. The clock ends it, not a
// count of pauses: a pause takes 5 ns on some CPUs and 45 on others.
template <class Done>
bool spin_until(microseconds limit, const Done& done) {
  constexpr int kPausesPerLook = 16;  // reading the clock takes 20-40 ns
  if (done()) return true;
  if (limit == microseconds::zero()) return false;
  const Clock::time_point end = Clock::now() + limit;
  do {
    for (int i = 0; i < kPausesPerLook; ++i) {
      pause_cpu();
      if (done()) return true;
    }
  } while (Clock::now() < end);
  return false;
}

// One participant's part of a job: a range of tasks that it works through from the front. Whoever has
// finished its own range takes tasks from the others'. Neighbouring tasks stay on one core, and with them
// their cache lines from pass to pass.
struct alignas(64) TaskRange {
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
      const std::size_t participants = std::min(wanted, workers_.load() + 1);
      if (participants > 1) {
        hand_out(tasks, participants, body, context);
        busy_.unlock();
        return;
      }
      busy_.unlock();
    }
    const StopFlag stop;
    for (std::size_t task = 0; task < tasks && !stop.raised(); ++task) body(context, task);
  }

  explicit Pool(std::size_t cpus) : cpus_(cpus), limit_(cpus) {}

  void set_limit(std::size_t threads) {
    limit_.store(std::clamp<std::size_t>(threads, 1, kMaxThreads));
    refused_.store(false);  // whoever asks for threads wants them to be tried for
  }

  // What a call may use now: fewer than the limit after the system has refused a thread.
  std::size_t threads() const {
    if (forked_.load()) return 1;
    return refused_.load() ? std::min(limit_.load(), workers_.load() + 1) : limit_.load();
  }

  void set_forked() { forked_.store(true); }

  void hold(microseconds time) {
    const Clock::time_point end = Clock::now() + std::min(time, kLongestHold);
    held_until_.store(end.time_since_epoch().count(), std::memory_order_relaxed);
  }

 private:
  void hand_out(std::size_t tasks, std::size_t participants, void (*body)(void*, std::size_t),
                void* context) {
    body_ = body;
    context_ = context;
    stop_ = StopFlag();
    participants_ = participants;
    for (std::size_t i = 0; i < participants; ++i) {
      ranges_[i].next.store(tasks * i / participants, std::memory_order_relaxed);
      ranges_[i].end = tasks * (i + 1) / participants;
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
    const auto all_left = [&] { return inside_.load(std::memory_order_seq_cst) == 0; };
    const bool crowded = participants > cpus_;
    if (spin_until(crowded ? microseconds::zero() : kSpinningBeforeYield, all_left)) return;
    while (!all_left()) std::this_thread::yield();
  }

  void work(std::size_t self) {
    for (std::size_t i = 0; i < participants_; ++i) {
      TaskRange& range = ranges_[(self + i) % participants_];
      for (;;) {
        const std::size_t task = range.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= range.end || stop_.raised()) break;
        body_(context_, task);
      }
    }
  }

  // Under busy_. As many workers as there are to be had; fewer change no bit of a result.
  void ensure_workers(std::size_t wanted) {
    if (workers_.load() >= wanted) return;
    const bool refused = refused_.load();
    if (refused && Clock::now() < next_try_) return;
    if (!refused) retry_ = kFirstRetry;
    while (workers_.load() < wanted) {
      if (!start_worker(workers_.load())) {
        refused_.store(true);
        next_try_ = Clock::now() + retry_;
        retry_ = std::min(2 * retry_, kLastRetry);
        return;
      }
      workers_.fetch_add(1);
    }
    refused_.store(false);
  }

  bool start_worker(std::size_t index) {
    Seat& seat = seats_[index];
    seat = {this, index + 1};
    const auto serve = [](void* taken) -> void* {
      const Seat* const mine = static_cast<Seat*>(taken);
      mine->pool->serve(mine->self);
    };
    return start_thread(serve, &seat);
  }

  [[noreturn]] void serve(std::size_t self) {
    const FloatEnvironment environment;
    // More threads than CPUs don't spin: they would take the CPU from whoever computes.
    const bool may_spin = self < cpus_;
    bool in_a_row = false;
    std::uint64_t seen = 0;
    for (;;) {
      const microseconds spinning = in_a_row ? kSpinningInARow : kSpinning;
      const Clock::time_point since = Clock::now();
      const std::uint64_t job = next_job(seen, may_spin ? spinning : microseconds::zero());
      in_a_row = Clock::now() - since < kInARow;
      seen = job;
      inside_.fetch_add(1, std::memory_order_seq_cst);
      // Still the same open job: the caller now waits for us. Otherwise it may be over already.
      if (job_.load(std::memory_order_seq_cst) == job && self < participants_) work(self);
      inside_.fetch_sub(1, std::memory_order_seq_cst);
    }
  }

  // The next open job other than `seen`: spin first, then park.
  std::uint64_t next_job(std::uint64_t seen, microseconds spinning) {
    std::uint64_t job = 0;
    const auto is_new = [&] {
      job = job_.load(std::memory_order_seq_cst);
      return job % 2 == 1 && job != seen;
    };
    if (spin_until(spinning, is_new)) return job;
    while (spinning != microseconds::zero() && is_held()) {
      if (spin_until(spinning, is_new)) return job;
    }
    std::unique_lock<std::mutex> lock(sleep_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    while (!is_new()) wake_.wait(lock);
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    return job;
  }

  bool is_held() const {
    const Clock::duration end{held_until_.load(std::memory_order_relaxed)};
    return Clock::now().time_since_epoch() < end;
  }

  // Who a worker is.
  struct Seat {
    Pool* pool;
    std::size_t self;
  };

  const std::size_t cpus_;
  std::atomic<std::size_t> limit_;
  std::atomic<bool> forked_{false};
  Seat seats_[kMaxThreads];
  std::mutex busy_;  // held by the caller whose job the pool runs
  std::atomic<std::size_t> workers_{0};
  std::atomic<bool> refused_{false};  // the last request for a thread was
  Clock::time_point next_try_;
  milliseconds retry_ = kFirstRetry;

  // The job. Written by the caller before job_ turns odd, read by workers counted in inside_.
  std::atomic<std::uint64_t> job_{0};
  std::atomic<std::size_t> inside_{0};
  void (*body_)(void*, std::size_t) = nullptr;
  void* context_ = nullptr;
  StopFlag stop_;
  std::size_t participants_ = 0;
  TaskRange ranges_[kMaxThreads];

  std::mutex sleep_;
  std::condition_variable wake_;
  std::atomic<std::size_t> sleepers_{0};
  std::atomic<Clock::rep> held_until_{0};
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
    pthread_atfork(nullptr, nullptr, [] { pool().set_forked(); });
#endif
    return made;
  }();
  return *leaked;
}

}  // namespace

StopFlag::StopFlag() : flag_(stop_flag) {}

StopWhen::StopWhen(const std::atomic<bool>& flag) : outer_(stop_flag) { stop_flag = &flag; }
StopWhen::~StopWhen() { stop_flag = outer_; }

void parallel_for(std::size_t tasks, void (*body)(void*, std::size_t), void* context) {
  pool().run(tasks, body, context);
}

std::size_t thread_count() { return pool().threads(); }

void set_thread_count(std::size_t threads) { pool().set_limit(threads); }

void hold_workers(std::size_t time) {
  pool().hold(microseconds(std::min<std::size_t>(time, kLongestHold.count())));
}

}  // namespace evenkeel
