// Batch normalisation with a pointwise activation behind it, by the codes of arithmetic.h.
#pragma once

#include "args.h"
#include "arithmetic.h"
#include "batchnorm.h"

namespace evenkeel::binding {

// The arguments of batchNormForward, then (code, p, q): y = f(what that writes). relu is false.
template <class T>
struct ActivatedForwardCall : ForwardCall<T> {
  static constexpr std::size_t kArguments = ForwardCall<T>::kArguments + 3;

  explicit ActivatedForwardCall(const Args& args) : ForwardCall<T>(args) {
    this->call.activation = {
        true, code_at<UnaryCode>(args, 15), {args.number(16, "p"), args.number(17, "q")}};
  }
};

// (x, dy, dz, n, c, l, weight?, bias?, saved, gradient code, p, q): dz, the gradient of what the activation
// was applied to. dz is the caller's alone.
template <class T>
struct ActivationBackwardCall {
  static constexpr std::size_t kArguments = 12;
  ActivationBackward<T> call{};

  explicit ActivationBackwardCall(const Args& args) {
    call.shape = shape_at(args, 3, 4, 5);
    const std::size_t elements = elements_of(args, call.shape), channels = call.shape.c;
    call.x = args.array<T>(0, "x", elements);
    call.dy = args.array<T>(1, "dy", elements);
    call.dz = args.array<T>(2, "dz", elements);
    call.weight = args.array_or_null<T>(6, "weight", channels);
    call.bias = args.array_or_null<T>(7, "bias", channels);
    call.saved = args.array<double>(8, "saved", args.product(3, channels));
    call.gradient = code_at<BinaryCode>(args, 9);
    call.numbers = {args.number(10, "p"), args.number(11, "q")};
  }
  void run(Workspace& workspace) const { activation_backward(call, workspace); }
};

}  // namespace evenkeel::binding
