#include "dispatch.h"

#include <atomic>
#include <cstddef>

namespace evenkeel {

#define KERNEL_FAMILY(name, supported, table) extern const Kernels kernels_##name;
#include "isa.inc"
#undef KERNEL_FAMILY

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
