// The table of loops for one instruction set. One table is chosen at load; everything
// above it (batchnorm.cc, matmul.cc, ...) is compiled once, for the baseline CPU.
//
// Contract of every function here: pointers may have any alignment the element type allows,
// ranges are half-open, outputs may equal an input exactly (same pointer) but never overlap one
// partly, nothing is read or written outside the stated ranges, and the result has the same bits
// in every instruction set. Scratch marked "padded" has room for a multiple of 16 elements.
#pragma once

#include <cstddef>

#include "arithmetic.h"
#include "batchnorm.h"
#include "convolution.h"
#include "elementwise.h"
#include "lines.h"
#include "losses.h"
#include "matmul.h"
#include "optimizers.h"
#include "pairs.h"
#include "pooling.h"
#include "reductions.h"

namespace evenkeel {

template <class T>
struct KernelsOf {
  BatchNormKernels<T> batchnorm;
  ChannelKernels<T> channels;
  MatmulKernels<T> matmul;
  ConvolutionKernels<T> convolution;
  PoolingKernels<T> pooling;
  ElementwiseKernels<T> elementwise;
  LineKernels<T> lines;
  OptimizerKernels<T> optimizers;
  LossKernels<T> losses;
  PairKernels<T> pairs;
  ArithmeticKernels<T> arithmetic;
  ReductionKernels<T> reductions;
};

struct Kernels {
  const char* name;
  KernelsOf<float> f32;
  KernelsOf<double> f64;
  void (*add_doubles)(double* total, const double* part, std::size_t n);  // total += part
  void (*random_words)(unsigned int* out, std::size_t n, unsigned long long key,
                       unsigned long long offset);
  // What a benchmark compares with (bare_passes.h).
  void (*copy)(const float* source, float* target, std::size_t n, bool stream);
  double (*read)(const float* source, std::size_t n);
};

}  // namespace evenkeel
