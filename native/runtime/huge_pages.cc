#include "huge_pages.h"

#include <cstdint>
#include <cstdio>
#include <string_view>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace evenkeel {

#if defined(__linux__)
namespace {

constexpr std::uintptr_t kPage = std::uintptr_t{2} << 20;

// Collapsing has not asked the system's setting in every version of Linux: who switched large pages off has them off.
bool are_huge_pages_allowed() {
  std::FILE* file = std::fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
  if (file == nullptr) return false;
  char setting[64] = {};  // as "always [madvise] never"
  const bool is_read = std::fscanf(file, "%63[^\n]", setting) == 1;
  std::fclose(file);
  return is_read && std::string_view(setting).find("[never]") == std::string_view::npos;
}

}  // namespace
#endif

void prefer_huge_pages(void* data, std::size_t bytes) {
#if defined(__linux__)
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (address + kPage - 1) / kPage * kPage;
  const std::uintptr_t last = (address + bytes) / kPage * kPage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  (void)data;
  (void)bytes;
#endif
}

void gather_huge_pages(void* data, std::size_t bytes) {
#if defined(__linux__)
  constexpr int kCollapse = 25;  // MADV_COLLAPSE, which older headers do not have
  static const bool allowed = are_huge_pages_allowed();
  if (!allowed) return;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(data) + bytes;
  std::uintptr_t page = reinterpret_cast<std::uintptr_t>(data) / kPage * kPage;
  for (; page < end; page += kPage) madvise(reinterpret_cast<void*>(page), kPage, kCollapse);
#else
  (void)data;
  (void)bytes;
#endif
}

}  // namespace evenkeel
