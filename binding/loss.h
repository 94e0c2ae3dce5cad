// The losses and their gradients.
#pragma once

#include <cstdint>
#include <string>

#include "../native/math/elementwise.h"
#include "args.h"
#include "indices.h"

namespace evenkeel::binding {

// Class indices select memory, so that they are in range is a memory fact. Of a copy: those of a shared array
// could change after the check.
inline const std::int32_t* targets_at(const Args& args, Args::Slot index, std::size_t rows,
                                      std::size_t classes, std::int32_t ignore) {
  const std::int32_t* targets = args.copied<std::int32_t>(index, "targets", rows);
  for (std::size_t r = 0; r < rows; ++r) {
    if (targets[r] == ignore) continue;
    if (targets[r] < 0 || static_cast<std::size_t>(targets[r]) >= classes) {
      throw Napi::RangeError::New(args.env(), "evenkeel addon: expected class targets from 0 to " +
                                                  std::to_string(classes) + " - 1, got " +
                                                  std::to_string(targets[r]) + ".");
    }
  }
  return targets;
}

// (logits, targets: Int32Array | BigInt64Array, labels: Int32Array, probabilities, rows, classes, ignoreIndex,
//  out: Float64Array(3)): labels gets the targets, out = [summed loss, rows counted, mean loss]
// -> -1, or where the first target stands that is neither a class nor ignored
template <class T>
struct CrossEntropyCall {
  static constexpr std::size_t kArguments = 8;
  std::size_t rows, classes;
  std::int32_t ignore;
  const T* logits;
  Indices targets;
  std::int32_t* labels;
  T* probabilities;
  double* out;

  explicit CrossEntropyCall(const Args& args)
      : rows(args.size(4, "rows")),
        classes(args.size(5, "classes")),
        ignore(args.int32(6, "ignoreIndex")),
        logits(args.array<T>(0, "logits", args.product(rows, classes))),
        targets(args, 1, "targets", rows),
        labels(args.array<std::int32_t>(2, "labels", rows)),
        probabilities(args.array<T>(3, "probabilities", rows * classes)),
        out(args.array<double>(7, "out", 3)) {}
  double run(Workspace& workspace) const {
    const double bad = targets.copy_to(labels, {classes, true, ignore});
    if (bad >= 0.0) return bad;
    const CrossEntropy result =
        cross_entropy(logits, labels, probabilities, rows, classes, ignore, workspace);
    out[0] = result.loss;
    out[1] = static_cast<double>(result.counted);
    out[2] = result.mean;
    return bad;
  }
};

// (probabilities, targets, gradient, rows, classes, ignoreIndex, factor)
template <class T>
struct CrossEntropyBackward {
  static constexpr std::size_t kArguments = 7;
  std::size_t rows, classes;
  std::int32_t ignore;
  double factor;
  const T* probabilities;
  T* gradient;
  const std::int32_t* targets;

  explicit CrossEntropyBackward(const Args& args)
      : rows(args.size(3, "rows")),
        classes(args.size(4, "classes")),
        ignore(args.int32(5, "ignoreIndex")),
        factor(args.number(6, "factor")) {
    const std::size_t elements = args.product(rows, classes);
    probabilities = args.array<T>(0, "probabilities", elements);
    gradient = args.array<T>(2, "gradient", elements);
    targets = targets_at(args, 1, rows, classes, ignore);
  }
  void run() const {
    cross_entropy_backward(probabilities, targets, factor, gradient, rows, classes, ignore);
  }
};

// (prediction, target, n)
template <class T>
struct Compared {
  static constexpr std::size_t kArguments = 3;
  std::size_t n;
  const T *prediction, *target;

  explicit Compared(const Args& args)
      : n(args.size(2, "n")),
        prediction(args.array<T>(0, "prediction", n)),
        target(args.array<T>(1, "target", n)) {}
};

// -> the sum of squares
template <class T>
struct SquaredError : Compared<T> {
  using Compared<T>::Compared;
  double run(Workspace& workspace) const {
    return squared_error(this->prediction, this->target, this->n, workspace);
  }
};

// -> the mean of squares
template <class T>
struct MeanSquaredError : Compared<T> {
  using Compared<T>::Compared;
  double run(Workspace& workspace) const {
    return mean_squared_error(this->prediction, this->target, this->n, workspace);
  }
};

// (prediction, target, factor, gradient, n)
template <class T>
struct SquaredErrorBackward {
  static constexpr std::size_t kArguments = 5;
  std::size_t n;
  double factor;
  const T *prediction, *target;
  T* gradient;

  explicit SquaredErrorBackward(const Args& args)
      : n(args.size(4, "n")),
        factor(args.number(2, "factor")),
        prediction(args.array<T>(0, "prediction", n)),
        target(args.array<T>(1, "target", n)),
        gradient(args.array<T>(3, "gradient", n)) {}
  void run() const { squared_error_backward(prediction, target, factor, gradient, n); }
};

}  // namespace evenkeel::binding
