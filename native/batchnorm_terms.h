// Per channel: from sums to statistics to the terms of the elementwise passes, and the running
// statistics. Used by both layouts; the loops are in kernels/channels-inl.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "batchnorm.h"
#include "dispatch.h"

namespace evenkeel {

// The first value of a channel, or 0 where it would turn every difference into NaN.
template <class T>
T shift_from(T first) {
  return std::isfinite(first) ? first : T(0);
}

// Terms go on periodically for so many columns behind the last (kernels.h).
inline constexpr std::size_t kPeriodic = 16;

// Scratch for n terms and kPeriodic more that starts at the same place in a cache line as the rows they meet: the passes
// begin whole vectors at lines of their output, and V8's arrays start 16 bytes past one (1 MB: 39 us
// where the terms straddle lines, 31 where not).
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

// The statistics that normalise, and the terms of y = (x - center) * scale + offset. A member function
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

  NormalizeTerms<T> terms(std::size_t c) const { return {center + c, scale + c, offset + c}; }

  // From the channels' shifted sums.
  void from_sums(std::size_t c, std::size_t n, const T* shift, const double* sum,
                 const double* sumsq) const {
    kernels_of<T>().channels.moments(shift, sum, sumsq, m, n, mean + c, residual + c, var + c);
    finish(c, n);
  }

  void from_running(std::size_t c, std::size_t n) const {
    for (std::size_t i = c; i < c + n; ++i) {
      mean[i] = static_cast<double>(call.running_mean[i]);
      residual[i] = 0.0;
      var[i] = static_cast<double>(call.running_var[i]);
    }
    finish(c, n);
  }

  // The last thing a forward does.
  void update_running() const {
    if (!call.update) return;
    move_running(call.running_mean, call.running_var, mean, var, m, call.momentum, call.shape.c);
  }

 private:
  void finish(std::size_t c, std::size_t n) const {
    const ChannelKernels<T>& table = kernels_of<T>().channels;
    table.inverse_deviation(var + c, call.eps, n, invstd + c);
    table.normalize_terms(mean + c, residual + c, invstd + c, from_channel(call.weight, c),
                          from_channel(call.bias, c), n, center + c, scale + c, offset + c);
  }
};

// The sums over a channel, and the terms of dx = (dy + (x - center) * b + k) * a (dy * a alone where the
// running statistics normalised). Behind a ReLU also the terms of the forward.
template <class T>
struct Gradient {
  const BatchNormBackward<T>& call;
  double m;
  bool batch, needs_sums;
  double *sum, *dot;  // sum dy, sum dy * (x - center); finish() makes the latter (x - mean)
  T *center, *scale, *offset;  // of the forward; the last two behind a ReLU only
  T *a, *b, *k;

  Gradient(const BatchNormBackward<T>& backward, Workspace& workspace)
      : call(backward), m(static_cast<double>(backward.shape.n * backward.shape.l)) {
    const std::size_t channels = call.shape.c;
    batch = call.statistics == Statistics::batch;
    needs_sums = batch || call.dweight != nullptr || call.dbias != nullptr;
    sum = workspace.take<double>(channels);
    dot = workspace.take<double>(channels);
    if (!needs_sums) {
      std::fill_n(sum, channels, 0.0);
      std::fill_n(dot, channels, 0.0);
    }
    center = take_beside(call.dx, channels, workspace);
    a = take_beside(call.dx, channels, workspace);
    b = take_beside(call.dx, channels, workspace);
    k = take_beside(call.dx, channels, workspace);
    scale = take_beside(call.dx, channels, workspace);
    offset = take_beside(call.dx, channels, workspace);
    if (call.relu) {
      kernels_of<T>().channels.normalize_terms(mean(), residual(), invstd(), call.weight, call.bias,
                                               channels, center, scale, offset);
    } else {
      for (std::size_t c = 0; c < channels; ++c) center[c] = static_cast<T>(mean()[c]);
    }
  }

  const double* mean() const { return call.saved; }
  const double* residual() const { return call.saved + call.shape.c; }
  const double* invstd() const { return call.saved + 2 * call.shape.c; }

  GradientTerms<T> terms(std::size_t c) const { return {center + c, a + c, b + c, k + c}; }
  NormalizeTerms<T> gate(std::size_t c) const {
    if (!call.relu) return {nullptr, nullptr, nullptr};
    return {center + c, scale + c, offset + c};
  }

  // The terms of channels [c, c + n), once their sums are there. Once per channel.
  void finish(std::size_t c, std::size_t n) const {
    kernels_of<T>().channels.gradient_terms(mean() + c, residual() + c, invstd() + c,
                                            from_channel(call.weight, c), sum + c, dot + c, m, n,
                                            a + c, b + c, k + c);
    for (std::size_t i = c; i < c + n; ++i) {
      if (call.dbias != nullptr) call.dbias[i] = static_cast<T>(sum[i]);
      if (call.dweight != nullptr) call.dweight[i] = static_cast<T>(dot[i] * invstd()[i]);
    }
  }
};

}  // namespace evenkeel
