// The floating-point mode our results are defined in: round to nearest, denormals kept, traps masked.
// A host (or another addon) may have set something else; each kernel entry and pool thread sets ours
// and puts the old one back.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace evenkeel {

class FloatEnvironment {
 public:
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

  // An argument, for arithmetic that must not be done before the mode is set: compilers know of no tie
  // between the two (GCC 12 moved merge_moments' division ahead of it).
  double within(double argument) const {
    const volatile double seen = argument;
    return seen;
  }

#if defined(__x86_64__) || defined(_M_X64)
  FloatEnvironment() : saved_(_mm_getcsr()) {
    if (saved_ != kDefault) _mm_setcsr(kDefault);
  }
  ~FloatEnvironment() {
    if (saved_ != kDefault) _mm_setcsr(saved_);
  }

 private:
  static constexpr unsigned int kDefault = 0x1f80;
  unsigned int saved_;
#elif defined(__aarch64__)
  FloatEnvironment() {
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(saved_));
    if (saved_ != 0) __asm__ __volatile__("msr fpcr, %0" : : "r"(std::uint64_t{0}));
  }
  ~FloatEnvironment() {
    if (saved_ != 0) __asm__ __volatile__("msr fpcr, %0" : : "r"(saved_));
  }

 private:
  std::uint64_t saved_;
#else
  FloatEnvironment() = default;
#endif
};

}  // namespace evenkeel
