// Random numbers, from a key and a place in its stream: whole numbers below 2^53.
#pragma once

#include <cstdint>
#include <string>

#include "../native/math/elementwise.h"
#include "args.h"

namespace evenkeel::binding {

struct Stream {
  std::uint64_t key, offset;

  Stream(const Args& args, Args::Slot key_at, Args::Slot offset_at)
      : key(args.size(key_at, "key")), offset(args.size(offset_at, "offset")) {}
};

// (x, y, n, p, key, offset)
template <class T>
struct Dropout {
  static constexpr std::size_t kArguments = 6;
  std::size_t n;
  double p;
  Stream stream;
  const T* x;
  T* y;

  explicit Dropout(const Args& args)
      : n(args.size(2, "n")), p(args.number(3, "p")), stream(args, 4, 5) {
    if (!(p >= 0.0 && p <= 1.0)) args.fail("p", "a number from 0 to 1", std::to_string(p));
    x = args.array<T>(0, "x", n);
    y = args.array<T>(1, "y", n);
  }
  void run() const { dropout(x, y, n, p, stream.key, stream.offset); }
};

// (out, n, low, high, key, offset)
template <class T>
struct Uniform {
  static constexpr std::size_t kArguments = 6;
  std::size_t n;
  double low, high;
  Stream stream;
  T* out;

  explicit Uniform(const Args& args)
      : n(args.size(1, "n")),
        low(args.number(2, "low")),
        high(args.number(3, "high")),
        stream(args, 4, 5),
        out(args.array<T>(0, "out", n)) {}
  void run() const { uniform(out, n, low, high, stream.key, stream.offset); }
};

// (out: Uint32Array, n, key, offset)
struct RandomWords {
  static constexpr std::size_t kArguments = 4;
  std::size_t n;
  Stream stream;
  std::uint32_t* out;

  explicit RandomWords(const Args& args)
      : n(args.size(1, "n")), stream(args, 2, 3), out(args.array<std::uint32_t>(0, "out", n)) {}
  void run() const { random_words(out, n, stream.key, stream.offset); }
};

}  // namespace evenkeel::binding
