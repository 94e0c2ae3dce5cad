#include "../native/math/bare_passes.h"

#include "args.h"
#include "functions.h"

namespace evenkeel::binding {

// (source, target, n)
void bare_copy(const Args& args) {
  const std::size_t n = args.size(2, "n");
  const float* source = args.array<float>(0, "source", n);
  evenkeel::bare_copy(source, args.array<float>(1, "target", n), n);
}

// (source, n) -> a number that depends on every element
Napi::Value bare_read(const Args& args) {
  const std::size_t n = args.size(1, "n");
  return Napi::Number::New(args.env(), evenkeel::bare_read(args.array<float>(0, "source", n), n));
}

}  // namespace evenkeel::binding
