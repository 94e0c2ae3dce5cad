// Batch normalisation with a pointwise activation behind it, by the codes of arithmetic.h.
#pragma once

#include "args.h"
#include "arithmetic.h"
#include "batchnorm.h"

namespace evenkeel::binding {

template <class T>
Slopes<T> slopes_at(const Args& args, Args::Slot index, std::size_t channels) {
  const auto slopes = args.array_of_either<T>(index, "slopes", 1, channels);
  return {slopes.data(), slopes.size() == 1};
}

// The arguments of batchNormForward, then (code, p, q, slopes?): y = f(what that writes). relu is false. With slopes, one
// or C, f is a PReLU by them, and the code is not read.
template <class T>
struct ActivatedForwardCall : ForwardCall<T> {
  static constexpr std::size_t kArguments = ForwardCall<T>::kArguments + 4;

  explicit ActivatedForwardCall(const Args& args) : ForwardCall<T>(args) {
    this->call.activation = {
        true, code_at<UnaryCode>(args, 15), {args.number(16, "p"), args.number(17, "q")}};
    this->call.slopes = slopes_at<T>(args, 18, this->call.shape.c);
  }

  const char* shared() const {
    const auto& of = this->call;
    const T* const slopes = of.slopes.values;
    const std::size_t c = of.shape.c, count = of.slopes.single ? 1 : c;
    if (overlap<T>(of.y, this->elements, slopes, count)) return "out";
    if (const char* other = ForwardCall<T>::shared()) return other;
    if (!this->moves()) return nullptr;
    if (overlap<T>(of.running_mean, c, slopes, count)) return "running_mean";
    return overlap<T>(of.running_var, c, slopes, count) ? "running_var" : nullptr;
  }
};

// (x, dy, dz, n, c, l, weight?, bias?, saved, gradient code, p, q, slopes?, products?): dz, the gradient of what the
// activation was applied to, and with slopes, products that add up to their gradients (native/batchnorm/batchnorm.h).
// What is written is the caller's alone.
template <class T>
struct ActivationBackwardCall {
  static constexpr std::size_t kArguments = 14;
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
    call.slopes = slopes_at<T>(args, 12, channels);
    call.products = args.array_or_null<T>(13, "products", elements);
    if (call.products != nullptr && !call.slopes.given()) {
      args.fail("products", "null without slopes", "some");
    }
  }
  void run(Workspace& workspace) const { activation_backward(call, workspace); }
};

}  // namespace evenkeel::binding
