#include "../native/elementwise.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

// Keys and offsets are whole numbers below 2^53.
std::uint64_t counter(const Args& args, std::size_t index, const char* name) {
  return args.size(index, name);
}

}  // namespace

// (x, y, n, p, key, offset)
Napi::Value dropout(const Napi::CallbackInfo& info) {
  const Args args(info);
  args.by_dtype(0, "x", [&]<class T>() {
    const std::size_t n = args.size(2, "n");
    const double p = args.number(3, "p");
    const std::uint64_t key = counter(args, 4, "key"), offset = counter(args, 5, "offset");
    const T* x = args.array<T>(0, "x", n);
    evenkeel::dropout(x, args.array<T>(1, "y", n), n, p, key, offset);
  });
  return info.Env().Undefined();
}

// (out, n, low, high, key, offset)
Napi::Value uniform(const Napi::CallbackInfo& info) {
  const Args args(info);
  args.by_dtype(0, "out", [&]<class T>() {
    const std::size_t n = args.size(1, "n");
    const double low = args.number(2, "low"), high = args.number(3, "high");
    const std::uint64_t key = counter(args, 4, "key"), offset = counter(args, 5, "offset");
    evenkeel::uniform(args.array<T>(0, "out", n), n, low, high, key, offset);
  });
  return info.Env().Undefined();
}

// (out: Uint32Array, n, key, offset)
Napi::Value random_words(const Napi::CallbackInfo& info) {
  const Args args(info);
  const std::size_t n = args.size(1, "n");
  const std::uint64_t key = counter(args, 2, "key"), offset = counter(args, 3, "offset");
  evenkeel::random_words(args.array<std::uint32_t>(0, "out", n), n, key, offset);
  return info.Env().Undefined();
}

}  // namespace evenkeel::binding
