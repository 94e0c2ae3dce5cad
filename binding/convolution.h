// Convolutions over [samples, channels, length], their gradients, and sums by channel.
#pragma once

#include "../native/math/conv1d.h"

#include "args.h"

namespace evenkeel::binding {

// (…, samples, in, out, groups, length, outLength, taps, stride, dilation, pad), from slot kFirst on: conv1d.h.
template <std::size_t kFirst>
Conv1d conv1d_shape(const Args& args) {
  const Conv1d shape{
      .samples = args.size(kFirst, "samples"),
      .in = args.size(kFirst + 1, "in"),
      .out = args.size(kFirst + 2, "out"),
      .groups = args.size(kFirst + 3, "groups"),
      .length = args.size(kFirst + 4, "length"),
      .out_length = args.size(kFirst + 5, "outLength"),
      .taps = args.size(kFirst + 6, "taps"),
      .stride = args.size(kFirst + 7, "stride"),
      .dilation = args.size(kFirst + 8, "dilation"),
      .pad = args.int32(kFirst + 9, "pad"),
  };
  const std::size_t g = shape.groups;
  if (g == 0 || shape.in % g != 0 || shape.out % g != 0 || shape.in == 0 || shape.out == 0) {
    args.fail("groups", "a number that divides in and out", "another");
  }
  if (shape.taps == 0 || shape.stride == 0 || shape.dilation == 0) {
    args.fail("taps, stride and dilation", "at least 1", "0");
  }
  args.product(shape.taps, shape.dilation);
  args.product(shape.out_length, shape.stride);
  return shape;
}

// Elements of x, y and the weight.
struct Conv1dSizes {
  std::size_t x, y, weight;
  Conv1dSizes(const Args& args, const Conv1d& s)
      : x(args.product(args.product(s.samples, s.in), s.length)),
        y(args.product(args.product(s.samples, s.out), s.out_length)),
        weight(args.product(args.product(s.out, s.group_in()), s.taps)) {}
};

// (x, weight, bias?, y, shape): y of x.
template <class T>
struct Conv1dCall {
  static constexpr std::size_t kArguments = 14;
  Conv1d shape;
  const T *x, *weight, *bias;
  T* y;

  explicit Conv1dCall(const Args& args) : shape(conv1d_shape<4>(args)) {
    const Conv1dSizes sizes(args, shape);
    x = args.array<T>(0, "x", sizes.x);
    weight = args.array<T>(1, "weight", sizes.weight);
    bias = args.array_or_null<T>(2, "bias", shape.out);
    y = args.array<T>(3, "y", sizes.y);
  }
  void run(Workspace& workspace) const { conv1d(x, weight, bias, y, shape, workspace); }
};

// (dy, weight, bias?, dx, shape): dx of dy; the bias has a number for each channel of dx.
template <class T>
struct Conv1dTransposed {
  static constexpr std::size_t kArguments = 14;
  Conv1d shape;
  const T *dy, *weight, *bias;
  T* dx;

  explicit Conv1dTransposed(const Args& args) : shape(conv1d_shape<4>(args)) {
    const Conv1dSizes sizes(args, shape);
    dy = args.array<T>(0, "dy", sizes.y);
    weight = args.array<T>(1, "weight", sizes.weight);
    bias = args.array_or_null<T>(2, "bias", shape.in);
    dx = args.array<T>(3, "dx", sizes.x);
  }
  void run(Workspace& workspace) const {
    conv1d_transposed(dy, weight, bias, dx, shape, workspace);
  }
};

// (x, dy, dweight, totals?, shape): totals of a depthwise shape alone.
template <class T>
struct Conv1dWeightGradient {
  static constexpr std::size_t kArguments = 14;
  Conv1d shape;
  const T *x, *dy;
  T* dweight;
  double* totals;

  explicit Conv1dWeightGradient(const Args& args) : shape(conv1d_shape<4>(args)) {
    const Conv1dSizes sizes(args, shape);
    x = args.array<T>(0, "x", sizes.x);
    dy = args.array<T>(1, "dy", sizes.y);
    dweight = args.array<T>(2, "dweight", sizes.weight);
    totals = args.array_or_null<double>(3, "totals", sizes.weight);
    if (totals != nullptr && !shape.is_depthwise()) {
      args.fail("totals", "null, or a depthwise shape", "an array");
    }
  }
  void run(Workspace& workspace) const {
    conv1d_weight_gradient(x, dy, dweight, totals, shape, workspace);
  }
};

// (x, sums, samples, channels, length)
template <class T>
struct ChannelSums {
  static constexpr std::size_t kArguments = 5;
  std::size_t samples, channels, length;
  const T* x;
  T* sums;

  explicit ChannelSums(const Args& args)
      : samples(args.size(2, "samples")),
        channels(args.size(3, "channels")),
        length(args.size(4, "length")) {
    x = args.array<T>(0, "x", args.product(args.product(samples, channels), length));
    sums = args.array<T>(1, "sums", channels);
  }
  void run(Workspace& workspace) const {
    channel_sums(x, sums, samples, channels, length, workspace);
  }
};

}  // namespace evenkeel::binding
