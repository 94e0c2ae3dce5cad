#include "dispatch.h"

#include <atomic>
#include <cstddef>

namespace evenkeel {

#define KERNEL_ISA(name, supported, table) extern const Kernels kernels_##name;
#include "isa.inc"
#undef KERNEL_ISA

namespace {

// __builtin_cpu_supports also asks the OS (XGETBV) whether it saves the wide registers.
#if defined(EVENKEEL_HAVE_AVX512)
bool cpu_has_avx512() { return __builtin_cpu_supports("avx512f") != 0; }
#endif
#if defined(EVENKEEL_HAVE_AVX2)
bool cpu_has_avx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}
#endif

struct IsaList {
  const Kernels* isas[4] = {};
  std::size_t count = 0;

  IsaList() {
#define KERNEL_ISA(name, supported, table) \
  if (supported) isas[count++] = &table;
#include "isa.inc"
#undef KERNEL_ISA
  }
};

const IsaList& isa_list() {
  static const IsaList list;
  return list;
}

std::atomic<const Kernels*> pinned{nullptr};

}  // namespace

std::span<const Kernels* const> available_isas() { return {isa_list().isas, isa_list().count}; }

const Kernels& kernels() {
  const Kernels* chosen = pinned.load(std::memory_order_relaxed);
  return chosen != nullptr ? *chosen : *isa_list().isas[0];
}

bool select_isa(std::string_view name) {
  for (const Kernels* isa : available_isas()) {
    if (isa->name == name) {
      pinned.store(isa, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace evenkeel
