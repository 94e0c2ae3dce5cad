#include "../native/elementwise.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

// Keys and offsets are whole numbers below 2^53.
std::uint64_t counter(const Args& args, Args::Slot index, const char* name) {
  return args.size(index, name);
}

}  // namespace

// (x, y, n, p, key, offset)
void dropout(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t n = args.size(2, "n");
    const double p = args.number(3, "p");
    if (!(p >= 0.0 && p <= 1.0)) args.fail("p", "a number from 0 to 1", std::to_string(p));
    const std::uint64_t key = counter(args, 4, "key"), offset = counter(args, 5, "offset");
    const T* x = args.array<T>(0, "x", n);
    evenkeel::dropout(x, args.array<T>(1, "y", n), n, p, key, offset);
  });
}

// (out, n, low, high, key, offset)
void uniform(const Args& args) {
  args.by_dtype(0, "out", [&]<class T>() {
    const std::size_t n = args.size(1, "n");
    const double low = args.number(2, "low"), high = args.number(3, "high");
    const std::uint64_t key = counter(args, 4, "key"), offset = counter(args, 5, "offset");
    evenkeel::uniform(args.array<T>(0, "out", n), n, low, high, key, offset);
  });
}

// (out: Uint32Array, n, key, offset)
void random_words(const Args& args) {
  const std::size_t n = args.size(1, "n");
  const std::uint64_t key = counter(args, 2, "key"), offset = counter(args, 3, "offset");
  evenkeel::random_words(args.array<std::uint32_t>(0, "out", n), n, key, offset);
}

}  // namespace evenkeel::binding
