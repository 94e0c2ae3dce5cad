// exp, log and their kind in double, from + - * / and the bits of a number alone: libm's have other bits on other
// machines. Loops over them become vector instructions: no branch, no call, no table.
//
// kDigits: 53 for a float64 result, 24 for a float32 one, which is rounded from a double with a relative error below
// 2^-30. Errors are stated in units in the last place (ulp) of the result, and test/native/functions.test.ts measures
// them: docs/operations.md has the figures.
#pragma once

#include <cstddef>

namespace evenkeel {
namespace {

using Bits = unsigned long long;

constexpr double kInfinity = __builtin_inf();
constexpr double kNotANumber = __builtin_nan("");
constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52: x + kRounder - kRounder is round(x)
constexpr double kLogTwoE = 1.4426950408889634;
constexpr double kLogTwoHigh = 6.93147180369123816490e-01, kLogTwoLow = 1.90821492927058770002e-10;
constexpr double kRootOfHalf = 0.70710678118654752440, kInverseRoot2Pi = 0.39894228040143267794;

inline Bits bits_of(double x) { return __builtin_bit_cast(Bits, x); }
inline double from_bits(Bits x) { return __builtin_bit_cast(double, x); }

// 2^n for the whole number n = shifted - kRounder, from the low bits of `shifted`.
inline double power_of_2(double shifted) {
  return from_bits((bits_of(shifted) << 52) + (Bits{1023} << 52));
}

// c[0] + c[1] x + ... (Horner).
template <std::size_t kCount>
inline double polynomial(const double (&c)[kCount], double x) {
  double sum = c[kCount - 1];
  for (std::size_t i = kCount - 1; i-- > 0;) sum = sum * x + c[i];
  return sum;
}

// x = n ln 2 + r, |r| <= ln 2 / 2, and e^r - 1 by its Taylor series: terms up to r^13 (r^8), the first left out is below
// 2^-57 (2^-32). |x| <= 746.
struct Reduced {
  double shifted;  // n + kRounder
  double expm1_r;
};
template <int kDigits>
inline Reduced reduced(double x) {
  const double shifted = x * kLogTwoE + kRounder;
  const double n = shifted - kRounder;
  const double r = (x - n * kLogTwoHigh) - n * kLogTwoLow;
  double p;
  if constexpr (kDigits > 24) {
    constexpr double c[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                            1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                            1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
    p = polynomial(c, r);
  } else {
    constexpr double c[] = {1.0 / 2,   1.0 / 6,    1.0 / 24,   1.0 / 120,
                            1.0 / 720, 1.0 / 5040, 1.0 / 40320};
    p = polynomial(c, r);
  }
  return {shifted, r + r * r * p};
}

// e^x for any x. 2^n in two factors: it may be beyond the largest double, or a subnormal one.
template <int kDigits>
inline double exponential(double x) {
  const double bounded = x > 710.0 ? 710.0 : (x < -746.0 ? -746.0 : x);
  const Reduced part = reduced<kDigits>(bounded);
  const double value = 1.0 + part.expm1_r;
  double result;
  if constexpr (kDigits > 24) {
    const double half = (part.shifted - kRounder) * 0.5 + kRounder;
    const double rest = (part.shifted - (half - kRounder));
    result = value * power_of_2(half) * power_of_2(rest);
  } else {
    // Beyond 2^±1000 a float is 0 or infinite.
    const double n = part.shifted - kRounder;
    const double kept = n > 1000.0 ? 1000.0 : (n < -1000.0 ? -1000.0 : n);
    result = x < -700.0 ? 0.0 : value * power_of_2(kept + kRounder);
  }
  return x == x ? result : x;
}

// e^x - 1 for x <= 0.
template <int kDigits>
inline double exponential_minus_1(double x) {
  const double bounded = x < -60.0 ? -60.0 : x;
  const Reduced part = reduced<kDigits>(bounded);
  const double power = power_of_2(part.shifted);
  const double result = power * part.expm1_r + (power - 1.0);
  return x == x ? (x == 0.0 ? x : result) : x;
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716, by its series up to
// s^23 (s^11).
template <int kDigits>
inline double log_series(double z) {
  if constexpr (kDigits > 24) {
    constexpr double c[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                            1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
    return polynomial(c, z);
  } else {
    constexpr double c[] = {1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11};
    return polynomial(c, z);
  }
}
struct Parted {
  double k, m;
};
inline Parted parted(double x) {
  constexpr Bits kHalfRoot = 0x3fe6a09e667f3bcd, kMantissa = 0xfffffffffffff;  // sqrt(1/2)
  const bool small = x < 0x1p-1022;
  const double scaled = small ? x * 0x1p54 : x;
  const Bits moved = bits_of(scaled) - kHalfRoot;
  // (moved >> 52) + 1024 as a number that is never negative; in the low bits of 2^52 it is a double at once.
  const Bits exponent = (moved + (Bits{1024} << 52)) >> 52;
  const double k =
      from_bits(exponent | 0x4330000000000000) - (0x1p52 + 1024.0) - (small ? 54.0 : 0.0);
  return {k, from_bits((moved & kMantissa) + kHalfRoot)};
}
template <int kDigits>
inline double logarithm(double x) {
  const Parted part = parted(x);
  const double f = part.m - 1.0, s = f / (part.m + 1.0), z = s * s;
  // 2 atanh(s) = f - s f + 2 s^3 (1/3 + ...), because 2 s = f - s f.
  const double series = f - s * (f - 2.0 * z * log_series<kDigits>(z));
  const double value = part.k * kLogTwoHigh + (series + part.k * kLogTwoLow);
  const double usual = x < kInfinity ? value : x;
  return x > 0.0 ? usual : (x == 0.0 ? -kInfinity : (x == x ? kNotANumber : x));
}

// log(1 + x) for any x: what 1 + x rounds away is put back (Kahan).
template <int kDigits>
inline double logarithm_of_1_plus(double x) {
  const double u = 1.0 + x;
  const double lost = (x - (u - 1.0)) / u;
  const double value = logarithm<kDigits>(u) + lost;
  const double usual = x < kInfinity ? value : x;
  return x > -1.0 ? (x == 0.0 ? x : usual) : logarithm<kDigits>(u);
}

// 1 / (1 + e^-x)
template <int kDigits>
inline double sigmoid(double x) {
  const double e = exponential<kDigits>(x < 0.0 ? x : -x);
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
// d(x sigmoid(x))
template <int kDigits>
inline double sigmoid_derivative(double x) {
  const double e = exponential<kDigits>(x < 0.0 ? x : -x), whole = 1.0 + e;
  const double s = (x < 0.0 ? e : 1.0) / whole, rest = (x < 0.0 ? 1.0 : e) / whole;
  return s * (1.0 + x * rest);
}

// 1 - 2 / (e^2|x| + 1), as -expm1(-2|x|) / (expm1(-2|x|) + 2), with the sign of x.
template <int kDigits>
inline double hyperbolic_tangent(double x) {
  const double size = x < 0.0 ? -x : x;
  const double e = exponential_minus_1<kDigits>(-2.0 * size);
  const double value = -e / (e + 2.0);
  return x == 0.0 ? x : (x < 0.0 ? -value : value);
}

// log(1 + e^x)
template <int kDigits>
inline double softplus(double x) {
  const double rest = logarithm_of_1_plus<kDigits>(exponential<kDigits>(x < 0.0 ? x : -x));
  return (x < 0.0 ? 0.0 : x) + rest;
}

// tanh(log(1 + e^x)) = w (w + 2) / (w (w + 2) + 2) with w = e^x; for x > 0 both parts times e^-2x.
template <int kDigits>
inline double tanh_of_softplus(double x) {
  const double e = exponential<kDigits>(x < 0.0 ? x : -x);
  const double part = x < 0.0 ? e * (e + 2.0) : 1.0 + 2.0 * e;
  return part / (part + (x < 0.0 ? 2.0 : 2.0 * e * e));
}
template <int kDigits>
inline double mish_derivative(double x) {
  const double t = tanh_of_softplus<kDigits>(x);
  return t + x * sigmoid<kDigits>(x) * (1.0 - t * t);
}

// (1 + 2 u) e^(u^2) erfc(u) for u >= 0 as a polynomial in (u - 3.75) / (u + 3.75), after Shepherd and Laframboise 1981;
// coefficients from a Chebyshev fit in 40 digits. Error 2^-51 (2^-30).
template <int kDigits>
inline double scaled_erfc(double u) {
  const double t = (u - 3.75) / (u + 3.75);
  double p;
  if constexpr (kDigits > 24) {
    constexpr double c[] = {
        1.2375126308378275,      -0.14024059858554527,   0.003585415485478937,
        0.08227673848999567,     -0.10880393014244076,   0.09230432116426696,
        -0.05869339857671419,    0.028362277372264013,   -0.009746579682707888,
        0.0017556261643029724,   0.0002937143752631076,  -0.00029015534933147196,
        5.164653836302055e-05,   2.2387558876935047e-05, -1.1438065131526574e-05,
        -9.792531686268466e-07,  1.7420038736104615e-06, -5.0852555366819674e-08,
        -2.4858833884622836e-07, 1.8794529429582728e-08, 3.198683619353839e-08,
        -1.955879042960936e-09,  -2.624552953226981e-09};
    p = polynomial(c, t);
  } else {
    constexpr double c[] = {1.2375126300326993,     -0.14024059953590887,   0.003585495314063125,
                            0.08227677400009937,    -0.1088052275495,       0.09230393753827239,
                            -0.058685440493628845,  0.028364105117378424,   -0.009770087183373091,
                            0.0017511576292280988,  0.00033016745627704043, -0.0002843130757408596,
                            2.2046718903959263e-05, 1.8521947383329458e-05};
    p = polynomial(c, t);
  }
  return p / (1.0 + 2.0 * u);
}
// e^(-x^2 / 2). The square in two parts: its rounding error would count up to 700 times.
template <int kDigits>
inline double bell(double x) {
  if constexpr (kDigits > 24) {
    const double size = x < 0.0 ? -x : x, bounded = size < 40.0 ? size : 40.0;
    const double high = from_bits(bits_of(bounded) & ~Bits{0x7ffffff});
    const double rest = 0.5 * ((bounded - high) * (bounded + high));
    const double factor = 1.0 - rest * (1.0 - rest * (0.5 - rest * (1.0 / 6)));
    return x == x ? exponential<kDigits>(-0.5 * (high * high)) * factor : x;
  } else {
    return exponential<kDigits>(-0.5 * (x * x));
  }
}
// The standard normal distribution, erfc(-x / sqrt 2) / 2.
template <int kDigits>
inline double normal_distribution(double x) {
  const double size = (x < 0.0 ? -x : x) * kRootOfHalf, bounded = size < 40.0 ? size : 40.0;
  const double tail = 0.5 * bell<kDigits>(x) * scaled_erfc<kDigits>(bounded);
  return x < 0.0 ? tail : 1.0 - tail;
}
// d(x normal_distribution(x))
template <int kDigits>
inline double normal_derivative(double x) {
  return normal_distribution<kDigits>(x) + x * (bell<kDigits>(x) * kInverseRoot2Pi);
}

// GELU's approximation, x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), is x sigmoid(2 sqrt(2 / pi) (...)).
inline double tanh_argument(double x) {
  constexpr double kTwice = 1.59576912160573071176;  // 2 sqrt(2 / pi)
  return kTwice * (x + 0.044715 * (x * x * x));
}
template <int kDigits>
inline double gelu_tanh_derivative(double x) {
  constexpr double kTwice = 1.59576912160573071176;
  const double z = tanh_argument(x), s = sigmoid<kDigits>(z), rest = sigmoid<kDigits>(-z);
  return s + x * (s * rest) * (kTwice * (1.0 + 0.134145 * (x * x)));
}

// a * b as high + low, exactly (Dekker): without an instruction that fuses, the same bits everywhere.
struct Doubled {
  double high, low;
};
inline Doubled product(double a, double b) {
  constexpr double kSplit = 134217729.0;  // 2^27 + 1
  const double as = a * kSplit, ah = as - (as - a), al = a - ah;
  const double bs = b * kSplit, bh = bs - (bs - b), bl = b - bh;
  const double high = a * b;
  return {high, ((ah * bh - high) + ah * bl + al * bh) + al * bl};
}
// |x|^p = e^(p log |x|), the logarithm in two doubles.
template <int kDigits>
inline double power_of_size(double size, double p) {
  if constexpr (kDigits > 24) {
    const Parted part = parted(size);
    const double f = part.m - 1.0, g = part.m + 1.0;
    const double s = f / g;
    // s + s_low is f / (m + 1) to twice the digits; the sum m + 1 has a rounding error of its own.
    const Doubled back = product(s, g);
    const double g_low = part.m - (g - 1.0);
    const double s_low = (((f - back.high) - back.low) - s * g_low) / g;
    const Doubled z = product(s, s);
    const Doubled cube = product(z.high, s);
    // 2 s + 2/3 s^3 to twice the digits, then the rest of the series.
    constexpr double kThird = 2.0 / 3, kThirdLow = 3.7007434154171883e-17;
    const Doubled third = product(cube.high, kThird);
    const double third_low = third.low + (cube.low + z.low * s) * kThird + cube.high * kThirdLow;
    const double more = 2.0 * cube.high * (log_series<kDigits>(z.high) - 1.0 / 3);
    const double base = part.k * kLogTwoHigh, first = 2.0 * s;
    const double sum1 = base + first, seen1 = sum1 - base;
    const double low1 = (base - (sum1 - seen1)) + (first - seen1);
    const double sum2 = sum1 + third.high, seen2 = sum2 - sum1;
    const double low2 = (sum1 - (sum2 - seen2)) + (third.high - seen2);
    const double low = low1 + low2 + third_low + more + 2.0 * s_low + part.k * kLogTwoLow;
    const double high = sum2 + low, rest = low - (high - sum2);
    const Doubled scaled = product(p, high);
    const bool fits = scaled.high < 720.0 && scaled.high > -760.0;
    const double lost = fits ? scaled.low + p * rest : 0.0;
    return exponential<kDigits>(scaled.high) * (1.0 + lost);
  } else {
    // 2^-53 relative to p log |x|, at most 104 where the result is a float.
    return exponential<kDigits>(p * logarithm<53>(size));
  }
}
template <int kDigits>
inline double power(double x, double p) {
  const double size = x < 0.0 ? -x : x;
  const double whole = __builtin_floor(p), half = p * 0.5;
  const bool is_whole = whole == p, is_odd = is_whole && __builtin_floor(half) != half;
  const double usual = power_of_size<kDigits>(size > 0.0 && size < kInfinity ? size : 1.0, p);
  const double edge = (size == 0.0) == (p < 0.0) ? kInfinity : 0.0;
  const double value = size == 1.0 ? 1.0 : (size > 0.0 && size < kInfinity ? usual : edge);
  const bool negative = bits_of(x) >> 63 != 0;
  const double valid = x < 0.0 && !is_whole && size < kInfinity ? kNotANumber : value;
  const double with_sign = negative && is_odd ? -valid : valid;
  return p == 0.0 ? 1.0 : (x == x ? with_sign : x);
}

}  // namespace
}  // namespace evenkeel
