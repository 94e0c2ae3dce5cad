// Channels that the passes' arithmetic is too narrow for: where x - mean overflows (3e38 - -3e38 in float), where
// the squares of a double over- or underflow, where a scale is above the largest T or loses bits below the
// smallest. They are found by their statistics, which are the same for every instruction set and thread
// count, and computed here, value by value in plain double, scaled by powers of two. Slow, and no normal
// data comes here: the statistics of a channel say so from values of about 1e30 on (double: 1e144).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "batchnorm.h"
#include "../kernels/kernels.h"
#include "../runtime/work_split.h"

namespace evenkeel {

// The same as all_normal and all_between of kernels/batchnorm.h for one channel, where a call would cost more.
template <class T>
bool is_normal(double mean, double invstd, double weight) {
  using Bounds = NormalRange<T>;
  return std::fabs(mean) < Bounds::kMean && invstd > Bounds::kLeast && invstd < Bounds::kMost &&
         std::fabs(weight * invstd) <= Bounds::kScale;
}
inline bool is_between(double sumsq, double least, double most, double also) {
  return (sumsq >= least && sumsq < most) || sumsq == also;
}

// Whether a channel is one for this file. What is not finite stays with the passes: it poisons its channel.
template <class T>
bool is_wide(double mean, double invstd, double weight) {
  return !is_normal<T>(mean, invstd, weight) && std::isfinite(mean) && std::isfinite(invstd) &&
         std::isfinite(weight);
}

// A sum with its rounding errors (Neumaier 1974).
class CompensatedSum {
 public:
  void add(double value) {
    const double sum = high_ + value, seen = sum - high_;
    low_ += (high_ - (sum - seen)) + (value - seen);
    high_ = sum;
  }
  double value() const { return high_ + low_; }

  // The sum over m as an unevaluated sum of two doubles.
  void over(double m, double& mean, double& residual) const {
    const double sum = value(), rest = (high_ - sum) + low_;
    mean = sum / m;
    residual = (std::fma(-mean, m, sum) + rest) / m;
  }

 private:
  double high_ = 0.0, low_ = 0.0;
};

// The forward of one channel: y = (x - mean) * invstd * weight + bias, from what is saved for backward alone.
template <class T>
class WideChannel {
 public:
  WideChannel(double mean, double residual, double invstd, double weight, double bias)
      : invstd_(invstd), weight_(weight), bias_(bias) {
    // Deviations are taken in units of about one deviation, or as they are where they are small: then they
    // are exact, and a scaled mean might overflow.
    const bool small = invstd > 1.0 && std::fabs(mean) < NormalRange<double>::kMean;
    const int exponent = small ? 0 : invstd == 0.0 ? -1030 : std::min(-2, std::ilogb(invstd));
    unit_ = std::ldexp(1.0, exponent);
    mean_ = mean * unit_;
    residual_ = residual * unit_;
    factor_ = std::ldexp(invstd, -exponent);
    gain_ = factor_ * weight;
  }

  // (x - mean) * invstd
  double normalized(T x) const { return deviation(x) * factor_; }

  T output(T x, bool relu) const {
    const double scaled =
        std::isfinite(gain_) ? deviation(x) * gain_ : deviation(x) * factor_ * weight_;
    const T y = static_cast<T>(scaled + bias_);
    return relu && y < T(0) ? T(0) : y;
  }

  // dy, or 0 behind a ReLU that was not open.
  double gated(T x, T dy, bool relu) const {
    return relu && output(x, false) <= T(0) ? 0.0 : static_cast<double>(dy);
  }

  // value * invstd * weight
  double scaled(double value) const {
    const double scale = invstd_ * weight_;
    return std::isfinite(scale) ? value * scale : value * invstd_ * weight_;
  }

 private:
  double deviation(T x) const { return (static_cast<double>(x) * unit_ - mean_) - residual_; }

  double invstd_, weight_, bias_;
  double unit_, mean_, residual_, factor_, gain_;
};

// The backward of one channel, once its sums are there.
template <class T>
struct WideGradient {
  WideChannel<T> channel;
  bool relu, batch;
  double mean_gradient;  // sum dy / m
  double tilt;           // sum dy * xhat / m

  T operator()(T x, T dy) const {
    double gradient = channel.gated(x, dy, relu);
    if (batch) gradient = (gradient - mean_gradient) - channel.normalized(x) * tilt;
    return static_cast<T>(channel.scaled(gradient));
  }
};

// each(index of a value) for the values of channel c in these samples.
template <class Each>
void for_channel(BatchShape shape, Range samples, std::size_t c, const Each& each) {
  for (std::size_t n = samples.begin; n < samples.end; ++n) {
    const std::size_t begin = (n * shape.c + c) * shape.l;
    for (std::size_t i = begin; i < begin + shape.l; ++i) each(i);
  }
}

struct ChannelStatistics {
  double mean, residual, var, invstd;
};

// Between these bounds no sum of squares of doubles has over- or underflowed. Where eps is not tiny itself, 0 is a
// constant channel, of which there are many: a variance so small is nothing beside that eps.
inline constexpr double kMostSquares = 0x1p1000, kLeastSquares = 0x1p-900, kTinyEps = 0x1p-800;

// 1 / sqrt(var * 2^exponent + eps), without overflow on the way.
inline double scaled_inverse_deviation(double var, int exponent, double eps) {
  int top = eps > 0.0 ? std::ilogb(eps) : std::ilogb(var) + exponent;
  if (var > 0.0) top = std::max(top, std::ilogb(var) + exponent);
  top -= top & 1;  // the root halves it
  const double sum = std::ldexp(var, exponent - top) + std::ldexp(eps, -top);
  return std::ldexp(1.0 / std::sqrt(sum), -top / 2);
}

// The statistics of channel c, from values scaled by a power of two. False where they are not finite, and where
// all are equal: then the usual ones are right.
inline bool rescaled_statistics(BatchShape shape, std::size_t c, const double* x, double shift,
                                bool large, double eps, ChannelStatistics& result) {
  double most = 0.0;
  bool finite = true;
  for_channel(shape, {0, shape.n}, c, [&](std::size_t i) {
    const double size = large ? std::fabs(x[i]) : std::fabs(x[i] - shift);
    most = size > most ? size : most;
    finite = finite && std::isfinite(x[i]);
  });
  if (!finite || most == 0.0) return false;
  // 2^1000 is enough: what is left of 2^-1074 has squares of 2^-148.
  const int exponent = std::min(1000, -1 - std::ilogb(most));
  const double unit = std::ldexp(1.0, exponent), m = static_cast<double>(shape.n * shape.l);
  CompensatedSum sum;
  for_channel(shape, {0, shape.n}, c, [&](std::size_t i) { sum.add(x[i] * unit); });
  double mean, residual;
  sum.over(m, mean, residual);
  CompensatedSum squares, rest;
  for_channel(shape, {0, shape.n}, c, [&](std::size_t i) {
    const double deviation = (x[i] * unit - mean) - residual;
    squares.add(deviation * deviation);
    rest.add(deviation);
  });
  const double var = (squares.value() - rest.value() * (rest.value() / m)) / m;
  result = {std::ldexp(mean, -exponent), std::ldexp(residual, -exponent),
            std::ldexp(var, -2 * exponent), scaled_inverse_deviation(var, -2 * exponent, eps)};
  return true;
}

}  // namespace evenkeel
