// Longer than 250 lines because all operations of two operands share one walk over shapes that are broadcast.
#include "arithmetic.h"

#include <algorithm>
#include <limits>

#include "../kernels/dispatch.h"
#include "../runtime/float_environment.h"
#include "../runtime/work_split.h"

namespace evenkeel {
namespace {

constexpr std::size_t kBlock = 16 * 1024;  // a task's elements
constexpr std::size_t kPart = 256;         // what a buffer on the stack holds of them
constexpr std::size_t kLongRun =
    64;  // where an operand is repeated, from here on it is read in place

// What an element costs, in elements that are copied: says from where on a second thread pays, and how large tasks are.
std::size_t weight_of(UnaryCode code) {
  if (code >= UnaryCode::pow) return 8;
  return code >= UnaryCode::exp ? 2 : 1;
}
std::size_t weight_of(BinaryCode code) {
  if (code >= BinaryCode::power) return 8;
  return code >= BinaryCode::silu_gradient ? 2 : 1;
}

template <class T>
bool is_broadcast(const Operand<T>& operand) {
  return operand.layout.sizes != nullptr;
}

// An operand's elements in the result's order, part by part: in place where they lie so, else copied into a buffer.
template <class T>
class Walk {
 public:
  Walk(const Operand<T>& operand, std::size_t begin)
      : layout_(operand.layout), data_(operand.data) {
    if (layout_.sizes == nullptr) {
      at_ = begin;
      return;
    }
    std::size_t rest = begin;
    for (std::size_t d = layout_.rank; d-- > 0;) {
      const std::size_t size = static_cast<std::size_t>(layout_.sizes[d]);
      index_[d] = rest % size;
      rest /= size;
      at_ += index_[d] * static_cast<std::size_t>(layout_.strides[d]);
    }
  }

  // How many elements the next part may have: as many as lie in place, or fit into the buffer.
  std::size_t run() const {
    if (layout_.sizes == nullptr) return std::numeric_limits<std::size_t>::max();
    if (length() < kLongRun || step() > 1) return kPart;
    const std::size_t left = length() - index_[layout_.rank - 1];
    return step() == 1 ? left : std::min(left, kPart);
  }

  // The next `count` elements, at most run().
  const T* next(std::size_t count) {
    if (layout_.sizes == nullptr) {
      at_ += count;
      return data_ + at_ - count;
    }
    const std::size_t last = layout_.rank - 1;
    if (step() <= 1 && count <= length() - index_[last]) {
      const T* const from = data_ + at_;
      if (step() == 0) fill(from, count);
      advance(count);
      return step() == 1 ? from : buffer_;
    }
    repeated_ = nullptr;
    for (std::size_t done = 0; done < count;) {
      const std::size_t part = std::min(count - done, length() - index_[last]);
      for (std::size_t i = 0; i < part; ++i) buffer_[done + i] = data_[at_ + i * step()];
      done += part;
      advance(part);
    }
    return buffer_;
  }

 private:
  std::size_t length() const { return static_cast<std::size_t>(layout_.sizes[layout_.rank - 1]); }
  std::size_t step() const { return static_cast<std::size_t>(layout_.strides[layout_.rank - 1]); }

  // One element `count` times; it may be there from the last part.
  void fill(const T* from, std::size_t count) {
    if (from != repeated_) filled_ = 0;
    repeated_ = from;
    if (filled_ < count) std::fill(buffer_ + filled_, buffer_ + count, *from);
    filled_ = std::max(filled_, count);
  }

  // Along the last dimension; from its end on to the next index of the others.
  void advance(std::size_t count) {
    const std::size_t last = layout_.rank - 1;
    index_[last] += count;
    at_ += count * step();
    if (index_[last] < length()) return;
    at_ -= length() * step();
    index_[last] = 0;
    for (std::size_t d = last; d-- > 0;) {
      const std::size_t stride = static_cast<std::size_t>(layout_.strides[d]);
      at_ += stride;
      if (++index_[d] < static_cast<std::size_t>(layout_.sizes[d])) break;
      at_ -= index_[d] * stride;
      index_[d] = 0;
    }
  }

  const Layout layout_;
  const T* const data_;
  std::size_t at_ = 0, filled_ = 0;
  const T* repeated_ = nullptr;
  std::size_t index_[kMostDims] = {};
  T buffer_[kPart];
};

constexpr std::size_t kLeastRow = 16;  // shorter rows are gathered into a buffer

// Operands of a result of rows, the last dimension of a layout. An element is met by a row, or the row has all of its own.
template <class T>
bool in_rows(const Operand<T>& a, const Operand<T>& b) {
  const auto fits = [](const Layout& layout) { return layout.strides[layout.rank - 1] <= 1.0; };
  return is_broadcast(a) && is_broadcast(b) && fits(a.layout) && fits(b.layout) &&
         a.layout.sizes[a.layout.rank - 1] >= static_cast<double>(kLeastRow);
}

// Where row `row` of an operand begins; of the dimensions before the last.
std::size_t row_offset(const Layout& layout, std::size_t row) {
  std::size_t at = 0;
  for (std::size_t d = layout.rank - 1; d-- > 0;) {
    const std::size_t size = static_cast<std::size_t>(layout.sizes[d]);
    at += row % size * static_cast<std::size_t>(layout.strides[d]);
    row /= size;
  }
  return at;
}

// Calls body(i, rows, offset of a, offset of b) for parts of a range of elements: whole rows of one index of the outer
// dimensions, and parts of a row where the range begins or ends in one.
template <class Body>
void for_rows_within(Range range, const Layout& a, const Layout& b, const Body& body) {
  const std::size_t last = a.rank - 1, columns = static_cast<std::size_t>(a.sizes[last]);
  const std::size_t together = last > 0 ? static_cast<std::size_t>(a.sizes[last - 1]) : 1;
  const auto step = [last](const Layout& of) {
    return last > 0 ? static_cast<std::size_t>(of.strides[last - 1]) : 0;
  };
  const bool a_single = a.strides[last] == 0.0, b_single = b.strides[last] == 0.0;
  for (std::size_t i = range.begin; i < range.end;) {
    const std::size_t row = i / columns, column = i % columns, left = range.end - i;
    const bool whole = column == 0 && left >= columns;
    const std::size_t count = whole ? std::min(left / columns, together - row % together) : 1;
    const std::size_t length = whole ? columns : std::min(left, columns - column);
    body(i, BinaryRows{count, length, step(a), step(b), a_single, b_single},
         row_offset(a, row) + (a_single ? 0 : column),
         row_offset(b, row) + (b_single ? 0 : column));
    i += count * length;
  }
}

// Calls body(task's range, whether to write past the caches) for the elements of y.
template <class T, class Body>
void for_tasks(std::size_t n, std::size_t weight, const Body& body) {
  const FloatEnvironment environment;
  const std::size_t block = kBlock / weight;
  const bool stream = n * sizeof(T) >= kStreamBytes;
  run_tasks(divide_up(n, block), n * weight, [&](std::size_t task) {
    body(cut(n, block, task), stream);
    if (stream) kernels_of<float>().arithmetic.fence();
  });
}

// Calls body(i, count, operands' elements...) for parts of the range, of `most` elements at most.
template <class Body, class... T>
void for_parts(Range range, std::size_t most, const Body& body, const Operand<T>&... operands) {
  [&](Walk<T>... walks) {
    for (std::size_t i = range.begin; i < range.end;) {
      const std::size_t count = std::min({most, range.end - i, walks.run()...});
      body(i, count, walks.next(count)...);
      i += count;
    }
  }(Walk<T>(operands, range.begin)...);
}

}  // namespace

template <class T>
void apply_unary(UnaryCode code, const T* x, T* y, std::size_t n, Numbers numbers) {
  for_tasks<T>(n, weight_of(code), [&](Range range, bool stream) {
    const std::size_t i = range.begin;
    kernels_of<T>().arithmetic.unary(code, x + i, y + i, range.size(), numbers, stream);
  });
}

template <class T>
void apply_binary(BinaryCode code, Operand<T> a, Operand<T> b, T* y, std::size_t n,
                  Numbers numbers) {
  const auto& kernel = kernels_of<T>().arithmetic;
  for_tasks<T>(n, weight_of(code), [&](Range range, bool stream) {
    if (!is_broadcast(a) && !is_broadcast(b)) {
      const std::size_t i = range.begin;
      kernel.binary(code, a.data + i, b.data + i, y + i, one_row(range.size()), numbers, stream);
      return;
    }
    if (takes_rows(code) && in_rows(a, b)) {
      for_rows_within(range, a.layout, b.layout,
                      [&](std::size_t i, BinaryRows rows, std::size_t left, std::size_t right) {
                        kernel.binary(code, a.data + left, b.data + right, y + i, rows, numbers,
                                      stream);
                      });
      return;
    }
    for_parts(
        range, range.size(),
        [&](std::size_t i, std::size_t count, const T* left, const T* right) {
          kernel.binary(code, left, right, y + i, one_row(count), numbers, stream);
        },
        a, b);
  });
}

template <class T>
void compare(CompareCode code, Operand<T> a, Operand<T> b, std::int32_t* y, std::size_t n) {
  for_tasks<std::int32_t>(n, 1, [&](Range range, bool stream) {
    alignas(64) std::int32_t buffer[kPart];
    for_parts(
        range, stream ? kPart : range.size(),
        [&](std::size_t i, std::size_t count, const T* left, const T* right) {
          kernels_of<T>().arithmetic.compare(code, left, right, stream ? buffer : y + i, count);
          if (!stream) return;
          // Nothing looks at the values: words are streamed as floats.
          kernels_of<float>().arithmetic.stream(reinterpret_cast<const float*>(buffer),
                                                reinterpret_cast<float*>(y + i), count);
        },
        a, b);
  });
}

template <class T>
void choose(Operand<std::int32_t> mask, Operand<T> a, Operand<T> b, T* y, std::size_t n) {
  const auto& kernel = kernels_of<T>().arithmetic;
  for_tasks<T>(n, 1, [&](Range range, bool stream) {
    alignas(64) T buffer[kPart];
    for_parts(
        range, stream ? kPart : range.size(),
        [&](std::size_t i, std::size_t count, const std::int32_t* flags, const T* yes,
            const T* no) {
          kernel.choose(flags, yes, no, stream ? buffer : y + i, count);
          if (stream) kernel.stream(buffer, y + i, count);
        },
        mask, a, b);
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
