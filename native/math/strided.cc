// Longer than 250 lines because every operation that moves elements by index or stride shares the splitting of its work.
#include "strided.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../runtime/work_split.h"

namespace evenkeel {
namespace {

constexpr std::size_t kFilled = 64 * 1024;  // elements of a task that fills
constexpr std::size_t kTile = 16;  // elements of each side that a transposition moves at once

constexpr std::size_t kShared = 64;  // elements of a place that are worth a thread of their own
constexpr std::size_t kMostOfAPlace = 4;  // indices to a place, or places to an index
constexpr std::size_t kLanes = 16;        // elements that are worth a call of a kernel

// Calls body(o, range of lines) for `outer` times `count` lines of `inner` elements, which are worth `elements`.
template <class Body>
void for_lines(std::size_t outer, std::size_t count, std::size_t inner, std::size_t elements,
               const Body& body) {
  const std::size_t lines = outer * count;
  const std::size_t step = std::max<std::size_t>(1, 16 * 1024 / std::max<std::size_t>(1, inner));
  run_tasks(divide_up(lines, step), elements, [&](std::size_t task) {
    const Range range = cut(lines, step, task);
    for (std::size_t line = range.begin, end; line < range.end; line = end) {
      const std::size_t o = line / count;
      end = std::min(range.end, (o + 1) * count);
      body(o, Range{line - o * count, end - o * count});
    }
  });
}

struct Walk {
  std::size_t sizes[kMostStrided];
  std::ptrdiff_t from[kMostStrided], to[kMostStrided];
  std::size_t rank = 0;
};

// Calls body(from offset, to offset) for each element of the dimensions of a walk.
template <class Body>
void for_places(const Walk& walk, std::size_t begin, std::size_t end, const Body& body) {
  for (std::size_t at = begin; at < end; ++at) {
    std::size_t rest = at;
    std::ptrdiff_t from = 0, to = 0;
    for (std::size_t d = walk.rank; d-- > 0;) {
      const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(rest % walk.sizes[d]);
      rest /= walk.sizes[d];
      from += i * walk.from[d];
      to += i * walk.to[d];
    }
    body(from, to);
  }
}

// One line of `size` elements.
template <class Element>
void copy_line(const Element* from, std::ptrdiff_t step, Element* to, std::ptrdiff_t to_step,
               std::size_t size) {
  if (step == 1 && to_step == 1) {
    std::memcpy(to, from, size * sizeof(Element));
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i);
    to[at * to_step] = from[at * step];
  }
}

}  // namespace

template <class Element>
void copy_strided(const Element* from, Place source, Element* to, Place target, const double* sizes,
                  std::size_t rank) {
  Walk walk;
  std::size_t all = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::size_t size = static_cast<std::size_t>(sizes[d]);
    if (size == 0) return;
    all *= size;
    if (size == 1) continue;
    const std::ptrdiff_t f = static_cast<std::ptrdiff_t>(source.strides[d]);
    const std::ptrdiff_t t = static_cast<std::ptrdiff_t>(target.strides[d]);
    const std::size_t last = walk.rank - 1;
    const std::ptrdiff_t many = static_cast<std::ptrdiff_t>(size);
    // A dimension that goes on where the one before ends is one with it.
    if (walk.rank > 0 && walk.from[last] == f * many && walk.to[last] == t * many) {
      walk.sizes[last] *= size;
      walk.from[last] = f;
      walk.to[last] = t;
    } else {
      walk.sizes[walk.rank] = size;
      walk.from[walk.rank] = f;
      walk.to[walk.rank] = t;
      ++walk.rank;
    }
  }
  from += source.offset;
  to += target.offset;
  if (walk.rank == 0) {
    *to = *from;
    return;
  }
  const std::size_t inner = walk.rank - 1, size = walk.sizes[inner];
  // The dimension that the source has side by side, where it is not the last: tiles of both.
  std::size_t side = inner;
  for (std::size_t d = 0; d < inner; ++d) {
    if (walk.from[d] == 1 && walk.from[inner] != 1) side = d;
  }
  Walk outer;
  for (std::size_t d = 0; d < inner; ++d) {
    if (d == side) continue;
    outer.sizes[outer.rank] = walk.sizes[d];
    outer.from[outer.rank] = walk.from[d];
    outer.to[outer.rank] = walk.to[d];
    ++outer.rank;
  }
  const std::size_t height = side == inner ? 1 : walk.sizes[side];
  const std::size_t lines = all / size / height;
  const std::ptrdiff_t side_to = side == inner ? 0 : walk.to[side];
  const std::size_t strips = divide_up(height, kTile);
  const std::size_t step = std::max<std::size_t>(1, 16 * 1024 / (size * std::min(height, kTile)));
  run_tasks(divide_up(lines * strips, step), all, [&](std::size_t task) {
    const Range range = cut(lines * strips, step, task);
    for (std::size_t strip = range.begin; strip < range.end; ++strip) {
      const Range rows = cut(height, kTile, strip % strips);
      for_places(outer, strip / strips, strip / strips + 1,
                 [&](std::ptrdiff_t f, std::ptrdiff_t t) {
                   if (side == inner) {
                     copy_line(from + f, walk.from[inner], to + t, walk.to[inner], size);
                     return;
                   }
                   for (std::size_t left = 0; left < size; left += kTile) {
                     const std::size_t right = std::min(size, left + kTile);
                     for (std::size_t r = rows.begin; r < rows.end; ++r) {
                       const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(r);
                       const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(left);
                       copy_line(from + f + row + column * walk.from[inner], walk.from[inner],
                                 to + t + row * side_to + column * walk.to[inner], walk.to[inner],
                                 right - left);
                     }
                   }
                 });
    }
  });
}

template <class T>
void fill(T* x, T value, std::size_t n) {
  run_tasks(divide_up(n, kFilled), n, [&](std::size_t task) {
    const Range range = cut(n, kFilled, task);
    std::fill_n(x + range.begin, range.size(), value);
  });
}

template <class Element>
void index_select(const Element* x, const std::int32_t* index, Element* y, std::size_t outer,
                  std::size_t size, std::size_t count, std::size_t inner) {
  // Nothing looks at a value: the kernels of floats of the same size move them.
  using T = std::conditional_t<sizeof(Element) == 4, float, double>;
  const auto take = kernels_of<T>().lines.take;
  for_lines(outer, count, inner, outer * count * inner, [&](std::size_t o, Range range) {
    take(reinterpret_cast<const T*>(x + o * size * inner), index + range.begin, range.size(), inner,
         reinterpret_cast<T*>(y + (o * count + range.begin) * inner));
  });
}

template <class T>
void index_add(T* x, const std::int32_t* index, const T* source, std::size_t outer,
               std::size_t size, std::size_t count, std::size_t inner) {
  const FloatEnvironment environment;
  const auto add = kernels_of<T>().elementwise.add;
  // Places may come again, so their order stays: it is the elements of a place that threads share.
  const std::size_t sharers = divide_up(thread_count(), std::max<std::size_t>(1, outer));
  const std::size_t step = std::max<std::size_t>(1, divide_up(inner, sharers * kShared)) * kShared;
  const std::size_t parts = divide_up(inner, step);
  run_tasks(outer * parts, outer * count * inner, [&](std::size_t task) {
    const std::size_t o = task / parts;
    const Range own = cut(inner, step, task % parts);
    for (std::size_t i = 0; i < count; ++i) {
      T* to = x + (o * size + static_cast<std::size_t>(index[i])) * inner + own.begin;
      const T* from = source + (o * count + i) * inner + own.begin;
      if (own.size() >= kLanes) {
        add(to, from, to, own.size());
      } else {
        for (std::size_t j = 0; j < own.size(); ++j) to[j] += from[j];
      }
    }
  });
}

template <class T>
void index_sum(T* x, const std::int32_t* index, const T* source, std::size_t outer,
               std::size_t size, std::size_t count, std::size_t inner, Workspace& workspace) {
  // Few places are in the caches, and what is added to them comes in its order; of many, most get nothing.
  if (count == 0 || count / kMostOfAPlace > size || size / kMostOfAPlace > count) {
    fill(x, T(0), outer * size * inner);
    index_add(x, index, source, outer, size, count, inner);
    return;
  }
  const FloatEnvironment environment;
  // Of each place the first that is added, and behind each one the next: a place is written whole, once.
  std::int32_t* first = workspace.take<std::int32_t>(size);
  std::int32_t* next = workspace.take<std::int32_t>(count);
  T* zeros = workspace.take<T>(inner);
  std::fill_n(first, size, -1);
  std::fill_n(zeros, inner, T(0));
  for (std::size_t i = count; i-- > 0;) {
    std::int32_t& head = first[index[i]];
    next[i] = head;
    head = static_cast<std::int32_t>(i);
  }
  const auto sum = kernels_of<T>().lines.sum;
  for_lines(outer, size, inner, outer * (size + count) * inner, [&](std::size_t o, Range range) {
    sum(source + o * count * inner, first + range.begin, next, zeros, range.size(), inner,
        x + (o * size + range.begin) * inner);
  });
}

template <class Element>
void gather(const Element* x, const std::int32_t* index, Element* y, std::size_t outer,
            std::size_t size, std::size_t count, std::size_t inner) {
  run_tasks(outer, outer * count * inner, [&](std::size_t o) {
    for (std::size_t i = 0; i < count * inner; ++i) {
      const std::size_t at = o * count * inner + i, from = static_cast<std::size_t>(index[at]);
      y[at] = x[(o * size + from) * inner + i % inner];
    }
  });
}

template <class T>
void scatter_add(T* x, const std::int32_t* index, const T* source, std::size_t outer,
                 std::size_t size, std::size_t count, std::size_t inner) {
  const FloatEnvironment environment;
  run_tasks(outer, outer * count * inner, [&](std::size_t o) {
    for (std::size_t i = 0; i < count * inner; ++i) {
      const std::size_t at = o * count * inner + i, to = static_cast<std::size_t>(index[at]);
      x[(o * size + to) * inner + i % inner] += source[at];
    }
  });
}

#define EVENKEEL_FOR(Element)                                                                     \
  template void copy_strided(const Element*, Place, Element*, Place, const double*, std::size_t); \
  template void index_select(const Element*, const std::int32_t*, Element*, std::size_t,          \
                             std::size_t, std::size_t, std::size_t);                              \
  template void gather(const Element*, const std::int32_t*, Element*, std::size_t, std::size_t,   \
                       std::size_t, std::size_t);
EVENKEEL_FOR(std::uint32_t)
EVENKEEL_FOR(std::uint64_t)
#undef EVENKEEL_FOR
#define EVENKEEL_FOR(T)                                                                  \
  template void fill(T*, T, std::size_t);                                                \
  template void index_add(T*, const std::int32_t*, const T*, std::size_t, std::size_t,   \
                          std::size_t, std::size_t);                                     \
  template void index_sum(T*, const std::int32_t*, const T*, std::size_t, std::size_t,   \
                          std::size_t, std::size_t, Workspace&);                         \
  template void scatter_add(T*, const std::int32_t*, const T*, std::size_t, std::size_t, \
                            std::size_t, std::size_t);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
