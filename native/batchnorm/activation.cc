#include "activation.h"

#include "rows.h"
#include "runs.h"
#include "slopes.h"
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
    finish(at, z, n, call.gradient, call.numbers, stream);
  }
  // The same behind a PReLU, of one slope.
  void finish_with(T slope, std::size_t at, T* z, std::size_t n, bool stream) const {
    finish(at, z, n, BinaryCode::leaky_relu_gradient, {static_cast<double>(slope), 0.0}, stream);
  }
  void finish(std::size_t at, T* z, std::size_t n, BinaryCode code, Numbers numbers,
              bool stream) const {
    const auto& kernels = kernels_of<T>().arithmetic;
    kernels.binary(code, z, call.dy + at, call.dz + at, one_row(n), numbers, stream);
  }

  // What n elements from `at` on add to the gradients of the slopes.
  void write_products(std::size_t at, const T* z, T* products, std::size_t n, bool stream) const {
    const auto& kernels = kernels_of<T>().arithmetic;
    kernels.binary(BinaryCode::prelu_weight, z, call.dy + at, products, one_row(n), {}, stream);
  }
  // The same channel by channel.
  void scatter_products(std::size_t at, const T* z, std::size_t n) const {
    constexpr std::size_t kPart = 256;
    alignas(64) T products[kPart];
    const std::size_t l = call.shape.l;
    for (std::size_t begin = 0; begin < n; begin += kPart) {
      const std::size_t end = std::min(begin + kPart, n);
      write_products(at + begin, z + begin, products, end - begin, false);
      for (std::size_t i = begin; i < end;) {
        const std::size_t run = std::min(l - (at + i) % l, end - i);
        std::copy_n(products + (i - begin), run, call.products + place_by_channel(at + i));
        i += run;
      }
    }
  }
  bool products_by_channel() const { return !call.slopes.single && call.shape.l > 1; }
  // Where element `at` is of products that lie channel by channel.
  std::size_t place_by_channel(std::size_t at) const {
    const auto [n, c, l] = call.shape;
    const std::size_t sample = at / (c * l), channel = at / l % c;
    return (channel * n + sample) * l + at % l;
  }
};

// A block of rows behind a PReLU.
template <class T>
void finish_rows(const Forward<T>& forward, const ColumnSlopes<T>& slopes, std::size_t at, T* z,
                 MatrixRange block, bool stream) {
  const ActivationBackward<T>& call = forward.call;
  if (call.products != nullptr && !forward.products_by_channel()) {
    forward.write_products(at, z, call.products + at, block.n, stream);
  } else if (call.products != nullptr) {
    forward.scatter_products(at, z, block.n);
  }
  if (call.slopes.single) {
    forward.finish_with(*call.slopes.values, at, z, block.n, stream);
    return;
  }
  slopes.apply(BinaryCode::prelu_derivative, z, z, block, false);
  kernels_of<T>().arithmetic.binary(BinaryCode::mul, call.dy + at, z, call.dz + at,
                                    one_row(block.n), {}, stream);
}

// A run of a channel behind a PReLU; z is where dz will be.
template <class T>
void finish_run(const Forward<T>& forward, std::size_t at, std::size_t channel, std::size_t n) {
  const ActivationBackward<T>& call = forward.call;
  T* const z = call.dz + at;
  if (call.products != nullptr) {
    const std::size_t place = forward.products_by_channel() ? forward.place_by_channel(at) : at;
    forward.write_products(at, z, call.products + place, n, false);
  }
  forward.finish_with(*call.slopes.of(channel), at, z, n, false);
}

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
  const ColumnSlopes<T> slopes(rows, call.slopes, workspace);
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
        [&](std::size_t i, MatrixRange block, T* z) {
          if (call.slopes.given()) {
            finish_rows(forward, slopes, at + i, z, block, stream);
          } else {
            forward.finish(at + i, z, block.n, stream);
          }
        });
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
      if (call.slopes.given()) {
        finish_run(forward, i, channel, one.length);
      } else {
        forward.finish(i, call.dz + i, one.length, false);
      }
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
