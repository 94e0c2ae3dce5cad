// Every loop, and the table of them for one element type. Include after one simd/vec_*.h.
#pragma once

// In this order: each needs those above.
#include "../simd/wide.h"
#include "lanes-inl.h"
#include "batchnorm-nc-inl.h"
#include "batchnorm-ncl-inl.h"
#include "channels-inl.h"
#include "matmul-inl.h"
#include "pooling-inl.h"
#include "random-inl.h"
#include "elementwise-inl.h"
#include "lines-inl.h"
#include "functions-inl.h"
#include "optimizers-inl.h"
#include "losses-inl.h"
#include "arithmetic-inl.h"
#include "reductions-inl.h"
#include "convolution-inl.h"
#include "pairs-inl.h"
#include "bare-passes-inl.h"

namespace evenkeel {
namespace {

template <class T>
constexpr BatchNormKernels<T> batchnorm_kernels() {
  return {sum_nc<T>,  grad_sum_nc<T>,  normalize_nc<T>,  grad_apply_nc<T>,  scale_nc<T>,
          sum_ncl<T>, grad_sum_ncl<T>, normalize_ncl<T>, grad_apply_ncl<T>, scale_ncl<T>};
}

template <class T>
constexpr KernelsOf<T> kernels_of() {
  return {batchnorm_kernels<T>(),   channel_kernels<T>(),    matmul_kernels<T>(),
          convolution_kernels<T>(), pooling_kernels<T>(),    elementwise_kernels<T>(),
          line_kernels<T>(),        optimizer_kernels<T>(),  loss_kernels<T>(),
          pair_kernels<T>(),        arithmetic_kernels<T>(), reduction_kernels<T>()};
}

}  // namespace
}  // namespace evenkeel
