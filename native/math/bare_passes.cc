#include "bare_passes.h"

#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../runtime/work_split.h"

namespace evenkeel {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

}  // namespace

void bare_copy(const float* source, float* target, std::size_t n) {
  const FloatEnvironment environment;
  const bool stream = n * sizeof(float) >= kStreamBytes;
  run_tasks(divide_up(n, kBlock), n, [&](std::size_t task) {
    const Range range = cut(n, kBlock, task);
    kernels().copy(source + range.begin, target + range.begin, range.size(), stream);
  });
}

double bare_read(const float* source, std::size_t n) {
  const FloatEnvironment environment;
  double totals[64] = {};
  // 64 interleaved parts: enough for every thread, few enough to add up here.
  run_tasks(64, n, [&](std::size_t part) {
    for (std::size_t task = part; task < divide_up(n, kBlock); task += 64) {
      const Range range = cut(n, kBlock, task);
      totals[part] += kernels().read(source + range.begin, range.size());
    }
  });
  double total = 0.0;
  for (const double each : totals) total += each;
  return total;
}

}  // namespace evenkeel
