// What the checks with threads do again and again: numbered cases over memory of their own, each with the
// hash that one thread alone computes.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../../native/kernels/dispatch.h"
#include "../../native/runtime/parallel.h"
#include "checks.h"
#include "operations.h"

namespace evenkeel::check {

class Worker {
 public:
  static constexpr std::size_t kCases = 40;

  explicit Worker(const Settings& settings)
      : seed_(settings.seed), memory_(32, kElements * 4 * sizeof(double)) {}

  std::uint64_t run(std::size_t number) {
    Draw draw(mixed(seed_ + 7) + number);
    memory_.begin_case(draw.next(), Values::ordinary);
    memory_.begin_run(Place::shifted, false, number);
    wrong_ = operations()[number % operations().size()].run(draw, kElements, memory_);
    wrong_ += memory_.faults();
    return is_stopped() ? 0 : memory_.hash();
  }

  // The same in scratch that is somebody's.
  std::uint64_t run(std::size_t number, Workspace& workspace) {
    std::swap(memory_.workspace, workspace);
    const std::uint64_t hash = run(number);
    std::swap(memory_.workspace, workspace);
    return hash;
  }

  const std::string& wrong() const { return wrong_; }

  // The hashes of all cases on one thread.
  static std::vector<std::uint64_t> alone(const Settings& settings) {
    Worker worker(settings);
    std::vector<std::uint64_t> hashes;
    set_thread_count(1);
    for (std::size_t i = 0; i < kCases; ++i) hashes.push_back(worker.run(i));
    return hashes;
  }

 private:
  // Large enough to be handed out, small enough to be many.
  static constexpr std::size_t kElements = 60'000;

  std::uint64_t seed_;
  Memory memory_;
  std::string wrong_;
};

// In a child process, which tells by its exit code. Under valgrind it inherits the count of errors: what valgrind has
// reported before the fork is an exit code of the child, too.
template <class Body>
bool holds_in_child(const Body& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  const bool ended = child > 0 && waitpid(child, &status, 0) == child;
  if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  std::fprintf(stderr, "a child ended with the status 0x%x\n", static_cast<unsigned>(status));
  return false;
}

// Sets thread counts and instruction sets at random for as long as somebody runs; returns how often.
inline std::size_t change_settings_while(const std::atomic<std::size_t>& running, Draw draw) {
  std::size_t changes = 0;
  for (; running > 0; ++changes) {
    set_thread_count(draw.between(1, 16));
    select_isa(available_isas()[draw.below(available_isas().size())]->name);
    std::this_thread::yield();
  }
  select_isa(available_isas().front()->name);
  return changes;
}

}  // namespace evenkeel::check
