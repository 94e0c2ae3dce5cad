// The errors of the functions in float32 against libm's in double, in units in the last place of the result.
// scripts/function-errors.mjs runs this over all 2^32 inputs, which takes some minutes a function, and writes
// docs/function-errors.json.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <mutex>
#include <vector>

#include "../../native/kernels/dispatch.h"
#include "../../native/runtime/float_environment.h"
#include "../../native/runtime/parallel.h"
#include "checks.h"

namespace evenkeel::check {
namespace {

double logistic(double x) {
  return x < 0.0 ? std::exp(x) / (1.0 + std::exp(x)) : 1.0 / (1.0 + std::exp(-x));
}
double log_of_1_plus_exp(double x) {
  return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}
// x g(x): NaN at -infinity, as 0 times infinity is.
double times_x(double x, double g) { return std::isinf(x) && x > 0.0 ? x : x * g; }
double tanh_of_softplus(double x) {
  const double e = std::exp(-std::fabs(x));
  return x < 0.0 ? e * (e + 2.0) / (e * (e + 2.0) + 2.0)
                 : (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e);
}

// Bounds are above what any float has: docs/function-errors.json has the figures.
struct Function {
  const char* name;
  UnaryCode code;
  double p, q;
  double (*truth)(double x);
  double bound;  // ulp
};
constexpr Function kFunctions[] = {
    {"sqrt", UnaryCode::sqrt, 0, 0, [](double x) { return std::sqrt(x); }, 0.5001},
    {"rsqrt", UnaryCode::rsqrt, 0, 0, [](double x) { return 1.0 / std::sqrt(x); }, 0.51},
    {"exp", UnaryCode::exp, 0, 0, [](double x) { return std::exp(x); }, 1},
    {"log", UnaryCode::log, 0, 0, [](double x) { return std::log(x); }, 1},
    {"log1p", UnaryCode::log1p, 0, 0, [](double x) { return std::log1p(x); }, 1.1},
    {"sigmoid", UnaryCode::sigmoid, 0, 0, logistic, 1.1},
    {"tanh", UnaryCode::tanh, 0, 0, [](double x) { return std::tanh(x); }, 1.1},
    {"silu", UnaryCode::silu, 0, 0, [](double x) { return times_x(x, logistic(x)); }, 1.1},
    {"gelu", UnaryCode::gelu, 0, 0,
     [](double x) { return times_x(x, 0.5 * std::erfc(-x / std::sqrt(2.0))); }, 7},
    {"geluTanh", UnaryCode::gelu_tanh, 0, 0,
     [](double x) {
       const double z = 1.59576912160573071176 * (x + 0.044715 * x * x * x);
       return times_x(x, logistic(z));
     },
     1.5},
    {"softplus", UnaryCode::softplus, 1, 20,
     [](double x) { return x > 20.0 ? x : log_of_1_plus_exp(x); }, 2.2},
    {"elu", UnaryCode::elu, 1, 0, [](double x) { return x > 0.0 ? x : std::expm1(x); }, 1.3},
    {"logSigmoid", UnaryCode::log_sigmoid, 0, 0, [](double x) { return -log_of_1_plus_exp(-x); },
     2.2},
    {"mish", UnaryCode::mish, 0, 0, [](double x) { return times_x(x, tanh_of_softplus(x)); }, 5},
    {"pow 2.5", UnaryCode::pow, 2.5, 0, [](double x) { return std::pow(x, 2.5); }, 0.51},
    {"pow -0.3", UnaryCode::pow, -0.3, 0, [](double x) { return std::pow(x, -0.3); }, 0.51},
};

double error_of(double truth, float got) {
  if (std::isnan(truth) || std::isnan(got)) {
    return std::isnan(truth) && std::isnan(got) ? 0.0 : std::numeric_limits<double>::infinity();
  }
  if (static_cast<float>(truth) == got) {  // the nearest, or infinite both
    if (std::isinf(got)) return 0.0;
  }
  constexpr double kLargest = std::numeric_limits<float>::max();
  const double value =
      std::isinf(got) ? std::copysign(2.0 * kLargest, got) : static_cast<double>(got);
  int exponent = 0;
  std::frexp(std::min(std::fabs(truth), kLargest), &exponent);
  return std::fabs(value - truth) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double error = 0.0;
  float x = 0.0f;
  std::uint64_t above_1 = 0;
};

// Over every `step`-th of all floats.
Worst worst_of(const Function& function, std::uint64_t step) {
  constexpr std::uint64_t kAll = std::uint64_t{1} << 32, kPart = 1 << 14;
  const std::uint64_t inputs = kAll / step;
  Worst worst;
  std::mutex mutex;
  const auto& kernels = evenkeel::kernels().f32.arithmetic;
  parallel_for(static_cast<std::size_t>((inputs + kPart - 1) / kPart), [&](std::size_t task) {
    const FloatEnvironment environment;
    const std::uint64_t begin = task * kPart, end = std::min(inputs, begin + kPart);
    std::vector<float> x(end - begin), y(end - begin);
    for (std::uint64_t i = begin; i < end; ++i) {
      x[i - begin] = std::bit_cast<float>(static_cast<std::uint32_t>(i * step));
    }
    kernels.unary(function.code, x.data(), y.data(), x.size(), {function.p, function.q}, false);
    Worst own;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = error_of(function.truth(static_cast<double>(x[i])), y[i]);
      if (error > 1.0) ++own.above_1;
      if (error > own.error) own.error = error, own.x = x[i];
    }
    const std::lock_guard<std::mutex> lock(mutex);
    worst.above_1 += own.above_1;
    if (own.error > worst.error) worst.error = own.error, worst.x = own.x;
  });
  return worst;
}

}  // namespace

bool ulps(const Settings& settings) {
  constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
  const std::uint64_t asked = std::clamp<std::uint64_t>(settings.cases, 1, kAll);
  std::printf("ulps: %s\n", kernels().name);
  const char* larger = nullptr;
  std::size_t number = 0;
  for (const Function& function : kFunctions) {
    ++number;
    if (settings.only != 0 && settings.only != number) continue;
    now("ulps --cases %llu --only %zu: %s", static_cast<unsigned long long>(asked), number,
        function.name);
    const std::uint64_t step = kAll / asked | 1;  // odd: all last bits
    const std::uint64_t inputs = kAll / step;
    const Worst worst = worst_of(function, step);
    std::printf("  %-10s %.4f ulp at %.9g, %.3e of %llu above 1\n", function.name, worst.error,
                static_cast<double>(worst.x),
                static_cast<double>(worst.above_1) / static_cast<double>(inputs),
                static_cast<unsigned long long>(inputs));
    std::fflush(stdout);
    if (!(worst.error <= function.bound)) larger = function.name;
  }
  if (larger == nullptr) return true;
  now("ulps --cases %llu: %s", static_cast<unsigned long long>(asked), larger);
  return failed("the error is larger than stated");
}

}  // namespace evenkeel::check
