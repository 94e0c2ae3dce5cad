#include "class_losses.h"

#include <algorithm>

#include "blocks.h"
#include "strided.h"

namespace evenkeel {

template <class T>
double finish_losses(const double* losses, std::size_t rows, T* values) {
  const FloatEnvironment environment;
  double sum = 0.0;
  for (std::size_t r = 0; r < rows; ++r) sum += losses[r];
  if (values != nullptr) {
    for (std::size_t r = 0; r < rows; ++r) values[r] = static_cast<T>(losses[r]);
  }
  return sum;
}

template <class T>
void scales(RowScale<T> scale, std::size_t rows, double* out) {
  const FloatEnvironment environment;
  for (std::size_t r = 0; r < rows; ++r) out[r] = scale.of(r);
}

double counted_weight(const std::int32_t* targets, const double* weight, std::size_t rows,
                      std::int32_t ignore) {
  const FloatEnvironment environment;
  double sum = 0.0;
  for (std::size_t r = 0; r < rows; ++r) {
    if (targets[r] == ignore) continue;
    sum += weight != nullptr ? weight[targets[r]] : 1.0;
  }
  return sum;
}

template <class T>
void nll_losses(const T* x, const ClassTargets& of, double* losses) {
  const FloatEnvironment environment;
  for (std::size_t o = 0; o < of.outer; ++o) {
    for (std::size_t i = 0; i < of.inner; ++i) {
      const std::size_t row = o * of.inner + i;
      const std::int32_t target = of.targets[row];
      double weight = 0.0;
      if (target != of.ignore) weight = of.weight != nullptr ? of.weight[target] : 1.0;
      if (weight == 0.0) {
        losses[row] = 0.0;  // also where x is infinite
        continue;
      }
      const std::size_t at = (o * of.classes + static_cast<std::size_t>(target)) * of.inner + i;
      losses[row] = -weight * static_cast<double>(x[at]);
    }
  }
}

template <class T>
void nll_gradients(const ClassTargets& of, RowScale<T> scale, T* dx) {
  fill(dx, T(0), of.outer * of.classes * of.inner);
  const FloatEnvironment environment;
  for (std::size_t o = 0; o < of.outer; ++o) {
    for (std::size_t i = 0; i < of.inner; ++i) {
      const std::size_t row = o * of.inner + i;
      const std::int32_t target = of.targets[row];
      if (target == of.ignore) continue;
      const double weight = of.weight != nullptr ? of.weight[target] : 1.0;
      const std::size_t at = (o * of.classes + static_cast<std::size_t>(target)) * of.inner + i;
      dx[at] = static_cast<T>(-weight * scale.of(row));
    }
  }
}

template <class T>
std::size_t first_outside(const T* x, std::size_t n, double low, double high,
                          Workspace& workspace) {
  workspace.reset();
  const FloatEnvironment environment;
  const T least = static_cast<T>(low), most = static_cast<T>(high);
  const std::size_t blocks = divide_up(n, kBlock);
  bool* outside = workspace.take<bool>(blocks);
  run_tasks(blocks, n, [&](std::size_t block) {
    const Range range = cut(n, kBlock, block);
    bool within = true;
    for (std::size_t i = range.begin; i < range.end; ++i) within &= x[i] >= least && x[i] <= most;
    outside[block] = !within;
  });
  if (is_stopped()) return n;
  const std::size_t block =
      static_cast<std::size_t>(std::find(outside, outside + blocks, true) - outside);
  if (block == blocks) return n;
  std::size_t at = cut(n, kBlock, block).begin;
  while (at < n && x[at] >= least && x[at] <= most) ++at;  // somebody may write to x meanwhile
  return at;
}

#define EVENKEEL_FOR(T)                                              \
  template double finish_losses(const double*, std::size_t, T*);     \
  template void scales(RowScale<T>, std::size_t, double*);           \
  template void nll_losses(const T*, const ClassTargets&, double*);  \
  template void nll_gradients(const ClassTargets&, RowScale<T>, T*); \
  template std::size_t first_outside(const T*, std::size_t, double, double, Workspace&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
