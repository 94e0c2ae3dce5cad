#include "thread.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>

#include <cstddef>
#else
#include <exception>
#include <thread>
#endif

namespace evenkeel {

#if defined(__unix__) || defined(__APPLE__)

bool start_thread(void* (*body)(void*), void* context) {
  // Unless told, musl's have 128 KB, and glibc's the 8 MB of the shell's limit.
  constexpr std::size_t kStack = std::size_t{1} << 20;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // A new thread has the mask of the one that makes it. Signals of the host's go to the host's threads, but a
  // crash handler must hear of a fault here, and a profiler that samples by SIGPROF of the time spent here.
  sigset_t blocked, old;
  sigfillset(&blocked);
  constexpr int kOpen[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF};
  for (const int signal : kOpen) sigdelset(&blocked, signal);
  pthread_sigmask(SIG_SETMASK, &blocked, &old);
  pthread_t thread;
  const int failed = pthread_create(&thread, &attributes, body, context);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  pthread_attr_destroy(&attributes);
  return failed == 0;
}

#else

bool start_thread(void* (*body)(void*), void* context) {
  try {
    std::thread(body, context).detach();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

#endif

}  // namespace evenkeel
