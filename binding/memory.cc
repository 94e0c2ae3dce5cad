#include "../native/runtime/huge_pages.h"
#include "args.h"
#include "functions.h"

namespace evenkeel::binding {

// (data, n) of a float array that nobody has written yet -> its elements before the first cache line
Napi::Value prepare_large(const Args& args) {
  const std::size_t first = args.by_dtype([&]<class T>() {
    const std::size_t n = args.size(1, "n");
    T* data = args.array<T>(0, "data", n);
    prefer_huge_pages(data, args.product(n, sizeof(T)));
    constexpr std::uintptr_t kLine = 64;
    return (kLine - reinterpret_cast<std::uintptr_t>(data) % kLine) % kLine / sizeof(T);
  });
  return Napi::Number::New(args.env(), static_cast<double>(first));
}

}  // namespace evenkeel::binding
