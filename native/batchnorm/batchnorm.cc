// The two entries: the layout is chosen here, the passes are in nc.h and ncl.h.
#include "batchnorm.h"

#include <algorithm>

#include "nc.h"
#include "ncl.h"
#include "../runtime/float_environment.h"

namespace evenkeel {
namespace {

// (N, C, 1) is (N, C), and (N, 1) is one run of N: whichever way a caller says it, the same loops
// run and the same bits come out.
BatchShape canonical(BatchShape shape) {
  if (shape.c == 1) return {1, 1, shape.n * shape.l};
  return shape;
}

// Runs shorter than this are columns of a row: half of their vectors would be partial ones.
constexpr std::size_t kShortRun = 32;

bool in_rows(BatchShape shape) { return shape.l < kShortRun && shape.c > 1; }

}  // namespace

template <class T>
void batchnorm_forward(const BatchNormForward<T>& asked, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  BatchNormForward<T> call = asked;
  call.shape = canonical(asked.shape);
  if (call.shape.n * call.shape.c * call.shape.l == 0) return;
  if (in_rows(call.shape)) {
    forward_nc(call, workspace);
  } else {
    forward_ncl(call, workspace);
  }
}

template <class T>
void batchnorm_backward(const BatchNormBackward<T>& asked, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  BatchNormBackward<T> call = asked;
  call.shape = canonical(asked.shape);
  if (call.shape.n * call.shape.c * call.shape.l == 0) {
    if (call.dweight != nullptr) std::fill_n(call.dweight, call.shape.c, T(0));
    if (call.dbias != nullptr) std::fill_n(call.dbias, call.shape.c, T(0));
    if (call.passes == Passes::sums) std::fill_n(call.sums, 2 * call.shape.c, 0.0);
    return;
  }
  if (in_rows(call.shape)) {
    backward_nc(call, workspace);
  } else {
    backward_ncl(call, workspace);
  }
}

template void batchnorm_forward(const BatchNormForward<float>&, Workspace&);
template void batchnorm_forward(const BatchNormForward<double>&, Workspace&);
template void batchnorm_backward(const BatchNormBackward<float>&, Workspace&);
template void batchnorm_backward(const BatchNormBackward<double>&, Workspace&);

}  // namespace evenkeel
