// fork() while native/parallel.cc is at work: the child has the pool's memory and none of its threads,
// and its calls must end all the same. `fork N`: N forks at random moments of another thread's calls.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "../../native/parallel.h"

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
  unsigned state = 1;
  for (int i = 0; i < forks; ++i) {
    state = state * 1103515245 + 12345;
    usleep(state / 65536 % 500);
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(computes(64) && computes(1) && computes(1000) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (child < 0 || status != 0) {
      std::printf("fork %d: status %d\n", i, status);
      return 1;
    }
  }
  stop = true;
  busy.join();
  std::printf("%d forks\n", forks);
  return wrong.load() == 0 ? 0 : 1;
}
