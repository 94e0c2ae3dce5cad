#include <new>
#include <string>
#include <vector>

#include "../native/runtime/huge_pages.h"
#include "args.h"
#include "functions.h"

#ifdef __GLIBC__
// Weak, as malloc.h has it not: the binary for musl is linked from the same objects, and musl has no such function.
extern "C" int malloc_trim(std::size_t) noexcept __attribute__((weak));
#endif

namespace evenkeel::binding {

// (data, n) of a float array that nobody has written yet -> its elements before the first cache line
Napi::Value prepare_large(const Args& args) {
  const std::size_t first = args.by_dtype([&]<class T>() {
    const std::size_t n = args.size(1, "n");
    T* data = args.array<T>(0, "data", n);
    prefer_huge_pages(data, args.product(n, sizeof(T)));
    constexpr std::uintptr_t kLine = 64;
    return (kLine - reinterpret_cast<std::uintptr_t>(data) % kLine) % kLine / sizeof(T);
  });
  return Napi::Number::New(args.env(), static_cast<double>(first));
}

// (data, n) of a float array that is used again and again: it lies on large pages from here on, where it can
void gather_pages(const Args& args) {
  args.by_dtype([&]<class T>() {
    const std::size_t n = args.size(1, "n");
    gather_huge_pages(args.array<T>(0, "data", n), args.product(n, sizeof(T)));
  });
}

// The table of slots grows to the largest one, so there is a largest one: an array of 64 KB each would be 1 TB.
std::size_t slot_at(const Args& args) {
  constexpr std::size_t kSlots = std::size_t{1} << 24;
  const std::size_t slot = args.size(0, "slot");
  if (slot >= kSlots) args.fail("slot", "below 2^24", std::to_string(slot));
  return slot;
}

// (slot, object): `weak_alive(slot)` is true from here on until the collector finds that nothing can reach
// the object. It says so during a collection, in a loop that never yields too, where a WeakRef or a finaliser
// waits for the loop to end.
void weak_watch(const Args& args) {
  const std::size_t slot = slot_at(args);
  napi_valuetype type = napi_undefined;
  napi_typeof(args.env(), args.value(1), &type);
  if (type != napi_object && type != napi_function)
    args.fail("object", "an object", "another kind of value");
  std::vector<napi_ref>& references = args.instance().weak;
  if (slot >= references.size()) references.resize(slot + 1, nullptr);
  napi_ref reference = nullptr;
  if (napi_create_reference(args.env(), args.value(1), 0, &reference) != napi_ok)
    throw Napi::Error::New(args.env());
  if (references[slot] != nullptr) napi_delete_reference(args.env(), references[slot]);
  references[slot] = reference;
}

// (slot)
void weak_forget(const Args& args) {
  const std::size_t slot = slot_at(args);
  std::vector<napi_ref>& references = args.instance().weak;
  if (slot >= references.size() || references[slot] == nullptr) return;
  napi_delete_reference(args.env(), references[slot]);
  references[slot] = nullptr;
}

// (slot) -> whether what it watches may still be reached; true where it watches nothing: nobody is dead unasked
Napi::Value weak_alive(const Args& args) {
  const std::size_t slot = slot_at(args);
  const std::vector<napi_ref>& references = args.instance().weak;
  bool alive = true;
  if (slot < references.size() && references[slot] != nullptr) {
    napi_value value = nullptr;
    alive = napi_get_reference_value(args.env(), references[slot], &value) != napi_ok ||
            value != nullptr;
  }
  return Napi::Boolean::New(args.env(), alive);
}

// (buffer): gives the memory of an ArrayBuffer back to the system now; every view of it has length 0
void free_buffer(const Args& args) {
  bool is_buffer = false;
  napi_is_arraybuffer(args.env(), args.value(0), &is_buffer);
  if (!is_buffer) args.fail("buffer", "an ArrayBuffer", "another kind of value");
  if (napi_detach_arraybuffer(args.env(), args.value(0)) != napi_ok)
    throw Napi::Error::New(args.env());
}

// Pages that the allocator keeps for itself go back to the system: glibc takes arrays of up to 32 MB out of its heap
// once one has been freed, and gives back only what lies at the heap's end.
void return_memory(const Args&) {
#ifdef __GLIBC__
  if (malloc_trim != nullptr) malloc_trim(0);
#endif
}

}  // namespace evenkeel::binding
