// The two entries: the layout is chosen here, the passes are in nc.h and ncl.h.
#include "batchnorm.h"

#include <algorithm>

#include "nc.h"
#include "ncl.h"
#include "../runtime/float_environment.h"

namespace evenkeel {
namespace {

bool is_empty(BatchShape shape) { return shape.n * shape.c * shape.l == 0; }

}  // namespace

template <class T>
void batchnorm_forward(const BatchNormForward<T>& call, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (is_empty(call.shape)) {
    // Of a batch that lies elsewhere there is something to save.
    if (call.statistics == Statistics::given) {
      Normalization<T>(call, workspace).from_given(0, call.shape.c);
    }
    return;
  }
  if (in_rows(call.shape)) {
    forward_nc(call, workspace);
  } else {
    forward_ncl(call, workspace);
  }
}

template <class T>
void batchnorm_backward(const BatchNormBackward<T>& call, Workspace& workspace) {
  const FloatEnvironment environment;
  workspace.reset();
  if (is_empty(call.shape)) {
    if (call.passes == Passes::by_sums) {
      Gradient<T>(call, workspace).finish(0, call.shape.c);
      return;
    }
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
