#include "../native/elementwise.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

// Class indices select memory, so that they are in range is a memory fact. Of a copy: those of a shared array
// could change after the check.
const std::int32_t* targets_at(const Args& args, Args::Slot index, std::size_t rows,
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

}  // namespace

// (logits, targets: Int32Array, probabilities, rows, classes, ignoreIndex, out: Float64Array(2 or 3)):
// out = [summed loss, rows counted], and the mean loss
void cross_entropy(const Args& args) {
  args.by_dtype(0, "logits", [&]<class T>() {
    const std::size_t rows = args.size(3, "rows"), classes = args.size(4, "classes");
    const std::size_t elements = args.product(rows, classes);
    const std::int32_t ignore = args.int32(5, "ignoreIndex");
    const T* logits = args.array<T>(0, "logits", elements);
    T* probabilities = args.array<T>(2, "probabilities", elements);
    const std::span<double> out = args.array_of_either<double>(6, "out", 3, 2);
    if (out.empty()) args.fail("out", "a Float64Array", "null");
    const std::int32_t* targets = targets_at(args, 1, rows, classes, ignore);
    const CrossEntropy result = evenkeel::cross_entropy(logits, targets, probabilities, rows,
                                                        classes, ignore, args.workspace());
    out[0] = result.loss;
    out[1] = static_cast<double>(result.counted);
    if (out.size() == 3) out[2] = result.mean;
  });
}

// (probabilities, targets, gradient, rows, classes, ignoreIndex, factor)
void cross_entropy_backward(const Args& args) {
  args.by_dtype(0, "probabilities", [&]<class T>() {
    const std::size_t rows = args.size(3, "rows"), classes = args.size(4, "classes");
    const std::size_t elements = args.product(rows, classes);
    const std::int32_t ignore = args.int32(5, "ignoreIndex");
    const double factor = args.number(6, "factor");
    const T* probabilities = args.array<T>(0, "probabilities", elements);
    T* gradient = args.array<T>(2, "gradient", elements);
    const std::int32_t* targets = targets_at(args, 1, rows, classes, ignore);
    evenkeel::cross_entropy_backward(probabilities, targets, factor, gradient, rows, classes,
                                     ignore);
  });
}

// (prediction, target, n) -> the sum of squares
Napi::Value squared_error(const Args& args) {
  const double total = args.by_dtype(0, "prediction", [&]<class T>() {
    const std::size_t n = args.size(2, "n");
    const T* prediction = args.array<T>(0, "prediction", n);
    return evenkeel::squared_error<T>(prediction, args.array<T>(1, "target", n), n,
                                      args.workspace());
  });
  return Napi::Number::New(args.env(), total);
}

// (prediction, target, n) -> the mean of squares
Napi::Value mean_squared_error(const Args& args) {
  const double value = args.by_dtype(0, "prediction", [&]<class T>() {
    const std::size_t n = args.size(2, "n");
    const T* prediction = args.array<T>(0, "prediction", n);
    return evenkeel::mean_squared_error<T>(prediction, args.array<T>(1, "target", n), n,
                                           args.workspace());
  });
  return Napi::Number::New(args.env(), value);
}

// (prediction, target, factor, gradient, n)
void squared_error_backward(const Args& args) {
  args.by_dtype(0, "prediction", [&]<class T>() {
    const std::size_t n = args.size(4, "n");
    const double factor = args.number(2, "factor");
    const T* prediction = args.array<T>(0, "prediction", n);
    const T* target = args.array<T>(1, "target", n);
    evenkeel::squared_error_backward(prediction, target, factor, args.array<T>(3, "gradient", n),
                                     n);
  });
}

}  // namespace evenkeel::binding
