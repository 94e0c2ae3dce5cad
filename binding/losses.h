// Losses beside those of loss.h.
#pragma once

#include <string>

#include "../native/math/losses.h"
#include "args.h"
#include "loss.h"

namespace evenkeel::binding {

inline LossKind loss_kind(const Args& args) {
  const std::size_t kind = args.size(4, "kind");
  if (kind >= kLossKinds) args.fail("kind", "a loss", std::to_string(kind));
  return static_cast<LossKind>(kind);
}

template <class T>
LossOperands<T> loss_operands(const Args& args, std::size_t n) {
  return {args.array<T>(0, "x", n), args.array<T>(1, "target", n),
          args.array_or_null<T>(2, "weight", n), args.array_or_null<T>(3, "positive", n),
          args.number(6, "p")};
}

// (x, target, weight?, positive?, kind, n, p, divisor) -> the sum over the divisor
template <class T>
struct LossSum {
  static constexpr std::size_t kArguments = 8;
  LossKind kind;
  std::size_t n;
  LossOperands<T> operands;
  double divisor;

  explicit LossSum(const Args& args)
      : kind(loss_kind(args)),
        n(args.size(5, "n")),
        operands(loss_operands<T>(args, n)),
        divisor(args.number(7, "divisor")) {}
  double run(Workspace& workspace) const { return loss_sum(kind, operands, n, divisor, workspace); }
};

// (x, target, weight?, positive?, kind, n, p, out)
template <class T>
struct LossValues {
  static constexpr std::size_t kArguments = 8;
  LossKind kind;
  std::size_t n;
  LossOperands<T> operands;
  T* out;

  explicit LossValues(const Args& args)
      : kind(loss_kind(args)),
        n(args.size(5, "n")),
        operands(loss_operands<T>(args, n)),
        out(args.array<T>(7, "out", n)) {}
  void run() const { loss_values(kind, operands, out, n); }
};

// (x, target, weight?, positive?, kind, n, p, ofTarget, dy?, factor, out)
template <class T>
struct LossSlopes {
  static constexpr std::size_t kArguments = 11;
  LossKind kind;
  std::size_t n;
  LossOperands<T> operands;
  bool of_target;
  const T* dy;
  double factor;
  T* out;

  explicit LossSlopes(const Args& args)
      : kind(loss_kind(args)),
        n(args.size(5, "n")),
        operands(loss_operands<T>(args, n)),
        of_target(args.flag(7, "ofTarget")),
        dy(args.array_or_null<T>(8, "dy", n)),
        factor(args.number(9, "factor")),
        out(args.array<T>(10, "out", n)) {}
  void run() const { loss_slopes(kind, operands, of_target, dy, factor, out, n); }
};

// The indices are copied when they are checked: they select memory, and another thread may write them.
template <class T>
RowOperands<T> row_operands(const Args& args, std::size_t rows, std::size_t classes, bool hard,
                            int ignore, double smoothing) {
  const std::size_t elements = args.product(rows, classes);
  RowOperands<T> operands{
      args.array<T>(0, "logits", elements), nullptr, nullptr, nullptr, classes, smoothing, ignore};
  if (classes == 0 && rows != 0) args.fail("classes", "at least 1", "0");
  if (hard) {
    operands.targets = targets_at(args, 1, rows, classes, ignore);
  } else {
    operands.probabilities = args.array<T>(1, "probabilities", elements);
  }
  operands.weight = args.array_or_null<double>(2, "weight", classes);
  return operands;
}

// (logits, targets: Int32Array | probabilities, weight?: Float64Array, rows, classes, hard, ignoreIndex, smoothing,
//  lse: Float64Array, loss: Float64Array)
template <class T>
struct RowLosses {
  static constexpr std::size_t kArguments = 10;
  std::size_t rows;
  RowOperands<T> operands;
  double *lse, *loss;

  explicit RowLosses(const Args& args)
      : rows(args.size(3, "rows")),
        operands(row_operands<T>(args, rows, args.size(4, "classes"), args.flag(5, "hard"),
                                 args.int32(6, "ignoreIndex"), args.number(7, "smoothing"))),
        lse(args.array<double>(8, "lse", rows)),
        loss(args.array<double>(9, "loss", rows)) {}
  void run() const { row_losses(operands, rows, lse, loss); }
};

// (logits, targets: Int32Array | probabilities, weight?: Float64Array, rows, classes, hard, ignoreIndex, smoothing,
//  lse: Float64Array, scale: Float64Array, dx?, dtarget?)
template <class T>
struct RowSlopes {
  static constexpr std::size_t kArguments = 12;
  std::size_t rows;
  RowOperands<T> operands;
  const double *lse, *scale;
  T *dx, *dtarget;

  explicit RowSlopes(const Args& args)
      : rows(args.size(3, "rows")),
        operands(row_operands<T>(args, rows, args.size(4, "classes"), args.flag(5, "hard"),
                                 args.int32(6, "ignoreIndex"), args.number(7, "smoothing"))),
        lse(args.array<double>(8, "lse", rows)),
        scale(args.array<double>(9, "scale", rows)),
        dx(args.array_or_null<T>(10, "dx", rows * operands.classes)),
        dtarget(args.array_or_null<T>(11, "dtarget", rows * operands.classes)) {}
  void run() const { row_slopes(operands, rows, lse, scale, dx, dtarget); }
};

}  // namespace evenkeel::binding
