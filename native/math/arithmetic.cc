#include "arithmetic.h"

#include <algorithm>
#include <cstring>

#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../runtime/work_split.h"

namespace evenkeel {
namespace {

constexpr std::size_t kBlock = 16 * 1024;  // a task's elements
constexpr std::size_t kPart = 512;         // what a buffer on the stack holds of them

// An operation of 16 loads' worth has smaller tasks, and is worth a thread earlier.
constexpr std::size_t kHeavy = 8;

bool is_heavy(UnaryCode code) { return code >= UnaryCode::exp; }
bool is_heavy(BinaryCode code) { return code >= BinaryCode::silu_gradient; }

template <class T>
bool is_broadcast(const Operand<T>& operand) {
  return operand.layout.sizes != nullptr;
}

// A part of an operand in the result's order: the operand itself, or a copy of it in `buffer`.
template <class T>
const T* part_of(const Operand<T>& operand, std::size_t begin, std::size_t count, T* buffer) {
  const Layout& layout = operand.layout;
  if (layout.sizes == nullptr) return operand.data + begin;
  const std::size_t last = layout.rank - 1;
  std::size_t index[kMostDims];
  std::size_t rest = begin, at = 0;
  for (std::size_t d = layout.rank; d-- > 0;) {
    const std::size_t size = static_cast<std::size_t>(layout.sizes[d]);
    index[d] = rest % size;
    rest /= size;
    at += index[d] * static_cast<std::size_t>(layout.strides[d]);
  }
  const std::size_t length = static_cast<std::size_t>(layout.sizes[last]);
  const std::size_t step = static_cast<std::size_t>(layout.strides[last]);
  for (std::size_t done = 0; done < count;) {
    const std::size_t run = std::min(count - done, length - index[last]);
    T* out = buffer + done;
    const T* in = operand.data + at;
    if (step == 1) {
      std::memcpy(out, in, run * sizeof(T));
    } else if (step == 0) {
      std::fill_n(out, run, *in);
    } else {
      for (std::size_t i = 0; i < run; ++i) out[i] = in[i * step];
    }
    done += run;
    at -= index[last] * step;
    index[last] = 0;
    for (std::size_t d = last; d-- > 0;) {
      const std::size_t stride = static_cast<std::size_t>(layout.strides[d]);
      at += stride;
      if (++index[d] < static_cast<std::size_t>(layout.sizes[d])) break;
      at -= index[d] * stride;
      index[d] = 0;
    }
  }
  return buffer;
}

// Calls body(out, begin, count) for parts of y, small ones where a body has `buffers`; a large y is written past the
// caches.
template <class T, class Body>
void for_parts(T* y, std::size_t n, std::size_t weight, bool buffers, const Body& body) {
  const FloatEnvironment environment;
  const std::size_t block = kBlock / weight;
  const bool stream = n * sizeof(T) >= kStreamBytes;
  run_tasks(divide_up(n, block), n * weight, [&](std::size_t task) {
    const Range range = cut(n, block, task);
    const std::size_t part = stream || buffers ? kPart : block;
    for (std::size_t i = range.begin; i < range.end; i += part) {
      const std::size_t count = std::min(part, range.end - i);
      if (stream) {
        alignas(64) T buffer[kPart];
        body(static_cast<T*>(buffer), i, count);
        kernels_of<T>().arithmetic.stream(buffer, y + i, count);
      } else {
        body(y + i, i, count);
      }
    }
  });
}

}  // namespace

template <class T>
void apply_unary(UnaryCode code, const T* x, T* y, std::size_t n, Numbers numbers) {
  for_parts(y, n, is_heavy(code) ? kHeavy : 1, false,
            [&](T* out, std::size_t i, std::size_t count) {
              kernels_of<T>().arithmetic.unary(code, x + i, out, count, numbers);
            });
}

template <class T>
void apply_binary(BinaryCode code, Operand<T> a, Operand<T> b, T* y, std::size_t n,
                  Numbers numbers) {
  const bool buffers = is_broadcast(a) || is_broadcast(b);
  for_parts(y, n, is_heavy(code) ? kHeavy : 1, buffers,
            [&](T* out, std::size_t i, std::size_t count) {
              T left[kPart], right[kPart];
              kernels_of<T>().arithmetic.binary(code, part_of(a, i, count, left),
                                                part_of(b, i, count, right), out, count, numbers);
            });
}

template <class T>
void compare(CompareCode code, Operand<T> a, Operand<T> b, std::int32_t* y, std::size_t n) {
  const FloatEnvironment environment;
  run_tasks(divide_up(n, kPart), n, [&](std::size_t task) {
    const Range range = cut(n, kPart, task);
    T left[kPart], right[kPart];
    kernels_of<T>().arithmetic.compare(code, part_of(a, range.begin, range.size(), left),
                                       part_of(b, range.begin, range.size(), right),
                                       y + range.begin, range.size());
  });
}

template <class T>
void choose(Operand<std::int32_t> mask, Operand<T> a, Operand<T> b, T* y, std::size_t n) {
  for_parts(y, n, 1, true, [&](T* out, std::size_t i, std::size_t count) {
    T left[kPart], right[kPart];
    std::int32_t flags[kPart];
    kernels_of<T>().arithmetic.choose(part_of(mask, i, count, flags), part_of(a, i, count, left),
                                      part_of(b, i, count, right), out, count);
  });
}

#define EVENKEEL_FOR(T)                                                                     \
  template void apply_unary(UnaryCode, const T*, T*, std::size_t, Numbers);                 \
  template void apply_binary(BinaryCode, Operand<T>, Operand<T>, T*, std::size_t, Numbers); \
  template void compare(CompareCode, Operand<T>, Operand<T>, std::int32_t*, std::size_t);   \
  template void choose(Operand<std::int32_t>, Operand<T>, Operand<T>, T*, std::size_t);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
