// Optimiser steps beside SGD and Adam (optimizer.h), and what is done to gradients and averages. A cancelled job leaves
// its output half written.
#pragma once

#include "../native/math/optimizers.h"
#include "args.h"

namespace evenkeel::binding {

// (parameter, gradient, square, momentum?, mean?, n, lr, alpha, eps, weightDecay, momentum, maximize)
template <class T>
struct RmspropCall {
  static constexpr std::size_t kArguments = 12;
  std::size_t n;
  RmspropStep step;
  T* parameter;
  const T* gradient;
  T *square, *momentum, *mean;

  explicit RmspropCall(const Args& args)
      : n(args.size(5, "n")),
        step{args.number(6, "lr"),          args.number(7, "alpha"),     args.number(8, "eps"),
             args.number(9, "weightDecay"), args.number(10, "momentum"), args.flag(11, "maximize")},
        parameter(args.array<T>(0, "parameter", n)),
        gradient(args.array<T>(1, "gradient", n)),
        square(args.array<T>(2, "square", n)),
        momentum(args.array_or_null<T>(3, "momentum", n)),
        mean(args.array_or_null<T>(4, "mean", n)) {}
  void run() const { rmsprop_step(parameter, gradient, square, momentum, mean, n, step); }
};

// (parameter, gradient, sum, n, lr, eps, weightDecay, maximize)
template <class T>
struct AdagradCall {
  static constexpr std::size_t kArguments = 8;
  std::size_t n;
  AdagradStep step;
  T* parameter;
  const T* gradient;
  T* sum;

  explicit AdagradCall(const Args& args)
      : n(args.size(3, "n")),
        step{args.number(4, "lr"), args.number(5, "eps"), args.number(6, "weightDecay"),
             args.flag(7, "maximize")},
        parameter(args.array<T>(0, "parameter", n)),
        gradient(args.array<T>(1, "gradient", n)),
        sum(args.array<T>(2, "sum", n)) {}
  void run() const { adagrad_step(parameter, gradient, sum, n, step); }
};

// (beta1, momentumDecay, t) -> the momentum of step t
struct NadamMomentum {
  static constexpr std::size_t kArguments = 3;
  double beta1, decay, t;

  explicit NadamMomentum(const Args& args)
      : beta1(args.number(0, "beta1")),
        decay(args.number(1, "momentumDecay")),
        t(args.number(2, "t")) {}
  double run() const { return nadam_momentum(beta1, decay, t); }
};

// (parameter, gradient, m, v, n, lr, beta1, beta2, eps, weightDecay, biasCorrection2, gradientRate, momentRate,
//  decoupled, maximize)
template <class T>
struct NadamCall {
  static constexpr std::size_t kArguments = 15;
  std::size_t n;
  NadamStep step;
  T* parameter;
  const T* gradient;
  T *m, *v;

  explicit NadamCall(const Args& args)
      : n(args.size(4, "n")),
        step{args.number(5, "lr"),
             args.number(6, "beta1"),
             args.number(7, "beta2"),
             args.number(8, "eps"),
             args.number(9, "weightDecay"),
             args.number(10, "biasCorrection2"),
             args.number(11, "gradientRate"),
             args.number(12, "momentRate"),
             args.flag(13, "decoupled"),
             args.flag(14, "maximize")},
        parameter(args.array<T>(0, "parameter", n)),
        gradient(args.array<T>(1, "gradient", n)),
        m(args.array<T>(2, "m", n)),
        v(args.array<T>(3, "v", n)) {}
  void run() const { nadam_step(parameter, gradient, m, v, n, step); }
};

// (parameter, gradient, momentum, n, lr, momentum, weightDecay, trust, maximize)
template <class T>
struct LarsCall {
  static constexpr std::size_t kArguments = 9;
  std::size_t n;
  LarsStep step;
  T* parameter;
  const T* gradient;
  T* momentum;

  explicit LarsCall(const Args& args)
      : n(args.size(3, "n")),
        step{args.number(4, "lr"), args.number(5, "momentum"), args.number(6, "weightDecay"),
             args.number(7, "trust"), args.flag(8, "maximize")},
        parameter(args.array<T>(0, "parameter", n)),
        gradient(args.array<T>(1, "gradient", n)),
        momentum(args.array<T>(2, "momentum", n)) {}
  void run() const { lars_step(parameter, gradient, momentum, n, step); }
};

// (a, b, weight, out, n)
template <class T>
struct Lerp {
  static constexpr std::size_t kArguments = 5;
  std::size_t n;
  double weight;
  const T *a, *b;
  T* out;

  explicit Lerp(const Args& args)
      : n(args.size(4, "n")),
        weight(args.number(2, "weight")),
        a(args.array<T>(0, "a", n)),
        b(args.array<T>(1, "b", n)),
        out(args.array<T>(3, "out", n)) {}
  void run() const { lerp(a, b, weight, out, n); }
};

// (x, most, out, n)
template <class T>
struct ClipValues {
  static constexpr std::size_t kArguments = 4;
  std::size_t n;
  double most;
  const T* x;
  T* out;

  explicit ClipValues(const Args& args)
      : n(args.size(3, "n")),
        most(args.number(1, "most")),
        x(args.array<T>(0, "x", n)),
        out(args.array<T>(2, "out", n)) {}
  void run() const { clip_values(x, most, out, n); }
};

// (x, n, 1 | 2 | Infinity) -> sum |x|, sum x^2 or max |x|
template <class T>
struct NormPart {
  static constexpr std::size_t kArguments = 3;
  std::size_t n;
  double type;
  const T* x;

  explicit NormPart(const Args& args)
      : n(args.size(1, "n")), type(args.number(2, "type")), x(args.array<T>(0, "x", n)) {}
  double run(Workspace& workspace) const {
    const Norm kind = type == 1.0 ? Norm::kSum : type == 2.0 ? Norm::kSquares : Norm::kLargest;
    return norm_part(x, n, kind, workspace);
  }
};

}  // namespace evenkeel::binding
