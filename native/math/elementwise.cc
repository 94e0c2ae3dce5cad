#include "elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arithmetic.h"
#include "blocks.h"
#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "natural_log.h"

namespace evenkeel {
namespace {

template <class T>
Total total_of(const T* x, std::size_t n, Workspace& workspace) {
  return sum_blocks(n, workspace, [&](std::size_t i, std::size_t count) {
    return kernels_of<T>().reductions.sum_row(SumOfEach::value, x + i, count, 0.0);
  });
}

template <class T>
Total squares_of(const T* a, const T* b, std::size_t n, Workspace& workspace) {
  return sum_blocks(n, workspace, [&](std::size_t i, std::size_t count) {
    return kernels_of<T>().elementwise.squared_difference(a + i, b + i, count);
  });
}

// The mean of finite values whose sum is not: of values scaled down.
template <class T>
double mean_of_large(const T* x, std::size_t n) {
  constexpr double kDown = 0x1p-60, kUp = 0x1p60;  // 2^53 values at most
  Total total{0.0, 0.0};
  for (std::size_t i = 0; i < n; ++i) add_to(total, static_cast<double>(x[i]) * kDown);
  return quotient(total, static_cast<double>(n)) * kUp;
}

}  // namespace

template <class T>
void relu(const T* x, T* y, std::size_t n) {
  if (n * sizeof(T) >= kStreamBytes) {
    // The same bits, written past the caches.
    apply_unary(UnaryCode::clamp, x, y, n, {0.0, std::numeric_limits<double>::infinity()});
    return;
  }
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.relu(x + i, y + i, count);
  });
}

template <class T>
void relu_backward(const T* y, const T* dy, T* dx, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.relu_backward(y + i, dy + i, dx + i, count);
  });
}

template <class T>
void add(const T* a, const T* b, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.add(a + i, b + i, out + i, count);
  });
}

template <class T>
void multiply(const T* a, const T* b, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.multiply(a + i, b + i, out + i, count);
  });
}

template <class T>
void scale(const T* x, double factor, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.scale(x + i, static_cast<T>(factor), out + i, count);
  });
}

template <class T>
double sum(const T* x, std::size_t n, Workspace& workspace) {
  const FloatEnvironment environment;
  return value_of(total_of(x, n, workspace));
}

template <class T>
double mean(const T* x, std::size_t n, Workspace& workspace) {
  const FloatEnvironment environment;
  const Total total = total_of(x, n, workspace);
  if (!std::isfinite(total.high)) return mean_of_large(x, n);
  return quotient(total, static_cast<double>(n));
}

template <class T>
void dropout(const T* x, T* y, std::size_t n, double p, std::uint64_t key, std::uint64_t offset) {
  const FloatEnvironment environment;
  p = environment.within(p);
  const double threshold = p * 4294967296.0;
  const bool all = threshold >= 4294967296.0;
  const unsigned int below = all ? 0u : static_cast<unsigned int>(threshold);
  const T factor = all ? T(0) : static_cast<T>(1.0 / (1.0 - p));
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.dropout(x + i, y + i, count, {i, key, offset}, below, all, factor);
  });
}

template <class T>
void uniform(T* out, std::size_t n, double low, double high, std::uint64_t key,
             std::uint64_t offset) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.uniform(out + i, count, {i, key, offset}, static_cast<T>(low),
                                        static_cast<T>(high));
  });
}

void random_words(std::uint32_t* out, std::size_t n, std::uint64_t key, std::uint64_t offset) {
  kernels().random_words(out, n, key, offset);
}

template <class T>
void sgd_step(T* parameter, const T* gradient, T* momentum, std::size_t n, const SgdStep& step) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.sgd(parameter + i, gradient + i,
                                    momentum != nullptr ? momentum + i : nullptr, count, step);
  });
}

template <class T>
void adam_step(T* parameter, const T* gradient, T* m, T* v, std::size_t n, const AdamStep& step) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.adam(parameter + i, gradient + i, m + i, v + i, count, step);
  });
}

template <class T>
double squared_error(const T* prediction, const T* target, std::size_t n, Workspace& workspace) {
  const FloatEnvironment environment;
  return value_of(squares_of(prediction, target, n, workspace));
}

template <class T>
double mean_squared_error(const T* prediction, const T* target, std::size_t n,
                          Workspace& workspace) {
  const FloatEnvironment environment;
  return quotient(squares_of(prediction, target, n, workspace), static_cast<double>(n));
}

template <class T>
void squared_error_backward(const T* prediction, const T* target, double factor, T* gradient,
                            std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().elementwise.difference(prediction + i, target + i, static_cast<T>(factor),
                                           gradient + i, count);
  });
}

template <class T>
CrossEntropy cross_entropy(const T* logits, const std::int32_t* targets, T* probabilities,
                           std::size_t rows, std::size_t classes, std::int32_t ignore,
                           Workspace& workspace) {
  workspace.reset();
  if (rows == 0 || classes == 0) return {0.0, 0, 0.0};
  const std::size_t step =
      std::max<std::size_t>(1, kBlock / 16 / classes);  // exp is 16 loads' worth
  const std::size_t blocks = divide_up(rows, step);
  double* maximum = workspace.take<double>(rows);
  double* total = workspace.take<double>(rows);
  double* work = workspace.take<double>(blocks * classes);
  const FloatEnvironment environment;
  run_tasks(blocks, rows * classes * 16, [&](std::size_t block) {
    const Range range = cut(rows, step, block);
    kernels_of<T>().elementwise.softmax(
        logits + range.begin * classes, probabilities + range.begin * classes, range.size(),
        classes, maximum + range.begin, total + range.begin, work + block * classes);
  });
  if (is_stopped()) return {0.0, 0, 0.0};
  Total loss{0.0, 0.0};
  std::size_t counted = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    if (targets[r] == ignore) continue;
    const T logit = logits[r * classes + static_cast<std::size_t>(targets[r])];
    add_to(loss, natural_log(total[r]) - (static_cast<double>(logit) - maximum[r]));
    ++counted;
  }
  const double all = static_cast<double>(counted);
  return {value_of(loss), counted, counted == 0 ? 0.0 : quotient(loss, all)};
}

template <class T>
void cross_entropy_backward(const T* probabilities, const std::int32_t* targets, double factor,
                            T* gradient, std::size_t rows, std::size_t classes,
                            std::int32_t ignore) {
  scale(probabilities, factor, gradient, rows * classes);
  const FloatEnvironment environment;
  for (std::size_t r = 0; r < rows; ++r) {
    T* row = gradient + r * classes;
    if (targets[r] == ignore) {
      std::fill_n(row, classes, T(0));
    } else {
      const std::size_t at = static_cast<std::size_t>(targets[r]);
      row[at] =
          static_cast<T>((static_cast<double>(probabilities[r * classes + at]) - 1.0) * factor);
    }
  }
}

#define EVENKEEL_FOR(T)                                                                            \
  template void relu(const T*, T*, std::size_t);                                                   \
  template void relu_backward(const T*, const T*, T*, std::size_t);                                \
  template void add(const T*, const T*, T*, std::size_t);                                          \
  template void multiply(const T*, const T*, T*, std::size_t);                                     \
  template void scale(const T*, double, T*, std::size_t);                                          \
  template double sum(const T*, std::size_t, Workspace&);                                          \
  template double mean(const T*, std::size_t, Workspace&);                                         \
  template void dropout(const T*, T*, std::size_t, double, std::uint64_t, std::uint64_t);          \
  template void uniform(T*, std::size_t, double, double, std::uint64_t, std::uint64_t);            \
  template void sgd_step(T*, const T*, T*, std::size_t, const SgdStep&);                           \
  template void adam_step(T*, const T*, T*, T*, std::size_t, const AdamStep&);                     \
  template double squared_error(const T*, const T*, std::size_t, Workspace&);                      \
  template double mean_squared_error(const T*, const T*, std::size_t, Workspace&);                 \
  template void squared_error_backward(const T*, const T*, double, T*, std::size_t);               \
  template CrossEntropy cross_entropy(const T*, const std::int32_t*, T*, std::size_t, std::size_t, \
                                      std::int32_t, Workspace&);                                   \
  template void cross_entropy_backward(const T*, const std::int32_t*, double, T*, std::size_t,     \
                                       std::size_t, std::int32_t);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
