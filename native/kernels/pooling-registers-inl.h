// Pooling of floats where an instruction set loads eight windows at once (load_windows): the results of the loops in
// pooling-inl.h, which do what is left. Each returns how many windows it has done.
// Longer than 250 lines because it has both directions of both pools, as they have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels.h"

namespace evenkeel {
namespace {

constexpr std::size_t kWindowsAtOnce = sizeof(RegF) / sizeof(float);

// Calls body(t) for groups of windows from t on. The last group overlaps the one before it.
template <std::size_t kStride, class Body>
EVENKEEL_INLINE std::size_t for_groups_of_windows(std::size_t count, const Body& body) {
  if (count < kWindowsAtOnce) return 0;
  if constexpr (kStride == 3) {  // two more values are read
    std::size_t t = 0;
    for (; t + kWindowsAtOnce < count; t += kWindowsAtOnce) body(t);
    return t;
  }
  for (std::size_t t = 0; t + kWindowsAtOnce <= count; t += kWindowsAtOnce) body(t);
  if (count % kWindowsAtOnce != 0) body(count - kWindowsAtOnce);
  return count;
}

using RegU = std::uint32_t __attribute__((vector_size(sizeof(RegI))));

template <class Reg, class T>
EVENKEEL_INLINE Reg load_register(const T* from) {
  Reg x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class Reg, class T>
EVENKEEL_INLINE void store(Reg x, T* to) {
  std::memcpy(to, &x, sizeof x);
}
// 0, step, 2 step, ...
EVENKEEL_INLINE RegI counted_up(std::int32_t step) {
  RegI lanes;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(kWindowsAtOnce); ++i) lanes[i] = i * step;
  return lanes;
}

// The largest lane, as numbers without a sign.
EVENKEEL_INLINE void keep_larger(RegI x, RegU& most) {
  const RegU value = (RegU)x;
  most = value > most ? value : most;
}
EVENKEEL_INLINE bool all_below(RegU x, std::uint32_t bound) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < kWindowsAtOnce; ++i) most = x[i] > most ? x[i] : most;
  return most < bound;
}

template <std::size_t kTaps, std::size_t kStride, bool kPlaces>
EVENKEEL_INLINE std::size_t largest_by_registers(const float* x, std::size_t count, float* y,
                                                 std::int32_t* places, std::int32_t begin) {
  const RegI steps = counted_up(static_cast<std::int32_t>(kStride));
  return for_groups_of_windows<kStride>(count, [=](std::size_t t) EVENKEEL_INLINED {
    RegF columns[kTaps];
    load_windows<kStride>(x + t * kStride, columns);
    RegF best = columns[0];
    RegI place{};
    for (std::size_t j = 1; j < kTaps; ++j) {
      const RegF value = columns[j];
      if constexpr (kPlaces) {
        const RegI is_larger = (value > best) | (value != value);
        best = is_larger ? value : best;
        place = is_larger ? RegI{} + static_cast<std::int32_t>(j) : place;
      } else {
        best = value != value ? value : larger(value, best);
      }
    }
    best = in_order<kStride>(best);
    store(best, y + t);
    if constexpr (kPlaces) {
      const RegI from = steps + (begin + static_cast<std::int32_t>(t * kStride));
      const RegI at = from + bits_of(in_order<kStride>(from_bits(place)));
      store(at, places + t);
    }
  });
}

// Halves of sums of two floats, rounded once: only a sum beyond the largest float needs more bits, and false is returned
// where there is one, or no number.
template <std::size_t kStride>
EVENKEEL_INLINE bool halves_by_registers(const float* x, std::size_t count, float* y) {
  RegU most{};
  for_groups_of_windows<kStride>(count, [&](std::size_t t) EVENKEEL_INLINED {
    RegF columns[2];
    load_windows<kStride>(x + t * kStride, columns);
    const RegF sum = columns[0] + columns[1];
    keep_larger(bits_of(magnitude_of(sum)), most);
    const RegF half = in_order<kStride>(fused(sum, 0.5f, 0.0f));
    store(half, y + t);
  });
  return all_below(most, 0x7f800000);  // infinity
}

// By 2 and 4 a quotient is a product, of the same bits.
template <std::size_t kTaps, std::size_t kStride, bool kByProduct>
EVENKEEL_INLINE std::size_t quotients_by_registers(const float* x, std::size_t count,
                                                   double divisor, float* y) {
  const RegD by = splat<RegD>(kByProduct ? 1.0 / divisor : divisor);
  const auto mean = [=](RegD sum) EVENKEEL_INLINED {
    return kByProduct ? fused(sum, by, RegD{}) : (RegD{} + sum) / by;
  };
  return for_groups_of_windows<kStride>(count, [=](std::size_t t) EVENKEEL_INLINED {
    if constexpr (kTaps == 4) {
      const float* from = x + t * kStride;
      const RegF means = narrowed(mean(sums_of_four(from)), mean(sums_of_four(from + 16)));
      return store(means, y + t);
    }
    RegF columns[kTaps];
    load_windows<kStride>(x + t * kStride, columns);
    VecD sum = widen(HalfF{(decltype(HalfF::v))columns[0]});
    for (std::size_t j = 1; j < kTaps; ++j) {
      sum = added(sum, widen(HalfF{(decltype(HalfF::v))columns[j]}));
    }
    const RegF means = in_order<kStride>(narrowed(mean((RegD)sum.a.v), mean((RegD)sum.b.v)));
    store(means, y + t);
  });
}

template <std::size_t kTaps, std::size_t kStride>
EVENKEEL_INLINE std::size_t means_by_registers(const float* x, std::size_t count, double divisor,
                                               float* y) {
  if constexpr (kTaps == 2) {
    if (divisor == 2.0 && count >= kWindowsAtOnce && halves_by_registers<kStride>(x, count, y)) {
      return count;
    }
  }
  if constexpr (kStride == 1) return 0;  // what is side by side, the compiler converts as it loads
  if (divisor == 2.0 || divisor == 4.0) {
    return quotients_by_registers<kTaps, kStride, true>(x, count, divisor, y);
  }
  return quotients_by_registers<kTaps, kStride, false>(x, count, divisor, y);
}

// Of windows side by side. False where a place is not in its window.
template <std::size_t kTaps>
EVENKEEL_INLINE bool side_by_side_by_registers(const float* dy, const std::int32_t* indices,
                                               std::size_t count, float* dx) {
  const RegI steps = counted_up(static_cast<std::int32_t>(kTaps));
  RegI own[kTaps];  // which value of its window a lane of `parts` is
  for (std::size_t k = 0; k < kTaps; ++k) {
    own[k] = (counted_up(1) + static_cast<std::int32_t>(k * kWindowsAtOnce)) %
             static_cast<std::int32_t>(kTaps);
  }
  RegU most{};
  for_groups_of_windows<1>(count, [&](std::size_t t) EVENKEEL_INLINED {
    const RegF values = RegF{} + load_register<RegF>(dy + t);
    const RegI j =
        difference(load_register<RegI>(indices + t), steps + static_cast<std::int32_t>(t * kTaps));
    keep_larger(j, most);
    RegF parts[kTaps];
    if constexpr (kTaps == 2) {
      interleave(from_bits((j == 0) & bits_of(values)), from_bits((j == 1) & bits_of(values)),
                 parts);
    } else {
      RegF of_each[kTaps];
      repeat<kTaps>(values, parts);
      repeat<kTaps>(from_bits(j), of_each);
      for (std::size_t k = 0; k < kTaps; ++k) {
        parts[k] = from_bits((bits_of(of_each[k]) == own[k]) & bits_of(parts[k]));
      }
    }
    for (std::size_t k = 0; k < kTaps; ++k) store(parts[k], dx + t * kTaps + k * kWindowsAtOnce);
  });
  return all_below(most, kTaps);
}

// Of windows two apart: from the second on, two values of dx each, those of 2 t - kBefore and behind it. False where a place
// is not one of three from 2 t on or, with one before, of four from 2 t - 1 on. A sum of what is not -0 and another is not.
template <std::size_t kBefore>
EVENKEEL_INLINE bool two_apart_by_registers(const float* dy, const std::int32_t* indices,
                                            std::size_t count, float* dx) {
  const RegI steps = counted_up(2) + static_cast<std::int32_t>(2 - kBefore);
  RegU most{};
  const auto put = [&](std::size_t before, RegI begin) EVENKEEL_INLINED {
    const std::size_t t = before + 1;
    const RegI own = bits_of(RegF{} + load_register<RegF>(dy + t));
    const RegI other = load_register<RegI>(dy + before);
    const RegI j = difference(load_register<RegI>(indices + t), begin);
    const RegI k = difference(load_register<RegI>(indices + before), begin);
    keep_larger(j, most);
    RegF both[2];
    RegF second = from_bits((j == 1) & own);
    if constexpr (kBefore == 1) second += from_bits((k == 1) & other);
    interleave(from_bits((j == 0) & own) + from_bits((k == 0) & other), second, both);
    store(both[0], dx + 2 * t - kBefore);
    store(both[1], dx + 2 * t - kBefore + kWindowsAtOnce);
  };
  const std::size_t last = count - 1 - kWindowsAtOnce;
  RegI begin = steps;
  for (std::size_t t = 0; t <= last; t += kWindowsAtOnce) {
    put(t, begin);
    begin += static_cast<std::int32_t>(2 * kWindowsAtOnce);
  }
  put(last, steps + static_cast<std::int32_t>(2 * last));
  return all_below(most, 3 + kBefore);
}

// largest_gradient, where there are as many windows as lanes and one more.
inline bool largest_gradient_by_registers(const float* dy, const std::int32_t* indices,
                                          std::size_t count, std::size_t length, float* dx) {
  if (count <= kWindowsAtOnce) return false;
  const std::size_t taps = length / count;
  const auto rest_is_zero = [=](std::size_t from) {
    for (std::size_t i = from; i < length; ++i) dx[i] = 0.0f;
    return true;
  };
  if (taps == 3 && side_by_side_by_registers<3>(dy, indices, count, dx)) {
    return rest_is_zero(3 * count);
  }
  if (taps == 4 && side_by_side_by_registers<4>(dy, indices, count, dx)) {
    return rest_is_zero(4 * count);
  }
  if (length + 1 < 2 * count) return false;
  // The first places say whether it is worth trying.
  RegU first{};
  keep_larger(difference(load_register<RegI>(indices), counted_up(2)), first);
  if (taps == 2 && all_below(first, 2) && side_by_side_by_registers<2>(dy, indices, count, dx)) {
    return rest_is_zero(2 * count);
  }
  const auto value = [=](std::size_t t, std::int32_t k) {
    return indices[t] + 1 - 2 * static_cast<std::int32_t>(t) == k ? 0.0f + dy[t] : 0.0f;
  };
  if (static_cast<std::uint32_t>(indices[0]) + 1 > 3) return false;
  const bool is_done = length >= 2 * count && all_below(first, 3) &&
                       two_apart_by_registers<0>(dy, indices, count, dx);
  if (!is_done && !two_apart_by_registers<1>(dy, indices, count, dx)) return false;
  dx[0] = value(0, 1);
  if (is_done) dx[1] = value(0, 2);
  if (2 * count - 1 < length) dx[2 * count - 1] = value(count - 1, 2);
  if (2 * count < length) dx[2 * count] = value(count - 1, 3);
  return rest_is_zero(std::size_t{2} * count + 1);
}

template <std::size_t kTaps>
EVENKEEL_INLINE std::size_t mean_gradient_by_registers(const float* dy, float divisor,
                                                       std::size_t count, float* dx) {
  const RegF by = every(divisor);
  return for_groups_of_windows<1>(count, [=](std::size_t t) EVENKEEL_INLINED {
    const RegF part = RegF{} + load_register<RegF>(dy + t) / by;
    RegF parts[kTaps];
    if constexpr (kTaps == 2) {
      interleave(part, part, parts);
    } else {
      repeat<kTaps>(part, parts);
    }
    for (std::size_t k = 0; k < kTaps; ++k) store(parts[k], dx + t * kTaps + k * kWindowsAtOnce);
  });
}

}  // namespace
}  // namespace evenkeel
