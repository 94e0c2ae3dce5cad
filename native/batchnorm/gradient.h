// Per channel of a backward: from sums to the coefficients of the elementwise pass, dweight and dbias. Used by both
// layouts; the loops are in kernels/channels-inl.h.
#pragma once

#include <algorithm>
#include <cstddef>

#include "../kernels/dispatch.h"
#include "batchnorm.h"
#include "coefficients.h"
#include "node_total.h"
#include "wide.h"

namespace evenkeel {

// The sums over a channel, and the coefficients of dx = (dy + (x - center) * b + k) * a (dy * a alone where the
// running statistics normalised). Behind a ReLU also the coefficients of the forward.
template <class T>
struct Gradient {
  const BatchNormBackward<T>& call;
  double m;
  bool batch, needs_sums;
  bool any;           // channel that is written value by value
  double *sum, *dot;  // sum dy, sum dy * (x - center); finish() makes the latter (x - mean)
  T *center, *scale, *offset;  // of the forward; the last two behind a ReLU only
  T *a, *b, *k;

  Gradient(const BatchNormBackward<T>& backward, Workspace& workspace)
      : call(backward), m(static_cast<double>(backward.shape.n * backward.shape.l)) {
    const std::size_t channels = call.shape.c;
    const bool by_sums = call.passes == Passes::by_sums;
    if (by_sums) m = call.count;
    batch = call.statistics != Statistics::running;
    needs_sums = !by_sums && (batch || call.dweight != nullptr || call.dbias != nullptr);
    sum = workspace.take<double>(channels);
    dot = workspace.take<double>(channels);
    if (by_sums) {
      std::copy_n(call.sums, channels, sum);
      std::copy_n(call.sums + channels, channels, dot);
    } else if (!needs_sums) {
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
      kernels_of<T>().channels.normalize_coefficients(mean(), residual(), invstd(), call.weight,
                                                      call.bias, channels, center, scale, offset);
    } else {
      for (std::size_t c = 0; c < channels; ++c) center[c] = static_cast<T>(mean()[c]);
    }
    any = any_wide(mean(), invstd(), call.weight, 0, channels);
  }

  const double* mean() const { return call.saved; }
  const double* residual() const { return call.saved + call.shape.c; }
  const double* invstd() const { return call.saved + 2 * call.shape.c; }

  GradientCoefficients<T> coefficients(std::size_t c) const {
    return {center + c, a + c, b + c, k + c};
  }
  NormalizeCoefficients<T> gate(std::size_t c) const {
    if (!call.relu) return {nullptr, nullptr, nullptr};
    return {center + c, scale + c, offset + c};
  }

  // The coefficients of channels [c, c + n), once their sums are there. Once per channel.
  void finish(std::size_t c, std::size_t n) const {
    if (call.passes == Passes::sums) keep_sums(c, n);
    kernels_of<T>().channels.gradient_coefficients(mean() + c, residual() + c, invstd() + c,
                                                   from_channel(call.weight, c), sum + c, dot + c,
                                                   m, n, a + c, b + c, k + c);
    for (std::size_t i = c; i < c + n; ++i) {
      if (call.dbias != nullptr) call.dbias[i] = static_cast<T>(sum[i]);
      if (call.dweight != nullptr) call.dweight[i] = static_cast<T>(dot[i] * invstd()[i]);
    }
    if (!any) return;
    for (std::size_t i = c; i < c + n; ++i) {
      if (!wide(i)) continue;
      if (needs_sums) {
        finish_wide(i);
        if (call.passes == Passes::sums) keep_sums(i, 1);
      } else if (call.passes == Passes::by_sums) {
        dot[i] = call.sums[call.shape.c + i];
        if (call.dweight != nullptr) call.dweight[i] = static_cast<T>(dot[i]);
      }
    }
  }

  bool wide(std::size_t c) const {
    return any && is_wide<T>(mean()[c], invstd()[c], value_or(call.weight, c, 1.0));
  }
  // dx of n values of such a channel, where the batch's statistics normalised or not.
  void write(std::size_t c, std::size_t at, std::size_t n) const {
    const WideGradient<T> gradient{wide_channel(c), call.relu, batch, sum[c] / m, dot[c] / m};
    for (std::size_t i = at; i < at + n; ++i) call.dx[i] = gradient(call.x[i], dy_at(i));
  }

 private:
  WideChannel<T> wide_channel(std::size_t c) const {
    return {mean()[c], residual()[c], invstd()[c], value_or(call.weight, c, 1.0),
            value_or(call.bias, c, 0.0)};
  }
  void keep_sums(std::size_t c, std::size_t n) const {
    std::copy_n(sum + c, n, call.sums + c);
    std::copy_n(dot + c, n, call.sums + call.shape.c + c);
  }
  T dy_at(std::size_t i) const { return call.dy != nullptr ? call.dy[i] : call.dy_value; }

  // sum dy and, other than for the passes, sum dy * xhat.
  void finish_wide(std::size_t c) const {
    const WideChannel<T> channel = wide_channel(c);
    const std::size_t samples = leaf_samples(call.shape.l);
    NodeTotal total;
    for (std::size_t leaf = 0; leaf < divide_up(call.shape.n, samples); ++leaf) {
      CompensatedSum gradients, products;
      for_channel(call.shape, cut(call.shape.n, samples, leaf), c, [&](std::size_t i) {
        const double gradient = channel.gated(call.x[i], dy_at(i), call.relu);
        gradients.add(gradient);
        products.add(gradient * channel.normalized(call.x[i]));
      });
      total.add({{gradients.value(), products.value()}});
    }
    const Pair sums = total.take();
    sum[c] = sums.sums[0];
    dot[c] = sums.sums[1];
    if (call.dbias != nullptr) call.dbias[c] = static_cast<T>(sum[c]);
    if (call.dweight != nullptr) call.dweight[c] = static_cast<T>(dot[c]);
  }
};

}  // namespace evenkeel
