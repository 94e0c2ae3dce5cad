// What the machine allows: the passes over memory that a benchmark holds the kernels against, on the
// same pool, the same blocks and with the same choice of stores.
#pragma once

#include <cstddef>

namespace evenkeel {

// Read once, write once: target = source.
void bare_copy(const float* source, float* target, std::size_t n);

// Read once; the result depends on every element.
double bare_read(const float* source, std::size_t n);

}  // namespace evenkeel
