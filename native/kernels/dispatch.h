// Which instruction set runs: chosen once from the CPU's features, or pinned by name.
#pragma once

#include <span>
#include <string_view>
#include <type_traits>

#include "kernels.h"

namespace evenkeel {

// The instruction sets this CPU can run, best first. Never empty: `scalar` is always there.
std::span<const Kernels* const> available_isas();

// The instruction set in force. The first call chooses the best one.
const Kernels& kernels();

// The part of it for one element type.
template <class T>
const KernelsOf<T>& kernels_of() {
  if constexpr (std::is_same_v<T, float>) {
    return kernels().f32;
  } else {
    return kernels().f64;
  }
}

// Pins an instruction set by name. False, and no change, where the name is unknown or the CPU lacks it.
bool select_isa(std::string_view name);

}  // namespace evenkeel
