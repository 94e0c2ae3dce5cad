// BatchNorm on (N, C, L), run by run: lanes are positions within a run. Knows neither layout choice nor
// threads (batchnorm/ncl.h does). The same arithmetic as in batchnorm-nc-inl.h.
// Longer than 250 lines because the passes share the walk over leaves and the sums of runs.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

// While a run is summed the next one is prefetched: it begins on another page, where the hardware
// does not look ahead (34 MB of runs of 1024 floats, a whole forward: 5.9 ms without, 4.3 with).

// sum d and sum d^2 over a channel, d = x - shift, vector by vector.
template <class T>
struct Sums {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  SumOf<T> channel;
  Runs runs;
  Vec fill;
  Wide origin;
  Sums(SumOf<T> of, Runs as)
      : channel(of), runs(as), fill(Vec::broadcast(of.shift)), origin(widen(fill)) {}
  // n values at position i of run r.
  EVENKEEL_INLINED inline Accumulated<T> add(Accumulated<T> total, std::size_t r, std::size_t i,
                                             std::size_t n) const {
    const T* p = channel.x + r * runs.stride + i;
    prefetch(p + runs.stride);
    const Wide d =
        less(n == Vec::kLanes ? load_wide(p) : widen(Vec::load_partial(p, n, fill)), origin);
    return {added(total.first, d), total.second + d * d};
  }
};

template <class T>
inline void write_sums(Accumulated<T> total, double out[2]) {
  out[0] = fold(total.first);
  out[1] = fold(total.second);
}
template <class T>
constexpr Accumulated<T> nothing_yet() {
  return {Simd<T>::Wide::zero(), Simd<T>::Wide::zero()};
}

// The leaves of one run. add(total, position, n).
template <class T, class Add>
inline void sum_leaves(Runs runs, double out[2], const Add& add) {
  double waiting[64][2];
  const std::size_t leaves = (runs.length + runs.leaf - 1) / runs.leaf;
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    const std::size_t begin = leaf * runs.leaf;
    write_sums(for_lanes<T>(min_size(runs.leaf, runs.length - begin), nothing_yet<T>(),
                            [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                                EVENKEEL_INLINED { return add(so_far, begin + i, n); }),
               out);
    const auto meet = [&](std::size_t level) {
      out[0] = waiting[level][0] + out[0];
      out[1] = waiting[level][1] + out[1];
    };
    if (leaf + 1 == leaves) {
      fold_leaves(leaf, meet);
    } else {
      double* node = waiting[push_leaf(leaf, meet)];
      node[0] = out[0];
      node[1] = out[1];
    }
  }
}

template <class T>
void sum_ncl(Runs runs, SumOf<T> channel) {
  const Sums<T> sums(channel, runs);
  if (runs.leaf != 0) {
    sum_leaves<T>(runs, channel.out,
                  [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                      EVENKEEL_INLINED { return sums.add(so_far, 0, i, n); });
    return;
  }
  Accumulated<T> total = nothing_yet<T>();
  for (std::size_t r = 0; r < runs.count; ++r) {
    total = for_lanes<T>(runs.length, total,
                         [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                             EVENKEEL_INLINED { return sums.add(so_far, r, i, n); });
  }
  write_sums(total, channel.out);
}

// The coefficients of one run, spread over a vector.
template <class T>
struct SpreadCoefficients {
  using Vec = typename Simd<T>::Vec;
  Vec center, scale, offset;
  SpreadCoefficients(NormalizeCoefficients<T> coefficients, std::size_t at)
      : center(Vec::broadcast(coefficients.center[at])),
        scale(Vec::broadcast(coefficients.scale[at])),
        offset(Vec::broadcast(coefficients.offset[at])) {}
  inline Vec normalized(Vec x) const { return (x - center) * scale + offset; }
};
template <class T, bool kGated>
struct RunGate {
  SpreadCoefficients<T> coefficients;
  RunGate(NormalizeCoefficients<T> gate, std::size_t at) : coefficients(gate, at) {}
  template <class Vec>
  inline Vec operator()(Vec x, Vec dy) const {
    return where_positive(coefficients.normalized(x), dy);
  }
};
template <class T>
struct RunGate<T, false> {
  RunGate(NormalizeCoefficients<T>, std::size_t) {}
  template <class Vec>
  inline Vec operator()(Vec, Vec dy) const {
    return dy;
  }
};

// sum dy and sum dy * (x - center) over a channel, vector by vector.
template <class T, bool kGated>
struct GradSums {
  using Vec = typename Simd<T>::Vec;
  using Wide = typename Simd<T>::Wide;
  GradSumOf<T> channel;
  Runs runs;
  Vec fill;
  Wide origin;
  RunGate<T, kGated> behind;
  GradSums(GradSumOf<T> of, Runs as, NormalizeCoefficients<T> gate)
      : channel(of),
        runs(as),
        fill(Vec::broadcast(of.center)),
        origin(widen(fill)),
        behind(gate, 0) {}
  EVENKEEL_INLINED inline Accumulated<T> add(Accumulated<T> total, std::size_t r, std::size_t i,
                                             std::size_t n) const {
    const T *p = channel.x + r * runs.stride + i, *gradient = channel.dy + r * runs.dy + i;
    prefetch(p + runs.stride);
    prefetch(gradient + runs.dy);
    if constexpr (!kGated) {
      if (n == Vec::kLanes) {
        add_gradient(total.first, total.second, p, gradient, origin);
        return total;
      }
    }
    const Vec value = load_up_to(p, n, fill);
    const Vec narrow = behind(value, load_up_to(gradient, n, Vec::zero()));
    const Wide g = widen(narrow);
    return {total.first + g, total.second + g * (widen(value) - origin)};
  }
};

template <class T>
void grad_sum_ncl(Runs runs, GradSumOf<T> channel) {
  with_flag(channel.gate.center != nullptr, [&](auto is_gated) {
    const GradSums<T, decltype(is_gated)::value> sums(channel, runs, channel.gate);
    if (runs.leaf != 0) {
      sum_leaves<T>(runs, channel.out,
                    [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                        EVENKEEL_INLINED { return sums.add(so_far, 0, i, n); });
      return;
    }
    Accumulated<T> total = nothing_yet<T>();
    for (std::size_t r = 0; r < runs.count; ++r) {
      total = for_lanes<T>(runs.length, total,
                           [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                               EVENKEEL_INLINED { return sums.add(so_far, r, i, n); });
    }
    write_sums(total, channel.out);
  });
}

template <class T>
void normalize_ncl(const T* x, T* y, Runs runs, NormalizeCoefficients<T> coefficients, bool relu,
                   bool stream, SumOf<T> beside) {
  using Vec = typename Simd<T>::Vec;
  with_flag(relu, [&](auto rectified) {
    const Sums<T> sums(beside, runs);
    Accumulated<T> total = nothing_yet<T>();
    for (std::size_t r = 0; r < runs.count; ++r) {
      const SpreadCoefficients<T> spread(coefficients, r * runs.coefficients);
      const T* from = x + r * runs.stride;
      T* to = y + r * runs.stride;
      const auto one = [=](std::size_t i, std::size_t n, bool streamed) EVENKEEL_INLINED {
        Vec v = spread.normalized(load_up_to(from + i, n, Vec::zero()));
        if constexpr (decltype(rectified)::value) v = positive_part(v);
        put<T>(v, to + i, n, streamed);
      };
      if (beside.x == nullptr) {
        for_vectors(to, runs.length, stream, one);
      } else {
        total = for_vectors_and_lanes(to, runs.length, stream, one, total,
                                      [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                                          EVENKEEL_INLINED { return sums.add(so_far, r, i, n); });
      }
    }
    if (beside.x != nullptr) write_sums(total, beside.out);
  });
  if (stream) stream_fence();
}

template <class T>
void grad_apply_ncl(const T* x, const T* dy, T* dx, Runs runs, GradientCoefficients<T> coefficients,
                    NormalizeCoefficients<T> gate, bool stream, GradSumOf<T> beside) {
  using Vec = typename Simd<T>::Vec;
  const Vec m = Vec::broadcast(*coefficients.center), a = Vec::broadcast(*coefficients.a);
  const Vec b = Vec::broadcast(*coefficients.b), k = Vec::broadcast(*coefficients.k);
  with_flag(gate.center != nullptr, [&](auto is_gated) {
    constexpr bool kGated = decltype(is_gated)::value;
    const RunGate<T, kGated> behind(gate, 0);
    const GradSums<T, kGated> sums(beside, runs, beside.x != nullptr ? beside.gate : gate);
    Accumulated<T> total = nothing_yet<T>();
    for (std::size_t r = 0; r < runs.count; ++r) {
      const T *value = x + r * runs.stride, *gradient = dy + r * runs.dy;
      T* to = dx + r * runs.stride;
      const auto one = [=](std::size_t i, std::size_t n, bool streamed) EVENKEEL_INLINED {
        const Vec v = load_up_to(value + i, n, Vec::zero());
        const Vec g = behind(v, load_up_to(gradient + i, n, Vec::zero()));
        put<T>(((g + (v - m) * b) + k) * a, to + i, n, streamed);
      };
      if (beside.x == nullptr) {
        for_vectors(to, runs.length, stream, one);
      } else {
        total = for_vectors_and_lanes(to, runs.length, stream, one, total,
                                      [&](Accumulated<T> so_far, std::size_t i, std::size_t n)
                                          EVENKEEL_INLINED { return sums.add(so_far, r, i, n); });
      }
    }
    if (beside.x != nullptr) write_sums(total, beside.out);
  });
  if (stream) stream_fence();
}

template <class T>
void scale_ncl(const T* x, const T* dy, T* dx, Runs runs, const T* a, NormalizeCoefficients<T> gate,
               bool stream) {
  using Vec = typename Simd<T>::Vec;
  with_flag(gate.center != nullptr, [&](auto is_gated) {
    constexpr bool kGated = decltype(is_gated)::value;
    for (std::size_t r = 0; r < runs.count; ++r) {
      const RunGate<T, kGated> behind(gate, r * runs.coefficients);
      const Vec factor = Vec::broadcast(a[r * runs.coefficients]);
      const T *value = x + r * runs.stride, *from = dy + r * runs.dy;
      T* to = dx + r * runs.stride;
      for_vectors(to, runs.length, stream,
                  [=](std::size_t i, std::size_t n, bool streamed) EVENKEEL_INLINED {
                    Vec v = Vec::zero();
                    if constexpr (kGated) v = load_up_to(value + i, n, v);
                    const Vec g = behind(v, load_up_to(from + i, n, Vec::zero()));
                    put<T>(g * factor, to + i, n, streamed);
                  });
    }
  });
  if (stream) stream_fence();
}

}  // namespace
}  // namespace evenkeel
