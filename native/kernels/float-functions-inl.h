// exp, log and their kind in float32, lane by lane, from + - * / and `fused` (a b + c, rounded once, which every
// instruction set has: registers.h). Polynomials are minimax fits whose coefficients were rounded to float one by one.
// `evenkeel-check ulps` measures the error of each over all 2^32 inputs; docs/operations.md has the figures.
// Longer than 250 lines because functions share reductions and polynomials, with an error bound stated at each.
//
// What the rounding of D = fused(a, b, c) has lost is fused(a, b, c - D): it is carried to the end where it counts.
#pragma once

#include <cstddef>

#include "functions-inl.h"

namespace evenkeel {
namespace {

EVENKEEL_INLINE float pick(bool mask, float a, float b) { return mask ? a : b; }
EVENKEEL_INLINE RegF pick(RegI mask, RegF a, RegF b) { return mask ? a : b; }
EVENKEEL_INLINE RegF pick(RegI mask, RegF a, float b) { return mask ? a : every(b); }
EVENKEEL_INLINE RegF pick(RegI mask, float a, RegF b) { return mask ? every(a) : b; }
EVENKEEL_INLINE RegF pick(RegI mask, float a, float b) { return mask ? every(a) : every(b); }
EVENKEEL_EACH(pick)

constexpr float kInfinite = __builtin_inff(), kNoNumber = __builtin_nanf("");
// ln 2 in two parts: n times the first is exact for |n| < 2^9.
constexpr float kLn2High = 0.693145752f, kLn2Low = 1.42860677e-06f;

// e^x = 2^n (1 + r h) with n = shifted - kShift whole and |r| <= ln 2 / 2, h = (e^r - 1) / r to 2^-26.9 of e^r. For
// |x| < 2^21.
template <Floats F>
struct Exponent {
  F shifted, n, r;

  EVENKEEL_INLINE explicit Exponent(F x)
      : shifted(fused(x, 1.44269504f, kShift)),
        n(shifted - kShift),
        r(fused(n, -kLn2Low, fused(n, -kLn2High, x))) {}
  EVENKEEL_INLINE F h() const { return fused(quotient(), r, 1.0f); }
  // (h - 1) / r
  EVENKEEL_INLINE F quotient() const {
    constexpr float c[] = {0.49999994f, 0.16666576f, 0.04167003f, 0.008364227f, 0.0013658557f};
    return polynomial(c, r);
  }
  EVENKEEL_INLINE F value() const { return scaled(fused(h(), r, 1.0f), n); }
  // The same for x from -87 to 88, where no value is subnormal: n is added to its exponent.
  EVENKEEL_INLINE F usual_value() const {
    if (kScalesAtOnce) return value();
    return from_bits(bits_of(fused(h(), r, 1.0f)) + (bits_of(shifted) << 23));
  }
};

template <Floats F>
EVENKEEL_INLINE F exp_of(F x) {
  if (!kScalesAtOnce && all_between(x, -87.0f, 87.0f)) return Exponent(x).usual_value();
  return Exponent(at_least(at_most(x, 89.0f), -104.0f)).value();
}

// 1 / sqrt(x) for normal x from 2^-125 on: Newton's steps from an estimate by the bits, the last one with what its product has
// lost. Within 0.5004 ulp, where the square root and the division round twice, and take twice the time.
template <Floats F>
EVENKEEL_INLINE F usual_rsqrt(F x) {
  const F half = x * 0.5f;
  F y = from_bits(difference(0x5f375a86, bits_of(x) >> 1));
  for (int step = 0; step < 2; ++step) y = fused(y, fused_minus(half * y, y, 0.5f), y);
  const F t = half * y, t_low = fused(half, y, -t);
  return fused(y, fused_minus(t_low, y, fused_minus(t, y, 0.5f)), y);
}
template <Floats F>
EVENKEEL_INLINE F rsqrt_of(F x) {
  constexpr float kLeast = 0x1p-125f, kMost = 0x1.fffffep127f;
  if (all_between(x, kLeast, kMost)) return usual_rsqrt(x);
  const auto tiny = x < kLeast;
  const F up = pick(tiny, x * 0x1p24f, x);
  const auto usual = (up >= kLeast) & (up <= kMost);
  const F y = usual_rsqrt(pick(usual, up, 1.0f));
  return pick(usual, pick(tiny, y * 0x1p12f, y), 1.0f / root(x));
}

// e^x = power + part (h + h_low), for x from -20 to 0
template <Floats F>
struct PartsOfExp {
  F power, part, h, h_low;

  EVENKEEL_INLINE explicit PartsOfExp(F x) {
    const Exponent e(x);
    const F quotient = e.quotient();
    h = fused(quotient, e.r, 1.0f);
    h_low = fused(quotient, e.r, 1.0f - h);
    power = power_of_2(e.shifted);
    part = power * e.r;
  }
};

template <Floats F>
EVENKEEL_INLINE F elu_of(F x, float p) {
  const PartsOfExp e(at_least(at_most(x, 0.0f), -20.0f));
  const F below = fused(e.part, e.h, fused(e.part, e.h_low, e.power - 1.0f));
  return pick(x < 0.0f, below * p, x);
}

// tanh of a size: of a center of the interval it is in, and r times a polynomial in r, the distance to it. From 9/64 on
// there are two intervals for each power of 2; below, the center is 0, and size takes the place of its tanh. Centers are
// floats whose tanh is one, too, to 2^-10 of its last place. Beyond the last interval tanh is 1.
constexpr float kTanhSmall = 0.140625f, kTanhOne = 9.2f;
constexpr float kTanhAt[16] = {0.0f,         0.171887636f, 0.24218379f,  0.34375155f,
                               0.484403551f, 0.687473178f, 0.968693256f, 1.37509537f,
                               1.93754232f,  2.75033522f,  3.87510729f,  5.50036287f,
                               7.75071478f,  9.10142994f,  0.0f,         0.0f};
constexpr float kTanhThere[16] = {0.0f,         0.170214579f, 0.237557366f, 0.330822498f,
                                  0.449763328f, 0.596356273f, 0.748129487f, 0.879848242f,
                                  0.959338665f, 0.991865158f, 0.999139071f, 0.999966621f,
                                  0.999999642f, 1.0f,         0.0f,         0.0f};
// Of each power of r, for r from below to above the center.
constexpr float kTanhSeries[6][16] = {
    {0.0f, 0.971027017f, 0.943566501f, 0.890556455f, 0.797712922f, 0.644359231f, 0.440302283f,
     0.225866944f, 0.0796692371f, 0.016203681f, 0.00172124931f, 6.68496868e-05f, 7.45228135e-07f,
     4.97345702e-08f, 0.0f, 0.0f},
    {0.0f, -0.16528295f, -0.224151179f, -0.294616103f, -0.358782023f, -0.384267688f, -0.329403162f,
     -0.198728651f, -0.0764296949f, -0.0160717051f, -0.00171972963f, -6.68261564e-05f,
     -7.44344277e-07f, -4.97345702e-08f, 0.0f, 0.0f},
    {-0.333330363f, -0.295542061f, -0.261273384f, -0.199386612f, -0.104538187f, 0.0143685611f,
     0.099666588f, 0.0995779335f, 0.0467731543f, 0.0105342157f, 0.00114166737f, 4.37155322e-05f,
     4.71767834e-07f, 3.31563257e-08f, 0.0f, 0.0f},
    {-0.000152625857f, 0.105399728f, 0.13678427f, 0.164166495f, 0.166611716f, 0.119524673f,
     0.0352437608f, -0.0213624556f, -0.0193956848f, -0.00509663625f, -0.000569098513f,
     -2.18990845e-05f, -2.37065322e-07f, -1.65780918e-08f, 0.0f, 0.0f},
    {0.136044711f, 0.102095962f, 0.0755210966f, 0.0319881961f, -0.0220723264f, -0.0610341653f,
     -0.0496165119f, -0.00989060197f, 0.00462617725f, 0.00194728666f, 0.000240872236f,
     1.04652554e-05f, 1.27142954e-07f, 6.64223476e-09f, 0.0f, 0.0f},
    {-0.0201488324f, -0.0560478643f, -0.0683791563f, -0.0716463178f, -0.0534595214f, -0.0120408041f,
     0.0177488569f, 0.0110519817f, 0.000295384525f, -0.000545913354f, -7.87269382e-05f,
     -3.46018351e-06f, -4.19352979e-08f, -2.21992691e-09f, 0.0f, 0.0f},
};

EVENKEEL_INLINE RegF tanh_of(RegF x) {
  constexpr int kSmallest = 0x3e100000 - (1 << 22);  // kTanhSmall, less one interval
  const RegF size = at_most(magnitude_of(x), kTanhOne);
  const RegI place = (bits_of(size) - kSmallest) >> 22, interval = place > 0 ? place : 0;
  const RegF r = size - chosen(kTanhAt, interval);
  RegF sum = chosen(kTanhSeries[5], interval);
  for (std::size_t i = 5; i-- > 0;) sum = fused(sum, r, chosen(kTanhSeries[i], interval));
  const RegF there = pick(size < kTanhSmall, size, chosen(kTanhThere, interval));
  return with_sign_of(fused(r, sum, there), x);
}
// Permutations set the pace here, whatever the order.
EVENKEEL_EACH(tanh_of)

// e^-x = 2^n (1 - r h): r = x + n ln 2, where -x would cost an instruction.
template <Floats F>
struct NegativeExponent {
  F shifted, r;

  EVENKEEL_INLINE explicit NegativeExponent(F x) : shifted(fused(x, -1.44269504f, kShift)) {
    const F n = shifted - kShift;
    r = fused(n, kLn2Low, fused(n, kLn2High, x));
  }
  EVENKEEL_INLINE F h() const {
    constexpr float c[] = {1.0f,         -0.49999994f, 0.16666576f,
                           -0.04167003f, 0.008364227f, -0.0013658557f};
    return polynomial(c, r);
  }
};

// 1 / (1 + e^-x) = q + q t, finished by f(whether x is from -16 to 16, q, t).
template <Floats F, class Finish>
EVENKEEL_INLINE F usual_logistic(F x, F x_low, const Finish& f) {
  NegativeExponent e(x);
  e.r = e.r + x_low;
  const F power = power_of_2(e.shifted), part = power * e.r, h = e.h();
  const F whole = power + 1.0f, d = fused_minus(part, h, whole);
  const F d_low = fused_minus(part, h, whole - d);
  const F q = 1.0f / d;
  return f(true, q, fused_minus(q, d_low, fused_minus(q, d, 1.0f)));
}
template <Floats F, class Finish>
EVENKEEL_INLINE F logistic(F x, F x_low, const Finish& f) {
  if (all_between(x, -16.0f, 16.0f)) return usual_logistic(x, x_low, f);
  // Below -64, of e^-x 2^-96: it may be beyond the largest float. From -140 down the result is 0.
  NegativeExponent e(at_most(at_least(x, -140.0f), 87.0f));
  e.r = e.r + x_low;
  const auto far = x < -64.0f;
  const F one = pick(far, 0x1p-96f, 1.0f), scale = pick(x > -140.0f, one, pick(x == x, 0.0f, x));
  const F power = power_of_2(from_bits(bits_of(e.shifted) - (far & 96)));
  const F part = power * e.r, h = e.h(), d = fused_minus(part, h, power + one);
  const F d_low = fused_minus(part, h, (power - d) + one);
  const F q = 1.0f / d;
  return f(false, q, fused_minus(q, d_low, fused_minus(q, d, 1.0f))) * scale;
}
// x (q + q t); t may be 0 where x is infinite.
template <Floats F>
EVENKEEL_INLINE F finished_by(F x, bool is_usual, F q, F t) {
  const F finite = is_usual ? x : at_most(x, 0x1.fffffep127f);
  return fused(x, q, (finite * q) * t);
}

template <Floats F>
EVENKEEL_INLINE F sigmoid_of(F x) {
  return logistic(x, F{}, [](bool, F q, F t) EVENKEEL_INLINED { return fused(t, q, q); });
}
template <Floats F>
EVENKEEL_INLINE F silu_of(F x) {
  return logistic(x, F{}, [=](bool is_usual, F q, F t) EVENKEEL_INLINED {
    return finished_by(x, is_usual, q, t);
  });
}

// x sigmoid(z), z = 2 sqrt(2 / pi) (x + 0.044715 x^3) in two parts: its rounding error would count up to 100 times.
// kSmall: |x| <= 4.7, from where on what w has lost is no longer known from the larger of its parts alone; |z| <= 16 then.
template <bool kSmall, Floats F>
EVENKEEL_INLINE F gelu_tanh_within(F x, F bounded) {
  constexpr float kLinear = 1.5957692f, kLinearLow = -4.534068e-08f;
  constexpr float kCubic = 0.071354814f, kCubicLow = 2.3988325e-09f;
  const F square = bounded * bounded, square_low = fused(bounded, bounded, -square);
  const F cubic = square * kCubic, cubic_low = fused(square, kCubic, -cubic);
  const F w = cubic + kLinear, seen = w - cubic;
  const F rounded = kSmall ? cubic - (w - kLinear) : cubic - (w - seen);
  const F lost = (kSmall ? rounded : rounded + (kLinear - seen)) + cubic_low;
  const F w_low = fused(square_low, kCubic, fused(square, kCubicLow, lost + kLinearLow));
  const F z = bounded * w, z_low = fused(bounded, w_low, fused(bounded, w, -z));
  const auto finish = [=](bool is_usual, F q, F t)
                          EVENKEEL_INLINED { return finished_by(x, is_usual, q, t); };
  if constexpr (kSmall) return usual_logistic(z, z_low, finish);
  return logistic(z, z_low, finish);
}
template <Floats F>
EVENKEEL_INLINE F gelu_tanh_of(F x) {
  if (all_between(x, -4.7f, 4.7f)) return gelu_tanh_within<true>(x, x);
  return gelu_tanh_within<false>(x, at_least(at_most(x, 20.0f), -20.0f));
}

// e^(-x^2 / 2) = (1 + r h) 2^n, and with it erfc(|x| / sqrt 2) / 2 = value p / q: rational, all coefficients positive.
template <Floats F>
struct Bell {
  F size, value, n, p, q;

  EVENKEEL_INLINE explicit Bell(F x) {
    size = at_most(magnitude_of(x), 14.5f);
    const F square = size * size, square_low = fused(size, size, -square);
    Exponent e(square * -0.5f);
    e.r = fused(square_low, -0.5f, e.r);
    value = fused(e.h(), e.r, 1.0f);
    n = e.n;
    constexpr float a[] = {0.5f, 0.4379024505615234f, 0.18294389f, 0.04053489f, 0.0041016582f};
    constexpr float b[] = {1.0f, 1.6736898f, 1.2012944f, 0.46870158f, 0.10161249f, 0.01028121f};
    p = polynomial(a, size);
    q = polynomial(b, size);
  }
};
template <Floats F>
EVENKEEL_INLINE F gelu_of(F x) {
  const Bell bell(x);
  const F tail = scaled((bell.value * bell.size) * bell.p / bell.q, bell.n);
  // max(x, 0), and NaN where x is -infinity. The sign is that of x where the value is 0, too.
  return with_sign_of(fused(magnitude_of(x), 0.5f, x * 0.5f) - tail, x);
}

// log(1 + e) for e from 0 to 1
template <Floats F>
EVENKEEL_INLINE F log1p_of_part(F e) {
  constexpr float c[] = {-0.4999993f, 0.33330464f,  -0.24958019f, 0.19692102f,   -0.1534488f,
                         0.10661128f, -0.05745723f, 0.020086242f, -0.0032904686f};
  return fused(e * polynomial(c, e), e, e);
}
// e^-|x|, from which softplus and log_sigmoid are computed.
template <Floats F>
EVENKEEL_INLINE F falling_exp_of(F x) {
  return Exponent(at_least(minus_magnitude_of(x), -104.0f)).value();
}
template <Floats F>
EVENKEEL_INLINE F log_sigmoid_from(F x, F e) {
  return at_most(x, 0.0f) - log1p_of_part(e);
}
template <Floats F>
EVENKEEL_INLINE F softplus_from(F x, F e, float p, float q) {
  const F z = x * p, value = at_least(z, 0.0f) + log1p_of_part(e);
  return pick(z > q, x, p == 1.0f ? value : value / p);
}

// x tanh(log(1 + e^x)) = x w (w + 2) / (w (w + 2) + 2) with w = e^x. From 40 on the quotient is 1.
template <Floats F>
EVENKEEL_INLINE F mish_of(F x) {
  if (all_between(x, -40.0f, 40.0f)) {
    const F w = Exponent(x).usual_value(), sum = w + 2.0f;
    return x * (w * sum / fused(w, sum, 2.0f));
  }
  // Below -64 e^x is kept 2^64 times as large: the result may be no normal number.
  const Exponent e(at_least(at_most(x, 40.0f), -140.0f));
  const auto far = x < -64.0f;
  const F large = scaled(fused(e.h(), e.r, 1.0f), e.n + pick(far, 64.0f, 0.0f));
  const F down = pick(far, pick(x > -140.0f, 0x1p-64f, 0.0f), 1.0f);
  const F w = large * down, sum = w + 2.0f;
  return x * (large * sum / fused(w, sum, 2.0f)) * down;
}

// x = 2^k m, m from sqrt(1/2) to sqrt 2; log m = f + f^2 (-1/2 + ...), f = m - 1 + low.
template <bool kLow, int kMore = 0, Floats F>
EVENKEEL_INLINE F logarithm_of_parts(F x, F x_low) {
  constexpr int kHalfRoot = 0x3f3504f3;
  const auto moved = difference(bits_of(x), kHalfRoot);
  F k = floats_of(moved >> 23);
  if constexpr (kMore != 0) k = k + static_cast<float>(kMore);
  const F whole = from_bits((moved & 0x7fffff) + kHalfRoot) - 1.0f;
  F f = whole, low = F{};
  if constexpr (kLow) {
    const F scale = from_bits(difference(0x3f800000, moved & ~0x7fffff));
    f = fused(x_low, scale, whole);
    low = fused(x_low, scale, whole - f);
  }
  constexpr float c[] = {-0.5f,       0.3333333f, -0.25000823f, 0.20001261f,  -0.16623335f,
                         0.14200947f, -0.131595f, 0.12766927f,  -0.076430775f};
  const F high = k * kLn2High, sum = high + f, sum_low = (f - (sum - high)) + low;
  return sum + (fused(k, kLn2Low, (f * f) * polynomial(c, f)) + sum_low);
}
template <Floats F>
EVENKEEL_INLINE F log_edges(F x, F value) {
  const F usual = pick(x < kInfinite, value, x);
  return pick(x > 0.0f, usual, pick(x == 0.0f, -kInfinite, pick(x == x, kNoNumber, x)));
}
template <Floats F>
EVENKEEL_INLINE F log_of(F x) {
  constexpr float kMost = 0x1.fffffep127f;
  if (all_between(x, 0x1p-126f, kMost)) return logarithm_of_parts<false>(x, x);
  const F usual = logarithm_of_parts<false>(x, x);
  const F tiny = logarithm_of_parts<false, -24>(x * 0x1p24f, x);
  return log_edges(x, pick(x < 0x1p-126f, tiny, usual));
}
template <Floats F>
EVENKEEL_INLINE F log1p_of(F x) {
  const F large = at_least(x, 1.0f), small = at_most(x, 1.0f);
  const F u = large + small, u_low = small - (u - large);
  const F value = logarithm_of_parts<true>(u, u_low);
  if (all_between(u, 0x1p-24f, 0x1p126f)) return with_sign_of(value, x);
  const F usual = pick(x > 0x1p126f, logarithm_of_parts<false>(x, x), value);
  return log_edges(1.0f + x, with_sign_of(usual, x));
}

// x^3 rounded from a double. In floats, s x + s_low x has the same bits from 2^-26 to 2^42, where all that matters is the
// mantissa: it was compared for each of them.
EVENKEEL_INLINE RegF cube_of(RegF x) {
  if (kFusesAtOnce && all_between(magnitude_of(x), 0x1p-26f, 0x1p42f)) {
    const RegF square = x * x, square_low = fused(x, x, -square);
    return fused(square, x, square_low * x);
  }
  using Doubles = double __attribute__((vector_size(2 * sizeof(RegF))));
  const Doubles wide = __builtin_convertvector(x, Doubles);
  return __builtin_convertvector(wide * wide * wide, RegF);
}
EVENKEEL_EACH(cube_of)

// Derivatives, for gradients: within some units of 2^-24 of 1, or of what they are added up from.
// s (1 + k (1 - s)) with s = 1 / (1 + e^-z), both s and 1 - s from the smaller of them.
template <Floats F>
EVENKEEL_INLINE F logistic_product_derivative(F z, F k) {
  const F e = Exponent(at_least(minus_magnitude_of(z), -104.0f)).value(), small = e / (1.0f + e);
  const auto below = z < 0.0f;
  const F s = pick(below, small, 1.0f - small), rest = pick(below, 1.0f - small, small);
  return fused(s, k * rest, s);
}
template <Floats F>
EVENKEEL_INLINE F silu_derivative(F x) {
  return logistic_product_derivative(x, x);
}
template <Floats F>
EVENKEEL_INLINE F gelu_tanh_derivative(F x) {
  constexpr float kLinear = 1.59576917f, kCubic = 0.0713548139f;
  const F bounded = at_least(at_most(x, 20.0f), -20.0f), square = bounded * bounded;
  const F z = bounded * fused(square, kCubic, kLinear);
  return logistic_product_derivative(z, bounded * fused(square, 3.0f * kCubic, kLinear));
}
template <Floats F>
EVENKEEL_INLINE F gelu_derivative(F x) {
  const Bell bell(x);
  const F density = scaled(bell.value, bell.n), tail = density * bell.p / bell.q;
  return fused(x, density * 0.3989423f, pick(x < 0.0f, tail, 1.0f - tail));
}
// t + x s (1 - t^2) with t = tanh(log(1 + e^x)) and s = 1 / (1 + e^-x): (n + 4 x w (w + 1) / d) / d with w = e^x,
// n = w (w + 2), d = n + 2.
template <Floats F>
EVENKEEL_INLINE F mish_derivative_of(F x, F w) {
  const F sum = w + 2.0f, n = w * sum, over_d = 1.0f / fused(w, sum, 2.0f);
  return fused(x * 4.0f, fused(w, w, w) * over_d, n) * over_d;
}
template <Floats F>
EVENKEEL_INLINE F mish_derivative(F x) {
  if (all_between(x, -40.0f, 40.0f)) return mish_derivative_of(x, Exponent(x).usual_value());
  const F bounded = at_least(at_most(x, 40.0f), -104.0f);
  const F value = mish_derivative_of(bounded, Exponent(bounded).value());
  return pick(magnitude_of(x) < kInfinite, value, x - x);  // infinity times 0 is no number
}

}  // namespace
}  // namespace evenkeel
