#include <cstdio>

#include "../../native/kernels/dispatch.h"
#include "checks.h"
#include "kernel_calls.h"

namespace evenkeel::check {
namespace {

constexpr std::size_t kLongest = 200;

}  // namespace

bool guards(const Settings& settings) {
  static const char* const places[] = {"shifted", "before a guard page", "after a guard page"};
  Memory memory(32, std::size_t{1} << 18);
  std::size_t runs = 0, compared = 0;
  std::uint64_t digest = 0;
  for (const KernelCall& call : kernel_calls()) {
    for (std::size_t length = 0; length <= kLongest; ++length) {
      const std::uint64_t seed = mixed(settings.seed * 1000 + length);
      memory.begin_case(seed, length % 4 == 3 ? Values::wild : Values::ordinary);
      const Kernels& scalar = *available_isas().back();
      std::uint64_t expected = 0;
      for (std::size_t f = available_isas().size(); f-- > 0;) {
        const Kernels& isa = *available_isas()[f];
        for (const Place place : {Place::before_guard, Place::after_guard, Place::shifted}) {
          now("guards --seed %llu: %s of %s, length %zu, %s",
              static_cast<unsigned long long>(settings.seed), call.name, isa.name, length,
              places[static_cast<int>(place)]);
          memory.begin_run(place, length % 2 == 1 && place == Place::after_guard, seed + length);
          call.run(isa, length, Draw(seed), memory);
          ++runs;
          const std::string faults = memory.faults();
          if (!faults.empty()) return failed(faults.c_str());
          if (&isa == &scalar && place == Place::before_guard) {
            expected = memory.hash(settings.signed_zeros);
            digest = mixed(digest ^ expected);
          } else if (++compared; memory.hash(settings.signed_zeros) != expected) {
            return failed("another hash than scalar");
          }
        }
      }
    }
  }
  std::printf(
      "guards       %zu kernel calls against guard pages, lengths 0 to %zu, %zu hashes equal; "
      "digest "
      "%016llx\n",
      runs, kLongest, compared, static_cast<unsigned long long>(digest));
  return true;
}

}  // namespace evenkeel::check
