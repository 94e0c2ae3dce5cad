// The avx512 instruction set: its vectors, the loops, the table. CMakeLists.txt gives this file its ISA flags.
#include "../../simd/vec_avx512.h"
#include "../all-inl.h"

namespace evenkeel {

// constinit: an initialiser that ran would run these instructions on every CPU.
extern const Kernels kernels_avx512;
constinit const Kernels kernels_avx512 = {
    "avx512", kernels_of<float>(), kernels_of<double>(), add_doubles, random_words, copy, read,
};

}  // namespace evenkeel
