// log(x) from +, -, *, / alone: libm's has other bits on other machines.
#pragma once

#include <bit>
#include <cstdint>

namespace evenkeel {

// For finite x >= 1; NaN and infinity come back as they are. Within 1 unit in the last place:
// x = 2^k m with m in [sqrt(1/2), sqrt(2)), then log m = 2 atanh(s), s = (m - 1) / (m + 1),
// |s| <= 0.1716; the first term left out, s^24 / 25, is below 2^-60.
inline double natural_log(double x) {
  if (!(x >= 1.0) || x > 1.7976931348623157e308) return x;
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  constexpr std::uint64_t kHalfRoot = 0x3fe6a09e667f3bcd;  // sqrt(1/2)
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) - kHalfRoot;
  const std::int64_t k = static_cast<std::int64_t>(bits) >> 52;
  const double m = std::bit_cast<double>((bits & 0xfffffffffffff) + kHalfRoot);
  const double f = m - 1.0, s = f / (m + 1.0), z = s * s;
  double p = 0.0;
  for (int n = 23; n >= 3; n -= 2) p = p * z + 1.0 / n;
  // 2 atanh(s) = f - s f + 2 s^3 (1/3 + ...), because 2 s = f - s f.
  const double series = f - s * (f - 2.0 * z * p);
  const double power = static_cast<double>(k);
  return power * kLn2High + (series + power * kLn2Low);
}

}  // namespace evenkeel
