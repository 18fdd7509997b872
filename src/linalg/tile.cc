#include "linalg/tile.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace paroquant::linalg {
namespace {

// The loops over rows must be unrolled: only then do the sums live in registers.
template <int Rows>
void MultiplyRows(int64_t k, const float* slab, const float* strip, float* c, int64_t stride) {
  SimdFloat left[Rows] = {};
  SimdFloat right[Rows] = {};
  for (int64_t i = 0; i < k; ++i) {
    const SimdFloat b_left = LoadFloats(strip);
    const SimdFloat b_right = LoadFloats(strip + kSimdFloats);
#pragma GCC unroll 16
    for (int row = 0; row < Rows; ++row) {
      left[row] += slab[row] * b_left;
      right[row] += slab[row] * b_right;
    }
    slab += kTileRows;
    strip += kTileColumns;
  }
#pragma GCC unroll 16
  for (int row = 0; row < Rows; ++row) {
    StoreFloats(LoadFloats(c) + left[row], c);
    StoreFloats(LoadFloats(c + kSimdFloats) + right[row], c + kSimdFloats);
    c += stride;
  }
}

using RowsKernel = void (*)(int64_t, const float*, const float*, float*, int64_t);

template <int... Index>
constexpr std::array<RowsKernel, sizeof...(Index)> MakeKernels(
    std::integer_sequence<int, Index...>) {
  return {&MultiplyRows<Index + 1>...};
}

// kKernels[rows - 1]
constexpr auto kKernels = MakeKernels(std::make_integer_sequence<int, kTileRows>());

// Transposes `Width` rows of `depth` floats, `stride` apart: the writes run through, the reads are
// as many streams as the caches can follow.
template <int64_t Width>
void Interleave(const float* rows, int64_t stride, int64_t depth, float* packed) {
  for (int64_t k = 0; k < depth; ++k) {
#pragma GCC unroll 32
    for (int64_t row = 0; row < Width; ++row) packed[row] = rows[row * stride + k];
    packed += Width;
  }
}

// The same for fewer rows, zeros in place of the others.
void InterleaveSome(const float* rows, int64_t count, int64_t stride, int64_t depth, int64_t width,
                    float* packed) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t row = 0; row < count; ++row) packed[row] = rows[row * stride + k];
    std::fill_n(packed + count, width - count, 0.0F);
    packed += width;
  }
}

}  // namespace

void MultiplyTile(int64_t rows, int64_t k, const float* slab, const float* strip, float* c,
                  int64_t stride) {
  assert(rows > 0 && rows <= kTileRows);
  kKernels[static_cast<size_t>(rows - 1)](k, slab, strip, c, stride);
}

void MultiplyTile(int64_t rows, int64_t columns, int64_t k, const float* slab, const float* strip,
                  float* c, int64_t stride) {
  if (columns == kTileColumns) {
    MultiplyTile(rows, k, slab, strip, c, stride);
    return;
  }
  std::array<float, static_cast<size_t>(kTileRows * kTileColumns)> tile{};
  MultiplyTile(rows, k, slab, strip, tile.data(), kTileColumns);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      c[row * stride + column] += tile[static_cast<size_t>(row * kTileColumns + column)];
    }
  }
}

void PackColumns(const ConstMatrixRef& rows, int64_t width, float* packed) {
  for (int64_t first = 0; first < rows.cols(); first += width) {
    const int64_t count = std::min(width, rows.cols() - first);
    for (int64_t k = 0; k < rows.rows(); ++k) {
      const float* source = rows.data() + k * rows.outerStride() + first;
      std::copy_n(source, count, packed);
      std::fill_n(packed + count, width - count, 0.0F);
      packed += width;
    }
  }
}

void PackRows(const ConstMatrixRef& rows, int64_t width, float* packed) {
  const int64_t stride = rows.outerStride();
  for (int64_t first = 0; first < rows.rows(); first += width) {
    const float* source = rows.data() + first * stride;
    if (first + width > rows.rows()) {
      InterleaveSome(source, rows.rows() - first, stride, rows.cols(), width, packed);
    } else if (width == kTileRows) {
      Interleave<kTileRows>(source, stride, rows.cols(), packed);
    } else {
      assert(width == kTileColumns);
      Interleave<kTileColumns>(source, stride, rows.cols(), packed);
    }
    packed += rows.cols() * width;
  }
}

}  // namespace paroquant::linalg
