// Every function of struct Kernels as a case of one length, called directly: what the guard pages test.
#pragma once

#include <cstddef>
#include <span>

#include "../../native/kernels/kernels.h"
#include "draw.h"
#include "memory.h"

namespace evenkeel::check {

struct KernelCall {
  const char* name;
  void (*run)(const Kernels& kernels, std::size_t length, Draw draw, Memory& memory);
};

std::span<const KernelCall> kernel_calls();

}  // namespace evenkeel::check
