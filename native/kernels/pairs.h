// The table of losses that compare vectors. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

namespace evenkeel {

// Sums over two vectors, in double.
struct PairSums {
  double ab, aa, bb;
};

// One row of a triplet loss whose distances are far enough apart to have a gradient. `scale` is what the row's gradient
// is multiplied by; `swapped`: the negative's distance is that to the positive.
struct TripletRow {
  double near, far, scale, eps;
  bool squares, swapped;
};

template <class T>
struct PairKernels {
  // Lane = index mod 16; the lanes fold once, at the end.
  PairSums (*sums)(const T* a, const T* b, std::size_t n);
  // out = factor (other - along own)
  void (*gradient)(const T* own, const T* other, std::size_t n, double factor, double along,
                   T* out);
  // sum |a - b + eps|, or of its squares
  double (*distance)(const T* a, const T* b, std::size_t n, double eps, bool squares);
  // Each output is nullable.
  void (*triplet_gradients)(const T* a, const T* b, const T* c, std::size_t n,
                            const TripletRow& row, T* da, T* db, T* dc);
};

}  // namespace evenkeel
