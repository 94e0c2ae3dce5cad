// The operations of native/ as cases: what a draw says, on the arrays a Memory gives, from the public
// functions at the top of native/ alone.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "draw.h"
#include "memory.h"

namespace evenkeel::check {

struct Operation {
  const char* name;
  // Every run of a case gets the same draw and so the same arguments; `elements` bounds its arrays. What
  // must hold between two ways of saying the same is checked at once: the text says what did not.
  std::string (*run)(Draw draw, std::size_t elements, Memory& memory);
};

std::span<const Operation> operations();

}  // namespace evenkeel::check
