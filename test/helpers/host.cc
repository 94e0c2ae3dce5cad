// A hostile host for the addon under test, in one library that is both preloaded into Node and loaded by
// the test as an addon: allocations and threads that fail on request, a limit on memory, fork(), signals,
// another floating-point mode. It changes nothing until it is asked to, and nothing for anyone but the
// released evenkeel.node. Linux with glibc.
// Longer than 250 lines because each fault of a host is one entry.
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <node_api.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace {

// Fails request number `at`, and all later ones where it is told `forever`; 0 fails none. Counts all.
struct Plan {
  std::atomic<bool> watching{false};
  std::atomic<long> at{0}, seen{0};
  std::atomic<bool> forever{false};
};
Plan allocations, threads;

// Where a library's code is. (dladdr searches all of Node's symbols: 1 ms.)
struct Range {
  const char* name;
  std::uintptr_t begin = 0, end = 0;
  bool holds(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at >= begin && at < end;
  }
};
Range addon{"/evenkeel.node"}, library{"/libstdc++"}, own{"/build/test/"};

int locate(dl_phdr_info* info, std::size_t, void*) {
  for (Range* range : {&addon, &library, &own}) {
    if (std::strstr(info->dlpi_name, range->name) == nullptr) continue;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr)& part = info->dlpi_phdr[i];
      if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
      range->begin = info->dlpi_addr + part.p_vaddr;
      range->end = range->begin + part.p_memsz;
    }
  }
  return 0;
}

// Whether evenkeel.node asks, by itself or through the C++ library. Node's own requests go through: V8
// has no answer to a failed one but abort().
__attribute__((noinline)) bool addon_asks() {
  void* frames[12];
  const int count = backtrace(frames, 12);
  for (int i = 0; i < count; ++i) {
    if (!own.holds(frames[i]) && !library.holds(frames[i])) return addon.holds(frames[i]);
  }
  return false;
}

bool fails(Plan& plan) {
  if (!plan.watching.load(std::memory_order_relaxed) || !addon_asks()) return false;
  const long at = plan.at.load(), number = plan.seen.fetch_add(1) + 1;
  return at > 0 && (number == at || (plan.forever.load() && number > at));
}

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (fails(allocations)) throw std::bad_alloc();
  void* block = nullptr;
  if (alignment <= alignof(std::max_align_t)) {
    block = std::malloc(bytes != 0 ? bytes : 1);
  } else if (posix_memalign(&block, alignment, bytes) != 0) {
    block = nullptr;
  }
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*body)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (fails(threads)) return EAGAIN;
  return create(thread, attributes, body, argument);
}

namespace {

double number(napi_env env, napi_value value) {
  double result = 0.0;
  napi_get_value_double(env, value, &result);
  return result;
}

struct Call {
  napi_env env;
  napi_value arguments[2]{};
  Call(napi_env of, napi_callback_info info) : env(of) {
    std::size_t count = 2;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  }
  double operator[](int i) const { return number(env, arguments[i]); }
  napi_value result(double value) const {
    napi_value made = nullptr;
    napi_create_double(env, value, &made);
    return made;
  }
};

// (at, forever) from now on; at 0 only counts.
napi_value watch(Plan& plan, napi_env env, napi_callback_info info) {
  const Call call(env, info);
  dl_iterate_phdr(locate, nullptr);
  plan.at = static_cast<long>(call[0]);
  plan.forever = call[1] != 0.0;
  plan.seen = 0;
  plan.watching = true;
  return nullptr;
}
// -> how many there were
napi_value unwatch(Plan& plan, napi_env env, napi_callback_info info) {
  plan.watching = false;
  return Call(env, info).result(static_cast<double>(plan.seen.load()));
}
napi_value fail_allocation(napi_env e, napi_callback_info i) { return watch(allocations, e, i); }
napi_value allocations_seen(napi_env e, napi_callback_info i) { return unwatch(allocations, e, i); }
napi_value fail_thread(napi_env e, napi_callback_info i) { return watch(threads, e, i); }
napi_value threads_seen(napi_env e, napi_callback_info i) { return unwatch(threads, e, i); }

// (bytes) more than now and no further; negative: no limit again
napi_value limit_memory(napi_env env, napi_callback_info info) {
  const double more = Call(env, info)[0];
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (more >= 0.0) {
    unsigned long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
      if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
      std::fclose(file);
    }
    const rlim_t now = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
    limit.rlim_cur = now + static_cast<rlim_t>(more);
  }
  setrlimit(RLIMIT_AS, &limit);
  return nullptr;
}

// The calling thread, and those it starts from now on.
napi_value pin_to_one_cpu(napi_env, napi_callback_info) {
  cpu_set_t set, one;
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof(set), &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  sched_setaffinity(0, sizeof(one), &one);
  return nullptr;
}

// A child that does nothing but end. V8 keeps its heap out of forked children (MADV_DONTFORK), so no
// JavaScript runs in one. -> 0, or what went wrong with it.
int fork_and_wait() {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child < 0 ? errno : status;
}

// A thread of the host's that does something every few microseconds.
std::atomic<bool> restless{false};
std::atomic<long> done{0};
struct Storm {
  int signal;
  double microseconds;
};
void* storm(void* argument) {
  const Storm what = *static_cast<Storm*>(argument);
  delete static_cast<Storm*>(argument);
  while (restless.load()) {
    usleep(static_cast<useconds_t>(what.microseconds));
    if (what.signal != 0) {
      kill(getpid(), what.signal);
    } else if (fork_and_wait() != 0) {  // in the middle of whatever the others are at
      continue;
    }
    done.fetch_add(1);
  }
  return nullptr;
}
pthread_t storming;
// (signal, or 0 to fork; microseconds in between)
napi_value start_storm(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  restless = true;
  done = 0;
  auto* what = new Storm{static_cast<int>(call[0]), call[1]};
  pthread_create(&storming, nullptr, storm, what);
  return nullptr;
}
// -> how often it happened
napi_value end_storm(napi_env env, napi_callback_info info) {
  restless = false;
  pthread_join(storming, nullptr);
  return Call(env, info).result(static_cast<double>(done.load()));
}

// The floating-point mode of this thread, and () -> it; bits of MXCSR, or of FPCR.
napi_value float_mode(napi_env env, napi_callback_info info) {
#if defined(__x86_64__)
  return Call(env, info).result(_mm_getcsr());
#elif defined(__aarch64__)
  unsigned long bits;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(bits));
  return Call(env, info).result(static_cast<double>(bits));
#endif
}
napi_value set_float_mode(napi_env env, napi_callback_info info) {
  const double bits = Call(env, info)[0];
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(bits));
#elif defined(__aarch64__)
  __asm__ __volatile__("msr fpcr, %0" : : "r"(static_cast<unsigned long>(bits)));
#endif
  return nullptr;
}

// (bytes, offset) -> an ArrayBuffer of the host's own memory, so many bytes past an aligned address
napi_value external(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const auto bytes = static_cast<std::size_t>(call[0]);
  char* const block = static_cast<char*>(std::calloc(bytes + 64, 1));
  napi_value buffer = nullptr;
  const auto freed = [](napi_env, void*, void* whole) { std::free(whole); };
  napi_create_external_arraybuffer(env, block + static_cast<std::size_t>(call[1]), bytes, freed,
                                   block, &buffer);
  return buffer;
}

napi_value init(napi_env env, napi_value exports) {
  void* frames[4];
  backtrace(frames, 4);  // the first call loads a library: not in the middle of an allocation
  const struct {
    const char* name;
    napi_callback function;
  } table[] = {
      {"failAllocation", fail_allocation},
      {"allocations", allocations_seen},
      {"failThread", fail_thread},
      {"threads", threads_seen},
      {"limitMemory", limit_memory},
      {"pinToOneCpu", pin_to_one_cpu},
      {"startStorm", start_storm},
      {"endStorm", end_storm},
      {"floatMode", float_mode},
      {"setFloatMode", set_float_mode},
      {"external", external},
  };
  for (const auto& [name, function] : table) {
    napi_value made = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &made);
    napi_set_named_property(env, exports, name, made);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(evenkeel_host, init)
