#include "optimizers.h"

#include "blocks.h"
#include "../kernels/dispatch.h"

namespace evenkeel {
namespace {

template <class T>
T* at(T* array, std::size_t i) {
  return array != nullptr ? array + i : nullptr;
}

}  // namespace

template <class T>
void rmsprop_step(T* parameter, const T* gradient, T* square, T* momentum, T* mean, std::size_t n,
                  const RmspropStep& step) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().optimizers.rmsprop(parameter + i, gradient + i, square + i, at(momentum, i),
                                       at(mean, i), count, step);
  });
}

template <class T>
void adagrad_step(T* parameter, const T* gradient, T* sum, std::size_t n, const AdagradStep& step) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().optimizers.adagrad(parameter + i, gradient + i, sum + i, count, step);
  });
}

double nadam_momentum(double beta1, double momentum_decay, double t) {
  const FloatEnvironment environment;
  constexpr double kLog096 = -0.04082199452025517;  // log(0.96)
  const double power =
      kernels_of<double>().optimizers.exp_nonpositive(t * momentum_decay * kLog096);
  return beta1 * (1.0 - 0.5 * power);
}

template <class T>
void nadam_step(T* parameter, const T* gradient, T* m, T* v, std::size_t n, const NadamStep& step) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().optimizers.nadam(parameter + i, gradient + i, m + i, v + i, count, step);
  });
}

template <class T>
void lars_step(T* parameter, const T* gradient, T* momentum, std::size_t n, const LarsStep& step) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().optimizers.lars(parameter + i, gradient + i, momentum + i, count, step);
  });
}

template <class T>
void lerp(const T* a, const T* b, double weight, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().optimizers.lerp(a + i, b + i, static_cast<T>(weight), out + i, count);
  });
}

template <class T>
void clip_values(const T* x, double most, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().optimizers.clip_values(x + i, static_cast<T>(most), out + i, count);
  });
}

template <class T>
double norm_part(const T* x, std::size_t n, Norm kind, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  const std::size_t blocks = divide_up(n, kBlock);
  Total* parts = workspace.take<Total>(blocks);
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    parts[i / kBlock] = kernels_of<T>().optimizers.norm(x + i, count, kind);
  });
  Total total{0.0, 0.0};
  for (std::size_t i = 0; i < blocks; ++i) {
    if (kind != Norm::kLargest) {
      add_to(total, parts[i].high);
      total.low += parts[i].low;
    } else if (total.high == total.high && !(parts[i].high <= total.high)) {
      total.high = parts[i].high;  // NaN stays once it is there
    }
  }
  return kind == Norm::kLargest ? total.high : value_of(total);
}

#define EVENKEEL_FOR(T)                                                                  \
  template void rmsprop_step(T*, const T*, T*, T*, T*, std::size_t, const RmspropStep&); \
  template void adagrad_step(T*, const T*, T*, std::size_t, const AdagradStep&);         \
  template void nadam_step(T*, const T*, T*, T*, std::size_t, const NadamStep&);         \
  template void lars_step(T*, const T*, T*, std::size_t, const LarsStep&);               \
  template void lerp(const T*, const T*, double, T*, std::size_t);                       \
  template void clip_values(const T*, double, T*, std::size_t);                          \
  template double norm_part(const T*, std::size_t, Norm, Workspace&);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
