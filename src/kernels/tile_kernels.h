// Tiles of matrix products and the packing of their operands. Internal to kernels.cc.
#ifndef PAROQUANT_KERNELS_TILE_KERNELS_H_
#define PAROQUANT_KERNELS_TILE_KERNELS_H_

#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace paroquant::kernels {
namespace {

// The part of a tile whose sums fill the registers, beside two vectors of B and an element of A:
// all of it with 32 registers, a quarter with 16.
inline constexpr int kBlockRows = kSimdFloats == 16 ? 12 : kSimdFloats == 8 ? 6 : 4;

// Numbers in a vector, and columns of a strip of B.
template <typename Vector, typename Element>
inline constexpr int kLanes = static_cast<int>(sizeof(Vector) / sizeof(Element));
template <typename Element>
inline constexpr int64_t kStripColumns = kTileColumns* static_cast<int64_t>(sizeof(float)) /
                                         static_cast<int64_t>(sizeof(Element));
static_assert(kStripColumns<double> == kDoubleTileColumns);

// The loops over rows must be unrolled: only then do the sums live in registers.
template <typename Vector, typename Element, int kRows>
void MultiplyBlock(int64_t k, const Element* slab, const Element* strip, Element* c,
                   int64_t stride) {
  constexpr int kWidth = kLanes<Vector, Element>;
  Vector left[kRows] = {};
  Vector right[kRows] = {};
  // C is far away: its lines arrive while the sums are made.
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    __builtin_prefetch(c + row * stride, 1);
    __builtin_prefetch(c + row * stride + 2 * kWidth - 1, 1);
  }
  for (int64_t i = 0; i < k; ++i) {
    const Vector b_left = Load<Vector>(strip);
    const Vector b_right = Load<Vector>(strip + kWidth);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      left[row] += slab[row] * b_left;
      right[row] += slab[row] * b_right;
    }
    slab += kTileRows;
    strip += kStripColumns<Element>;
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    Store(Load<Vector>(c) + left[row], c);
    Store(Load<Vector>(c + kWidth) + right[row], c + kWidth);
    c += stride;
  }
}

// The last rows of a slab, fewer than a block.
template <typename Vector, typename Element, int kRows>
void MultiplyLast(int64_t rows, int64_t k, const Element* slab, const Element* strip, Element* c,
                  int64_t stride) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      MultiplyBlock<Vector, Element, kRows>(k, slab, strip, c, stride);
    } else {
      MultiplyLast<Vector, Element, kRows - 1>(rows, k, slab, strip, c, stride);
    }
  }
}

template <typename Vector, typename Element>
void MultiplyTile(int64_t rows, int64_t k, const Element* slab, const Element* strip, Element* c,
                  int64_t stride) {
  constexpr int64_t kBlockColumns = 2 * kLanes<Vector, Element>;
  for (int64_t column = 0; column < kStripColumns<Element>; column += kBlockColumns) {
    int64_t row = 0;
    for (; row + kBlockRows <= rows; row += kBlockRows) {
      MultiplyBlock<Vector, Element, kBlockRows>(k, slab + row, strip + column,
                                                 c + row * stride + column, stride);
    }
    MultiplyLast<Vector, Element, kBlockRows - 1>(rows - row, k, slab + row, strip + column,
                                                  c + row * stride + column, stride);
  }
}

using Quad = float __attribute__((vector_size(16)));

// Four rows side by side: 4 x 4 numbers change places in registers.
inline void InterleaveFour(const float* rows, int64_t stride, int64_t depth, int64_t width,
                           float* packed) {
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4) {
    const Quad a = Load<Quad>(rows + k);
    const Quad b = Load<Quad>(rows + stride + k);
    const Quad c = Load<Quad>(rows + 2 * stride + k);
    const Quad d = Load<Quad>(rows + 3 * stride + k);
    const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const Quad columns[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                             __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                             __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                             __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < 4; ++i) {
      __builtin_memcpy(packed + (k + i) * width, &columns[i], sizeof(Quad));
    }
  }
  for (; k < depth; ++k) {
    for (int i = 0; i < 4; ++i) packed[k * width + i] = rows[i * stride + k];
  }
}

inline void InterleaveRows(const float* rows, int64_t stride, int64_t depth, int64_t width,
                           float* packed) {
  for (int64_t row = 0; row < width; row += 4) {
    InterleaveFour(rows + row * stride, stride, depth, width, packed + row);
  }
}

inline void AddTile(int64_t rows, int64_t columns, const float* tile, double* sum, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      sum[column] += static_cast<double>(tile[column]);
    }
    tile += kTileColumns;
    sum += stride;
  }
}

inline double Saturate(int64_t steps) {
  constexpr int kChains = 12;  // hides the latency of any multiply-add unit
  const SimdFloat factor = SimdFloat{} + 0.999F;
  SimdFloat sums[kChains];
  for (SimdFloat& sum : sums) {  // equal chains would be computed once
    sum = factor;
    __asm__ volatile("" : "+m"(sum));
  }
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
    for (int chain = 0; chain < kChains; ++chain) sums[chain] = sums[chain] * factor + factor;
  }
  for (SimdFloat& sum : sums) __asm__ volatile("" : "+m"(sum));
  return 2.0 * kChains * kSimdFloats * static_cast<double>(steps);
}

}  // namespace
}  // namespace paroquant::kernels

#endif  // PAROQUANT_KERNELS_TILE_KERNELS_H_
