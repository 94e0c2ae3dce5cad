// Per channel: from sums to statistics to the coefficients of the elementwise passes, and the running
// statistics. Used by both layouts; the loops are in kernels/channels-inl.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "batchnorm.h"
#include "wide.h"
#include "../kernels/dispatch.h"

namespace evenkeel {

// The first value of a channel, or 0 where it would turn every difference into NaN.
template <class T>
T shift_from(T first) {
  return std::isfinite(first) ? first : T(0);
}

template <class T>
void first_values(BatchShape shape, const T* x, T* shift) {
  for (std::size_t c = 0; c < shape.c; ++c) shift[c] = shift_from(x[c * shape.l]);
}

// Coefficients go on periodically for so many columns behind the last (kernels/batchnorm.h).
inline constexpr std::size_t kPeriodic = 16;

// Scratch for n coefficients and kPeriodic more that starts at the same place in a cache line as the rows they
// meet: the passes begin whole vectors at lines of their output, and V8's arrays start 16 bytes past one (1 MB: 39 us
// where the coefficients straddle lines, 31 where not).
template <class T>
T* take_beside(const T* rows, std::size_t n, Workspace& workspace) {
  const std::size_t past = reinterpret_cast<std::uintptr_t>(rows) % 64 / sizeof(T);
  return workspace.take<T>(n + kPeriodic + 64 / sizeof(T)) + past;
}

template <class T>
T* from_channel(T* values, std::size_t c) {
  return values != nullptr ? values + c : nullptr;
}

// running <- (1 - momentum) * running + momentum * {mean, unbiased variance}, over m values a channel.
template <class T>
void move_running(T* running_mean, T* running_var, const double* mean, const double* var, double m,
                  double momentum, std::size_t channels) {
  const ChannelKernels<T>& table = kernels_of<T>().channels;
  table.update_running(running_mean, mean, 1.0, momentum, channels);
  table.update_running(running_var, var, m / (m - 1.0), momentum, channels);
}

template <class T>
double value_or(const T* values, std::size_t c, double otherwise) {
  return values != nullptr ? static_cast<double>(values[c]) : otherwise;
}

// Whether one of channels [c, c + n) is none for the passes' own arithmetic (wide.h).
template <class T>
bool any_wide(const double* mean, const double* invstd, const T* weight, std::size_t c,
              std::size_t n) {
  if (n == 1) return !is_normal<T>(mean[c], invstd[c], value_or(weight, c, 1.0));
  return !kernels_of<T>().channels.all_normal(mean + c, invstd + c, from_channel(weight, c), n);
}

// The statistics that normalise, and the coefficients of y = (x - center) * scale + offset. A member function
// of channels [c, c + n) may run on any thread.
template <class T>
struct Normalization {
  const BatchNormForward<T>& call;
  double m;
  double *mean, *residual, *var, *invstd;
  T *center, *scale, *offset;

  Normalization(const BatchNormForward<T>& forward, Workspace& workspace)
      : call(forward), m(static_cast<double>(forward.shape.n * forward.shape.l)) {
    const std::size_t channels = call.shape.c;
    double* statistics = call.saved != nullptr ? call.saved : workspace.take<double>(3 * channels);
    mean = statistics;
    residual = statistics + channels;
    invstd = statistics + 2 * channels;
    var = call.var != nullptr ? call.var : workspace.take<double>(channels);
    center = take_beside(call.y, channels, workspace);
    scale = take_beside(call.y, channels, workspace);
    offset = take_beside(call.y, channels, workspace);
  }

  NormalizeCoefficients<T> coefficients(std::size_t c) const {
    return {center + c, scale + c, offset + c};
  }

  // From the channels' shifted sums.
  void from_sums(std::size_t c, std::size_t n, const T* shift, const double* sum,
                 const double* sumsq) const {
    const ChannelKernels<T>& table = kernels_of<T>().channels;
    table.moments(shift, sum, sumsq, m, n, mean + c, residual + c, var + c);
    table.inverse_deviation(var + c, call.eps, n, invstd + c);
    if constexpr (sizeof(T) == sizeof(double)) rescale(c, n, shift, sumsq);
    finish(c, n);
  }

  // From statistics that are there: the running ones, or moments.
  void from_given(std::size_t c, std::size_t n) const {
    if (call.statistics == Statistics::given) {
      const std::size_t channels = call.shape.c;
      if (call.moments != mean) {  // saved may be where the moments are
        std::copy_n(call.moments + c, n, mean + c);
        std::copy_n(call.moments + channels + c, n, residual + c);
      }
      std::copy_n(call.moments + 3 * channels + c, n, var + c);
    } else {
      for (std::size_t i = c; i < c + n; ++i) {
        mean[i] = static_cast<double>(call.running_mean[i]);
        residual[i] = 0.0;
        var[i] = static_cast<double>(call.running_var[i]);
      }
    }
    kernels_of<T>().channels.inverse_deviation(var + c, call.eps, n, invstd + c);
    finish(c, n);
  }

  // Whether there is any channel so far that is written value by value, and whether this one is.
  bool any() const { return any_.load(std::memory_order_relaxed); }
  bool wide(std::size_t c) const {
    return any() && is_wide<T>(mean[c], invstd[c], value_or(call.weight, c, 1.0));
  }
  // n values of such a channel.
  void write(std::size_t c, const T* x, T* y, std::size_t n) const {
    const WideChannel<T> channel(mean[c], residual[c], invstd[c], value_or(call.weight, c, 1.0),
                                 value_or(call.bias, c, 0.0));
    for (std::size_t i = 0; i < n; ++i) y[i] = channel.output(x[i], call.relu);
  }

  // The last thing a forward does.
  void update_running() const {
    if (!call.update) return;
    move_running(call.running_mean, call.running_var, mean, var, m, call.momentum, call.shape.c);
  }

 private:
  void finish(std::size_t c, std::size_t n) const {
    kernels_of<T>().channels.normalize_coefficients(
        mean + c, residual + c, invstd + c, from_channel(call.weight, c),
        from_channel(call.bias, c), n, center + c, scale + c, offset + c);
    if (any_wide(mean, invstd, call.weight, c, n)) any_.store(true, std::memory_order_relaxed);
  }

  void rescale(std::size_t c, std::size_t n, const T* shift, const double* sumsq) const {
    const double also = call.eps < kTinyEps ? kLeastSquares : 0.0;
    if (n > 1 &&
        kernels_of<T>().channels.all_between(sumsq, kLeastSquares, kMostSquares, also, n)) {
      return;
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (is_between(sumsq[i], kLeastSquares, kMostSquares, also)) continue;
      ChannelStatistics found;
      const bool large = !(sumsq[i] < 1.0);
      if (!rescaled_statistics(call.shape, c + i, call.x, shift[i], large, call.eps, found)) {
        continue;
      }
      mean[c + i] = found.mean;
      residual[c + i] = found.residual;
      var[c + i] = found.var;
      invstd[c + i] = found.invstd;
    }
  }

  mutable std::atomic<bool> any_{false};
};

}  // namespace evenkeel
