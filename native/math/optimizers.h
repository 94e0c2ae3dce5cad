// Optimiser steps, gradients' norms and clipping. Arrays are contiguous; same bits for every instruction set and thread count.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../kernels/optimizers.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// momentum and mean are nullable: without momentum, not centered.
template <class T>
void rmsprop_step(T* parameter, const T* gradient, T* square, T* momentum, T* mean, std::size_t n,
                  const RmspropStep& step);
template <class T>
void adagrad_step(T* parameter, const T* gradient, T* sum, std::size_t n, const AdagradStep& step);

// NAdam's momentum of step t: beta1 (1 - 0.96^(t momentum_decay) / 2).
double nadam_momentum(double beta1, double momentum_decay, double t);
template <class T>
void nadam_step(T* parameter, const T* gradient, T* m, T* v, std::size_t n, const NadamStep& step);
template <class T>
void lars_step(T* parameter, const T* gradient, T* momentum, std::size_t n, const LarsStep& step);

// out = a + (b - a) * weight; out may be a or b.
template <class T>
void lerp(const T* a, const T* b, double weight, T* out, std::size_t n);
// Each element into [-most, most]; NaN stays NaN.
template <class T>
void clip_values(const T* x, double most, T* out, std::size_t n);
// sum |x|, sum x^2 or max |x| (NaN if there is one), in double; 0 of nothing.
template <class T>
double norm_part(const T* x, std::size_t n, Norm kind, Workspace& workspace);

}  // namespace evenkeel
