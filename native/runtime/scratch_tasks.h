// Tasks that need memory of their own while they run.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <new>

#include "parallel.h"
#include "work_split.h"
#include "workspace.h"

namespace evenkeel {

// What one thread has to do, on a line of its own. Whoever has finished takes from the others.
struct alignas(64) ScratchTasks {
  std::atomic<std::size_t> next;
  std::size_t end;
};

// body(task, scratch of its own) for every task, in any order, on as many threads as there are. Neighbouring tasks stay
// on one thread, in every call on the same one: what they read and write is in its caches.
template <class T, class Body>
void run_with_scratch(std::size_t tasks, std::size_t elements, std::size_t scratch,
                      Workspace& workspace, const Body& body) {
  const std::size_t threads = elements < kParallelElements ? 1 : std::min(tasks, thread_count());
  const std::size_t each = (scratch + 63) / 64 * 64;
  T* memory = workspace.take<T>(threads * each);
  ScratchTasks* parts = workspace.take<ScratchTasks>(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    new (parts + i) ScratchTasks{{tasks * i / threads}, tasks * (i + 1) / threads};
  }
  const StopFlag stop;
  run_tasks(threads, elements, [&](std::size_t thread) {
    for (std::size_t i = 0; i < threads; ++i) {
      ScratchTasks& part = parts[(thread + i) % threads];
      while (!stop.raised()) {
        const std::size_t task = part.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= part.end) break;
        body(task, memory + thread * each);
      }
    }
  });
}

}  // namespace evenkeel
