// The table of what the losses, dropout and SGD need element by element. Part of kernels.h; its contract holds.
#pragma once

#include <cstddef>

#include "optimizers.h"
#include "reductions.h"

namespace evenkeel {

// Random words come in groups of this many; a user takes whole groups, 4 words a counter.
inline constexpr std::size_t kRandomGroup = 64;

// A place in a random stream.
struct RandomPlace {
  std::size_t first;  // index of the first element in its tensor, a multiple of kRandomGroup
  unsigned long long key, offset;
};

template <class T>
struct ElementwiseKernels {
  void (*relu)(const T* x, T* y, std::size_t n);
  void (*relu_backward)(const T* y, const T* dy, T* dx, std::size_t n);
  void (*add)(const T* a, const T* b, T* out, std::size_t n);
  void (*multiply)(const T* a, const T* b, T* out, std::size_t n);
  void (*scale)(const T* x, T factor, T* out, std::size_t n);
  void (*difference)(const T* a, const T* b, T factor, T* out, std::size_t n);  // (a - b) * factor
  // An element is dropped when its random word is below `threshold`, or all are (p = 1); the others
  // are multiplied by `scale`.
  void (*dropout)(const T* x, T* y, std::size_t n, RandomPlace place, unsigned int threshold,
                  bool drop_all, T scale);
  void (*uniform)(T* out, std::size_t n, RandomPlace place, T low, T high);
  void (*sgd)(T* parameter, const T* gradient, T* momentum, std::size_t n, SgdStep step);
  void (*adam)(T* parameter, const T* gradient, T* m, T* v, std::size_t n, AdamStep step);
  Total (*squared_difference)(const T* a, const T* b, std::size_t n);
  // Per row: probability[j] = exp(logit[j] - max) / sum. loss[r] = log(sum) - (logit[target] - max)
  // is finished by loss.cc from maximum[r] and total[r]. work: `classes` doubles.
  void (*softmax)(const T* logits, T* probabilities, std::size_t rows, std::size_t classes,
                  double* maximum, double* total, double* work);
};

}  // namespace evenkeel
