#include "jobs.h"

#include <condition_variable>
#include <exception>
#include <mutex>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "parallel.h"
#include "thread.h"

namespace evenkeel {

// The queue, and the thread that works through it.
class JobThread {
 public:
  static JobThread& get() {
    static JobThread* const leaked = [] {
      JobThread* made = new JobThread;
#if defined(__unix__) || defined(__APPLE__)
      // A forked child has our memory, maybe with the lock held, and none of our threads.
      pthread_atfork(nullptr, nullptr, [] { get().forked_.store(true); });
#endif
      return made;
    }();
    return *leaked;
  }

  static void execute(Job& job, Workspace& workspace) {
    const StopWhen stop(job.cancelled_);
    try {
      job.run(workspace);
      job.status_ = job.cancelled_.load() ? JobStatus::cancelled : JobStatus::done;
    } catch (const std::exception&) {  // bad_alloc; no kernel throws anything else
      job.status_ = JobStatus::out_of_memory;
    }
  }

  // Under the lock. Whether there is a thread; tried anew for each job where there was none.
  bool ensure() {
    if (!alive_) {
      alive_ =
          start_thread([](void* self) -> void* { static_cast<JobThread*>(self)->serve(); }, this);
    }
    return alive_;
  }

  void push(Job* job) {
    job->next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = job;
    last_ = job;
    work_.notify_one();
  }

  // Takes the queued jobs of `owner` that `which` holds for out, and hands each to `each`.
  template <class Which, class Each>
  void remove(const JobOwner* owner, const Which& which, const Each& each) {
    Job* rest = first_;
    first_ = last_ = nullptr;
    while (rest != nullptr) {
      Job* const job = rest;
      rest = job->next_;
      job->next_ = nullptr;
      if (job->owner_ == owner && which(*job)) {
        each(job);
      } else {
        (last_ != nullptr ? last_->next_ : first_) = job;
        last_ = job;
      }
    }
  }

  std::mutex lock_;
  std::condition_variable left_;  // running_ has ended
  Job* running_ = nullptr;
  std::atomic<bool> forked_{false};

 private:
  [[noreturn]] void serve() {
    Workspace workspace;
    std::unique_lock<std::mutex> lock(lock_);
    for (;;) {
      work_.wait(lock, [&] { return first_ != nullptr; });
      Job* const job = first_;
      first_ = job->next_;
      if (first_ == nullptr) last_ = nullptr;
      job->next_ = nullptr;
      running_ = job;
      lock.unlock();
      execute(*job, workspace);
      lock.lock();
      running_ = nullptr;
      job->owner_->end(job, job->status_);
      left_.notify_all();
    }
  }

  std::condition_variable work_;
  bool alive_ = false;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
};

JobOwner::JobOwner(void (*notify)(void* context), void* context)
    : thread_(JobThread::get()), notify_(notify), context_(context) {}

bool JobOwner::start(Job* job) {
  job->owner_ = this;
  if (!thread_.forked_.load()) {
    const std::lock_guard<std::mutex> lock(thread_.lock_);
    if (thread_.ensure()) {
      thread_.push(job);
      return true;
    }
  }
  Workspace workspace;
  JobThread::execute(*job, workspace);
  return false;
}

void JobOwner::cancel(double ticket) {
  if (thread_.forked_.load()) return;
  const std::lock_guard<std::mutex> lock(thread_.lock_);
  const auto meant = [&](const Job& job) { return job.ticket_ == ticket; };
  thread_.remove(this, meant, [&](Job* job) { end(job, JobStatus::cancelled); });
  Job* const running = thread_.running_;
  if (running != nullptr && running->owner_ == this && meant(*running)) {
    running->cancelled_.store(true);
  }
}

// Under the lock.
void JobOwner::end(Job* job, JobStatus status) {
  job->status_ = status;
  (last_ended_ != nullptr ? last_ended_->next_ : first_ended_) = job;
  last_ended_ = job;
  if (closed_ || notified_) return;
  notified_ = true;
  notify_(context_);
}

Job* JobOwner::take_ended() {
  if (thread_.forked_.load()) return nullptr;
  const std::lock_guard<std::mutex> lock(thread_.lock_);
  Job* const first = first_ended_;
  first_ended_ = last_ended_ = nullptr;
  notified_ = false;
  return first;
}

void JobOwner::close() {
  if (thread_.forked_.load()) return;
  std::unique_lock<std::mutex> lock(thread_.lock_);
  closed_ = true;
  thread_.remove(
      this, [](const Job&) { return true; }, [](Job* job) { delete job; });
  const auto ours = [&] { return thread_.running_ != nullptr && thread_.running_->owner_ == this; };
  if (ours()) thread_.running_->cancelled_.store(true);
  thread_.left_.wait(lock, [&] { return !ours(); });
}

JobOwner::~JobOwner() {
  for (Job* job = first_ended_; job != nullptr;) {
    Job* const after = job->next_;
    delete job;
    job = after;
  }
}

}  // namespace evenkeel
