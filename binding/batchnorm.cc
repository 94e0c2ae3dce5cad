#include "../native/batchnorm.h"

#include "args.h"
#include "async.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

struct Checked {
  BatchShape shape;
  std::size_t elements;
};

Checked shape_at(const Args& args, Args::Slot n, Args::Slot c, Args::Slot l) {
  const BatchShape shape{args.size(n, "n"), args.size(c, "c"), args.size(l, "l")};
  return {shape, args.product(args.product(shape.n, shape.c), shape.l)};
}

// Whether two operands of a and b elements share memory; null ones share none.
template <class T>
bool overlap(const T* p, std::size_t a, const T* q, std::size_t b) {
  const auto from = reinterpret_cast<std::uintptr_t>(p), to = from + a * sizeof(T);
  const auto start = reinterpret_cast<std::uintptr_t>(q), end = start + b * sizeof(T);
  return p != nullptr && q != nullptr && from < end && start < to;
}

// The name of an operand that is written and shares memory with another one, or null. y may be x.
template <class T>
const char* shared_memory(const BatchNormForward<T>& call, std::size_t elements) {
  const std::size_t c = call.shape.c;
  const T* const mean = call.running_mean;
  const T* const var = call.running_var;
  if (call.y != call.x && overlap<T>(call.y, elements, call.x, elements)) return "out";
  for (const T* each : {call.weight, call.bias, mean, var}) {
    if (overlap<T>(call.y, elements, each, c)) return "out";
  }
  if (!call.update && call.var == nullptr) return nullptr;  // the moments will move them
  if (overlap(mean, c, var, c)) return "running_mean";
  if (overlap<T>(mean, c, call.x, elements)) return "running_mean";
  if (overlap<T>(var, c, call.x, elements)) return "running_var";
  for (const T* each : {call.weight, call.bias}) {
    if (overlap(mean, c, each, c)) return "running_mean";
    if (overlap(var, c, each, c)) return "running_var";
  }
  return nullptr;
}

template <class T>
BatchNormForward<T> forward_of(const Args& args) {
  const auto [shape, elements] = shape_at(args, 2, 3, 4);
  BatchNormForward<T> call{};
  call.shape = shape;
  call.statistics = args.flag(10, "useRunning") ? Statistics::running : Statistics::batch;
  call.update = args.flag(11, "update");
  call.momentum = args.number(12, "momentum");
  call.eps = args.number(13, "eps");
  call.relu = args.flag(14, "relu");
  call.x = args.array<T>(0, "x", elements);
  call.y = args.array<T>(1, "y", elements);
  call.weight = args.array_or_null<T>(5, "weight", shape.c);
  call.bias = args.array_or_null<T>(6, "bias", shape.c);
  if (call.update || call.statistics == Statistics::running) {
    call.running_mean = args.array<T>(7, "runningMean", shape.c);
    call.running_var = args.array<T>(8, "runningVar", shape.c);
  } else {  // y must not lie over them all the same
    call.running_mean = args.array_or_null<T>(7, "runningMean", shape.c);
    call.running_var = args.array_or_null<T>(8, "runningVar", shape.c);
  }
  // Three rows, or four: then the variance is wanted too.
  const std::span<double> saved =
      args.array_of_either<double>(9, "saved", args.product(3, shape.c), args.product(4, shape.c));
  call.saved = saved.data();
  if (saved.size() == 4 * shape.c) call.var = call.saved + 3 * shape.c;
  return call;
}

template <class T>
BatchNormBackward<T> backward_of(const Args& args) {
  const auto [shape, elements] = shape_at(args, 3, 4, 5);
  BatchNormBackward<T> call{};
  call.shape = shape;
  call.statistics = args.flag(12, "usedRunning") ? Statistics::running : Statistics::batch;
  call.relu = args.flag(13, "relu");
  call.x = args.array<T>(0, "x", elements);
  call.dy = args.array_or_null<T>(1, "dy", elements);
  call.dy_value = static_cast<T>(args.number(2, "dyValue"));
  call.weight = args.array_or_null<T>(6, "weight", shape.c);
  call.bias = args.array_or_null<T>(7, "bias", shape.c);
  call.saved = args.array<double>(8, "saved", args.product(3, shape.c));
  call.dx = args.array_or_null<T>(9, "dx", elements);
  call.dweight = args.array_or_null<T>(10, "dweight", shape.c);
  call.dbias = args.array_or_null<T>(11, "dbias", shape.c);
  return call;
}

}  // namespace

// (x, y, n, c, l, weight?, bias?, runningMean?, runningVar?, saved?, useRunning, update, momentum, eps,
// relu)
// -> undefined, or the name of an operand that is written and shares another one's memory; nothing has
// been done then. Asked here, where the addresses are: `buffer` costs JavaScript 18 ns a time.
Napi::Value batchnorm_forward(const Args& args) {
  const char* shared = args.by_dtype(0, "x", [&]<class T>() {
    const BatchNormForward<T> call = forward_of<T>(args);
    const char* name = shared_memory(call, call.shape.n * call.shape.c * call.shape.l);
    if (name == nullptr) batchnorm_forward(call, args.workspace());
    return name;
  });
  return shared == nullptr ? Napi::Value() : Napi::String::New(args.env(), shared);
}

// (…, ticket) -> promise. What is written is the caller's alone.
Napi::Value start_batchnorm_forward(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() {
    const BatchNormForward<T> call = forward_of<T>(args);
    const char* name = shared_memory(call, call.shape.n * call.shape.c * call.shape.l);
    if (name != nullptr) args.fail(name, "memory of its own", "another operand's");
    return start(args, 15, [call](Workspace& workspace) { batchnorm_forward(call, workspace); });
  });
}

// (x, dy?, dyValue, n, c, l, weight?, bias?, saved, dx?, dweight?, dbias?, usedRunning, relu); without dy
// every element of it is dyValue.
void batchnorm_backward(const Args& args) {
  args.by_dtype(0, "x",
                [&]<class T>() { batchnorm_backward(backward_of<T>(args), args.workspace()); });
}

// (…, ticket) -> promise
Napi::Value start_batchnorm_backward(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() {
    return start(args, 14, [call = backward_of<T>(args)](Workspace& workspace) {
      batchnorm_backward(call, workspace);
    });
  });
}

}  // namespace evenkeel::binding
