// Seeded draws from whole numbers alone: one seed draws the same case on every machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace evenkeel::check {

// SplitMix64 (Steele, Lea, Flood 2014).
inline std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15u); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  bool flip() { return one_in(2); }

  // 1 to `high`, small ones as likely as large ones.
  std::size_t size(std::size_t high) {
    std::size_t bits = 0;
    while (high >> (bits + 1) != 0) ++bits;
    const std::size_t power = std::size_t{1} << below(bits + 1);
    const std::size_t drawn = power + below(power);
    return drawn <= high ? drawn : high;
  }

  // [0, 1), 53 bits.
  double fraction() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }

 private:
  std::uint64_t state_;
};

}  // namespace evenkeel::check
