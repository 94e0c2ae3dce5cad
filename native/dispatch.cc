#include "dispatch.h"

#include <atomic>
#include <cstddef>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace evenkeel {

#define KERNEL_FAMILY(name, supported, table) extern const Kernels kernels_##name;
#include "isa.inc"
#undef KERNEL_FAMILY

namespace {

// __builtin_cpu_supports also asks the OS (XGETBV) whether it saves the wide registers.
#if defined(EVENKEEL_HAVE_AVX512)
bool cpu_has_avx512() { return __builtin_cpu_supports("avx512f") != 0; }

// Zen 4 runs a 512-bit instruction as two halves. Loads and the statistics gain from the wide
// registers all the same; separate multiplies and adds do not: its register tile reaches 70 GFLOP/s with
// zmm and 92 with ymm. AMD family 0x19 (Zen 3 has no AVX-512).
bool splits_512_bits() {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  if (__builtin_cpu_is("amd") == 0 || __get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  const unsigned int family = ((a >> 8) & 0xf) + ((a >> 20) & 0xff);
  return family == 0x19;
}

// The avx512 family, with the multiply that suits this CPU: the bits are the same.
const Kernels& tuned_avx512() {
  static const Kernels tuned = [] {
    Kernels table = kernels_avx512;
    if (splits_512_bits()) {
      table.f32.matmul = kernels_avx2.f32.matmul;
      table.f64.matmul = kernels_avx2.f64.matmul;
    }
    return table;
  }();
  return tuned;
}
#endif
#if defined(EVENKEEL_HAVE_AVX2)
bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
#endif

struct FamilyList {
  const Kernels* families[4] = {};
  std::size_t count = 0;

  FamilyList() {
#define KERNEL_FAMILY(name, supported, table) \
  if (supported) families[count++] = &table;
#include "isa.inc"
#undef KERNEL_FAMILY
  }
};

const FamilyList& family_list() {
  static const FamilyList list;
  return list;
}

std::atomic<const Kernels*> pinned{nullptr};

}  // namespace

std::span<const Kernels* const> available_families() {
  return {family_list().families, family_list().count};
}

const Kernels& kernels() {
  const Kernels* chosen = pinned.load(std::memory_order_relaxed);
  return chosen != nullptr ? *chosen : *family_list().families[0];
}

bool select_family(std::string_view name) {
  for (const Kernels* family : available_families()) {
    if (family->name == name) {
      pinned.store(family, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace evenkeel
