#include "../native/limits.h"

#include "args.h"
#include "exports.h"

namespace evenkeel::binding {

// (source, target, n)
Napi::Value limit_copy(const Napi::CallbackInfo& info) {
  const Args args(info);
  const std::size_t n = args.size(2, "n");
  const float* source = args.array<float>(0, "source", n);
  evenkeel::limit_copy(source, args.array<float>(1, "target", n), n);
  return info.Env().Undefined();
}

// (source, n) -> a number that depends on every element
Napi::Value limit_read(const Napi::CallbackInfo& info) {
  const Args args(info);
  const std::size_t n = args.size(1, "n");
  return Napi::Number::New(info.Env(), evenkeel::limit_read(args.array<float>(0, "source", n), n));
}

}  // namespace evenkeel::binding
