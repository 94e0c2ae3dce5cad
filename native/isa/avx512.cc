// The avx512 family: its vectors, the loops, the table. CMakeLists.txt gives this file its ISA flags.
#include "../simd/vec_avx512.h"
// clang-format off: the loops need the vectors above
#include "../simd/wide.h"
#include "../kernels/batchnorm-inl.h"
#include "../kernels/matmul-inl.h"
#include "../kernels/random-inl.h"
#include "../kernels/elementwise-inl.h"
#include "../kernels/limits-inl.h"
// clang-format on

namespace evenkeel {

extern const Kernels kernels_avx512;
const Kernels kernels_avx512 = {
    "avx512",
    batchnorm_kernels<float>(),
    batchnorm_kernels<double>(),
    matmul_kernels<float>(),
    matmul_kernels<double>(),
    elementwise_kernels<float>(),
    elementwise_kernels<double>(),
    add_doubles,
    random_words,
    copy,
    read,
};

}  // namespace evenkeel
