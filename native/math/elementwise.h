// The rest of a training loop, element by element: activations, dropout, arithmetic, optimiser steps,
// losses, random numbers. Arrays are contiguous; outputs may be the same array as an input.
// Same bits for every instruction set and thread count: blocks are cut by size alone, sums merge in order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../kernels/kernels.h"
#include "../runtime/workspace.h"

namespace evenkeel {

template <class T>
void relu(const T* x, T* y, std::size_t n);  // max(x, 0); NaN stays NaN
template <class T>
void relu_backward(const T* y, const T* dy, T* dx, std::size_t n);  // dy where y > 0, else 0
template <class T>
void add(const T* a, const T* b, T* out, std::size_t n);
template <class T>
void multiply(const T* a, const T* b, T* out, std::size_t n);
template <class T>
void scale(const T* x, double factor, T* out, std::size_t n);
template <class T>
double sum(const T* x, std::size_t n, Workspace& workspace);
// sum / n, rounded once: that of equal values is their value. NaN for n = 0.
template <class T>
double mean(const T* x, std::size_t n, Workspace& workspace);

// y = 0 with probability p, else x / (1 - p). The mask is a function of (key, offset) and the index,
// so backward is the same call on dy. Uses the counters of whole groups of kRandomGroup words from
// `offset` on.
template <class T>
void dropout(const T* x, T* y, std::size_t n, double p, std::uint64_t key, std::uint64_t offset);
// Uniform in [low, high), 24 random bits each; the same counters.
template <class T>
void uniform(T* out, std::size_t n, double low, double high, std::uint64_t key,
             std::uint64_t offset);
void random_words(std::uint32_t* out, std::size_t n, std::uint64_t key, std::uint64_t offset);

// One optimiser step on one parameter. momentum is nullable: plain gradient descent.
template <class T>
void sgd_step(T* parameter, const T* gradient, T* momentum, std::size_t n, const SgdStep& step);
template <class T>
void adam_step(T* parameter, const T* gradient, T* m, T* v, std::size_t n, const AdamStep& step);

// sum (prediction - target)^2, their mean, and the sum's gradient (prediction - target) * factor.
template <class T>
double squared_error(const T* prediction, const T* target, std::size_t n, Workspace& workspace);
template <class T>
double mean_squared_error(const T* prediction, const T* target, std::size_t n,
                          Workspace& workspace);
template <class T>
void squared_error_backward(const T* prediction, const T* target, double factor, T* gradient,
                            std::size_t n);

// Softmax cross-entropy over `classes`, rows with target == ignore left out. probabilities gets the
// softmax (backward needs it); returns the sum of -log p[target] and the number of rows counted.
// Targets must be in range or `ignore`; the caller has checked.
struct CrossEntropy {
  double loss;  // the sum
  std::size_t counted;
  double mean;  // 0 where none counts
};
template <class T>
CrossEntropy cross_entropy(const T* logits, const std::int32_t* targets, T* probabilities,
                           std::size_t rows, std::size_t classes, std::int32_t ignore,
                           Workspace& workspace);
// gradient = (probabilities - onehot(target)) * factor, 0 in ignored rows.
template <class T>
void cross_entropy_backward(const T* probabilities, const std::int32_t* targets, double factor,
                            T* gradient, std::size_t rows, std::size_t classes,
                            std::int32_t ignore);

}  // namespace evenkeel
