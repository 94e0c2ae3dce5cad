#include "moments.h"

#include <cmath>

#include "batchnorm_terms.h"
#include "float_environment.h"

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

void merge_moments(double* into, double count, const double* from, double more,
                   std::size_t channels) {
  const FloatEnvironment environment;
  count = environment.within(count);
  const double all = count + more, share = more / all;
  double *mean = into, *residual = into + channels, *var = into + 3 * channels;
  const double *other = from, *rest = from + channels, *spread = from + 3 * channels;
  for (std::size_t c = 0; c < channels; ++c) {
    const double apart = (other[c] - mean[c]) + (rest[c] - residual[c]);
    const double step = apart * share + residual[c];
    const double moved = mean[c] + step, seen = moved - mean[c];  // TwoSum, Knuth
    residual[c] = (mean[c] - (moved - seen)) + (step - seen);
    mean[c] = moved;
    var[c] = (count * var[c] + more * spread[c] + apart * apart * (count * share)) / all;
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
template void batch_moments(BatchShape, const double*, double*, Workspace&);
template bool finite_moments<float>(const double*, double, std::size_t);
template bool finite_moments<double>(const double*, double, std::size_t);
template void move_by_moments(float*, float*, const double*, double, double, std::size_t);
template void move_by_moments(double*, double*, const double*, double, double, std::size_t);

}  // namespace evenkeel
