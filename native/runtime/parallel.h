// A thread pool that only ever changes how long a call takes, never its result: callers cut the work
// by shape, the pool hands the tasks out. Parked when idle, lives until the process ends (its memory
// is leaked on purpose: at exit() a joinable static thread aborts the process).
#pragma once

#include <atomic>
#include <cstddef>

namespace evenkeel {

// Runs body(task) for every task in [0, tasks), on up to thread_count() threads, the caller among
// them, and returns when all have ended. Runs inline when the pool is busy with another caller, in a
// forked child, or when no thread can be created; a thread that was refused is asked for again later. `body` must not throw and must not call
// parallel_for.
void parallel_for(std::size_t tasks, void (*body)(void* context, std::size_t task), void* context);

template <class Body>
void parallel_for(std::size_t tasks, const Body& body) {
  if (tasks == 1) {
    body(std::size_t{0});
    return;
  }
  parallel_for(
      tasks, [](void* context, std::size_t task) { (*static_cast<const Body*>(context))(task); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// While it lives, and once `flag` is set, parallel_for called by this thread skips the tasks that are left:
// what they would have written is garbage, and nobody may look at it.
class StopWhen {
 public:
  explicit StopWhen(const std::atomic<bool>& flag);
  ~StopWhen();
  StopWhen(const StopWhen&) = delete;
  StopWhen& operator=(const StopWhen&) = delete;

 private:
  const std::atomic<bool>* outer_;  // the flag in force before, and again after
};

// The same question for tasks that are long themselves. Made where parallel_for is called.
class StopFlag {
 public:
  StopFlag();
  bool raised() const { return flag_ != nullptr && flag_->load(std::memory_order_relaxed); }

 private:
  const std::atomic<bool>* flag_;
};

// Whether it is by now. What the last parallel_for was to write is looked at only where not: a search for what is not
// there would not end.
inline bool is_stopped() { return StopFlag().raised(); }

// Threads a call may use now, the caller included: what was set, or fewer where the system has refused some,
// and 1 in a forked child. The default is what the process may run on: its CPU affinity and its cgroup's
// quota.
std::size_t thread_count();
void set_thread_count(std::size_t threads);

// Workers that have not parked yet stay awake for `time` microseconds, 500 at most: for a caller that does something
// else between two jobs, longer than they look for the next one (20 us), and would have to wake them.
void hold_workers(std::size_t time);

}  // namespace evenkeel
