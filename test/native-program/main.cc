// evenkeel-check: the kernels, the pool, the jobs and the operations of native/ without Node, for sanitizers,
// valgrind, emulators and other machines. The tests of test/native are the ones that explain; this one
// draws.
//
//   evenkeel-check [pool|jobs|stopped|fuzz|guards|allocations|ulps|large]… [--seed S] [--cases N] [--only K] [--no-guards]
//   [--zeros-alike]
#include <signal.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "checks.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace evenkeel::check {
namespace {

char current[512] = "";

void report() {
  const char before[] = "\nwhile at: evenkeel-check ";
  const bool written = write(2, before, sizeof before - 1) > 0 &&
                       write(2, current, std::strlen(current)) > 0 && write(2, "\n", 1) > 0;
  if (!written) _exit(1);
}

void crashed(int signal) {
  report();
  const char text[] = "FAILED: a signal (SIGSEGV: memory outside of the arguments)\n";
  _exit(write(2, text, sizeof text - 1) > 0 ? 128 + signal : 1);
}

struct Check {
  const char* name;
  bool (*run)(const Settings&);
};
// The pool first: its children want to be forked while there is one thread. The last two only where they are
// named: the errors of some functions, and 16 GB of addresses, half a minute.
constexpr Check kChecks[] = {{"pool", pool}, {"jobs", jobs},     {"stopped", stopped},
                             {"fuzz", fuzz}, {"guards", guards}, {"allocations", allocations},
                             {"ulps", ulps}, {"large", large}};

[[noreturn]] void usage(const char* argument) {
  std::fprintf(stderr,
               "evenkeel-check: expected [pool|jobs|stopped|fuzz|guards|allocations|ulps|large]... "
               "[--seed S] "
               "[--cases N] "
               "[--only K] [--no-guards] [--zeros-alike], got '%s'.\n",
               argument);
  std::exit(2);
}

}  // namespace

void now(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(current, sizeof current, format, arguments);
  va_end(arguments);
}

bool failed(const char* what) {
  std::fprintf(stderr, "FAILED: %s\nwhile at: evenkeel-check %s\n", what, current);
  return false;
}

}  // namespace evenkeel::check

int main(int count, char** arguments) {
  using namespace evenkeel::check;
  Settings settings;
  std::vector<const Check*> wanted;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    const bool takes_number = argument == "--seed" || argument == "--cases" || argument == "--only";
    if (takes_number) {
      char* end = nullptr;
      const char* const text = i + 1 < count ? arguments[++i] : "";
      const unsigned long long number = std::strtoull(text, &end, 10);
      if (*text == '\0' || *end != '\0') usage(arguments[i]);
      if (argument == "--seed") settings.seed = number;
      if (argument == "--cases") settings.cases = number;
      if (argument == "--only") settings.only = number;
      continue;
    }
    if (argument == "--no-guards") {
      settings.guards = false;
      continue;
    }
    if (argument == "--zeros-alike") {
      settings.signed_zeros = false;
      continue;
    }
    const std::size_t before = wanted.size();
    for (const Check& check : kChecks) {
      if (argument == check.name) wanted.push_back(&check);
    }
    if (wanted.size() == before) usage(arguments[i]);
  }
  if (wanted.empty()) {
    for (const Check& check : kChecks) {
      if (check.run != large && check.run != ulps) wanted.push_back(&check);
    }
  }

  // On a stack of its own: the fault may be the stack's.
  static char stack[64 * 1024];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_handler = crashed;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) sigaction(signal, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(report);

  for (const Check* check : wanted) {
    if (!check->run(settings)) return 1;
    std::fflush(stdout);
  }
  return 0;
}
