// The kernel that all matrix products are built of, and the layouts that it reads.
//
// A product C [M, N] = A [M, K] B [K, N] is cut into tiles of kTileRows x kTileColumns whose sums
// stay in registers. A is packed in *slabs* of kTileRows rows, [K][kTileRows] each, and B in
// *strips* of kTileColumns columns, [K][kTileColumns] each, so that both are read from front to
// back (K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).
// The last slab and the last strip are filled up with zeros.
#ifndef PAROQUANT_LINALG_TILE_H_
#define PAROQUANT_LINALG_TILE_H_

#include <cstdint>

#include "base/simd.h"
#include "paroquant/base/matrix.h"

namespace paroquant::linalg {

inline constexpr int64_t kTileColumns = int64_t{2} * kSimdFloats;
// As many rows as leave room for a row of B and a broadcast element of A in the registers.
inline constexpr int64_t kTileRows = kSimdRegisters / 2 - 2;

constexpr int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// c[row * stride + column] += sum over k of slab[k * kTileRows + row] * strip[k * kTileColumns +
// column], for all kTileColumns columns of the first `rows` rows. k runs upwards.
void MultiplyTile(int64_t rows, int64_t k, const float* slab, const float* strip, float* c,
                  int64_t stride);

// The same where `columns` of a strip may be fewer.
void MultiplyTile(int64_t rows, int64_t columns, int64_t k, const float* slab, const float* strip,
                  float* c, int64_t stride);

// Packs rows [K, n] into ceil(n / width) runs of [K][width]: the strips of B = rows (width
// kTileColumns), or the slabs of A = rows^T (width kTileRows).
void PackColumns(const ConstMatrixRef& rows, int64_t width, float* packed);

// Packs rows [n, K] into ceil(n / width) runs of [K][width]: the slabs of A = rows, or the strips
// of B = rows^T.
void PackRows(const ConstMatrixRef& rows, int64_t width, float* packed);

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_TILE_H_
