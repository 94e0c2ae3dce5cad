// The scalar family: its vectors, the loops, the table. CMakeLists.txt gives this file its ISA flags.
#include "../simd/vec_scalar.h"
// clang-format off: the loops need the vectors above
#include "../simd/wide.h"
#include "../kernels/batchnorm-inl.h"
#include "../kernels/matmul-inl.h"
#include "../kernels/random-inl.h"
#include "../kernels/elementwise-inl.h"
#include "../kernels/limits-inl.h"
// clang-format on

namespace evenkeel {

extern const Kernels kernels_scalar;
const Kernels kernels_scalar = {
    "scalar",
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
