#include "moments.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "coefficients.h"
#include "nc.h"
#include "ncl.h"
#include "../runtime/float_environment.h"

namespace evenkeel {

template <class T>
void batch_moments(BatchShape shape, const T* x, double* moments, Workspace& workspace) {
  BatchNormForward<T> call{};
  call.shape = shape;
  call.x = x;
  call.saved = moments;
  call.var = moments + 3 * shape.c;
  call.statistics = Statistics::batch;
  call.eps = 1.0;  // of the row that is not read
  batchnorm_forward(call, workspace);
}

template <class T>
void batch_sums(BatchShape shape, const T* x, const T* shift, double* sums, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  const std::size_t channels = shape.c;
  if (shape.n * channels * shape.l == 0) {
    std::fill_n(sums, 2 * channels, 0.0);
    return;
  }
  if (!in_rows(shape)) {
    sums_ncl(shape, x, shift, sums, sums + channels, workspace);
    return;
  }
  double* first = workspace.take<double>(channels);
  double* second = workspace.take<double>(channels);
  T* padded = workspace.take<T>(channels);
  std::copy_n(shift, channels, padded);
  const RowSums rows(shape, first, second, workspace);
  sums_nc(shape, x, padded, rows, workspace);
  rows.merge({0, channels});
  std::copy_n(first, channels, sums);
  std::copy_n(second, channels, sums + channels);
}

template <class T>
void first_shift(BatchShape shape, const T* x, T* shift) {
  const FloatEnvironment environment;
  first_values(shape, x, shift);
}

template <class T>
void moments_of_sums(const T* shift, const double* sums, double count, double* moments,
                     std::size_t channels) {
  const FloatEnvironment environment;
  kernels_of<T>().channels.moments(shift, sums, sums + channels, environment.within(count),
                                   channels, moments, moments + channels, moments + 3 * channels);
}

namespace {

constexpr int kNone = std::numeric_limits<int>::min();

// Of one channel.
struct Merged {
  double mean, residual, var;
};

// The moments of `count` and of `more` values together.
Merged merged(const Merged& a, const Merged& b, double count, double more) {
  const double all = count + more, fraction = more / all;
  const double apart = (b.mean - a.mean) + (b.residual - a.residual);
  const double step = apart * fraction + a.residual;
  const double moved = a.mean + step, seen = moved - a.mean;  // TwoSum, Knuth
  return {moved, (a.mean - (moved - seen)) + (step - seen),
          (count * a.var + more * b.var + apart * apart * (count * fraction)) / all};
}

// Whether no step of the above can have over- or underflowed.
bool in_range(const Merged& a, const Merged& b, const Merged& result, double count, double more) {
  const double apart = std::fabs(b.mean - a.mean), all = count + more;
  return apart < 0x1p400 && result.var * all < 0x1p1000 &&
         (result.var > 0x1p-900 || (result.var == 0.0 && apart == 0.0));
}

Merged scaled(const Merged& of, int exponent) {
  return {std::ldexp(of.mean, exponent), std::ldexp(of.residual, exponent),
          std::ldexp(of.var, 2 * exponent)};
}

// In units of a power of two near the largest of the deviations and the distance of the means. What is not
// finite stays so.
Merged merged_scaled(const Merged& a, const Merged& b, double count, double more) {
  const double apart =
      std::fabs(b.mean * 0.25 - a.mean * 0.25);  // of the means as they are it may overflow
  if (!std::isfinite(apart)) return merged(a, b, count, more);
  int top = apart > 0.0 ? std::ilogb(apart) + 2 : kNone;
  for (const double var : {a.var, b.var}) {
    if (var > 0.0 && std::isfinite(var)) top = std::max(top, std::ilogb(var) / 2);
  }
  if (top == kNone) return merged(a, b, count, more);
  return scaled(merged(scaled(a, -top), scaled(b, -top), count, more), top);
}

}  // namespace

void merge_moments(double* into, double count, const double* from, double more,
                   std::size_t channels) {
  const FloatEnvironment environment;
  count = environment.within(count);
  const auto of = [&](const double* rows, std::size_t c) {
    return Merged{rows[c], rows[channels + c], rows[3 * channels + c]};
  };
  for (std::size_t c = 0; c < channels; ++c) {
    const Merged a = of(into, c), b = of(from, c);
    Merged result = merged(a, b, count, more);
    if (!in_range(a, b, result, count, more)) result = merged_scaled(a, b, count, more);
    into[c] = result.mean;
    into[channels + c] = result.residual;
    into[3 * channels + c] = result.var;
  }
}

template <class T>
bool finite_moments(const double* moments, double m, std::size_t channels) {
  const FloatEnvironment environment;
  m = environment.within(m);
  const double *mean = moments, *var = moments + 3 * channels, factor = m / (m - 1.0);
  bool finite = true;
  for (std::size_t c = 0; c < channels; ++c) {
    finite = finite && std::isfinite(static_cast<T>(mean[c])) &&
             std::isfinite(static_cast<T>(var[c] * factor));
  }
  return finite;
}

template <class T>
void move_by_moments(T* running_mean, T* running_var, const double* moments, double m,
                     double momentum, std::size_t channels) {
  const FloatEnvironment environment;
  move_running(running_mean, running_var, moments, moments + 3 * channels, environment.within(m),
               momentum, channels);
}

template void batch_moments(BatchShape, const float*, double*, Workspace&);
template void batch_sums(BatchShape, const float*, const float*, double*, Workspace&);
template void first_shift(BatchShape, const float*, float*);
template void moments_of_sums(const float*, const double*, double, double*, std::size_t);
template void batch_moments(BatchShape, const double*, double*, Workspace&);
template void batch_sums(BatchShape, const double*, const double*, double*, Workspace&);
template void first_shift(BatchShape, const double*, double*);
template void moments_of_sums(const double*, const double*, double, double*, std::size_t);
template bool finite_moments<float>(const double*, double, std::size_t);
template bool finite_moments<double>(const double*, double, std::size_t);
template void move_by_moments(float*, float*, const double*, double, double, std::size_t);
template void move_by_moments(double*, double*, const double*, double, double, std::size_t);

}  // namespace evenkeel
