// Work that runs beside the JavaScript thread: one thread for the whole process takes jobs first in, first
// out; each spreads over the pool as any call does, so its bits are those of the same work done at once.
// Like the pool it lives until the process ends and its memory is leaked on purpose.
#pragma once

#include <atomic>

#include "workspace.h"

namespace evenkeel {

class JobOwner;
class JobThread;

enum class JobStatus { done, cancelled, out_of_memory };

// Plain data: pointers, shapes, flags. What it points to stays where it is until the job has ended.
class Job {
 public:
  explicit Job(double ticket) : ticket_(ticket) {}
  virtual ~Job() = default;

  // Throws std::bad_alloc.
  virtual void run(Workspace& workspace) = 0;

  JobStatus status() const { return status_; }

 private:
  friend class JobOwner;
  friend class JobThread;

  double ticket_;
  std::atomic<bool> cancelled_{false};
  JobStatus status_ = JobStatus::done;
  JobOwner* owner_ = nullptr;
  Job* next_ = nullptr;
};

// Whose jobs they are: one environment. All but `notify` happens on its thread.
class JobOwner {
 public:
  // `notify` is called where jobs have ended since the last take_ended(), from any thread and under a
  // lock: it must do no more than wake the owner's thread. Throws std::bad_alloc, and nothing else here
  // throws at all.
  JobOwner(void (*notify)(void* context), void* context);
  ~JobOwner();
  JobOwner(const JobOwner&) = delete;
  JobOwner& operator=(const JobOwner&) = delete;

  // Queues a job, which take_ended() gives back. False where there is no thread to be had, or in a forked
  // child: then the job has been run on this thread, and is still the caller's.
  bool start(Job* job);

  // A queued job of that ticket ends at once, a running one within a task of parallel_for.
  void cancel(double ticket);

  // The jobs that have ended, first to last, through next(); nullptr where there is none.
  Job* take_ended();
  static Job* next(const Job* job) { return job->next_; }

  // Drops what is queued and waits until what is running has left its memory. Nobody is notified any more.
  void close();

 private:
  friend class JobThread;

  void end(Job* job, JobStatus status);

  JobThread& thread_;
  void (*notify_)(void*);
  void* context_;
  // Under the lock of the thread.
  bool closed_ = false;
  bool notified_ = false;
  Job* first_ended_ = nullptr;
  Job* last_ended_ = nullptr;
};

}  // namespace evenkeel
