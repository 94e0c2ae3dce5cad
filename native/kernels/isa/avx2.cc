// The avx2 instruction set: its vectors, the loops, the table. CMakeLists.txt gives this file its ISA flags.
#include "../../simd/vec_avx2.h"
#include "../all-inl.h"

namespace evenkeel {

// constinit: an initialiser that ran would run these instructions on every CPU.
extern const Kernels kernels_avx2;
constinit const Kernels kernels_avx2 = {
    "avx2", kernels_of<float>(), kernels_of<double>(), add_doubles, random_words, copy, read,
};

}  // namespace evenkeel
