// The floating-point mode that a host may have set before it calls: flush to zero, another rounding.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace evenkeel::check {

enum class Mode { usual, flushing, upward };

class HostMode {
 public:
  explicit HostMode(Mode mode) : before_(read()) {
    write(mode == Mode::usual ? before_ : mode == Mode::flushing ? kFlushing : kUpward);
    set_ = read();  // not every emulator has every mode
  }
  ~HostMode() { write(before_); }
  HostMode(const HostMode&) = delete;
  HostMode& operator=(const HostMode&) = delete;

  bool still_set() const { return read() == set_; }

 private:
#if defined(__x86_64__)
  static constexpr std::uint64_t kFlushing = 0x9fc0, kUpward = 0x5f80;
  // The low six bits are flags that any operation may raise.
  static std::uint64_t read() { return _mm_getcsr() & ~0x3fu; }
  static void write(std::uint64_t mode) { _mm_setcsr(static_cast<unsigned int>(mode)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlushing = 1u << 24, kUpward = 1u << 22;
  static std::uint64_t read() {
    std::uint64_t mode;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void write(std::uint64_t mode) { __asm__ __volatile__("msr fpcr, %0" : : "r"(mode)); }
#else
  static constexpr std::uint64_t kFlushing = 0, kUpward = 0;
  static std::uint64_t read() { return 0; }
  static void write(std::uint64_t) {}
#endif
  std::uint64_t before_, set_;
};

}  // namespace evenkeel::check
