// The weight gradient of a linear layer whose batch several processes share: a product that is summed over the rows of the
// batch in the order of kernels/sum_tree.h.
#pragma once

#include <cstddef>

#include "../kernels/kernels.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// c[m, n] = a[k, m]^T * b[k, n], both row-major; c overlaps nothing. A leaf is kLeafSamples rows of k, added as matmul()
// adds them; leaves meet in T. So of k = 64 * 2^j rows it is one node of the tree.
template <class T>
void leaf_products(const T* a, const T* b, T* c, std::size_t m, std::size_t n, std::size_t k,
                   Workspace& workspace);

}  // namespace evenkeel
