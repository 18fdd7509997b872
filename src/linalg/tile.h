// Tiles of matrix products (see kernels::Kernels) and the packing of what they read. The last slab
// and the last strip of an operand are filled up with zeros.
#ifndef PAROQUANT_LINALG_TILE_H_
#define PAROQUANT_LINALG_TILE_H_

#include <cstdint>

#include "kernels/kernels.h"
#include "paroquant/base/matrix.h"

namespace paroquant::linalg {

using kernels::kTileColumns;
using kernels::kTileRows;

constexpr int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Packs rows [K, n] into ceil(n / kWidth) runs of [K][kWidth]: the strips of B = rows (kWidth =
// kTileColumns), or the slabs of A = rows^T (kTileRows).
template <int64_t kWidth>
void PackColumns(const ConstMatrixRef& rows, float* packed);

// Packs rows [n, K] into ceil(n / kWidth) runs of [K][kWidth]: the slabs of A = rows, or the strips
// of B = rows^T.
template <int64_t kWidth>
void PackRows(const ConstMatrixRef& rows, float* packed);

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_TILE_H_
