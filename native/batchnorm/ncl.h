// (N, C, L) with runs long enough for vectors: one channel at a time, so that its second pass reads
// from cache; where nothing has to be summed, sample by sample, as memory lies.
#pragma once

#include <algorithm>
#include <cstddef>

#include "../kernels/dispatch.h"
#include "activation.h"
#include "batchnorm.h"
#include "coefficients.h"
#include "gradient.h"
#include "runs.h"

namespace evenkeel {

// sum[c] and sumsq[c]: of x - shift and its square.
template <class T>
void sums_ncl(BatchShape shape, const T* x, const T* shift, double* sum, double* sumsq,
              Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Chunks chunks(shape);
  const auto part = [&](std::size_t c, std::size_t p) {
    Pair pair;
    table.sum_ncl(chunks.runs_of(p), {x + chunks.at(c, p), shift[c], pair.sums});
    return pair;
  };
  run_summed(
      chunks, workspace, part,
      [&](std::size_t c, std::size_t n, const double* sums, const double* squares) {
        std::copy_n(sums, n, sum + c);
        std::copy_n(squares, n, sumsq + c);
      },
      [&](std::size_t c, std::size_t p, std::size_t next) {
        return next != c ? part(next, p) : Pair();
      });
}

template <class T>
void forward_ncl(const BatchNormForward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Chunks chunks(call.shape);
  const Normalization<T> coefficients(call, workspace);
  const Activation& activation = call.activation;
  const bool stream = chunks.elements() * sizeof(T) >= kStreamBytes && !activation.given;
  if (call.statistics != Statistics::batch) {
    coefficients.from_given(0, call.shape.c);
    const auto passes = [&](std::size_t at, Runs runs, std::size_t c) {
      table.normalize_ncl(call.x + at, call.y + at, runs, coefficients.coefficients(c), call.relu,
                          stream, {});
      if (!activation.given) return;
      for (std::size_t r = 0; r < runs.count; ++r) {
        activate(call, c + r * runs.coefficients, call.y + at + r * runs.stride, runs.length);
      }
    };
    run_samples(call.shape, true, [&](std::size_t at, Runs runs, std::size_t c) {
      if (!coefficients.any()) return passes(at, runs, c);
      one_by_one(at, runs, c, [&](std::size_t i, Runs one, std::size_t channel) {
        if (!coefficients.wide(channel)) return passes(i, one, channel);
        coefficients.write(channel, call.x + i, call.y + i, one.length);
        if (activation.given) activate(call, channel, call.y + i, one.length);
      });
    });
    return;
  }

  T* shift = workspace.take<T>(call.shape.c);
  first_values(call.shape, call.x, shift);
  const auto channel = [&](std::size_t c, std::size_t p, double* out) {
    return SumOf<T>{call.x + chunks.at(c, p), shift[c], out};
  };
  const auto sum = [&](std::size_t c, std::size_t p) {
    Pair pair;
    table.sum_ncl(chunks.runs_of(p), channel(c, p, pair.sums));
    return pair;
  };
  const auto finish = [&](std::size_t c, std::size_t n, const double* sums, const double* squares) {
    coefficients.from_sums(c, n, shift + c, sums, squares);
  };
  const auto written = [&](std::size_t c, std::size_t p) {
    if (!activation.given) return;
    chunks.each_run(c, p, [&](std::size_t i, std::size_t n) { activate(call, c, call.y + i, n); });
  };
  const auto apply = [&](std::size_t c, std::size_t p, std::size_t next) {
    if (call.y == nullptr) return next != c ? sum(next, p) : Pair();
    const std::size_t at = chunks.at(c, p);
    if (coefficients.wide(c)) {
      chunks.each_run(c, p, [&](std::size_t i, std::size_t n) {
        coefficients.write(c, call.x + i, call.y + i, n);
      });
      written(c, p);
      return next != c ? sum(next, p) : Pair();
    }
    Pair pair;
    table.normalize_ncl(call.x + at, call.y + at, chunks.runs_of(p), coefficients.coefficients(c),
                        call.relu, stream, next != c ? channel(next, p, pair.sums) : SumOf<T>{});
    written(c, p);
    return pair;
  };
  if (chunks.channel() <= kShortChannel) {
    run_groups(chunks, sum, finish, apply);
  } else {
    run_summed(chunks, workspace, sum, finish, apply);
  }
  coefficients.update_running();
}

template <class T>
void backward_ncl(const BatchNormBackward<T>& call, Workspace& workspace) {
  const BatchNormKernels<T>& table = kernels_of<T>().batchnorm;
  const Chunks chunks(call.shape);
  const Gradient<T> coefficients(call, workspace);
  const bool stream = chunks.elements() * sizeof(T) >= kStreamBytes;
  // A gradient of one value is one run, read again and again.
  const bool dense = call.dy != nullptr;
  const std::size_t longest = call.shape.c == 1 ? call.shape.n * call.shape.l : call.shape.l;
  T* run = workspace.take<T>(dense ? 0 : longest);
  if (!dense) std::fill_n(run, longest, call.dy_value);
  const auto dy = [&](std::size_t at) { return dense ? call.dy + at : run; };
  if (!coefficients.needs_sums && !coefficients.batch) {
    coefficients.finish(0, call.shape.c);
    if (call.dx == nullptr) return;
    const auto passes = [&](std::size_t at, Runs runs, std::size_t c) {
      table.scale_ncl(call.x + at, dy(at), call.dx + at, runs, coefficients.a + c,
                      coefficients.gate(c), stream);
    };
    run_samples(call.shape, dense, [&](std::size_t at, Runs runs, std::size_t c) {
      if (!coefficients.any) return passes(at, runs, c);
      one_by_one(at, runs, c, [&](std::size_t i, Runs one, std::size_t channel) {
        if (!coefficients.wide(channel)) return passes(i, one, channel);
        coefficients.write(channel, i, one.length);
      });
    });
    return;
  }

  const auto channel = [&](std::size_t c, std::size_t p, double* out) {
    const std::size_t at = chunks.at(c, p);
    return GradSumOf<T>{call.x + at, dy(at), coefficients.center[c], coefficients.gate(c), out};
  };
  const auto sum = [&](std::size_t c, std::size_t p) {
    Pair pair;
    table.grad_sum_ncl(chunks.runs_of(p, dense), channel(c, p, pair.sums));
    return pair;
  };
  const auto apply = [&](std::size_t c, std::size_t p, std::size_t next) {
    const std::size_t at = chunks.at(c, p);
    const Runs runs = chunks.runs_of(p, dense);
    if (call.dx != nullptr && coefficients.wide(c)) {
      chunks.each_run(c, p, [&](std::size_t i, std::size_t n) { coefficients.write(c, i, n); });
      return next != c ? sum(next, p) : Pair();
    }
    Pair pair;
    if (call.dx != nullptr && coefficients.batch) {
      table.grad_apply_ncl(call.x + at, dy(at), call.dx + at, runs, coefficients.coefficients(c),
                           coefficients.gate(c), stream,
                           next != c ? channel(next, p, pair.sums) : GradSumOf<T>{});
      return pair;
    }
    if (call.dx != nullptr) {
      table.scale_ncl(call.x + at, dy(at), call.dx + at, runs, coefficients.a + c,
                      coefficients.gate(c), stream);
    }
    return next != c ? sum(next, p) : pair;
  };
  if (!coefficients.needs_sums) {  // they are given
    coefficients.finish(0, call.shape.c);
    if (call.dx == nullptr) return;
    run_tasks(call.shape.c * chunks.count, chunks.elements(), [&](std::size_t task) {
      const std::size_t c = task / chunks.count;
      apply(c, task % chunks.count, c);
    });
    return;
  }
  run_summed(
      chunks, workspace, sum,
      [&](std::size_t c, std::size_t n, const double* sums, const double* products) {
        std::copy_n(sums, n, coefficients.sum + c);
        std::copy_n(products, n, coefficients.dot + c);
        coefficients.finish(c, n);
      },
      apply);
}

}  // namespace evenkeel
