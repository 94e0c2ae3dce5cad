// exp, log and their kind in double, from + - * / and the bits of a number alone: libm's have other bits on other
// machines. D is one double or a register of them (registers.h): no branch, no call, no table.
//
// kDigits: 53 for a float64 result, 24 for a float32 one, which is rounded from a double with a relative error below
// 2^-30. Errors are stated in units in the last place (ulp) of the result, and test/native/functions.test.ts measures
// them: docs/operations.md has the figures. float-functions-inl.h has them in float32.
// Longer than 250 lines because functions share reductions and polynomials, with an error bound stated at each.
#pragma once

#include <cstddef>

namespace evenkeel {
namespace {

using Bits = unsigned long long;
using RegBits = Bits __attribute__((vector_size(sizeof(RegD))));

constexpr double kInfinity = __builtin_inf();
constexpr double kNotANumber = __builtin_nan("");
constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52: x + kRounder - kRounder is round(x)
constexpr double kLogTwoE = 1.4426950408889634;
constexpr double kLogTwoHigh = 6.93147180369123816490e-01, kLogTwoLow = 1.90821492927058770002e-10;
constexpr double kRootOfHalf = 0.70710678118654752440, kInverseRoot2Pi = 0.39894228040143267794;

inline Bits bits_of(double x) { return __builtin_bit_cast(Bits, x); }
inline double from_bits(Bits x) { return __builtin_bit_cast(double, x); }
inline RegBits bits_of(RegD x) { return (RegBits)x; }
inline RegD from_bits(RegBits x) { return (RegD)x; }

// mask ? a : b, of one or lane by lane.
inline double pick(bool mask, double a, double b) { return mask ? a : b; }
inline RegD pick(RegL mask, RegD a, RegD b) { return mask ? a : b; }
inline RegD pick(RegL mask, double a, RegD b) { return mask ? splat<RegD>(a) : b; }
inline RegD pick(RegL mask, RegD a, double b) { return mask ? a : splat<RegD>(b); }
inline RegD pick(RegL mask, double a, double b) { return mask ? splat<RegD>(a) : splat<RegD>(b); }
inline RegD pick(bool mask, RegD a, RegD b) { return mask ? a : b; }
inline RegD pick(bool mask, double a, RegD b) { return mask ? splat<RegD>(a) : b; }

// 2^n for the whole number n = shifted - kRounder, from the low bits of `shifted`.
template <class D>
inline D power_of_2(D shifted) {
  return from_bits((bits_of(shifted) << 52) + (Bits{1023} << 52));
}

// c[0] + c[1] x + ... (Horner).
template <class D, std::size_t kCount>
inline D polynomial(const double (&c)[kCount], D x) {
  D sum = splat<D>(c[kCount - 1]);
  for (std::size_t i = kCount - 1; i-- > 0;) sum = sum * x + c[i];
  return sum;
}

// The same with one rounding a step, where a double is rounded to float afterwards.
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
template <class D, std::size_t kCount>
inline D fused_polynomial(const double (&c)[kCount], D x) {
  D sum = splat<D>(c[kCount - 1]);
  for (std::size_t i = kCount - 1; i-- > 0;) sum = fused(sum, x, splat<D>(c[i]));
  return sum;
}

// x = n ln 2 + r, |r| <= ln 2 / 2, and e^r - 1 by its Taylor series: terms up to r^13 (r^8), the first left out is below
// 2^-57 (2^-32). |x| <= 746.
template <class D>
struct Reduced {
  D shifted;  // n + kRounder
  D expm1_r;
};
template <int kDigits, class D>
inline Reduced<D> reduced(D x) {
  const D shifted = x * kLogTwoE + kRounder;
  const D n = shifted - kRounder;
  const D r = (x - n * kLogTwoHigh) - n * kLogTwoLow;
  D p;
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
template <int kDigits, class D>
inline D exponential(D x) {
  const D bounded = pick(x > 710.0, 710.0, pick(x < -746.0, -746.0, x));
  const Reduced<D> part = reduced<kDigits>(bounded);
  const D value = 1.0 + part.expm1_r;
  D result;
  if constexpr (kDigits > 24) {
    const D half = (part.shifted - kRounder) * 0.5 + kRounder;
    const D rest = (part.shifted - (half - kRounder));
    result = value * power_of_2(half) * power_of_2(rest);
  } else {
    // Beyond 2^±1000 a float is 0 or infinite.
    const D n = part.shifted - kRounder;
    const D kept = pick(n > 1000.0, 1000.0, pick(n < -1000.0, -1000.0, n));
    result = pick(x < -700.0, 0.0, value * power_of_2(kept + kRounder));
  }
  return pick(x == x, result, x);
}

// e^x - 1 for x <= 0.
template <class D>
inline D exponential_minus_1(D x) {
  const D bounded = pick(x < -60.0, -60.0, x);
  const Reduced<D> part = reduced<53>(bounded);
  const D power = power_of_2(part.shifted);
  const D result = power * part.expm1_r + (power - 1.0);
  return pick(x == x, pick(x == 0.0, x, result), x);
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716, by its series up to
// s^23 (s^11).
template <class D>
inline D log_series(D z) {
  constexpr double c[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                          1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  return polynomial(c, z);
}
template <class D>
struct Parted {
  D k, m;
};
// From the bits of x less those of the smallest m; x is no subnormal.
template <class D, class Places>
inline Parted<D> parted_from(Places moved, Bits smallest) {
  constexpr Bits kMantissa = 0xfffffffffffff;
  // (moved >> 52) + 1024 as a number that is never negative; in the low bits of 2^52 it is a double at once.
  const auto exponent = (moved + (Bits{1024} << 52)) >> 52;
  return {from_bits(exponent | 0x4330000000000000) - (0x1p52 + 1024.0),
          from_bits((moved & kMantissa) + smallest)};
}
template <class D>
inline Parted<D> parted(D x) {
  constexpr Bits kHalfRoot = 0x3fe6a09e667f3bcd;  // sqrt(1/2)
  const auto small = x < 0x1p-1022;
  const D scaled = pick(small, x * 0x1p54, x);
  const Parted<D> part = parted_from<D>(bits_of(scaled) - kHalfRoot, kHalfRoot);
  return {part.k - pick(small, D{} + 54.0, D{}), part.m};
}
template <class D>
inline D logarithm(D x) {
  const Parted<D> part = parted(x);
  const D f = part.m - 1.0, s = f / (part.m + 1.0), z = s * s;
  // 2 atanh(s) = f - s f + 2 s^3 (1/3 + ...), because 2 s = f - s f.
  const D series = f - s * (f - 2.0 * z * log_series(z));
  const D value = part.k * kLogTwoHigh + (series + part.k * kLogTwoLow);
  const D usual = pick(x < kInfinity, value, x);
  return pick(x > 0.0, usual, pick(x == 0.0, splat<D>(-kInfinity), pick(x == x, kNotANumber, x)));
}

// log(1 + x) for any x: what 1 + x rounds away is put back (Kahan).
template <class D>
inline D logarithm_of_1_plus(D x) {
  const D u = 1.0 + x;
  const D lost = (x - (u - 1.0)) / u;
  const D whole = logarithm(u), value = whole + lost;
  const D usual = pick(x < kInfinity, value, x);
  return pick(x > -1.0, pick(x == 0.0, x, usual), whole);
}

// 1 / (1 + e^-x)
template <class D>
inline D sigmoid(D x) {
  const D e = exponential<53>(pick(x < 0.0, x, -x));
  return pick(x < 0.0, e, splat<D>(1.0)) / (1.0 + e);
}
// d(x sigmoid(x))
template <class D>
inline D sigmoid_derivative(D x) {
  const D e = exponential<53>(pick(x < 0.0, x, -x)), whole = 1.0 + e, one = splat<D>(1.0);
  const D s = pick(x < 0.0, e, one) / whole, rest = pick(x < 0.0, one, e) / whole;
  return s * (1.0 + x * rest);
}

// 1 - 2 / (e^2|x| + 1), as -expm1(-2|x|) / (expm1(-2|x|) + 2), with the sign of x.
template <class D>
inline D hyperbolic_tangent(D x) {
  const D size = pick(x < 0.0, -x, x);
  const D e = exponential_minus_1(-2.0 * size);
  const D value = -e / (e + 2.0);
  return pick(x == 0.0, x, pick(x < 0.0, -value, value));
}

// e^-|x|, and log(1 + e^x) from it.
template <class D>
inline D falling_exponential(D x) {
  return exponential<53>(pick(x < 0.0, x, -x));
}
template <class D>
inline D softplus_from(D x, D e) {
  return pick(x < 0.0, D{}, x) + logarithm_of_1_plus(e);
}

// tanh(log(1 + e^x)) = w (w + 2) / (w (w + 2) + 2) with w = e^x; for x > 0 both parts times e^-2x.
template <class D>
inline D tanh_of_softplus(D x) {
  const D e = exponential<53>(pick(x < 0.0, x, -x));
  const D part = pick(x < 0.0, e * (e + 2.0), 1.0 + 2.0 * e);
  return part / (part + pick(x < 0.0, splat<D>(2.0), 2.0 * e * e));
}
template <class D>
inline D mish_derivative(D x) {
  const D t = tanh_of_softplus(x);
  return t + x * sigmoid(x) * (1.0 - t * t);
}

// (1 + 2 u) e^(u^2) erfc(u) for u >= 0 as a polynomial in (u - 3.75) / (u + 3.75), after Shepherd and Laframboise 1981;
// coefficients from a Chebyshev fit in 40 digits. Error 2^-51.
template <class D>
inline D scaled_erfc(D u) {
  const D t = (u - 3.75) / (u + 3.75);
  constexpr double c[] = {1.2375126308378275,      -0.14024059858554527,   0.003585415485478937,
                          0.08227673848999567,     -0.10880393014244076,   0.09230432116426696,
                          -0.05869339857671419,    0.028362277372264013,   -0.009746579682707888,
                          0.0017556261643029724,   0.0002937143752631076,  -0.00029015534933147196,
                          5.164653836302055e-05,   2.2387558876935047e-05, -1.1438065131526574e-05,
                          -9.792531686268466e-07,  1.7420038736104615e-06, -5.0852555366819674e-08,
                          -2.4858833884622836e-07, 1.8794529429582728e-08, 3.198683619353839e-08,
                          -1.955879042960936e-09,  -2.624552953226981e-09};
  return polynomial(c, t) / (1.0 + 2.0 * u);
}
// e^(-x^2 / 2). The square in two parts: its rounding error would count up to 700 times.
template <class D>
inline D bell(D x) {
  const D size = pick(x < 0.0, -x, x), bounded = pick(size < 40.0, size, splat<D>(40.0));
  const D high = from_bits(bits_of(bounded) & ~Bits{0x7ffffff});
  const D rest = 0.5 * ((bounded - high) * (bounded + high));
  const D factor = 1.0 - rest * (1.0 - rest * (0.5 - rest * (1.0 / 6)));
  return pick(x == x, exponential<53>(-0.5 * (high * high)) * factor, x);
}
// The standard normal distribution, erfc(-x / sqrt 2) / 2.
template <class D>
inline D normal_distribution(D x) {
  const D size = pick(x < 0.0, -x, x) * kRootOfHalf,
          bounded = pick(size < 40.0, size, splat<D>(40.0));
  const D tail = 0.5 * bell(x) * scaled_erfc(bounded);
  return pick(x < 0.0, tail, 1.0 - tail);
}
// d(x normal_distribution(x))
template <class D>
inline D normal_derivative(D x) {
  return normal_distribution(x) + x * (bell(x) * kInverseRoot2Pi);
}

// GELU's approximation, x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), is x sigmoid(2 sqrt(2 / pi) (...)).
template <class D>
inline D tanh_argument(D x) {
  constexpr double kTwice = 1.59576912160573071176;  // 2 sqrt(2 / pi)
  return kTwice * (x + 0.044715 * (x * x * x));
}
template <class D>
inline D gelu_tanh_derivative(D x) {
  constexpr double kTwice = 1.59576912160573071176;
  const D z = tanh_argument(x), s = sigmoid(z), rest = sigmoid(-z);
  return s + x * (s * rest) * (kTwice * (1.0 + 0.134145 * (x * x)));
}

// a * b as high + low, exactly (Dekker): without an instruction that fuses, the same bits everywhere.
template <class D>
struct Doubled {
  D high, low;
};
template <class D>
inline Doubled<D> product(D a, D b) {
  constexpr double kSplit = 134217729.0;  // 2^27 + 1
  const D as = a * kSplit, ah = as - (as - a), al = a - ah;
  const D bs = b * kSplit, bh = bs - (bs - b), bl = b - bh;
  const D high = a * b;
  return {high, ((ah * bh - high) + ah * bl + al * bh) + al * bl};
}
// c and log2 c of each sixteenth of the mantissas from 1.46875 / 2 on, as 1 / c and - log2(1 / c); about 1 they are 1 and 0,
// so that no digit of a small logarithm is lost. And the bits of 2^(j / 16), less j 2^48.
constexpr Bits kFirstMantissa = 0x3fe7800000000000;
constexpr double kReciprocals[16] = {1.3333333333333333,
                                     1.28,
                                     1.2307692307692308,
                                     1.1851851851851851,
                                     1.1428571428571428,
                                     1.103448275862069,
                                     1.0666666666666667,
                                     1.032258064516129,
                                     1.0,
                                     0.9411764705882353,
                                     0.8888888888888888,
                                     0.8421052631578947,
                                     0.8,
                                     0.7619047619047619,
                                     0.7272727272727273,
                                     0.6956521739130435};
constexpr double kLogarithms[16] = {
    -0.41503749927884376, -0.35614381022527536,  -0.29956028185890793,
    -0.24511249783653138, -0.19264507794239583,  -0.14201900487242786,
    -0.09310940439148145, -0.045803689613124754, 0.0,
    0.08746284125033943,  0.16992500144231246,   0.24792751344358557,
    0.3219280948873623,   0.39231742277876036,   0.4594316186372972,
    0.523561956057013};
constexpr double kRoots[16] = {
    0x1.0000000000000p+0, 0x1.fb5586cf9890fp-1, 0x1.f72b83c7d517bp-1, 0x1.f387a6e756238p-1,
    0x1.f06fe0a31b715p-1, 0x1.edea64c123422p-1, 0x1.ebfdad5362a27p-1, 0x1.eab07dd485429p-1,
    0x1.ea09e667f3bcdp-1, 0x1.ea11473eb0187p-1, 0x1.eace5422aa0dbp-1, 0x1.ec49182a3f090p-1,
    0x1.ee89f995ad3adp-1, 0x1.f199bdd85529cp-1, 0x1.f5818dcfba487p-1, 0x1.fa4afa2a490dap-1};
// table[the last four bits of the index]
inline double chosen(const double (&table)[16], Bits index) { return table[index & 15]; }
inline RegD chosen(const double (&table)[16], RegBits index) { return chosen(table, (RegL)index); }

struct Sixteenths {
  double first[16], second[16];
  alignas(16) double both[16][2];
};
constexpr Sixteenths sixteenths() {
  Sixteenths s{};
  for (std::size_t i = 0; i < 16; ++i) {
    s.first[i] = s.both[i][0] = kReciprocals[i];
    s.second[i] = s.both[i][1] = kLogarithms[i];
  }
  return s;
}
constexpr Sixteenths kSixteenths = sixteenths();
inline void chosen(const Sixteenths& from, Bits index, double& first, double& second) {
  first = from.first[index & 15];
  second = from.second[index & 15];
}
inline void chosen(const Sixteenths& from, RegBits index, RegD& first, RegD& second) {
#if defined(EVENKEEL_CHOOSES_PAIRS)
  chosen(from.both, (RegL)index, first, second);
#else
  first = chosen(from.first, index);
  second = chosen(from.second, index);
#endif
}

// x^p of a float x > 0: 2^(p log2 x), with log2 x = k + log2 c + log2(1 + r), r = m / c - 1, |r| <= 1/32, within 2^-43
// of itself: times p it is at most 150 where the result is a float. No float is a subnormal double.
template <class D>
inline D log2_of_float(D x) {
  const auto moved = bits_of(x) - kFirstMantissa;
  const Parted<D> part = parted_from<D>(moved, kFirstMantissa);
  D reciprocal, logarithm_of_it;
  chosen(kSixteenths, moved >> 48, reciprocal, logarithm_of_it);
  const D r = fused(part.m, reciprocal, splat<D>(-1.0));
  constexpr double c[] = {1.442695040888962,   -0.721347520466741, 0.48089834700502065,
                          -0.3606735891191684, 0.2885387991215665, -0.240777920298854,
                          0.2064279950451247};
  return fused(r, fused_polynomial(c, r), part.k + logarithm_of_it);
}
// 2^x for a float. Beyond 1000 it is 0 (here too, for what multiplies it by an infinite exponent) or infinite. 2^r of the
// last sixteenth within 2^-37.
template <class D>
inline D power_of_2_for_float(D x) {
  const D bounded = pick(x > 1000.0, 1000.0, pick(x < -1000.0, -1000.0, x));
  constexpr double kSixteenthsAt = kRounder / 16;
  const D shifted = bounded + kSixteenthsAt, rest = bounded - (shifted - kSixteenthsAt);
  const D power = from_bits(bits_of(chosen(kRoots, bits_of(shifted))) + (bits_of(shifted) << 48));
  constexpr double e[] = {0.6931471804009945, 0.24022650688574143, 0.055505410784655554,
                          0.0096183546538869};
  return pick(x < -1000.0, 0.0, fused(power * rest, fused_polynomial(e, rest), power));
}

// |x|^p = e^(p log |x|), the logarithm in two doubles.
template <int kDigits, class D>
inline D power_of_size(D size, double p) {
  if constexpr (kDigits > 24) {
    const Parted<D> part = parted(size);
    const D f = part.m - 1.0, g = part.m + 1.0;
    const D s = f / g;
    // s + s_low is f / (m + 1) to twice the digits; the sum m + 1 has a rounding error of its own.
    const Doubled<D> back = product(s, g);
    const D g_low = part.m - (g - 1.0);
    const D s_low = (((f - back.high) - back.low) - s * g_low) / g;
    const Doubled<D> z = product(s, s);
    const Doubled<D> cube = product(z.high, s);
    // 2 s + 2/3 s^3 to twice the digits, then the rest of the series.
    constexpr double kThird = 2.0 / 3, kThirdLow = 3.7007434154171883e-17;
    const Doubled<D> third = product(cube.high, splat<D>(kThird));
    const D third_low = third.low + (cube.low + z.low * s) * kThird + cube.high * kThirdLow;
    const D more = 2.0 * cube.high * (log_series(z.high) - 1.0 / 3);
    const D base = part.k * kLogTwoHigh, first = 2.0 * s;
    const D sum1 = base + first, seen1 = sum1 - base;
    const D low1 = (base - (sum1 - seen1)) + (first - seen1);
    const D sum2 = sum1 + third.high, seen2 = sum2 - sum1;
    const D low2 = (sum1 - (sum2 - seen2)) + (third.high - seen2);
    const D low = low1 + low2 + third_low + more + 2.0 * s_low + part.k * kLogTwoLow;
    const D high = sum2 + low, rest = low - (high - sum2);
    const Doubled<D> scaled = product(splat<D>(p), high);
    const auto fits = (scaled.high < 720.0) & (scaled.high > -760.0);
    const D lost = pick(fits, scaled.low + p * rest, D{});
    return exponential<kDigits>(scaled.high) * (1.0 + lost);
  } else {
    return power_of_2_for_float(p * log2_of_float(size));
  }
}
// x^p from |x|^p
template <class D>
inline D power_of_sign(D x, D value, double p) {
  const double whole = __builtin_floor(p), half = p * 0.5;
  const bool is_whole = whole == p, is_odd = is_whole && __builtin_floor(half) != half;
  const D valid =
      is_whole ? value : pick((x < 0.0) & (x > -kInfinity), splat<D>(kNotANumber), value);
  return is_odd ? pick(bits_of(x) >> 63 != 0, -valid, valid) : valid;
}
template <int kDigits, class D>
inline D power(D x, double p) {
  if constexpr (kDigits == 24 && sizeof(D) > sizeof(double)) {
    if (all_between(x, 0x1p-149, 0x1.fffffep127)) {
      return power_of_2_for_float(p * log2_of_float(x));
    }
  }
  const D size = pick(x < 0.0, -x, x);
  const auto usable = (size > 0.0) & (size < kInfinity);
  const D usual = power_of_size<kDigits>(pick(usable, size, splat<D>(1.0)), p);
  const D zero = splat<D>(p < 0.0 ? kInfinity : 0.0),
          infinite = splat<D>(p < 0.0 ? 0.0 : kInfinity);
  const D edge = pick(size == 0.0, zero, infinite);
  const D value = pick(size == 1.0, splat<D>(1.0), pick(usable, usual, edge));
  return p == 0.0 ? splat<D>(1.0) : pick(x == x, power_of_sign(x, value, p), x);
}

// x^p for a p that is NaN or infinite too.
template <int kDigits>
inline double power_of(double x, double p) {
  if (p != p) return x == 1.0 ? x : p;
  return power<kDigits>(x, p);
}
// Its derivatives with respect to x and to p; p = 0 is the caller's.
template <int kDigits>
inline double power_derivative(double x, double p) {
  return p * power_of<kDigits>(x, p - 1.0);
}
template <int kDigits>
inline double power_logarithm(double x, double p) {
  return x == 0.0 && p >= 0.0 ? 0.0 : power_of<kDigits>(x, p) * logarithm(x);
}
// f(a, b), lane by lane.
inline RegD by_lane(RegD a, RegD b, double (*f)(double, double)) {
  RegD y{};
  for (std::size_t i = 0; i < sizeof(RegD) / sizeof(double); ++i) y[i] = f(a[i], b[i]);
  return y;
}

}  // namespace
}  // namespace evenkeel
