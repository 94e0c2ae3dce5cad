// Arrays of more than 2^31 elements: an index of 32 bits wraps and touches other memory, or none at all.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "../../native/batchnorm/batchnorm.h"
#include "../../native/math/elementwise.h"
#include "checks.h"

namespace evenkeel::check {
namespace {

constexpr std::size_t kElements = (std::size_t{1} << 31) + 17;
constexpr std::size_t kBlock = std::size_t{1} << 21;  // bytes
constexpr std::size_t kBlockFloats = kBlock / sizeof(float);
constexpr double kPeak = 1 << 20;
constexpr std::size_t kPeaks = 16;  // at each end
constexpr double kEps = 1.0;

// 8 GB of floats for everybody but the memory: all but the first and the last blocks is the same block
// again and again.
class Large {
 public:
  explicit Large(std::size_t elements) : elements_(elements) {
    const std::size_t blocks = (elements + kBlockFloats - 1) / kBlockFloats;
    bytes_ = blocks * kBlock;
    const int file = memfd_create("evenkeel-check", 0);
    void* mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    bool failed = file < 0 || mapped == MAP_FAILED || ftruncate(file, kBlock) != 0;
    data_ = static_cast<float*>(mapped);
    for (std::size_t i = 1; i + 2 < blocks && !failed; ++i) {
      failed = mmap(data_ + i * kBlockFloats, kBlock, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED;
    }
    if (failed) {
      std::perror("mmap");
      std::exit(2);
    }
    close(file);
    tail_ = (blocks - 2) * kBlockFloats;
  }
  ~Large() { munmap(data_, bytes_); }
  Large(const Large&) = delete;
  Large& operator=(const Large&) = delete;

  float* data() { return data_; }
  void forget() {
    each(elements_, [&](std::size_t i) { data_[i] = std::numeric_limits<float>::quiet_NaN(); });
  }

  // f(i) for the first `elements`, but one for all that share their memory. It may ask whether i is odd.
  template <class Each>
  void each(std::size_t elements, const Each& f) {
    for (std::size_t i = 0; i < 2 * kBlockFloats; ++i) f(i);
    for (std::size_t i = tail_; i < elements; ++i) f(i);
  }

 private:
  std::size_t elements_, bytes_ = 0, tail_ = 0;
  float* data_ = nullptr;
};

// 1, 3, 1, 3, … and peaks near both ends; not the first one, by which the sums are shifted.
double value(std::size_t i, std::size_t elements) {
  if ((i >= kPeaks && i < 2 * kPeaks) || i >= elements - kPeaks) return kPeak;
  return i % 2 == 0 ? 1.0 : 3.0;
}

bool close_to(double value, double expected, double tolerance) {
  return std::fabs(value - expected) <= tolerance * std::max(1.0, std::fabs(expected));
}

// Of all values; an even number of them are peaks at each end, so as many of 1 as of 3 are missing.
struct Truth {
  double mean, var;
};
Truth truth(std::size_t elements) {
  const double m = static_cast<double>(elements), peaks = 2.0 * kPeaks;
  const double ones = std::ceil(m / 2) - kPeaks, threes = std::floor(m / 2) - kPeaks;
  const double mean = (ones + 3 * threes + peaks * kPeak) / m;
  const auto square = [&](double of) { return (of - mean) * (of - mean); };
  return {mean, (ones * square(1) + threes * square(3) + peaks * square(kPeak)) / m};
}

// One channel of kElements, as so many samples or as one of such a length.
bool one_channel(BatchShape shape, Large& x, Large& y, Workspace& workspace) {
  const auto [mean, var] = truth(kElements);
  const double invstd = 1 / std::sqrt(var + kEps);
  double saved[3];
  BatchNormForward<float> call{};
  call.shape = shape;
  call.x = x.data();
  call.y = y.data();
  call.saved = saved;
  call.eps = kEps;
  y.forget();
  batchnorm_forward(call, workspace);
  bool right = close_to(saved[0] + saved[1], mean, 1e-12) && close_to(saved[2], invstd, 1e-12);
  y.each(kElements, [&](std::size_t i) {
    right = right && close_to(y.data()[i], (value(i, kElements) - mean) * invstd, 1e-6);
  });
  if (!right) return failed("a forward is wrong");

  // The gradient is x itself: dx = (x - mean) * invstd * eps / (var + eps).
  float dweight = 0, dbias = 0;
  BatchNormBackward<float> back{};
  back.shape = shape;
  back.x = back.dy = x.data();
  back.saved = saved;
  back.dx = y.data();
  back.dweight = &dweight;
  back.dbias = &dbias;
  batchnorm_backward(back, workspace);
  const double m = static_cast<double>(kElements);
  right = close_to(dbias, m * mean, 1e-6) && close_to(dweight, m * var * invstd, 1e-6);
  y.each(kElements, [&](std::size_t i) {
    const double dx = (value(i, kElements) - mean) * invstd * kEps / (var + kEps);
    right = right && std::fabs(y.data()[i] - dx) <= 1e-6 * std::fabs(value(i, kElements) - mean);
  });
  return right || failed("a backward is wrong");
}

// 32,769 channels of 65,537 samples, by given statistics: only how far y reaches can be wrong.
bool many_channels(Large& x, Large& y, Workspace& workspace) {
  constexpr std::size_t n = 65537, c = 32769;
  std::vector<float> mean(c, 2.0f), var(c, 3.0f);
  BatchNormForward<float> call{};
  call.shape = {n, c, 1};
  call.x = x.data();
  call.y = y.data();
  call.running_mean = mean.data();
  call.running_var = var.data();
  call.statistics = Statistics::running;
  call.eps = kEps;
  y.forget();
  batchnorm_forward(call, workspace);
  bool right = true;
  y.each(n * c, [&](std::size_t i) {
    right = right && close_to(y.data()[i], (x.data()[i] - 2.0) * 0.5, 1e-6);
  });
  return right || failed("an evaluation is wrong");
}

bool elementwise(Large& x, Large& y, Workspace& workspace) {
  const double expected = static_cast<double>(kElements) * truth(kElements).mean;
  if (!close_to(sum(x.data(), kElements, workspace), expected, 1e-12))
    return failed("sum is wrong");
  relu(x.data(), y.data(), kElements);
  bool right = true;
  y.each(kElements, [&](std::size_t i) { right = right && y.data()[i] == x.data()[i]; });
  return right || failed("relu is wrong");
}

}  // namespace

bool large(const Settings&) {
  constexpr std::size_t kMost = 65537u * 32769u;
  static_assert(kMost > kElements);
  Large x(kMost), y(kMost);
  x.each(kMost, [&](std::size_t i) { x.data()[i] = static_cast<float>(value(i, kElements)); });
  Workspace workspace;
  now("large: (2^31 + 17, 1)");
  if (!one_channel({kElements, 1, 1}, x, y, workspace)) return false;
  now("large: (1, 1, 2^31 + 17)");
  if (!one_channel({1, 1, kElements}, x, y, workspace)) return false;
  now("large: elementwise");
  if (!elementwise(x, y, workspace)) return false;
  now("large: (65537, 32769)");
  if (!many_channels(x, y, workspace)) return false;
  std::printf(
      "large        2^31 + 17 elements: forward, backward, evaluation, sum, relu reach all of "
      "them\n");
  return true;
}

}  // namespace evenkeel::check
