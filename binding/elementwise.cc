#include "../native/elementwise.h"

#include "args.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

// (a, b, out, n)
template <class Call>
void binary(const Args& args, const Call& call) {
  args.by_dtype(0, "a", [&]<class T>() {
    const std::size_t n = args.size(3, "n");
    const T* a = args.array<T>(0, "a", n);
    const T* b = args.array<T>(1, "b", n);
    call(a, b, args.array<T>(2, "out", n), n);
  });
}

}  // namespace

// (x, y, n)
void relu(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t n = args.size(2, "n");
    const T* x = args.array<T>(0, "x", n);
    evenkeel::relu(x, args.array<T>(1, "y", n), n);
  });
}

// (y, dy, dx, n)
void relu_backward(const Args& args) {
  binary(args, [](const auto* y, const auto* dy, auto* dx, std::size_t n) {
    evenkeel::relu_backward(y, dy, dx, n);
  });
}

void add(const Args& args) {
  binary(args, [](const auto* a, const auto* b, auto* out, std::size_t n) {
    evenkeel::add(a, b, out, n);
  });
}

void multiply(const Args& args) {
  binary(args, [](const auto* a, const auto* b, auto* out, std::size_t n) {
    evenkeel::multiply(a, b, out, n);
  });
}

// (x, factor, out, n)
void scale(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t n = args.size(3, "n");
    const double factor = args.number(1, "factor");
    const T* x = args.array<T>(0, "x", n);
    evenkeel::scale(x, factor, args.array<T>(2, "out", n), n);
  });
}

// (x, n) -> number
Napi::Value sum(const Args& args) {
  const double total = args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t n = args.size(1, "n");
    return evenkeel::sum<T>(args.array<T>(0, "x", n), n, args.workspace());
  });
  return Napi::Number::New(args.env(), total);
}

// (x, n) -> number
Napi::Value mean(const Args& args) {
  const double value = args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t n = args.size(1, "n");
    return evenkeel::mean<T>(args.array<T>(0, "x", n), n, args.workspace());
  });
  return Napi::Number::New(args.env(), value);
}

}  // namespace evenkeel::binding
