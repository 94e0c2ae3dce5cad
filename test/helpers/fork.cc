// fork() while native/runtime/parallel.cc and native/runtime/jobs.cc are at work: the child has their memory and none of
// their threads, and its calls must end all the same. `fork N`: N forks at random moments of other threads'
// calls and jobs.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "../../native/runtime/jobs.h"
#include "../../native/runtime/parallel.h"

namespace {

// Every task writes its own number; whether all have.
bool computes(std::size_t tasks) {
  std::vector<std::size_t> seen(tasks);
  evenkeel::parallel_for(tasks, [&](std::size_t task) {
    volatile double work = 1.0;
    for (int i = 0; i < 500; ++i) work = work * 1.000001;
    seen[task] = task + 1;
  });
  return std::accumulate(seen.begin(), seen.end(), std::size_t{0}) == tasks * (tasks + 1) / 2;
}

struct Computing final : evenkeel::Job {
  using Job::Job;
  void run(evenkeel::Workspace& workspace) override {
    workspace.reset();
    workspace.take<double>(1000);
    right = computes(32);
  }
  bool right = false;
};

// The jobs of one thread, as an environment has them.
struct Owner {
  evenkeel::JobOwner jobs{[](void* ended) { static_cast<std::atomic<int>*>(ended)->fetch_add(1); },
                          &notified};
  std::atomic<int> notified{0};

  // Whether all that have ended computed what they should.
  bool collect(int& count) {
    bool right = true;
    for (evenkeel::Job* job = jobs.take_ended(); job != nullptr;) {
      evenkeel::Job* const next = evenkeel::JobOwner::next(job);
      right &= static_cast<Computing*>(job)->right;
      delete job;
      job = next;
      ++count;
    }
    return right;
  }
};

// In a child: a job runs where it is started, one of the parent's never ends, and nobody waits for it.
bool starts_in_place(Owner& inherited) {
  Owner own;
  for (Owner* owner : {&own, &inherited}) {
    Computing job(1.0);
    if (owner->jobs.start(&job) || !job.right) return false;
    if (job.status() != evenkeel::JobStatus::done) return false;
    owner->jobs.cancel(1.0);
    int ended = 0;
    if (!owner->collect(ended) || ended != 0) return false;
    owner->jobs.close();
  }
  return true;
}

}  // namespace

int main(int, char** arguments) {
  const int forks = std::atoi(arguments[1]);
  evenkeel::set_thread_count(4);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread busy([&] {
    // Small calls with pauses about as long as the threads look for work: they keep parking and waking.
    for (unsigned call = 0; !stop.load(); ++call) {
      wrong += computes(4) ? 0 : 1;
      usleep(call * 37 % 300);
    }
  });
  Owner owner;
  int started = 0, ended = 0;
  unsigned state = 1;
  for (int i = 0; i < forks; ++i) {
    for (; started - ended < 8; ++started) owner.jobs.start(new Computing(started));
    state = state * 1103515245 + 12345;
    usleep(state / 65536 % 500);
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(computes(64) && computes(1) && computes(1000) && starts_in_place(owner) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (child < 0 || status != 0) {
      std::printf("fork %d: status %d\n", i, status);
      return 1;
    }
    wrong += owner.collect(ended) ? 0 : 1;
  }
  while (ended < started) wrong += owner.collect(ended) ? 0 : 1;
  stop = true;
  busy.join();
  std::printf("%d forks\n", forks);
  return wrong.load() == 0 ? 0 : 1;
}
