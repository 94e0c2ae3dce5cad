#include "activation.h"

#include "rows.h"
#include "runs.h"
#include "wide.h"
#include "../runtime/float_environment.h"

namespace evenkeel {
namespace {

// The forward's coefficients, from what it saved.
template <class T>
struct Forward {
  const ActivationBackward<T>& call;
  std::size_t channels;
  T *center, *scale, *offset;
  bool any_wide_channel;

  Forward(const ActivationBackward<T>& backward, Workspace& workspace)
      : call(backward),
        channels(call.shape.c),
        center(take_beside(call.dz, channels, workspace)),
        scale(take_beside(call.dz, channels, workspace)),
        offset(take_beside(call.dz, channels, workspace)),
        any_wide_channel(any_wide(mean(), invstd(), call.weight, 0, channels)) {
    kernels_of<T>().channels.normalize_coefficients(mean(), residual(), invstd(), call.weight,
                                                    call.bias, channels, center, scale, offset);
  }

  const double* mean() const { return call.saved; }
  const double* residual() const { return call.saved + channels; }
  const double* invstd() const { return call.saved + 2 * channels; }
  double weight(std::size_t c) const { return value_or(call.weight, c, 1.0); }

  bool wide(std::size_t c) const {
    return any_wide_channel && is_wide<T>(mean()[c], invstd()[c], weight(c));
  }
  // z of n values of such a channel.
  void write(std::size_t c, const T* x, T* z, std::size_t n) const {
    const WideChannel<T> channel(mean()[c], residual()[c], invstd()[c], weight(c),
                                 value_or(call.bias, c, 0.0));
    for (std::size_t i = 0; i < n; ++i) z[i] = channel.output(x[i], false);
  }
  // dz of n elements from `at` on; z may be there.
  void finish(std::size_t at, T* z, std::size_t n, bool stream) const {
    const auto& kernels = kernels_of<T>().arithmetic;
    kernels.binary(call.gradient, z, call.dy + at, call.dz + at, one_row(n), call.numbers, stream);
  }
};

template <class T>
void backward_in_rows(const ActivationBackward<T>& call, Workspace& workspace) {
  const Forward<T> forward(call, workspace);
  const Rows rows(call.shape);
  const Columns<T, 3> columns(rows, 1, {forward.center, forward.scale, forward.offset}, call.dz,
                              workspace);
  columns.update({0, rows.channels});
  columns.close();
  const auto& table = kernels_of<T>().batchnorm;
  const bool stream = rows.template stream<T>();
  const auto wide = [&](std::size_t c) { return forward.wide(c); };
  rows.run_ranges([&](std::size_t at, MatrixRange range) {
    for_blocks_of<T>(
        range, nullptr,
        [&](std::size_t i, MatrixRange block, T* z) {
          const T* const x = call.x + at + i;
          if (!forward.any_wide_channel) {
            table.normalize_nc(x, z, block, columns.normalize(0), false, false);
            return;
          }
          rows.split(
              block, wide,
              [&](std::size_t j, MatrixRange part) {
                table.normalize_nc(x + j, z + j, part, columns.normalize(0), false, false);
              },
              [&](std::size_t j, std::size_t n, std::size_t c) {
                forward.write(c, x + j, z + j, n);
              });
        },
        [&](std::size_t i, std::size_t n, T* z) { forward.finish(at + i, z, n, stream); });
    if (stream) kernels_of<T>().arithmetic.fence();
  });
}

template <class T>
void backward_in_runs(const ActivationBackward<T>& call, Workspace& workspace) {
  const Forward<T> forward(call, workspace);
  const auto& table = kernels_of<T>().batchnorm;
  run_samples(call.shape, true, [&](std::size_t at, Runs runs, std::size_t c) {
    one_by_one(at, runs, c, [&](std::size_t i, Runs one, std::size_t channel) {
      if (forward.wide(channel)) {
        forward.write(channel, call.x + i, call.dz + i, one.length);
      } else {
        table.normalize_ncl(
            call.x + i, call.dz + i, one,
            {forward.center + channel, forward.scale + channel, forward.offset + channel}, false,
            false, {});
      }
      forward.finish(i, call.dz + i, one.length, false);
    });
  });
}

}  // namespace

template <class T>
void activation_backward(const ActivationBackward<T>& call, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (call.shape.n * call.shape.c * call.shape.l == 0) return;
  if (in_rows(call.shape)) {
    backward_in_rows(call, workspace);
  } else {
    backward_in_runs(call, workspace);
  }
}

template void activation_backward(const ActivationBackward<float>&, Workspace&);
template void activation_backward(const ActivationBackward<double>&, Workspace&);

}  // namespace evenkeel
