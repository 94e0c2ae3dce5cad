// The loops over lines of elements that an index chooses. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace evenkeel {

template <class T>
struct LineKernels {
  // y = `count` lines of `size` elements: those of x that the index names.
  void (*take)(const T* x, const std::int32_t* index, std::size_t count, std::size_t size, T* y);
  // Each of `count` lines of x = 0 + the lines of `source` first[line], next[first[line]] and so on, in this order, up to
  // a negative number. `zeros`: a line of them.
  void (*sum)(const T* source, const std::int32_t* first, const std::int32_t* next, const T* zeros,
              std::size_t count, std::size_t size, T* x);
};

}  // namespace evenkeel
