// The statistics of a batch apart from its normalisation: computed, merged with another batch's, moved
// into running statistics. Moments are 4 * C doubles: mean[C], residual[C], 1/deviation[C], var[C] as a
// forward with `saved` and `var` in one array writes them; here the third row is not read. The mean is
// mean + residual, var is biased. batchnorm_forward with Statistics::given normalises by them, with the bits of the
// fused call. That goes for channels whose variance is a double; past deviations of 1e154 it is infinite here, while
// the fused call has an inverse deviation all the same.
#pragma once

#include <cstddef>

#include "batchnorm.h"

namespace evenkeel {

// Of x alone. Throws std::bad_alloc.
template <class T>
void batch_moments(BatchShape shape, const T* x, double* moments, Workspace& workspace);

// The same in steps, for a batch that lies in several places: sums[c] = sum (x - shift[c]) and sums[C + c] =
// sum (x - shift[c])^2 are nodes of kernels/sum_tree.h, of places that share `shift`, where x is what its leaves hold.
// From the sums of the whole come moments with the bits of batch_moments, where `shift` is that of first_shift.
// That does not go for double data past deviations of 1e144 or below 1e-144, which batch_moments looks at again.
template <class T>
void batch_sums(BatchShape shape, const T* x, const T* shift, double* sums, Workspace& workspace);

// The first value of each channel, or 0 where it is not finite. At least one sample.
template <class T>
void first_shift(BatchShape shape, const T* x, T* shift);

template <class T>
void moments_of_sums(const T* shift, const double* sums, double count, double* moments,
                     std::size_t channels);

// into <- the moments of both batches together, of `count` and `more` > 0 values a channel (Chan, Golub,
// LeVeque 1979):
//   mean = mean_a + d * n_b / n,  n var = n_a var_a + n_b var_b + d^2 n_a n_b / n,  d = mean_b - mean_a.
void merge_moments(double* into, double count, const double* from, double more,
                   std::size_t channels);

// Whether every mean and unbiased variance over m > 1 values is a finite T.
template <class T>
bool finite_moments(const double* moments, double m, std::size_t channels);

// running <- (1 - momentum) * running + momentum * {mean, unbiased variance}.
template <class T>
void move_by_moments(T* running_mean, T* running_var, const double* moments, double m,
                     double momentum, std::size_t channels);

}  // namespace evenkeel
