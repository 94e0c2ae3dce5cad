#include "../native/huge_pages.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {

// (data, n): of a float array that nobody has written yet
void prefer_huge_pages(const Args& args) {
  args.by_dtype(0, "data", [&]<class T>() {
    const std::size_t n = args.size(1, "n");
    evenkeel::prefer_huge_pages(args.array<T>(0, "data", n), args.product(n, sizeof(T)));
  });
}

}  // namespace evenkeel::binding
