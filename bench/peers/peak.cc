// The multiply-adds of this machine at their peak, in registers: for each number of threads on stdin a line with the
// GFLOP/s of all of them together. bench/alone/convolutions.ts compiles it with -O3 -march=native.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr std::size_t kBytes = 64, kSums = 24;
#elif defined(__AVX__)
constexpr std::size_t kBytes = 32, kSums = 12;
#else
constexpr std::size_t kBytes = 16, kSums = 12;
#endif
typedef float Floats __attribute__((vector_size(kBytes)));

static double run() {
  Floats sums[kSums] = {};
  const Floats a = Floats{} + 0.999999f, b = Floats{} + 1e-7f;
  constexpr int kTimes = 100000;
  const auto start = std::chrono::steady_clock::now();
  for (int k = 0; k < kTimes; ++k) {
#pragma GCC unroll 24
    for (std::size_t i = 0; i < kSums; ++i) sums[i] = sums[i] * a + b;
#pragma GCC unroll 24
    for (std::size_t i = 0; i < kSums; ++i) __asm__ volatile("" : "+v"(sums[i]));
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return 2.0 * kTimes * kSums * (kBytes / sizeof(float)) / time.count() / 1e9;
}

int main() {
  int count = 0;
  while (std::scanf("%d", &count) == 1) {
    std::vector<double> each(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (double& one : each) threads.emplace_back([&one] { one = run(); });
    for (std::thread& one : threads) one.join();
    double all = 0;
    for (const double one : each) all += one;
    std::printf("%.1f\n", all);
    std::fflush(stdout);
  }
}
