// Failures on demand: the program's own operator new and pthread_create stand before the libraries'.
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "checks.h"

namespace {

std::atomic<long> threads_left{-1};
std::atomic<long> allocations_left{0};
std::atomic<std::size_t> bytes_held{0};
std::atomic<bool> from_there_on{false}, has_failed{false};

bool must_fail() {
  if (allocations_left.load(std::memory_order_relaxed) == 0) return false;
  if (allocations_left.fetch_sub(1) != 1) return false;
  if (from_there_on) allocations_left = 1;
  has_failed = true;
  return true;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (must_fail()) throw std::bad_alloc();
  void* block = nullptr;
  const std::size_t least = sizeof(void*);
  if (posix_memalign(&block, alignment < least ? least : alignment, bytes == 0 ? 1 : bytes) != 0) {
    throw std::bad_alloc();
  }
  bytes_held += malloc_usable_size(block);
  return block;
}

void give_back(void* block) {
  bytes_held -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_left.load() == 0) return EAGAIN;
  if (threads_left.load() > 0) threads_left.fetch_sub(1);
  return create(thread, attributes, start, argument);
}

namespace evenkeel::check {

void fail_threads_after(long count) { threads_left = count; }

void fail_allocation(long nth, bool all_behind) {
  from_there_on = all_behind;
  has_failed = false;
  allocations_left = nth;
}

bool allocation_failed() { return has_failed; }

std::size_t allocated_bytes() { return bytes_held; }

}  // namespace evenkeel::check
