// Elements moved from one order to another, whatever they are: 4 or 8 bytes each. Arrays do not overlap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../runtime/workspace.h"

namespace evenkeel {

// Element (i0, i1, ...) of `rank` sizes is at offset + i0 * strides[0] + ...; a stride may be negative, or 0.
struct Place {
  std::ptrdiff_t offset;
  const double* strides;
};

inline constexpr std::size_t kMostStrided = 16;

// to[...] = from[...]
template <class Element>
void copy_strided(const Element* from, Place source, Element* to, Place target, const double* sizes,
                  std::size_t rank);

// Every element becomes `value`.
template <class T>
void fill(T* x, T value, std::size_t n);

// x is [outer, size, inner]; index has `count` values from 0 to size - 1.
// y [outer, count, inner] = x[:, index, :]
template <class Element>
void index_select(const Element* x, const std::int32_t* index, Element* y, std::size_t outer,
                  std::size_t size, std::size_t count, std::size_t inner);
// x[:, index, :] += source [outer, count, inner], in the order of the index
template <class T>
void index_add(T* x, const std::int32_t* index, const T* source, std::size_t outer,
               std::size_t size, std::size_t count, std::size_t inner);
// x = what index_add makes of zeros. The index may lie in the workspace, which is not reset.
template <class T>
void index_sum(T* x, const std::int32_t* index, const T* source, std::size_t outer,
               std::size_t size, std::size_t count, std::size_t inner, Workspace& workspace);
// Like index_select and index_add, with an index for each element of y: [outer, count, inner].
template <class Element>
void gather(const Element* x, const std::int32_t* index, Element* y, std::size_t outer,
            std::size_t size, std::size_t count, std::size_t inner);
template <class T>
void scatter_add(T* x, const std::int32_t* index, const T* source, std::size_t outer,
                 std::size_t size, std::size_t count, std::size_t inner);

}  // namespace evenkeel
