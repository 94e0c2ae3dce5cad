// The scalar instruction set: its vectors, the loops, the table. CMakeLists.txt gives this file its ISA flags.
#include "../../simd/vec_scalar.h"
#include "../all-inl.h"

namespace evenkeel {

// constinit: an initialiser that ran would run these instructions on every CPU.
extern const Kernels kernels_scalar;
constinit const Kernels kernels_scalar = {
    "scalar", kernels_of<float>(), kernels_of<double>(), add_doubles, random_words, copy, read,
};

}  // namespace evenkeel
