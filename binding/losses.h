// Losses beside those of loss.h.
// Longer than 250 lines because each loss is one struct for its values and one for its gradients.
#pragma once

#include <optional>
#include <string>

#include "../native/math/class_losses.h"
#include "../native/math/losses.h"
#include "args.h"
#include "indices.h"
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
struct LossGradients {
  static constexpr std::size_t kArguments = 11;
  LossKind kind;
  std::size_t n;
  LossOperands<T> operands;
  bool of_target;
  const T* dy;
  double factor;
  T* out;

  explicit LossGradients(const Args& args)
      : kind(loss_kind(args)),
        n(args.size(5, "n")),
        operands(loss_operands<T>(args, n)),
        of_target(args.flag(7, "ofTarget")),
        dy(args.array_or_null<T>(8, "dy", n)),
        factor(args.number(9, "factor")),
        out(args.array<T>(10, "out", n)) {}
  void run() const { loss_gradients(kind, operands, of_target, dy, factor, out, n); }
};

template <class T>
RowOperands<T> row_operands(const Args& args, Args::Slot weight, std::size_t rows,
                            std::size_t classes, int ignore, double smoothing) {
  if (classes == 0 && rows != 0) args.fail("classes", "at least 1", "0");
  return {args.array<T>(0, "logits", args.product(rows, classes)),
          nullptr,
          nullptr,
          args.array_or_null<double>(weight, "weight", classes),
          classes,
          smoothing,
          ignore};
}

// (logits, targets: Int32Array | BigInt64Array, or probabilities, labels: Int32Array | null, weight?: Float64Array, rows,
//  classes, ignoreIndex, smoothing, lse: Float64Array, values?, out: Float64Array(2)): labels, null where probabilities
// are given, get the targets; values the losses; out their sum and the weight that was counted, the rows of probabilities.
// -> -1, or where the first target stands that is neither a class nor ignored
template <class T>
struct RowLosses {
  static constexpr std::size_t kArguments = 11;
  std::size_t rows;
  RowOperands<T> operands;
  std::int32_t* labels;
  std::optional<Indices> targets;
  double *lse, *out;
  T* values;

  explicit RowLosses(const Args& args)
      : rows(args.size(4, "rows")),
        operands(row_operands<T>(args, 3, rows, args.size(5, "classes"),
                                 args.int32(6, "ignoreIndex"), args.number(7, "smoothing"))),
        labels(args.array_or_null<std::int32_t>(2, "labels", rows)),
        lse(args.array<double>(8, "lse", rows)),
        out(args.array<double>(10, "out", 2)),
        values(args.array_or_null<T>(9, "values", rows)) {
    if (args.is<std::int32_t>(2)) {
      targets = Indices(args, 1, "targets", rows);
    } else {
      operands.probabilities = args.array<T>(1, "probabilities", rows * operands.classes);
    }
  }
  double run(Workspace& workspace) const {
    workspace.reset();
    RowOperands<T> of = operands;
    if (targets.has_value()) {
      const double bad = targets->copy_to(labels, {of.classes, true, of.ignore});
      if (bad >= 0.0) return bad;
      of.targets = labels;
    }
    double* losses = workspace.take<double>(rows);
    row_losses(of, rows, lse, losses);
    out[0] = finish_losses(losses, rows, values);
    out[1] = of.targets == nullptr ? static_cast<double>(rows)
                                   : counted_weight(labels, of.weight, rows, of.ignore);
    return -1.0;
  }
};

// (logits, labels: Int32Array, or probabilities, weight?: Float64Array, rows, classes, hard, ignoreIndex, smoothing,
//  lse: Float64Array, dy?, factor, dx?, dtarget?)
template <class T>
struct RowGradients {
  static constexpr std::size_t kArguments = 13;
  std::size_t rows;
  RowOperands<T> operands;
  RowScale<T> scale;
  const double* lse;
  T *dx, *dtarget;

  explicit RowGradients(const Args& args)
      : rows(args.size(3, "rows")),
        operands(row_operands<T>(args, 2, rows, args.size(4, "classes"),
                                 args.int32(6, "ignoreIndex"), args.number(7, "smoothing"))),
        scale{args.array_or_null<T>(9, "dy", rows), args.number(10, "factor")},
        lse(args.array<double>(8, "lse", rows)),
        dx(args.array_or_null<T>(11, "dx", rows * operands.classes)),
        dtarget(args.array_or_null<T>(12, "dtarget", rows * operands.classes)) {
    if (args.flag(5, "hard")) {
      operands.targets = targets_at(args, 1, rows, operands.classes, operands.ignore);
    } else {
      operands.probabilities = args.array<T>(1, "probabilities", rows * operands.classes);
    }
  }
  void run(Workspace& workspace) const {
    workspace.reset();
    double* each = workspace.take<double>(rows);
    scales(scale, rows, each);
    row_gradients(operands, rows, lse, each, dx, dtarget);
  }
};

// (x, n, low, high) -> the first element that is not from low to high, or n
template <class T>
struct FirstOutside {
  static constexpr std::size_t kArguments = 4;
  std::size_t n;
  double low, high;
  const T* x;

  explicit FirstOutside(const Args& args)
      : n(args.size(1, "n")),
        low(args.number(2, "low")),
        high(args.number(3, "high")),
        x(args.array<T>(0, "x", n)) {}
  double run(Workspace& workspace) const {
    return static_cast<double>(first_outside(x, n, low, high, workspace));
  }
};

// (x, targets: Int32Array | BigInt64Array, labels: Int32Array, weight?: Float64Array, outer, classes, inner, ignoreIndex,
//  values?, out: Float64Array(2)): as rowLosses
template <class T>
struct NllLosses {
  static constexpr std::size_t kArguments = 10;
  std::size_t outer, classes, inner;
  std::int32_t ignore;
  const T* x;
  Indices targets;
  std::int32_t* labels;
  const double* weight;
  T* values;
  double* out;

  explicit NllLosses(const Args& args)
      : outer(args.size(4, "outer")),
        classes(args.size(5, "classes")),
        inner(args.size(6, "inner")),
        ignore(args.int32(7, "ignoreIndex")),
        x(args.array<T>(0, "x", args.product(args.product(outer, classes), inner))),
        targets(args, 1, "targets", args.product(outer, inner)),
        labels(args.array<std::int32_t>(2, "labels", targets.count)),
        weight(args.array_or_null<double>(3, "weight", classes)),
        values(args.array_or_null<T>(8, "values", targets.count)),
        out(args.array<double>(9, "out", 2)) {}
  double run(Workspace& workspace) const {
    workspace.reset();
    const double bad = targets.copy_to(labels, {classes, true, ignore});
    if (bad >= 0.0) return bad;
    double* losses = workspace.take<double>(targets.count);
    nll_losses<T>(x, {labels, weight, outer, classes, inner, ignore}, losses);
    out[0] = finish_losses(losses, targets.count, values);
    out[1] = counted_weight(labels, weight, targets.count, ignore);
    return bad;
  }
};

// (dx, labels: Int32Array, weight?: Float64Array, outer, classes, inner, ignoreIndex, dy?, factor)
template <class T>
struct NllGradients {
  static constexpr std::size_t kArguments = 9;
  ClassTargets of;
  RowScale<T> scale;
  T* dx;

  explicit NllGradients(const Args& args)
      : of{nullptr,
           nullptr,
           args.size(3, "outer"),
           args.size(4, "classes"),
           args.size(5, "inner"),
           args.int32(6, "ignoreIndex")} {
    const std::size_t rows = args.product(of.outer, of.inner);
    dx = args.array<T>(0, "dx", args.product(rows, of.classes));
    of.targets = targets_at(args, 1, rows, of.classes, of.ignore);
    of.weight = args.array_or_null<double>(2, "weight", of.classes);
    scale = {args.array_or_null<T>(7, "dy", rows), args.number(8, "factor")};
  }
  void run() const { nll_gradients(of, scale, dx); }
};

}  // namespace evenkeel::binding
