// Longer than 250 lines because each operation has a case.
#include "operations.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../../native/batchnorm/batchnorm.h"
#include "../../native/math/elementwise.h"
#include "../../native/batchnorm/lengths.h"
#include "../../native/math/bare_passes.h"
#include "../../native/math/leaf_products.h"
#include "../../native/math/matmul.h"
#include "../../native/batchnorm/moments.h"
#include "../../native/kernels/sum_tree.h"
#include "../../native/runtime/float_environment.h"
#include "../../native/runtime/work_split.h"

namespace evenkeel::check {
namespace {

// Rows, short runs and long ones, one channel, few, many; with the tails that odd sizes leave.
BatchShape draw_shape(Draw& draw, std::size_t elements) {
  BatchShape shape{1, 1, 1};
  const std::size_t kind = draw.below(8);
  if (kind >= 3) shape.l = kind < 5 ? draw.between(2, 40) : draw.size(elements);
  const std::size_t rest = std::max<std::size_t>(1, elements / shape.l);
  shape.c = draw.one_in(6) ? draw.between(1, 8) : draw.size(rest);
  shape.c = std::min(shape.c, rest);
  const std::size_t most = std::max<std::size_t>(1, rest / shape.c);
  shape.n = draw.flip() ? most : draw.size(most);
  if (draw.one_in(50)) (draw.flip() ? shape.n : shape.l) = 0;
  return shape;
}

// Of work that is stopped, nobody may ask.
template <class T>
bool same_bits(const T* a, const T* b, std::size_t n) {
  if (is_stopped()) return true;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::memcmp(a + i, b + i, sizeof(T)) != 0 && (a[i] == a[i] || b[i] == b[i])) return false;
  }
  return true;
}

std::size_t total(BatchShape shape) { return shape.n * shape.c * shape.l; }

// The operands that are there, by chance.
template <class T>
const T* perhaps(Draw& draw, Memory& memory, std::size_t n) {
  return draw.one_in(3) ? nullptr : memory.input<T>(n);
}

template <class T>
std::string forward(Draw draw, std::size_t elements, Memory& memory) {
  BatchNormForward<T> call{};
  call.shape = draw_shape(draw, elements);
  const std::size_t c = call.shape.c, m = call.shape.n * call.shape.l;
  call.x = memory.input<T>(total(call.shape));
  call.weight = perhaps<T>(draw, memory, c);
  call.bias = perhaps<T>(draw, memory, c);
  call.statistics = draw.one_in(3) ? Statistics::running : Statistics::batch;
  call.update = call.statistics == Statistics::batch && m > 1 && draw.flip();
  call.running_mean = memory.inout<T>(c);
  call.running_var = memory.positive_inout<T>(c);
  call.momentum = draw.fraction();
  call.eps = draw.one_in(4) ? 1.0 : 1e-5;
  call.relu = draw.flip();
  if (draw.flip()) call.saved = memory.output<double>(3 * c);
  if (draw.flip()) call.var = memory.output<double>(c);
  const bool again = draw.flip();

  // The same statistics without the output, and the same output by a ReLU behind it. Before the call:
  // in place, x is then overwritten.
  std::vector<double> moments(again ? 4 * c : 0);
  std::vector<T> plain(again ? total(call.shape) : 0);
  if (again && m > 0) {
    BatchNormForward<T> other = call;
    other.update = other.relu = false;
    other.y = plain.data();
    other.saved = other.var = nullptr;
    batchnorm_forward(other, memory.workspace);
    if (call.relu) relu(plain.data(), plain.data(), plain.size());
    other.y = call.statistics == Statistics::batch ? nullptr : other.y;
    other.saved = moments.data();
    other.var = moments.data() + 3 * c;
    if (other.y == nullptr) batchnorm_forward(other, memory.workspace);
  }
  call.y = memory.output_over(call.x, total(call.shape));
  batchnorm_forward(call, memory.workspace);
  if (!again || m == 0) return "";
  if (!same_bits(call.y, plain.data(), plain.size())) return "y fused with relu, and not, differ";
  if (call.statistics == Statistics::running) return "";
  if (call.saved != nullptr && !same_bits(call.saved, moments.data(), 3 * c)) {
    return "the statistics without an output differ";
  }
  if (call.var != nullptr && !same_bits(call.var, moments.data() + 3 * c, c)) {
    return "the variance without an output differs";
  }
  return "";
}

template <class T>
std::string backward(Draw draw, std::size_t elements, Memory& memory) {
  BatchNormForward<T> before{};
  before.shape = draw_shape(draw, elements);
  const std::size_t c = before.shape.c, all = total(before.shape);
  before.x = memory.input<T>(all);
  before.weight = perhaps<T>(draw, memory, c);
  before.bias = perhaps<T>(draw, memory, c);
  before.running_mean = memory.inout<T>(c);
  before.running_var = memory.positive_inout<T>(c);
  before.statistics = draw.one_in(3) ? Statistics::running : Statistics::batch;
  before.relu = draw.flip();
  before.eps = 1e-5;
  before.saved = memory.output<double>(3 * c);
  std::vector<T> y(all);
  before.y = y.data();
  if (all == 0) std::fill_n(before.saved, 3 * c, 0.0);
  batchnorm_forward(before, memory.workspace);

  BatchNormBackward<T> call{};
  call.shape = before.shape;
  call.x = before.x;
  call.weight = before.weight;
  call.bias = before.bias;
  call.saved = before.saved;
  call.statistics = before.statistics;
  call.relu = before.relu;
  const bool expanded = draw.one_in(4);
  call.dy_value = static_cast<T>(draw.below(64)) / T(8);
  const T* dy = expanded ? nullptr : memory.input<T>(all);
  call.dy = dy;
  if (!draw.one_in(5)) call.dweight = memory.output<T>(c);
  if (!draw.one_in(5)) call.dbias = memory.output<T>(c);
  const bool wants_dx = !draw.one_in(6), again = draw.flip();

  // The same with the ReLU's gradient in a pass of its own, and with dy written out.
  std::vector<T> dense(again ? all : 0), dx(dense.size()), dweight(again ? c : 0),
      dbias(again ? c : 0);
  if (again) {
    for (std::size_t i = 0; i < all; ++i) dense[i] = expanded ? call.dy_value : dy[i];
    if (call.relu) relu_backward(y.data(), dense.data(), dense.data(), all);
    BatchNormBackward<T> other = call;
    other.relu = false;
    other.dy = dense.data();
    other.dx = dx.data();
    other.dweight = dweight.data();
    other.dbias = dbias.data();
    batchnorm_backward(other, memory.workspace);
  }
  if (wants_dx) call.dx = expanded ? memory.output<T>(all) : memory.output_over(dy, all);
  batchnorm_backward(call, memory.workspace);
  if (!again) return "";
  if (call.dx != nullptr && !same_bits(call.dx, dx.data(), all))
    return "dx, said otherwise, differs";
  if (call.dweight != nullptr && !same_bits(call.dweight, dweight.data(), c)) {
    return "dweight, said otherwise, differs";
  }
  if (call.dbias != nullptr && !same_bits(call.dbias, dbias.data(), c)) {
    return "dbias, said otherwise, differs";
  }
  return "";
}

template <class T>
std::string moments(Draw draw, std::size_t elements, Memory& memory) {
  BatchShape one = draw_shape(draw, elements / 2);
  if (total(one) == 0) one = {3, 5, 1};
  BatchShape other = one;
  other.n = draw.between(1, one.n);
  const std::size_t c = one.c;
  double* into = memory.output<double>(4 * c);
  double* from = memory.output<double>(4 * c);
  batch_moments(one, memory.input<T>(total(one)), into, memory.workspace);
  batch_moments(other, memory.input<T>(total(other)), from, memory.workspace);
  const double count = static_cast<double>(one.n * one.l);
  const double more = static_cast<double>(other.n * other.l);
  merge_moments(into, count, from, more, c);
  memory.result(finite_moments<T>(into, count + more, c));
  T* running_mean = memory.inout<T>(c);
  T* running_var = memory.positive_inout<T>(c);
  move_by_moments(running_mean, running_var, into, count + more, draw.fraction(), c);
  return "";
}

// The sums of a batch, and of its leaves one by one, added as sum_tree.h has it.
template <class T>
std::string nodes(Draw draw, std::size_t elements, Memory& memory) {
  BatchShape shape = draw_shape(draw, elements);
  if (total(shape) == 0) shape = {70, 5, 1};
  const std::size_t c = shape.c, sample = c * shape.l, samples = leaf_samples(shape.l);
  const T* x = memory.input<T>(total(shape));
  T* shift = memory.output<T>(c);
  first_shift(shape, x, shift);
  double *whole = memory.output<double>(2 * c), *moments = memory.output<double>(4 * c);
  batch_sums(shape, x, shift, whole, memory.workspace);
  moments_of_sums(shift, whole, static_cast<double>(shape.n * shape.l), moments, c);

  const FloatEnvironment environment;  // the host's may round otherwise
  const std::size_t leaves = divide_up(shape.n, samples);
  std::vector<std::vector<double>> waiting(tree_levels(leaves), std::vector<double>(2 * c));
  const auto add = [&](std::vector<double>& node, std::size_t level) {
    for (std::size_t i = 0; i < 2 * c; ++i) node[i] = waiting[level][i] + node[i];
  };
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    const Range range = cut(shape.n, samples, leaf);
    std::vector<double> node(2 * c);
    batch_sums({range.size(), c, shape.l}, x + range.begin * sample, shift, node.data(),
               memory.workspace);
    const std::size_t level = push_leaf(leaf, [&](std::size_t at) { add(node, at); });
    waiting[level] = node;
  }
  std::vector<double> sums;
  fold_leaves(leaves, [&](std::size_t level) {
    if (sums.empty()) {
      sums = waiting[level];
    } else {
      add(sums, level);
    }
  });
  return same_bits(whole, sums.data(), 2 * c) ? "" : "the leaves' sums, added, differ";
}

template <class T>
std::string padded(Draw draw, std::size_t elements, Memory& memory) {
  PaddedShape shape{};
  shape.l = draw.between(1, 60);
  shape.unit = draw.one_in(3) ? draw.between(2, 9) : 1;
  shape.c = draw.between(1, 20);
  shape.n = draw.size(std::max<std::size_t>(1, elements / (shape.l * shape.unit * shape.c)));
  const std::size_t all = shape.n * shape.c * shape.l * shape.unit;
  const std::int32_t* lengths = memory.integers(shape.n, 0, static_cast<std::int32_t>(shape.l));
  std::size_t steps = 0;
  for (std::size_t i = 0; i < shape.n; ++i) steps += static_cast<std::size_t>(lengths[i]);
  const T* x = memory.input<T>(all);
  T* packed = memory.output<T>(shape.c * steps * shape.unit);
  pack(x, packed, lengths, shape, memory.workspace);
  T* unpacked = memory.output<T>(all);
  unpack(packed, unpacked, lengths, shape, memory.workspace);
  if (is_stopped()) return "";
  const std::size_t run = shape.l * shape.unit;
  for (std::size_t i = 0; i < all; ++i) {
    const bool counts = i % run < static_cast<std::size_t>(lengths[i / run / shape.c]) * shape.unit;
    const T expected = counts ? x[i] : T(0);
    if (std::memcmp(&unpacked[i], &expected, sizeof(T)) != 0) return "unpack after pack differs";
  }
  return "";
}

// m x k or its transpose, with up to 3 elements to spare between rows.
template <class T>
MatrixView<T> draw_matrix(Draw& draw, Memory& memory, std::size_t m, std::size_t k) {
  const bool transposed = draw.flip();
  const std::size_t across = transposed ? m : k, along = transposed ? k : m;
  const std::size_t step = across + (draw.one_in(3) ? draw.between(1, 3) : 0);
  const T* data = memory.input<T>(along == 0 || across == 0 ? 0 : (along - 1) * step + across);
  if (transposed) return {data, 1, step};
  return {data, step, 1};
}

template <class T>
std::string multiply_matrices(Draw draw, std::size_t elements, Memory& memory) {
  const std::size_t largest = elements > 40000 ? 200 : 90;
  const std::size_t k = draw.one_in(40) ? 0 : draw.size(largest);
  const std::size_t most = std::max<std::size_t>(1, elements / std::max<std::size_t>(k, 1));
  const std::size_t m = draw.size(std::min(most, largest)), n = draw.size(std::min(most, largest));
  const MatrixView<T> a = draw_matrix<T>(draw, memory, m, k),
                      b = draw_matrix<T>(draw, memory, k, n);
  const T* bias = perhaps<T>(draw, memory, n);
  T* c = memory.output<T>(m * n);
  matmul(a, b, bias, c, m, n, k, memory.workspace);
  column_sums(c, memory.output<T>(n), m, n, memory.workspace);
  leaf_products(c, c, memory.output<T>(n * n), n, n, m, memory.workspace);
  return "";
}

template <class T>
std::string elementwise(Draw draw, std::size_t elements, Memory& memory) {
  const std::size_t n = draw.one_in(40) ? 0 : draw.size(elements);
  const T *a = memory.input<T>(n), *b = memory.input<T>(n);
  const double factor = 8.0 * draw.fraction() - 4.0, p = draw.one_in(8) ? 1.0 : draw.fraction();
  const std::uint64_t key = draw.next(), offset = draw.next();
  const std::size_t which = draw.below(9);
  memory.result(sum(a, n, memory.workspace));
  memory.result(squared_error(a, b, n, memory.workspace));
  memory.result(mean(a, n, memory.workspace));
  memory.result(mean_squared_error(a, b, n, memory.workspace));
  if (which == 8) {
    random_words(memory.output<std::uint32_t>(n), n, key, offset);
    return "";
  }
  T* out = memory.output_over(a, n);
  if (which == 0) relu(a, out, n);
  if (which == 1) relu_backward(b, a, out, n);
  if (which == 2) add(a, b, out, n);
  if (which == 3) multiply(a, b, out, n);
  if (which == 4) scale(a, factor, out, n);
  if (which == 5) dropout(a, out, n, p, key, offset);
  if (which == 6) uniform(out, n, -factor, factor, key, offset);
  if (which == 7) squared_error_backward(a, b, factor, out, n);
  return "";
}

template <class T>
std::string loss(Draw draw, std::size_t elements, Memory& memory) {
  const std::size_t classes = draw.size(300);
  const std::size_t rows = draw.size(std::max<std::size_t>(1, elements / 16 / classes));
  const T* logits = memory.input<T>(rows * classes);
  const std::int32_t* targets = memory.integers(rows, -1, static_cast<std::int32_t>(classes) - 1);
  T* probabilities = memory.output<T>(rows * classes);
  const CrossEntropy loss =
      cross_entropy(logits, targets, probabilities, rows, classes, -1, memory.workspace);
  memory.result(loss.loss);
  memory.result(static_cast<double>(loss.counted));
  memory.result(loss.mean);
  cross_entropy_backward(probabilities, targets, draw.fraction(), memory.output<T>(rows * classes),
                         rows, classes, -1);
  return "";
}

template <class T>
std::string optimizer(Draw draw, std::size_t elements, Memory& memory) {
  const std::size_t n = draw.size(elements);
  T* parameter = memory.inout<T>(n);
  const T* gradient = memory.input<T>(n);
  T* first = memory.inout<T>(n);
  if (draw.flip()) {
    const SgdStep step{draw.fraction(), draw.fraction(), draw.fraction(), draw.fraction(),
                       draw.flip(),     draw.flip(),     draw.flip()};
    sgd_step(parameter, gradient, draw.one_in(3) ? nullptr : first, n, step);
    return "";
  }
  // Exact, whatever the host's rounding.
  const double quotient = static_cast<double>(draw.between(1, 1024)) / 1024.0;
  const AdamStep step{draw.fraction(), draw.fraction(), draw.fraction(), 1e-8,
                      draw.fraction(), quotient,        draw.fraction(), draw.flip(),
                      draw.flip()};
  adam_step(parameter, gradient, first, memory.positive_inout<T>(n), n, step);
  return "";
}

std::string limits(Draw draw, std::size_t elements, Memory& memory) {
  const std::size_t n = draw.size(elements);
  const float* source = memory.input<float>(n);
  memory.result(bare_read(source, n));
  bare_copy(source, memory.output<float>(n), n);
  return "";
}

constexpr Operation kOperations[] = {
    {"forward float", forward<float>},
    {"forward double", forward<double>},
    {"backward float", backward<float>},
    {"backward double", backward<double>},
    {"nodes float", nodes<float>},
    {"nodes double", nodes<double>},
    {"moments float", moments<float>},
    {"moments double", moments<double>},
    {"padded float", padded<float>},
    {"padded double", padded<double>},
    {"matmul float", multiply_matrices<float>},
    {"matmul double", multiply_matrices<double>},
    {"elementwise float", elementwise<float>},
    {"elementwise double", elementwise<double>},
    {"loss float", loss<float>},
    {"loss double", loss<double>},
    {"optimizer float", optimizer<float>},
    {"optimizer double", optimizer<double>},
    {"limits", limits},
};

}  // namespace

std::span<const Operation> operations() { return kOperations; }

}  // namespace evenkeel::check
