// Losses, in double, rounded once. Their sums have 16 lanes in a fixed order.
// Longer than 250 lines because each kind of loss is one struct with its value and derivative, and all run in the
// same loops.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace evenkeel {
namespace {

constexpr std::size_t kLossPart =
    128;  // elements of one part: five buffers of doubles on the stack

// One part of the operands, in double.
struct LossPart {
  double x[kLossPart], target[kLossPart], weight[kLossPart], positive[kLossPart], value[kLossPart];
};

template <class T>
inline void read_part(double* to, const T* from, std::size_t i, std::size_t count) {
  for (std::size_t j = 0; j < count; ++j)
    to[j] = from == nullptr ? 1.0 : static_cast<double>(from[i + j]);
}

inline double larger(double a, double b) { return a < b ? b : a; }  // NaN in a stays
inline double magnitude_of(double a) { return a < 0.0 ? -a : a; }
// NaN stays.
inline double sign_of(double a) {
  const double sign = (a > 0.0 ? 1.0 : 0.0) - (a < 0.0 ? 1.0 : 0.0);
  return a == a ? sign : a;
}
// log(1 + e^-x) and its derivative's magnitude, 1 / (1 + e^x)
inline double softplus_of_minus(double x) {
  return logarithm_of_1_plus(exponential<53>(-magnitude_of(x))) + (x < 0.0 ? -x : 0.0);
}
inline double sigmoid_of_minus(double x) { return sigmoid(-x); }

struct Squared {
  static double value(double x, double t, double, double) { return (x - t) * (x - t); }
  static double derivative(double x, double t, double, double) { return 2.0 * (x - t); }
  static double target_derivative(double x, double t, double, double) { return -2.0 * (x - t); }
};
struct Absolute {
  static double value(double x, double t, double, double) { return magnitude_of(x - t); }
  static double derivative(double x, double t, double, double) { return sign_of(x - t); }
  static double target_derivative(double x, double t, double, double) { return -sign_of(x - t); }
};
// beta > 0
struct Smooth {
  static double value(double x, double t, double, double beta) {
    const double d = magnitude_of(x - t);
    return d < beta ? 0.5 * d * d / beta : d - 0.5 * beta;
  }
  static double derivative(double x, double t, double, double beta) {
    const double d = x - t;
    return d <= -beta ? -1.0 : (d >= beta ? 1.0 : d / beta);
  }
  static double target_derivative(double x, double t, double positive, double beta) {
    return -derivative(x, t, positive, beta);
  }
};
struct HuberLoss {
  static double value(double x, double t, double, double delta) {
    const double d = magnitude_of(x - t);
    return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
  }
  static double derivative(double x, double t, double, double delta) {
    const double d = x - t;
    return d <= -delta ? -delta : (d >= delta ? delta : d);
  }
  static double target_derivative(double x, double t, double positive, double delta) {
    return -derivative(x, t, positive, delta);
  }
};
// Logarithms from -100 on, the derivative's denominator from 1e-12 on: as PyTorch.
struct Binary {
  static double value(double x, double t, double, double) {
    const double yes = larger(logarithm(x), -100.0);
    const double no = larger(logarithm_of_1_plus(-x), -100.0);
    return (t - 1.0) * no - t * yes;
  }
  static double derivative(double x, double t, double, double) {
    return (x - t) / larger((1.0 - x) * x, 1e-12);
  }
  static double target_derivative(double x, double, double, double) {
    return logarithm_of_1_plus(-x) - logarithm(x);
  }
};
struct BinaryLogits {
  static double value(double x, double t, double positive, double) {
    return (1.0 - t) * x + (1.0 + (positive - 1.0) * t) * softplus_of_minus(x);
  }
  static double derivative(double x, double t, double positive, double) {
    return (1.0 - t) * sigmoid(x) - t * positive * sigmoid_of_minus(x);
  }
  static double target_derivative(double x, double, double positive, double) {
    return (positive - 1.0) * softplus_of_minus(x) - x;
  }
};
// t (log t - x), of log-probabilities x; 0 log 0 is 0.
struct Divergence {
  static double value(double x, double t, double, double) {
    const double entropy = t == 0.0 ? 0.0 : t * logarithm(t);
    return entropy - t * x;
  }
  static double derivative(double, double t, double, double) { return -t; }
  static double target_derivative(double x, double t, double, double) {
    return logarithm(t) + 1.0 - x;
  }
};
struct LogDivergence {
  static double value(double x, double t, double, double) { return exponential<53>(t) * (t - x); }
  static double derivative(double, double t, double, double) { return -exponential<53>(t); }
  static double target_derivative(double x, double t, double, double) {
    return exponential<53>(t) * (t - x + 1.0);
  }
};

template <class Formula, bool kDerivative, bool kOfTarget>
inline void evaluate(LossPart& part, std::size_t count, double p) {
  for (std::size_t j = 0; j < count; ++j) {
    const double x = part.x[j], t = part.target[j], positive = part.positive[j];
    double value;
    if constexpr (!kDerivative) {
      value = Formula::value(x, t, positive, p);
    } else if constexpr (kOfTarget) {
      value = Formula::target_derivative(x, t, positive, p);
    } else {
      value = Formula::derivative(x, t, positive, p);
    }
    part.value[j] = value * part.weight[j];
  }
}

template <bool kDerivative, bool kOfTarget>
inline void evaluate_kind(LossKind kind, LossPart& part, std::size_t count, double p) {
  switch (kind) {
    case LossKind::kSquared:
      return evaluate<Squared, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kAbsolute:
      return evaluate<Absolute, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kSmooth:
      return evaluate<Smooth, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kHuber:
      return evaluate<HuberLoss, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kBinary:
      return evaluate<Binary, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kBinaryLogits:
      return evaluate<BinaryLogits, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kDivergence:
      return evaluate<Divergence, kDerivative, kOfTarget>(part, count, p);
    case LossKind::kLogDivergence:
      return evaluate<LogDivergence, kDerivative, kOfTarget>(part, count, p);
  }
}

// each(i, count, values) for one part after another.
template <bool kDerivative, bool kOfTarget, class T, class Each>
inline void for_parts(LossKind kind, const LossOperands<T>& operands, std::size_t n,
                      const Each& each) {
  LossPart part;
  for (std::size_t i = 0; i < n; i += kLossPart) {
    const std::size_t count = min_size(kLossPart, n - i);
    read_part(part.x, operands.x, i, count);
    read_part(part.target, operands.target, i, count);
    read_part(part.weight, operands.weight, i, count);
    read_part(part.positive, operands.positive, i, count);
    evaluate_kind<kDerivative, kOfTarget>(kind, part, count, operands.p);
    each(i, count, part.value);
  }
}

template <class T>
Total loss_sum(LossKind kind, const LossOperands<T>& operands, std::size_t n) {
  double lanes[16] = {}, lost[16] = {};
  for_parts<false, false>(kind, operands, n,
                          [&](std::size_t, std::size_t count, const double* value) {
                            for (std::size_t j = 0; j < count; ++j) {
                              const std::size_t lane = j % 16;
                              const double sum = lanes[lane] + value[j], seen = sum - lanes[lane];
                              lost[lane] += (lanes[lane] - (sum - seen)) + (value[j] - seen);
                              lanes[lane] = sum;
                            }
                          });
  Total total{0.0, 0.0};
  for (std::size_t j = 0; j < 16; ++j) add_to(total, lanes[j]);
  for (std::size_t j = 0; j < 16; ++j) total.low += lost[j];
  return total;
}

template <class T>
void loss_values(LossKind kind, const LossOperands<T>& operands, T* out, std::size_t n) {
  for_parts<false, false>(kind, operands, n,
                          [=](std::size_t i, std::size_t count, const double* value) {
                            for (std::size_t j = 0; j < count; ++j)
                              out[i + j] = static_cast<T>(value[j]);
                          });
}

// out = derivative * factor * dy; dy is null where it is 1.
template <class T>
void loss_gradients(LossKind kind, const LossOperands<T>& operands, bool of_target, const T* dy,
                    double factor, T* out, std::size_t n) {
  const auto store = [=](std::size_t i, std::size_t count, const double* value) {
    for (std::size_t j = 0; j < count; ++j) {
      const double outer = dy == nullptr ? factor : factor * static_cast<double>(dy[i + j]);
      out[i + j] = static_cast<T>(value[j] * outer);
    }
  };
  if (of_target) {
    for_parts<true, true>(kind, operands, n, store);
  } else {
    for_parts<true, false>(kind, operands, n, store);
  }
}

// Rows [0, rows): lse[r] = log(sum exp(x)), loss[r] = -sum_c B_rc (x_c - lse), with B_rc what the target gives class c
// times its weight. 0 in ignored rows.
template <class T>
void row_losses(const RowOperands<T>& operands, std::size_t rows, double* lse, double* loss) {
  const std::size_t classes = operands.classes;
  const double spread = operands.smoothing / static_cast<double>(classes);
  const double kept = 1.0 - operands.smoothing;
  for (std::size_t r = 0; r < rows; ++r) {
    const T* x = operands.logits + r * classes;
    double largest = static_cast<double>(x[0]);
    for (std::size_t c = 1; c < classes; ++c) largest = larger(largest, static_cast<double>(x[c]));
    double whole = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      whole += exponential<53>(static_cast<double>(x[c]) - largest);
    }
    const double log_whole = logarithm(whole);
    lse[r] = largest + log_whole;
    const int target = operands.targets != nullptr ? operands.targets[r] : 0;
    if (operands.targets != nullptr && target == operands.ignore) {
      loss[r] = 0.0;
      continue;
    }
    // Of shifted logits: what is far from 0 has no digits left for the difference.
    double sum = 0.0;
    if (operands.targets == nullptr || spread != 0.0) {
      for (std::size_t c = 0; c < classes; ++c) {
        const double weight = operands.weight != nullptr ? operands.weight[c] : 1.0;
        const double given =
            operands.targets != nullptr
                ? spread
                : kept * static_cast<double>(operands.probabilities[r * classes + c]) + spread;
        const double minus_log = log_whole - (static_cast<double>(x[c]) - largest);
        // A class of no probability adds nothing, also where its logit is -infinity.
        sum += given * weight == 0.0 ? 0.0 : given * weight * minus_log;
      }
    }
    if (operands.targets != nullptr) {
      const std::size_t c = static_cast<std::size_t>(target);
      const double weight = operands.weight != nullptr ? operands.weight[c] : 1.0;
      const double minus_log = log_whole - (static_cast<double>(x[c]) - largest);
      sum += kept * weight == 0.0 ? 0.0 : kept * weight * minus_log;
    }
    loss[r] = sum;
  }
}

// dx_rc = dy_r (A_r p_c - B_rc), A_r = sum_c B_rc; and for probabilities dtarget_rc = dy_r kept weight_c (lse - x_c).
// Both outputs are nullable; scale[r] is dy of a row.
template <class T>
void row_gradients(const RowOperands<T>& operands, std::size_t rows, const double* lse,
                   const double* scale, T* dx, T* dtarget) {
  const std::size_t classes = operands.classes;
  const double spread = operands.smoothing / static_cast<double>(classes);
  const double kept = 1.0 - operands.smoothing;
  for (std::size_t r = 0; r < rows; ++r) {
    const T* x = operands.logits + r * classes;
    const int target = operands.targets != nullptr ? operands.targets[r] : 0;
    const bool ignored = operands.targets != nullptr && target == operands.ignore;
    const auto given = [&](std::size_t c) EVENKEEL_INLINED {
      const double weight = operands.weight != nullptr ? operands.weight[c] : 1.0;
      const double weightless =
          operands.targets != nullptr
              ? (static_cast<std::size_t>(target) == c ? kept + spread : spread)
              : kept * static_cast<double>(operands.probabilities[r * classes + c]) + spread;
      return weightless * weight;
    };
    double all = 0.0;
    if (!ignored) {
      for (std::size_t c = 0; c < classes; ++c) all += given(c);
    }
    if (dx != nullptr) {
      for (std::size_t c = 0; c < classes; ++c) {
        const double p = exponential<53>(static_cast<double>(x[c]) - lse[r]);
        const double derivative = ignored ? 0.0 : all * p - given(c);
        dx[r * classes + c] = static_cast<T>(ignored ? 0.0 : derivative * scale[r]);
      }
    }
    if (dtarget != nullptr) {
      for (std::size_t c = 0; c < classes; ++c) {
        const double weight = operands.weight != nullptr ? operands.weight[c] : 1.0;
        const double minus_log = lse[r] - static_cast<double>(x[c]);
        dtarget[r * classes + c] = static_cast<T>(scale[r] * kept * weight * minus_log);
      }
    }
  }
}

template <class T>
constexpr LossKernels<T> loss_kernels() {
  return {loss_sum<T>, loss_values<T>, loss_gradients<T>, row_losses<T>, row_gradients<T>};
}

}  // namespace
}  // namespace evenkeel
