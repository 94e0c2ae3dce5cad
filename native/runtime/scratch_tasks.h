// Tasks that need memory of their own while they run.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "parallel.h"
#include "work_split.h"
#include "workspace.h"

namespace evenkeel {

// body(task, scratch of its own) for every task, in any order, on as many threads as there are.
template <class T, class Body>
void run_with_scratch(std::size_t tasks, std::size_t elements, std::size_t scratch,
                      Workspace& workspace, const Body& body) {
  const std::size_t threads = elements < kParallelElements ? 1 : std::min(tasks, thread_count());
  const std::size_t each = (scratch + 63) / 64 * 64;
  T* memory = workspace.take<T>(threads * each);
  std::atomic<std::size_t> next{0};
  const StopFlag stop;
  run_tasks(threads, elements, [&](std::size_t thread) {
    while (!stop.raised()) {
      const std::size_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks) return;
      body(task, memory + thread * each);
    }
  });
}

}  // namespace evenkeel
