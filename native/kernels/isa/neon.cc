// The neon instruction set: its vectors, the loops, the table. CMakeLists.txt gives this file its ISA flags.
#include "../../simd/vec_neon.h"
#include "../all-inl.h"

namespace evenkeel {

// constinit: an initialiser that ran would run these instructions on every CPU.
extern const Kernels kernels_neon;
constinit const Kernels kernels_neon = {
    "neon", kernels_of<float>(), kernels_of<double>(), add_doubles, random_words, copy, read,
};

}  // namespace evenkeel
