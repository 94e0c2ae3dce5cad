#include "../native/batchnorm.h"

#include "args.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

struct Checked {
  BatchShape shape;
  std::size_t elements;
};

Checked shape_at(const Args& args, std::size_t index) {
  const BatchShape shape{args.size(index, "n"), args.size(index + 1, "c"),
                         args.size(index + 2, "l")};
  return {shape, args.product(args.product(shape.n, shape.c), shape.l)};
}

}  // namespace

// (x, y, n, c, l, weight?, bias?, runningMean?, runningVar?, saved?, useRunning, update, momentum, eps)
void batchnorm_forward(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const auto [shape, elements] = shape_at(args, 2);
    BatchNormForward<T> call{};
    call.shape = shape;
    call.statistics = args.flag(10, "useRunning") ? Statistics::running : Statistics::batch;
    call.update = args.flag(11, "update");
    call.momentum = args.number(12, "momentum");
    call.eps = args.number(13, "eps");
    call.x = args.array<T>(0, "x", elements);
    call.y = args.array<T>(1, "y", elements);
    call.weight = args.array_or_null<T>(5, "weight", shape.c);
    call.bias = args.array_or_null<T>(6, "bias", shape.c);
    if (call.update || call.statistics == Statistics::running) {
      call.running_mean = args.array<T>(7, "runningMean", shape.c);
      call.running_var = args.array<T>(8, "runningVar", shape.c);
    }
    call.saved = args.array_or_null<double>(9, "saved", args.product(3, shape.c));
    batchnorm_forward(call, args.workspace());
  });
}

// (x, dy, n, c, l, weight?, saved, dx?, dweight?, dbias?, usedRunning)
void batchnorm_backward(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const auto [shape, elements] = shape_at(args, 2);
    BatchNormBackward<T> call{};
    call.shape = shape;
    call.statistics = args.flag(10, "usedRunning") ? Statistics::running : Statistics::batch;
    call.x = args.array<T>(0, "x", elements);
    call.dy = args.array<T>(1, "dy", elements);
    call.weight = args.array_or_null<T>(5, "weight", shape.c);
    call.saved = args.array<double>(6, "saved", args.product(3, shape.c));
    call.dx = args.array_or_null<T>(7, "dx", elements);
    call.dweight = args.array_or_null<T>(8, "dweight", shape.c);
    call.dbias = args.array_or_null<T>(9, "dbias", shape.c);
    batchnorm_backward(call, args.workspace());
  });
}

}  // namespace evenkeel::binding
