#include "losses.h"

#include <algorithm>

#include "blocks.h"
#include "../kernels/dispatch.h"

namespace evenkeel {
namespace {

template <class T>
T* at(T* array, std::size_t i) {
  return array != nullptr ? array + i : nullptr;
}

template <class T>
LossOperands<T> from(const LossOperands<T>& o, std::size_t i) {
  return {at(o.x, i), at(o.target, i), at(o.weight, i), at(o.positive, i), o.p};
}

template <class T>
RowOperands<T> from(const RowOperands<T>& o, std::size_t row) {
  RowOperands<T> rest = o;
  rest.logits = o.logits + row * o.classes;
  rest.targets = at(o.targets, row);
  rest.probabilities = at(o.probabilities, row * o.classes);
  return rest;
}

// A logarithm or an exponential is 16 loads' worth.
constexpr std::size_t kHeavy = 16;

}  // namespace

template <class T>
double loss_sum(LossKind kind, const LossOperands<T>& operands, std::size_t n, double divisor,
                Workspace& workspace) {
  const FloatEnvironment environment;
  const Total total = sum_blocks(n, workspace, [&](std::size_t i, std::size_t count) {
    return kernels_of<T>().losses.sum(kind, from(operands, i), count);
  });
  return divisor == 1.0 ? value_of(total) : quotient(total, divisor);
}

template <class T>
void loss_values(LossKind kind, const LossOperands<T>& operands, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().losses.values(kind, from(operands, i), out + i, count);
  });
}

template <class T>
void loss_gradients(LossKind kind, const LossOperands<T>& operands, bool of_target, const T* dy,
                    double factor, T* out, std::size_t n) {
  for_blocks(n, [&](std::size_t i, std::size_t count) {
    kernels_of<T>().losses.gradients(kind, from(operands, i), of_target, at(dy, i), factor, out + i,
                                     count);
  });
}

template <class T>
void row_losses(const RowOperands<T>& operands, std::size_t rows, double* lse, double* loss) {
  for_row_ranges(rows, operands.classes, kHeavy, [&](Range range) {
    const std::size_t row = range.begin, count = range.size();
    kernels_of<T>().losses.row_losses(from(operands, row), count, lse + row, loss + row);
  });
}

template <class T>
void row_gradients(const RowOperands<T>& operands, std::size_t rows, const double* lse,
                   const double* scale, T* dx, T* dtarget) {
  for_row_ranges(rows, operands.classes, kHeavy, [&](Range range) {
    const std::size_t row = range.begin, count = range.size();
    const std::size_t first = row * operands.classes;
    kernels_of<T>().losses.row_gradients(from(operands, row), count, lse + row, scale + row,
                                         at(dx, first), at(dtarget, first));
  });
}

#define EVENKEEL_FOR(T)                                                                         \
  template double loss_sum(LossKind, const LossOperands<T>&, std::size_t, double, Workspace&);  \
  template void loss_values(LossKind, const LossOperands<T>&, T*, std::size_t);                 \
  template void loss_gradients(LossKind, const LossOperands<T>&, bool, const T*, double, T*,    \
                               std::size_t);                                                    \
  template void row_losses(const RowOperands<T>&, std::size_t, double*, double*);               \
  template void row_gradients(const RowOperands<T>&, std::size_t, const double*, const double*, \
                              T*, T*);
EVENKEEL_FOR(float)
EVENKEEL_FOR(double)
#undef EVENKEEL_FOR

}  // namespace evenkeel
