// Convolution over [samples, channels, length], and its gradients.
#pragma once

#include <cstddef>

#include "../runtime/workspace.h"

namespace evenkeel {

// x is [samples, in, length], y is [samples, out, out_length], the weight is [out, in / groups, taps]:
// y[n, o, t] = bias[o] + sum over c and j of weight[o, c, j] * x[n, first(o) + c, t * stride + j * dilation - pad],
// where first(o) is the first channel of o's group and x is 0 outside of its length.
struct Conv1d {
  std::size_t samples, in, out, groups, length, out_length;
  std::size_t taps, stride, dilation;
  std::ptrdiff_t pad;  // zeros before the first value; a negative number cuts values off

  constexpr std::size_t group_in() const { return in / groups; }
  constexpr std::size_t group_out() const { return out / groups; }
  // Products in one value of y.
  constexpr std::size_t terms() const { return group_in() * taps; }
  // A group of one input channel is walked by itself, up to so many outputs; more are worth a multiply.
  constexpr bool is_depthwise() const { return groups > 1 && group_in() == 1 && group_out() <= 4; }
};

// bias is nullable. Products are added in order of (c, j), as in matmul.h; the bias comes last.
template <class T>
void conv1d(const T* x, const T* weight, const T* bias, T* y, const Conv1d& shape,
            Workspace& workspace);

// The gradient of x, or what a transposed convolution makes of dy: x[n, c, i] = bias[c] + the sum of
// weight[o, c, j] * dy[n, o, t] over all (o, j, t) whose product reads x[n, c, i] above. bias is nullable.
template <class T>
void conv1d_transposed(const T* dy, const T* weight, const T* bias, T* x, const Conv1d& shape,
                       Workspace& workspace);

// dweight[o, c, j] = sum over n and t of dy[n, o, t] * x[n, c, t * stride + j * dilation - pad]: a balanced binary
// tree over leaves of samples. Of a depthwise shape in double, rounded once: `totals`, nullable, gets them before that.
template <class T>
void conv1d_weight_gradient(const T* x, const T* dy, T* dweight, double* totals,
                            const Conv1d& shape, Workspace& workspace);

// sums[c] = sum over n and t of x[n, c, t], in double, in the same tree, rounded once.
template <class T>
void channel_sums(const T* x, T* sums, std::size_t samples, std::size_t channels,
                  std::size_t length, Workspace& workspace);

}  // namespace evenkeel
