// Sums and extremes along a dimension, in explicit lanes.
// Longer than 250 lines because sums, extremes and softmax share the lanes, whose order the bits depend on.
#pragma once

#include <cstddef>

#include "arithmetic-inl.h"
#include "reductions.h"

namespace evenkeel {
namespace {

constexpr std::size_t kSumLanes = 16;

// Sums of 16 lanes with what their rounding loses, where T is double: the sum of equal doubles is as good as theirs.
template <class T>
struct LaneSums {
  double high[kSumLanes] = {}, low[kSumLanes] = {};

  void add(const double (&value)[kSumLanes]) {
    if constexpr (sizeof(T) == sizeof(float)) {
      for (std::size_t j = 0; j < kSumLanes; ++j) high[j] += value[j];
    } else {
      for (std::size_t j = 0; j < kSumLanes; ++j) {
        const double sum = high[j] + value[j], seen = sum - high[j];
        low[j] += (high[j] - (sum - seen)) + (value[j] - seen);
        high[j] = sum;
      }
    }
  }
  Total total() const {
    Total all{0.0, 0.0};
    for (std::size_t j = 0; j < kSumLanes; ++j) add_to(all, high[j]);
    if constexpr (sizeof(T) == sizeof(float)) return {all.high, 0.0};
    for (std::size_t j = 0; j < kSumLanes; ++j) all.low += low[j];
    return all;
  }
};

// The sum of value(i) over [0, n); a lane beyond the end adds 0.
template <class T, class Value>
inline Total sum_lanes(std::size_t n, const Value& value) {
  LaneSums<T> sums;
  double part[kSumLanes];
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = value(i + j);
    sums.add(part);
  }
  if (i < n) {
    for (std::size_t j = 0; j < kSumLanes; ++j) part[j] = i + j < n ? value(i + j) : 0.0;
    sums.add(part);
  }
  return sums.total();
}

// a b, of floats in double exact: added in one instruction where there is one.
template <class Wide>
struct Product {
  Wide a, b;
  EVENKEEL_INLINE operator Wide() const { return a * b; }
};
// What is nothing but a conversion.
template <class Wide>
struct Converted {
  Wide x;
  EVENKEEL_INLINE operator Wide() const { return x; }
};
template <class Wide>
EVENKEEL_INLINE Wide operator+(Wide sum, Product<Wide> product) {
  return added_product(sum, product.a, product.b);
}
template <class Wide>
EVENKEEL_INLINE Wide operator+(Wide sum, Converted<Wide> value) {
  return added(sum, value.x);
}

// Of the even and of the odd vectors, so that additions do not wait for each other.
struct TwoSums {
  Wide16 even = Wide16::zero(), odd = Wide16::zero();
};
// What value(i, count) of the vectors of [i, n) adds; i is a multiple of two vectors.
template <class Value>
EVENKEEL_INLINE Total add_vectors(TwoSums sums, std::size_t i, std::size_t n, const Value& value) {
  constexpr std::size_t kLanes = VecF::kLanes;
  auto [even, odd] = sums;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    even = even + value(i, kLanes);
    odd = odd + value(i + kLanes, kLanes);
  }
  if (i < n) even = even + value(i, min_size(kLanes, n - i));
  if (i + kLanes < n) odd = odd + value(i + kLanes, n - i - kLanes);
  return {fold(even + odd), 0.0};
}

// The sum of value(i, count), which has 0 in the lanes from `count` on, over the vectors of [0, n). It may be a Product.
template <class T, class Value>
EVENKEEL_INLINE Total sum_vectors(std::size_t n, const Value& value) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  if constexpr (sizeof(T) == sizeof(float)) {
    return add_vectors(TwoSums{}, 0, n, value);
  } else {
    LaneSums<T> sums;
    double part[kSumLanes];
    for (std::size_t i = 0; i < n; i += kSumLanes) {
      for (std::size_t j = 0; j < kSumLanes; j += kLanes) {
        const VecD lanes =
            i + j < n ? VecD(value(i + j, min_size(kLanes, n - i - j))) : VecD::zero();
        lanes.store(part + j);
      }
      sums.add(part);
    }
    return sums.total();
  }
}

template <class T>
EVENKEEL_INLINE typename Simd<T>::Wide broadcast_wide(double x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return {VecD::broadcast(x), VecD::broadcast(x)};
  } else {
    return VecD::broadcast(x);
  }
}
template <class T>
EVENKEEL_INLINE typename Simd<T>::Wide load_wide_doubles(const double* p) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return {VecD::load(p), VecD::load(p + VecD::kLanes)};
  } else {
    return VecD::load(p);
  }
}
// Nothing beyond `count` elements is read.
template <class T>
EVENKEEL_INLINE typename Simd<T>::Wide load_wide_part(const double* p, std::size_t count) {
  constexpr std::size_t kHalf = VecD::kLanes;
  const VecD zero = VecD::zero();
  if (count == Simd<T>::Vec::kLanes) return load_wide_doubles<T>(p);
  const VecD first = load_up_to(p, min_size(kHalf, count), zero);
  if constexpr (sizeof(T) == sizeof(float)) {
    return {first, count > kHalf ? load_up_to(p + kHalf, count - kHalf, zero) : zero};
  } else {
    return first;
  }
}
EVENKEEL_INLINE void store_wide(const VecD& x, double* p) { x.store(p); }
EVENKEEL_INLINE void store_wide(const Wide16& x, double* p) {
  x.a.store(p);
  x.b.store(p + VecD::kLanes);
}

// `count` values in double; 0 in the lanes behind them.
template <class T>
EVENKEEL_INLINE typename Simd<T>::Wide load_doubles(const T* p, std::size_t count) {
  if (count == Simd<T>::Vec::kLanes) return load_wide(p);
  return widen(Simd<T>::Vec::load_partial(p, count, Simd<T>::Vec::zero()));
}

// e^(x - origin) of a vector; 0 in the lanes from `count` on.
template <class T>
EVENKEEL_INLINE typename Simd<T>::Vec exp_of_difference(const T* x, std::size_t count,
                                                        typename Simd<T>::Vec origin) {
  using Reg = typename Simd<T>::Reg;
  using Vec = typename Simd<T>::Vec;
  const Vec from = load_up_to(x, count, Vec::broadcast(-static_cast<T>(kInfinite)));
  return by_register([](Reg a, Reg b) EVENKEEL_INLINED { return exp_of(a - b); }, from, origin);
}

// `ahead`: x is not in the first cache. What lies kAhead behind a vector is asked for then, also behind a page and behind x
// (a row of 4 KB in the second cache: 0.92 of the time; beyond the caches 0.8).
template <class T>
EVENKEEL_INLINE Total sum_values(const T* x, std::size_t n, bool ahead) {
  return sum_vectors<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
    if (ahead) prefetch(x + i + kAhead / sizeof(T));
    return Converted<typename Simd<T>::Wide>{load_doubles(x + i, count)};
  });
}

// In two walks: a vector widens faster on its way from memory than out of a register.
template <class T>
Total exp_row(const T* x, T* y, std::size_t n, double center, bool next) {
  const T origin = static_cast<T>(center);
  map_registers([=](auto v) EVENKEEL_INLINED { return exp_of(v - origin); }, y, n, false,
                next ? n : 0, x);
  return sum_values(static_cast<const T*>(y), n, false);
}

// Deviations are taken of a short row when it and the next one have just been read, for their means: meanwhile the row behind
// those is brought into the first cache, or what is as far behind in a long row. It may be beyond the end, where nothing is
// read.
template <class T>
Total sum_row(SumOfEach kind, const T* x, std::size_t n, double center) {
  using Vec = typename Simd<T>::Vec;
  const auto value = [=](std::size_t i, std::size_t count)
                         EVENKEEL_INLINED { return load_doubles(x + i, count); };
  switch (kind) {
    case SumOfEach::value:
      return sum_values(x, n, true);
    case SumOfEach::squared_deviation: {
      const auto middle = broadcast_wide<T>(center);
      const std::size_t next = min_size(2 * n, 8192 / sizeof(T));
      return sum_vectors<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
        prefetch(x + next + i);
        const auto d = less(value(i, count), middle), square = d * d;
        if (count == Vec::kLanes) return square;
        double lanes[Vec::kLanes];
        store_wide(square, lanes);
        for (std::size_t j = count; j < Vec::kLanes; ++j) lanes[j] = 0.0;
        return load_wide_doubles<T>(lanes);
      });
    }
    case SumOfEach::square:
      return sum_vectors<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
        prefetch(x + i + kAhead / sizeof(T));
        const auto v = value(i, count);
        return Product<typename Simd<T>::Wide>{v, v};
      });
    case SumOfEach::exponential: {
      const Vec origin = Vec::broadcast(static_cast<T>(center));
      return sum_vectors<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
        return widen(exp_of_difference(x + i, count, origin));
      });
    }
  }
  return {0.0, 0.0};
}

// Both rows in turns of a few lines: a core reads two streams of memory faster than one (64 MB on Zen 3: 1.5 ms against 1.9).
inline void sum_two_rows(const float* x, const float* y, std::size_t n, Total& of_x, Total& of_y) {
  constexpr std::size_t kTurn = 64, kLanes = VecF::kLanes, kNext = 1024 / sizeof(float);
  TwoSums sums[2];
  const float* const rows[2] = {x, y};
  std::size_t i = 0;
  for (; i + kTurn <= n; i += kTurn) {
    for (std::size_t k = 0; k < 2; ++k) {
      auto [even, odd] = sums[k];
      for (std::size_t j = i; j < i + kTurn; j += 2 * kLanes) {
        const float* const at = rows[k] + j;
        prefetch(at + kNext);
        prefetch(at + kLanes + kNext);
        even = added(even, load_wide(at));
        odd = added(odd, load_wide(at + kLanes));
      }
      sums[k] = {even, odd};
    }
  }
  const auto rest = [=](const float* row) EVENKEEL_INLINED {
    return [=](std::size_t at, std::size_t count)
               EVENKEEL_INLINED { return Converted<Wide16>{load_doubles(row + at, count)}; };
  };
  of_x = add_vectors(sums[0], i, n, rest(x));
  of_y = add_vectors(sums[1], i, n, rest(y));
}
template <class T>
void sum_each_row(const T* x, std::size_t rows, std::size_t n, Total* totals) {
  constexpr std::size_t kLeast = 256;  // shorter rows follow one another too closely
  std::size_t r = 0;
  if constexpr (kReadsTwoStreams && sizeof(T) == sizeof(float)) {
    if (n >= kLeast) {
      const std::size_t half = rows / 2;
      for (; r < half; ++r) {
        sum_two_rows(x + r * n, x + (half + r) * n, n, totals[r], totals[half + r]);
      }
      r = 2 * half;
    }
  }
  for (; r < rows; ++r) totals[r] = sum_values(x + r * n, n, true);
}

template <class T>
Total dot_row(const T* a, const T* b, std::size_t n) {
  return sum_vectors<T>(n, [=](std::size_t i, std::size_t count) EVENKEEL_INLINED {
    return Product<typename Simd<T>::Wide>{load_doubles(a + i, count), load_doubles(b + i, count)};
  });
}

// Rows that are walked at a time, in runs of a few lines, while the next ones are prefetched. No more of wide ones: rows
// that are 4 KB apart are in the same 12 lines of the first cache. Of narrow ones as many as keep their sums in registers
// for long, and are still in a cache when the next columns of them are read.
constexpr std::size_t kRowsAtOnce = 4, kNarrow = 128, kNarrowRows = 64;

// Calls strip(first row, end, c, vectors as a constant, count) for strips of kVectors vectors, then for single ones; the
// last one has `count` columns.
template <std::size_t kCount>
struct VectorCount {
  static constexpr std::size_t value = kCount;
};
template <class T, std::size_t kVectors, class Strip>
EVENKEEL_INLINE void for_strips(std::size_t rows, std::size_t columns, const Strip& strip) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  const std::size_t at_once = columns <= kNarrow ? kNarrowRows : kRowsAtOnce;
  for (std::size_t first = 0; first < rows; first += at_once) {
    const std::size_t end = min_size(rows, first + at_once);
    std::size_t c = 0;
    for (; c + kVectors * kLanes <= columns; c += kVectors * kLanes) {
      strip(first, end, c, VectorCount<kVectors>{}, kLanes);
    }
    for (; c < columns; c += kLanes) {
      strip(first, end, c, VectorCount<1>{}, min_size(kLanes, columns - c));
    }
  }
}

// high[c] + low[c] += value(r, c, count) for each row in turn. The rows are those of x.
template <class T, std::size_t kVectors, class Value>
EVENKEEL_INLINE void add_columns(const T* x, std::size_t rows, std::size_t columns,
                                 std::size_t stride, double* high, double* low,
                                 const Value& value) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  for_strips<T, kVectors>(
      rows, columns,
      [=](std::size_t first, std::size_t end, std::size_t c, auto vectors, std::size_t count)
          EVENKEEL_INLINED {
            constexpr std::size_t kCount = decltype(vectors)::value;
            typename Simd<T>::Wide sum[kCount];
            [[maybe_unused]] VecD lost[kCount];
            for (std::size_t j = 0; j < kCount; ++j) {
              sum[j] = load_wide_doubles<T>(high + c + j * kLanes);
              if constexpr (sizeof(T) == sizeof(double)) lost[j] = VecD::load(low + c + j * kLanes);
            }
            for (std::size_t r = first; r < end; ++r) {
#pragma GCC unroll 4
              for (std::size_t j = 0; j < kCount; ++j) {
                const std::size_t at = c + j * kLanes;
                prefetch(x + (r + kRowsAtOnce) * stride + at);
                if constexpr (sizeof(T) == sizeof(float)) {
                  sum[j] = sum[j] + value(r, at, count);
                } else {
                  const VecD v = value(r, at, count), next = sum[j] + v, seen = next - sum[j];
                  lost[j] = lost[j] + ((sum[j] - (next - seen)) + (v - seen));
                  sum[j] = next;
                }
              }
            }
            for (std::size_t j = 0; j < kCount; ++j) {
              store_wide(sum[j], high + c + j * kLanes);
              if constexpr (sizeof(T) == sizeof(double)) lost[j].store(low + c + j * kLanes);
            }
          });
}
// high + low += e^(x - origin). Whole long vectors in two walks, by way of the first cache, as in exp_row; the columns behind
// them in one.
template <class T>
EVENKEEL_INLINE void add_exponentials(const T* x, std::size_t rows, std::size_t columns,
                                      std::size_t stride, const T* origin, double* high,
                                      double* low) {
  using Vec = typename Simd<T>::Vec;
  using Long = typename Simd<T>::Long;
  constexpr std::size_t kLanes = Long::kLanes, kWaiting = 8192 / sizeof(T), kMost = 512;
  alignas(kCacheLine) T waiting[kWaiting];
  const T* const e = waiting;
  const auto load_e = [=](std::size_t at, std::size_t count)
                          EVENKEEL_INLINED { return load_doubles(e + at, count); };
  std::size_t c = 0;
  while (c + kLanes <= columns) {
    const std::size_t width = min_size((columns - c) / kLanes * kLanes, kMost);
    const std::size_t at_once = kWaiting / width;
    for (std::size_t first = 0; first < rows; first += at_once) {
      const std::size_t count = min_size(at_once, rows - first);
      for (std::size_t r = 0; r < count; ++r) {
        const T* const row = x + (first + r) * stride + c;
        for (std::size_t j = 0; j < width; j += kLanes) {
          for (std::size_t k = j; k < j + kLanes; k += Vec::kLanes) {
            prefetch(row + kRowsAtOnce * stride + k);
          }
          by_register([](auto a, auto b) EVENKEEL_INLINED { return exp_of(a - b); },
                      Long::load(row + j), Long::load(origin + c + j))
              .store(waiting + r * width + j);
        }
      }
      add_columns<T, 2>(e, count, width, width, high + c, low + c,
                        [=](std::size_t r, std::size_t at, std::size_t some) EVENKEEL_INLINED {
                          return Converted<typename Simd<T>::Wide>{load_e(r * width + at, some)};
                        });
    }
    c += width;
  }
  const T *const rest = x + c, *const its_origin = origin + c;
  add_columns<T, 1>(
      rest, rows, columns - c, stride, high + c, low + c,
      [=](std::size_t r, std::size_t at, std::size_t some) EVENKEEL_INLINED {
        return widen(exp_of_difference(rest + r * stride + at, some,
                                       load_up_to(its_origin + at, some, Vec::zero())));
      });
}

template <class T>
void sum_columns(SumOfEach kind, const T* x, std::size_t rows, std::size_t columns,
                 std::size_t stride, Centers<T> centers, double* high, double* low) {
  const auto value = [=](std::size_t r, std::size_t c, std::size_t count)
                         EVENKEEL_INLINED { return load_doubles(x + r * stride + c, count); };
  switch (kind) {
    case SumOfEach::value:
      return add_columns<T, 4>(x, rows, columns, stride, high, low, value);
    case SumOfEach::square:
      return add_columns<T, 4>(x, rows, columns, stride, high, low,
                               [=](std::size_t r, std::size_t c, std::size_t count)
                                   EVENKEEL_INLINED {
                                     const auto v = value(r, c, count);
                                     return Product<typename Simd<T>::Wide>{v, v};
                                   });
    case SumOfEach::squared_deviation:
      return add_columns<T, 2>(
          x, rows, columns, stride, high, low,
          [=](std::size_t r, std::size_t c, std::size_t count) EVENKEEL_INLINED {
            const auto d = value(r, c, count) - load_wide_part<T>(centers.center + c, count);
            return d * d;
          });
    case SumOfEach::exponential:
      return add_exponentials<T>(x, rows, columns, stride, centers.origin, high, low);
  }
}

// The totals of n columns, with more parts of them in order.
inline void merge_parts(const double* high, const double* low, std::size_t parts,
                        std::size_t stride, std::size_t n, double* total_high, double* total_low) {
  for (std::size_t c = 0; c < n; c += VecD::kLanes) {
    const std::size_t count = min_size(VecD::kLanes, n - c);
    VecD sum = load_up_to(total_high + c, count, VecD::zero());
    VecD rest = load_up_to(total_low + c, count, VecD::zero());
    for (std::size_t p = 0; p < parts; ++p) {
      const VecD part = load_up_to(high + p * stride + c, count, VecD::zero());
      const VecD more = load_up_to(low + p * stride + c, count, VecD::zero());
      const VecD next = sum + part, seen = next - sum;
      rest = rest + (((sum - (next - seen)) + (part - seen)) + more);
      sum = next;
    }
    store_up_to<double>(sum, total_high + c, count);
    store_up_to<double>(rest, total_low + c, count);
  }
}

// x where it is better or NaN. NaN stays: nothing is larger than it, and it is equal to nothing.
template <bool kLargest, class V>
EVENKEEL_INLINE V better(V best, V x) {
  if constexpr (kLargest) {
    return pick((x > best) | (x != x), x, best);
  } else {
    return pick((x < best) | (x != x), x, best);
  }
}

template <class T, bool kLargest>
EVENKEEL_INLINE typename Simd<T>::Vec better_of(typename Simd<T>::Vec best,
                                                typename Simd<T>::Vec x) {
  using Reg = typename Simd<T>::Reg;
  return by_register([](Reg a, Reg b) EVENKEEL_INLINED { return better<kLargest>(a, b); }, best, x);
}

// Of the lanes. In halves, but where it matters which of them is taken: of zeros and of NaN.
template <class T, bool kLargest>
inline T extreme_lane(typename Simd<T>::Vec all) {
  constexpr std::size_t kLanes = Simd<T>::Vec::kLanes;
  T lanes[kLanes], folded[kLanes];
  all.store(lanes);
  all.store(folded);
  bool is_number = true;
  for (std::size_t j = 0; j < kLanes; ++j) is_number &= lanes[j] == lanes[j];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) {
      const T left = folded[j], right = folded[j + half];
      folded[j] = (kLargest ? right > left : right < left) ? right : left;
    }
  }
  if (is_number & (folded[0] != T(0))) return folded[0];
  T one = lanes[0];
  for (std::size_t j = 1; j < kLanes; ++j) one = better<kLargest>(one, lanes[j]);
  return one;
}

// The extreme by best = take(best, x), as long as goes_on(four vectors).
template <class T, bool kLargest, class Take, class GoesOn>
EVENKEEL_INLINE bool find_extreme(const T* x, std::size_t n, T& found, const Take& take,
                                  const GoesOn& goes_on) {
  using Vec = typename Simd<T>::Vec;
  constexpr std::size_t kLanes = Vec::kLanes;
  const Vec first = Vec::broadcast(x[0]);
  Vec a = first, b = first, c = first, d = first;
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (std::size_t j = 0; j < 4 * kLanes; j += kLanes) prefetch(x + i + j + kAhead / sizeof(T));
    const Vec p = Vec::load(x + i), q = Vec::load(x + i + kLanes);
    const Vec r = Vec::load(x + i + 2 * kLanes), s = Vec::load(x + i + 3 * kLanes);
    if (!goes_on(p, q, r, s)) return false;
    a = take(a, p);
    b = take(b, q);
    c = take(c, r);
    d = take(d, s);
  }
  for (; i < n; i += kLanes) {
    const Vec p = load_up_to(x + i, min_size(kLanes, n - i), first);
    if (!goes_on(p, p, p, p)) return false;
    a = take(a, p);
  }
  found = extreme_lane<T, kLargest>(take(take(a, b), take(c, d)));
  return true;
}

template <class T, bool kLargest>
inline T extreme(const T* x, std::size_t n) {
  using Vec = typename Simd<T>::Vec;
  T found;
  if constexpr (sizeof(T) == sizeof(float)) {
    // Without NaN one instruction is enough; the order of its operands is that of `better`, also of zeros.
    const auto take = [](Vec best, Vec v) EVENKEEL_INLINED {
      return by_register([](RegF p, RegF q)
                             EVENKEEL_INLINED { return kLargest ? larger(q, p) : smaller(q, p); },
                         best, v);
    };
    const auto numbers = [](Vec p, Vec q, Vec r, Vec s)
                             EVENKEEL_INLINED { return all_numbers(p, q, r, s); };
    if (find_extreme<T, kLargest>(x, n, found, take, numbers)) return found;
  }
  find_extreme<T, kLargest>(
      x, n, found, [](Vec best, Vec v) EVENKEEL_INLINED { return better_of<T, kLargest>(best, v); },
      [](Vec, Vec, Vec, Vec) EVENKEEL_INLINED { return true; });
  return found;
}
template <class T>
T extreme_row(bool largest, const T* x, std::size_t n) {
  return largest ? extreme<T, true>(x, n) : extreme<T, false>(x, n);
}

template <class T, bool kLargest>
inline void extremes(const T* x, std::size_t rows, std::size_t columns, std::size_t stride, T* y) {
  using Vec = typename Simd<T>::Vec;
  constexpr std::size_t kLanes = Vec::kLanes;
  for_strips<T, 4>(
      rows, columns,
      [=](std::size_t first, std::size_t end, std::size_t c, auto vectors, std::size_t count)
          EVENKEEL_INLINED {
            constexpr std::size_t kCount = decltype(vectors)::value;
            Vec best[kCount];
            const T* from = first == 0 ? x : y;
            for (std::size_t j = 0; j < kCount; ++j) {
              best[j] = load_up_to(from + c + j * kLanes, count, Vec::zero());
            }
            for (std::size_t r = first; r < end; ++r) {
#pragma GCC unroll 4
              for (std::size_t j = 0; j < kCount; ++j) {
                const T* at = x + r * stride + c + j * kLanes;
                prefetch(at + kRowsAtOnce * stride);
                best[j] = better_of<T, kLargest>(best[j], load_up_to(at, count, Vec::zero()));
              }
            }
            for (std::size_t j = 0; j < kCount; ++j) {
              store_up_to<T>(best[j], y + c + j * kLanes, count);
            }
          });
}
template <class T>
void extreme_columns(bool largest, const T* x, std::size_t rows, std::size_t columns,
                     std::size_t stride, T* y) {
  if (largest) {
    extremes<T, true>(x, rows, columns, stride, y);
  } else {
    extremes<T, false>(x, rows, columns, stride, y);
  }
}

// The first of n places that has the value, or n.
template <class T>
EVENKEEL_INLINE int first_within(const T* x, int n, T value) {
  int place = n;
  for (int j = 0; j < n; ++j) {
    const int here = x[j] == value ? j : n;
    place = here < place ? here : place;
  }
  return place;
}
template <class T>
EVENKEEL_INLINE bool is_within(const T* x, int n, T value) {
  int found = 0;
  for (int j = 0; j < n; ++j) found |= x[j] == value ? 1 : 0;
  return found != 0;
}
template <class T>
std::size_t first_of(const T* x, std::size_t n, T best) {
  constexpr int kMany = 128, kFew = 32;  // as many places at a time, without a branch
  std::size_t at = 0;
  if (best != best) {
    while (at + 1 < n && x[at] == x[at]) ++at;
    return at;
  }
  for (; at + kMany <= n; at += kMany) {
    if (!is_within(x + at, kMany, best)) continue;  // half of what counting costs
    const int place = first_within(x + at, kMany, best);
    if (place < kMany) return at + static_cast<std::size_t>(place);
  }
  for (; at + kFew <= n; at += kFew) {
    const int place = first_within(x + at, kFew, best);
    if (place < kFew) return at + static_cast<std::size_t>(place);
  }
  while (at < n && x[at] != best) ++at;
  return at < n ? at : n - 1;
}

template <class T>
void first_in_columns(const T* x, std::size_t rows, std::size_t columns, std::size_t stride,
                      const T* best, int* places) {
  for (std::size_t r = rows; r-- > 0;) {
    const T* row = x + r * stride;
    const int place = static_cast<int>(r);
    for (std::size_t c = 0; c < columns; ++c) {
      const T value = row[c], one = best[c];
      const bool is_it = (value == one) | ((one != one) & (value != value));
      places[c] = is_it ? place : places[c];
    }
  }
}

// A double as two of T.
template <class T>
struct TwoParts {
  T high, low;
  explicit TwoParts(Total x)
      : high(static_cast<T>(x.high + x.low)),
        low(static_cast<T>((x.high - static_cast<double>(high)) + x.low)) {}
};

template <class T>
void divide_row(const T* x, T* y, std::size_t n, double divisor, bool stream) {
  using Reg = typename Simd<T>::Reg;
  if constexpr (sizeof(T) == sizeof(float)) {
    const TwoParts<T> factor({1.0 / divisor, 0.0});
    map_quickly([=](Reg v)
                    EVENKEEL_INLINED { return fused(v, every(factor.high), v * factor.low); },
                y, n, stream, x);
  } else {
    map_quickly([=](Reg v) EVENKEEL_INLINED { return v / divisor; }, y, n, stream, x);
  }
}

template <class T>
void shift_row(const T* x, T* y, std::size_t n, Total subtrahend, bool stream) {
  using Reg = typename Simd<T>::Reg;
  const TwoParts<T> less(subtrahend);
  map_quickly([=](Reg v) EVENKEEL_INLINED { return (v - less.high) - less.low; }, y, n, stream, x);
}

template <class T>
void softmax_gradient(const T* y, const T* dy, T* dx, std::size_t n, double dot, bool stream) {
  const TwoParts<T> less({dot, 0.0});
  const auto f = [=](auto s, auto d) EVENKEEL_INLINED { return s * ((d - less.high) - less.low); };
  if (stream) {
    map_registers(f, dx, n, true, n, y, dy);
  } else {
    map_quickly(f, dx, n, false, y, dy);
  }
}

template <class T>
void log_softmax_gradient(const T* y, const T* dy, T* dx, std::size_t n, double total,
                          bool stream) {
  const T sum = static_cast<T>(total);
  map_registers([=](auto s, auto d) EVENKEEL_INLINED { return d - exp_of(s) * sum; }, dx, n, stream,
                stream ? n : 0, y, dy);
}

// The same of columns, whose rows are side by side.
template <class T>
void exp_columns(const T* x, T* y, std::size_t rows, std::size_t columns, std::size_t stride,
                 const T* origin, double* high, double* low) {
  using Vec = typename Simd<T>::Vec;
  add_columns<T, 1>(x, rows, columns, stride, high, low,
                    [=](std::size_t r, std::size_t c, std::size_t count) EVENKEEL_INLINED {
                      const std::size_t at = r * stride + c;
                      const Vec e = exp_of_difference(x + at, count,
                                                      load_up_to(origin + c, count, Vec::zero()));
                      store_up_to<T>(e, y + at, count);
                      return widen(e);
                    });
}

template <class T>
void dot_columns(const T* a, const T* b, std::size_t rows, std::size_t columns, std::size_t stride,
                 double* high, double* low) {
  add_columns<T, 2>(a, rows, columns, stride, high, low,
                    [=](std::size_t r, std::size_t c, std::size_t count) EVENKEEL_INLINED {
                      const std::size_t at = r * stride + c;
                      return Product<typename Simd<T>::Wide>{load_doubles(a + at, count),
                                                             load_doubles(b + at, count)};
                    });
}

template <class T>
void map_columns(ColumnMap map, const T* a, const T* b, T* y, std::size_t rows, std::size_t columns,
                 std::size_t stride, const T* p, const T* q) {
  using Reg = typename Simd<T>::Reg;
  const auto each = [=](const auto& f, auto... from) EVENKEEL_INLINED {
    for (std::size_t r = 0; r < rows; ++r) {
      map_quickly(f, y + r * stride, columns, false, (from + r * stride)..., p, q);
    }
  };
  switch (map) {
    case ColumnMap::divide:
      if constexpr (sizeof(T) == sizeof(float)) {
        each([](Reg v, Reg high, Reg low) EVENKEEL_INLINED { return fused(v, high, v * low); }, a);
      } else {
        each([](Reg v, Reg divisor, Reg) EVENKEEL_INLINED { return v / divisor; }, a);
      }
      return;
    case ColumnMap::shift:
      each([](Reg v, Reg high, Reg low) EVENKEEL_INLINED { return (v - high) - low; }, a);
      return;
    case ColumnMap::softmax_gradient:
      each([](Reg s, Reg d, Reg high, Reg low) EVENKEEL_INLINED { return s * ((d - high) - low); },
           a, b);
      return;
    case ColumnMap::log_softmax_gradient:
      each([](Reg s, Reg d, Reg sum, Reg) EVENKEEL_INLINED { return d - exp_of(s) * sum; }, a, b);
      return;
  }
}

template <class T>
constexpr ReductionKernels<T> reduction_kernels() {
  return {sum_row<T>,
          sum_each_row<T>,
          dot_row<T>,
          sum_columns<T>,
          merge_parts,
          extreme_row<T>,
          extreme_columns<T>,
          first_of<T>,
          exp_row<T>,
          divide_row<T>,
          shift_row<T>,
          softmax_gradient<T>,
          log_softmax_gradient<T>,
          first_in_columns<T>,
          exp_columns<T>,
          dot_columns<T>,
          map_columns<T>};
}

}  // namespace
}  // namespace evenkeel
