// One optimiser step on one parameter. A cancelled job leaves the parameter half moved.
#pragma once

#include "../native/math/elementwise.h"
#include "args.h"

namespace evenkeel::binding {

// (parameter, gradient, momentum?, n, lr, momentum, dampening, weightDecay, nesterov, maximize, first)
template <class T>
struct SgdCall {
  static constexpr std::size_t kArguments = 11;
  std::size_t n;
  SgdStep step;
  T* parameter;
  const T* gradient;
  T* momentum;

  explicit SgdCall(const Args& args)
      : n(args.size(3, "n")),
        step{args.number(4, "lr"),          args.number(5, "momentum"), args.number(6, "dampening"),
             args.number(7, "weightDecay"), args.flag(8, "nesterov"),   args.flag(9, "maximize"),
             args.flag(10, "first")},
        parameter(args.array<T>(0, "parameter", n)),
        gradient(args.array<T>(1, "gradient", n)),
        momentum(args.array_or_null<T>(2, "momentum", n)) {}
  void run() const { sgd_step(parameter, gradient, momentum, n, step); }
};

// (parameter, gradient, m, v, n, lr, beta1, beta2, eps, weightDecay, biasCorrection1,
//  biasCorrection2Sqrt, decoupled, maximize)
template <class T>
struct AdamCall {
  static constexpr std::size_t kArguments = 14;
  std::size_t n;
  AdamStep step;
  T* parameter;
  const T* gradient;
  T *m, *v;

  explicit AdamCall(const Args& args)
      : n(args.size(4, "n")),
        step{args.number(5, "lr"),
             args.number(6, "beta1"),
             args.number(7, "beta2"),
             args.number(8, "eps"),
             args.number(9, "weightDecay"),
             args.number(10, "biasCorrection1"),
             args.number(11, "biasCorrection2Sqrt"),
             args.flag(12, "decoupled"),
             args.flag(13, "maximize")},
        parameter(args.array<T>(0, "parameter", n)),
        gradient(args.array<T>(1, "gradient", n)),
        m(args.array<T>(2, "m", n)),
        v(args.array<T>(3, "v", n)) {}
  void run() const { adam_step(parameter, gradient, m, v, n, step); }
};

}  // namespace evenkeel::binding
