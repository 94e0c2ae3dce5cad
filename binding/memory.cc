#include "../native/huge_pages.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {

// (data, n): of a float array that nobody has written yet
Napi::Value prefer_huge_pages(const Napi::CallbackInfo& info) {
  const Args args(info);
  args.by_dtype(0, "data", [&]<class T>() {
    const std::size_t n = args.size(1, "n");
    evenkeel::prefer_huge_pages(args.array<T>(0, "data", n), args.product(n, sizeof(T)));
  });
  return info.Env().Undefined();
}

}  // namespace evenkeel::binding
