// The fused calls of batch normalisation.
#pragma once

#include "../native/batchnorm/batchnorm.h"

#include <cstdint>
#include <span>

#include "args.h"

namespace evenkeel::binding {

inline BatchShape shape_at(const Args& args, Args::Slot n, Args::Slot c, Args::Slot l) {
  return {args.size(n, "n"), args.size(c, "c"), args.size(l, "l")};
}

// Checked: no array of so many elements is too long for a number.
inline std::size_t elements_of(const Args& args, BatchShape shape) {
  return args.product(args.product(shape.n, shape.c), shape.l);
}

// Whether two operands of a and b elements share memory; null ones share none.
template <class T>
bool overlap(const T* p, std::size_t a, const T* q, std::size_t b) {
  const auto from = reinterpret_cast<std::uintptr_t>(p), to = from + a * sizeof(T);
  const auto start = reinterpret_cast<std::uintptr_t>(q), end = start + b * sizeof(T);
  return p != nullptr && q != nullptr && from < end && start < to;
}

// (x, y, n, c, l, weight?, bias?, runningMean?, runningVar?, saved?, useRunning, update, momentum, eps, relu)
// saved is [3, C]: mean, residual, invstd; or [4, C], and receives the biased variance too.
template <class T>
struct ForwardCall {
  static constexpr std::size_t kArguments = 15;
  BatchNormForward<T> call{};
  std::size_t elements;

  explicit ForwardCall(const Args& args) {
    call.shape = shape_at(args, 2, 3, 4);
    elements = elements_of(args, call.shape);
    const std::size_t channels = call.shape.c;
    call.statistics = args.flag(10, "useRunning") ? Statistics::running : Statistics::batch;
    call.update = args.flag(11, "update");
    call.momentum = args.number(12, "momentum");
    call.eps = args.number(13, "eps");
    call.relu = args.flag(14, "relu");
    call.x = args.array<T>(0, "x", elements);
    call.y = args.array<T>(1, "y", elements);
    call.weight = args.array_or_null<T>(5, "weight", channels);
    call.bias = args.array_or_null<T>(6, "bias", channels);
    if (call.update || call.statistics == Statistics::running) {
      call.running_mean = args.array<T>(7, "runningMean", channels);
      call.running_var = args.array<T>(8, "runningVar", channels);
    } else {  // the caller moves them afterwards: y must not share their memory
      call.running_mean = args.array_or_null<T>(7, "runningMean", channels);
      call.running_var = args.array_or_null<T>(8, "runningVar", channels);
    }
    const std::span<double> saved = args.array_of_either<double>(
        9, "saved", args.product(3, channels), args.product(4, channels));
    call.saved = saved.data();
    if (saved.size() == 4 * channels) call.var = call.saved + 3 * channels;
  }

  // Whether the running statistics will move, by this call or behind it.
  bool moves() const { return call.update || call.var != nullptr; }

  // y may be x.
  const char* shared() const {
    const std::size_t c = call.shape.c;
    const T* const mean = call.running_mean;
    const T* const var = call.running_var;
    if (call.y != call.x && overlap<T>(call.y, elements, call.x, elements)) return "out";
    for (const T* each : {call.weight, call.bias, mean, var}) {
      if (overlap<T>(call.y, elements, each, c)) return "out";
    }
    if (!moves()) return nullptr;
    if (overlap(mean, c, var, c)) return "running_mean";
    if (overlap<T>(mean, c, call.x, elements)) return "running_mean";
    if (overlap<T>(var, c, call.x, elements)) return "running_var";
    for (const T* each : {call.weight, call.bias}) {
      if (overlap(mean, c, each, c)) return "running_mean";
      if (overlap(var, c, each, c)) return "running_var";
    }
    return nullptr;
  }

  void run(Workspace& workspace) const { batchnorm_forward(call, workspace); }
};

// (x, dy?, dyValue, n, c, l, weight?, bias?, saved, dx?, dweight?, dbias?, usedRunning, relu); without dy
// every element of it is dyValue. What is written is the caller's alone.
template <class T>
struct BackwardCall {
  static constexpr std::size_t kArguments = 14;
  BatchNormBackward<T> call{};

  explicit BackwardCall(const Args& args) {
    call.shape = shape_at(args, 3, 4, 5);
    const std::size_t elements = elements_of(args, call.shape), channels = call.shape.c;
    call.statistics = args.flag(12, "usedRunning") ? Statistics::running : Statistics::batch;
    call.relu = args.flag(13, "relu");
    call.x = args.array<T>(0, "x", elements);
    call.dy = args.array_or_null<T>(1, "dy", elements);
    call.dy_value = static_cast<T>(args.number(2, "dyValue"));
    call.weight = args.array_or_null<T>(6, "weight", channels);
    call.bias = args.array_or_null<T>(7, "bias", channels);
    call.saved = args.array<double>(8, "saved", args.product(3, channels));
    call.dx = args.array_or_null<T>(9, "dx", elements);
    call.dweight = args.array_or_null<T>(10, "dweight", channels);
    call.dbias = args.array_or_null<T>(11, "dbias", channels);
  }

  void run(Workspace& workspace) const { batchnorm_backward(call, workspace); }
};

}  // namespace evenkeel::binding
