// Pooling: plain loops over windows that the compiler widens to the instruction set's registers; lanes are windows.
// Sizes that models use are constants, so that what several windows read is loaded once and put in its lanes.
// Longer than 250 lines because it has both directions of both pools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels.h"
#if defined(EVENKEEL_LOADS_WINDOWS)
#include "pooling-registers-inl.h"
#endif

namespace evenkeel {
namespace {

// Calls body(taps, stride) with two constants where the run is one of the usual ones without dilation, else with 0, 0.
template <std::size_t kTaps, std::size_t kStride>
struct WindowSize {
  static constexpr std::size_t taps = kTaps, stride = kStride;
};
template <class Body>
inline void with_window_size(const WindowRun& run, const Body& body) {
  if (run.dilation == 1) {
    const std::size_t size = run.taps * 8 + run.stride;
    if (size == 2 * 8 + 2) return body(WindowSize<2, 2>{});
    if (size == 3 * 8 + 3) return body(WindowSize<3, 3>{});
    if (size == 4 * 8 + 4) return body(WindowSize<4, 4>{});
    if (size == 3 * 8 + 2) return body(WindowSize<3, 2>{});
    if (size == 2 * 8 + 1) return body(WindowSize<2, 1>{});
    if (size == 3 * 8 + 1) return body(WindowSize<3, 1>{});
  }
  body(WindowSize<0, 0>{});
}

// Without a branch: which value is the largest is as good as random.
template <class T>
inline void take_larger(T value, std::int32_t j, T& best, std::int32_t& place) {
  const bool larger = (value > best) | (value != value);
  best = larger ? value : best;
  place = larger ? j : place;
}

template <class T, bool kPlaces>
void find_largest(const T* x, WindowRun run, T* y, std::int32_t* places, std::int32_t begin) {
  with_window_size(run, [=](auto size) EVENKEEL_INLINED {
    constexpr std::size_t kTaps = size.taps, kStride = size.stride;
    if constexpr (kTaps > 0) {
      std::size_t done = 0;
#if defined(EVENKEEL_LOADS_WINDOWS)
      if constexpr (sizeof(T) == 4) {
        done = largest_by_registers<kTaps, kStride, kPlaces>(x, run.count, y, places, begin);
      }
#endif
      std::int32_t from = begin + static_cast<std::int32_t>(done * kStride);
      for (std::size_t t = done; t < run.count; ++t) {
        T best = x[t * kStride];
        std::int32_t place = 0;
        take_larger(x[t * kStride + 1], 1, best, place);
        if constexpr (kTaps > 2) take_larger(x[t * kStride + 2], 2, best, place);
        if constexpr (kTaps > 3) take_larger(x[t * kStride + 3], 3, best, place);
        y[t] = best;
        if constexpr (kPlaces) places[t] = from + place;
        from += static_cast<std::int32_t>(kStride);
      }
    } else {
      for (std::size_t t = 0; t < run.count; ++t) {
        const T* from = x + t * run.stride;
        T best = from[0];
        std::int32_t place = 0;
        for (std::size_t j = run.dilation; j < run.taps * run.dilation; j += run.dilation) {
          take_larger(from[j], static_cast<std::int32_t>(j), best, place);
        }
        y[t] = best;
        if constexpr (kPlaces) {
          places[t] = begin + static_cast<std::int32_t>(t * run.stride) + place;
        }
      }
    }
  });
}

template <class T>
void largest_windows(const T* x, WindowRun run, T* y, std::int32_t* places, std::int32_t begin) {
  if (places != nullptr) {
    find_largest<T, true>(x, run, y, places, begin);
  } else {
    find_largest<T, false>(x, run, y, nullptr, begin);
  }
}

template <class T>
void mean_windows(const T* x, WindowRun run, double divisor, T* y) {
  with_window_size(run, [=](auto size) EVENKEEL_INLINED {
    constexpr std::size_t kTaps = size.taps, kStride = size.stride;
    std::size_t done = 0;
#if defined(EVENKEEL_LOADS_WINDOWS)
    if constexpr (sizeof(T) == 4 && kTaps > 0) {
      done = means_by_registers<kTaps, kStride>(x, run.count, divisor, y);
    }
#endif
    for (std::size_t t = done; t < run.count; ++t) {
      double sum = 0.0;
      if constexpr (kTaps > 0) {
        sum += static_cast<double>(x[t * kStride]);
        sum += static_cast<double>(x[t * kStride + 1]);
        if constexpr (kTaps > 2) sum += static_cast<double>(x[t * kStride + 2]);
        if constexpr (kTaps > 3) sum += static_cast<double>(x[t * kStride + 3]);
      } else {
        const T* from = x + t * run.stride;
        for (std::size_t j = 0; j < run.taps; ++j) {
          sum += static_cast<double>(from[j * run.dilation]);
        }
      }
      y[t] = static_cast<T>(sum / divisor);
    }
  });
}

template <class T>
struct Four {
  using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  typedef Place Places __attribute__((vector_size(4 * sizeof(Place))));
  typedef T Values __attribute__((vector_size(4 * sizeof(T))));
};

// Four values, of which number j is `value` and the others are zero, in one store ([128, 32, 496]: 0.44 ms; in four 1.7).
// Given by reference: a vector that is returned has another ABI in each instruction set.
template <class T>
EVENKEEL_INLINE void one_of_four(T value, std::int32_t j, typename Four<T>::Values& kept) {
  using Places = typename Four<T>::Places;
  const Places here = Places{0, 1, 2, 3} == static_cast<typename Four<T>::Place>(j);
  const typename Four<T>::Values values = {value, value, value, value};
  kept = (typename Four<T>::Values)(here & (Places)values);
}
template <class T>
EVENKEEL_INLINE void store_one_of_four(T value, std::int32_t j, T* to) {
  typename Four<T>::Values kept;
  one_of_four(value, j, kept);
  std::memcpy(to, &kept, sizeof kept);
}

// Where the places lie, counted from `before` values before stride * t on. Any number may come.
struct Spread {
  std::int32_t least, most;
};
template <std::uint32_t kStride>
inline Spread spread_of(const std::int32_t* indices, std::size_t count, std::uint32_t before) {
  Spread spread{0x7fffffff, -0x7fffffff - 1};
  for (std::size_t t = 0; t < count; ++t) {
    const std::uint32_t far =
        static_cast<std::uint32_t>(indices[t]) + before - kStride * static_cast<std::uint32_t>(t);
    const std::int32_t place = static_cast<std::int32_t>(far);
    spread.least = place < spread.least ? place : spread.least;
    spread.most = place > spread.most ? place : spread.most;
  }
  return spread;
}

template <class T, std::int32_t kTaps>
inline void side_by_side(const T* dy, const std::int32_t* indices, std::size_t count,
                         std::size_t length, T* dx) {
  for (std::size_t t = 0; t < count; ++t) {
    const std::int32_t j = indices[t] - static_cast<std::int32_t>(t) * kTaps;
    const T value = T(0) + dy[t];
    T* to = dx + t * kTaps;
    if constexpr (kTaps == 4) {
      store_one_of_four(value, j, to);
    } else {
      to[0] = j == 0 ? value : T(0);
      to[1] = j == 1 ? value : T(0);
      if constexpr (kTaps > 2) to[2] = j == 2 ? value : T(0);
    }
  }
  for (std::size_t i = count * kTaps; i < length; ++i) dx[i] = T(0);
}

// Windows of up to four values, two apart: number t begins at 2 t or, with padding, at 2 t - 1. Of one value two windows
// at most add something to 0, and a sum of two has no order. Lanes are windows, so the two are given as arrays that do
// not overlap.
template <class T>
inline void two_apart(const T* dy, const std::int32_t* indices, std::size_t count,
                      std::size_t length, T* __restrict dx) {
  // Value `k` of window `t`, counted from 2 t - 1.
  const auto value = [=](std::size_t t, std::int32_t k) EVENKEEL_INLINED {
    return indices[t] + 1 - 2 * static_cast<std::int32_t>(t) == k ? T(0) + dy[t] : T(0);
  };
  dx[0] = value(0, 1);
  for (std::size_t t = 1; t < count; ++t) {
    dx[2 * t - 1] = value(t, 0) + value(t - 1, 2);
    dx[2 * t] = value(t, 1) + value(t - 1, 3);
  }
  if (2 * count - 1 < length) dx[2 * count - 1] = value(count - 1, 2);
  if (2 * count < length) dx[2 * count] = value(count - 1, 3);
  for (std::size_t i = 2 * count + 1; i < length; ++i) dx[i] = T(0);
}

template <class T>
bool largest_gradient(const T* dy, const std::int32_t* indices, std::size_t count,
                      std::size_t length, T* dx) {
  if (count == 0) return false;
#if defined(EVENKEEL_LOADS_WINDOWS)
  if constexpr (sizeof(T) == 4) {
    if (largest_gradient_by_registers(dy, indices, count, length, dx)) return true;
  }
#endif
  const std::size_t taps = length / count;
  if (taps == 3 || taps == 4) {
    const Spread spread =
        taps == 3 ? spread_of<3>(indices, count, 0) : spread_of<4>(indices, count, 0);
    if (spread.least >= 0 && spread.most < static_cast<std::int32_t>(taps)) {
      if (taps == 3) side_by_side<T, 3>(dy, indices, count, length, dx);
      if (taps == 4) side_by_side<T, 4>(dy, indices, count, length, dx);
      return true;
    }
  }
  if (length + 1 < 2 * count || length == 0) return false;
  const Spread spread = spread_of<2>(indices, count, 1);
  if (spread.least < 0 || spread.most > 3) return false;
  if (taps == 2 && spread.least > 0 && spread.most < 3) {
    side_by_side<T, 2>(dy, indices, count, length, dx);
  } else {
    two_apart(dy, indices, count, length, dx);
  }
  return true;
}

// `Quotient`: the type to divide in.
template <class Quotient, class T>
void divided_gradient(const T* dy, Quotient divisor, std::size_t count, std::size_t taps, T* dx) {
  with_window_size({count, taps, taps, 1}, [=](auto size) EVENKEEL_INLINED {
    constexpr std::size_t kTaps = size.taps;
    std::size_t done = 0;
#if defined(EVENKEEL_LOADS_WINDOWS)
    if constexpr (sizeof(Quotient) == 4 && kTaps > 0) {
      done = mean_gradient_by_registers<kTaps>(dy, divisor, count, dx);
    }
#endif
    for (std::size_t t = done; t < count; ++t) {
      const T part = T(0) + static_cast<T>(static_cast<Quotient>(dy[t]) / divisor);
      if constexpr (kTaps > 0) {
        T* to = dx + t * kTaps;
        to[0] = part;
        to[1] = part;
        if constexpr (kTaps > 2) to[2] = part;
        if constexpr (kTaps > 3) to[3] = part;
      } else {
        T* to = dx + t * taps;
        for (std::size_t j = 0; j < taps; ++j) to[j] = part;
      }
    }
  });
}

// A float over a whole number of few bits is the same float whether it is rounded to a double in between or not.
template <class T>
void mean_gradient(const T* dy, double divisor, std::size_t count, std::size_t taps, T* dx) {
  if (sizeof(T) == 4 && divisor >= 1.0 && divisor <= 65536.0 &&
      divisor == static_cast<double>(static_cast<int>(divisor))) {
    divided_gradient(dy, static_cast<T>(divisor), count, taps, dx);
  } else {
    divided_gradient(dy, divisor, count, taps, dx);
  }
}

template <class T>
constexpr PoolingKernels<T> pooling_kernels() {
  return {largest_windows<T>, mean_windows<T>, largest_gradient<T>, mean_gradient<T>};
}

}  // namespace
}  // namespace evenkeel
