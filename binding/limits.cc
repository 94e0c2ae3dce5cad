#include "../native/math/limits.h"

#include "args.h"
#include "functions.h"

namespace evenkeel::binding {

// (source, target, n)
void limit_copy(const Args& args) {
  const std::size_t n = args.size(2, "n");
  const float* source = args.array<float>(0, "source", n);
  evenkeel::limit_copy(source, args.array<float>(1, "target", n), n);
}

// (source, n) -> a number that depends on every element
Napi::Value limit_read(const Args& args) {
  const std::size_t n = args.size(1, "n");
  return Napi::Number::New(args.env(), evenkeel::limit_read(args.array<float>(0, "source", n), n));
}

}  // namespace evenkeel::binding
