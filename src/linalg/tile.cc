#include "paroquant/linalg/tile.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace paroquant::linalg {
namespace {

const UnalignedSimdFloat& Load(const float* from) {
  return *reinterpret_cast<const UnalignedSimdFloat*>(from);
}
UnalignedSimdFloat& Store(float* to) { return *reinterpret_cast<UnalignedSimdFloat*>(to); }

// The loops over rows must be unrolled: only then do the sums live in registers.
template <int Rows>
void MultiplyRows(int64_t k, const float* slab, const float* strip, float* c, int64_t stride) {
  SimdFloat left[Rows] = {};
  SimdFloat right[Rows] = {};
  for (int64_t i = 0; i < k; ++i) {
    const SimdFloat b_left = Load(strip);
    const SimdFloat b_right = Load(strip + kSimdFloats);
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
    Store(c) += left[row];
    Store(c + kSimdFloats) += right[row];
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

// Square blocks are transposed at a time, so that both sides stay in the cache.
constexpr int64_t kPackDepth = 16;

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
  const int64_t depth = rows.cols();
  for (int64_t first = 0; first < rows.rows(); first += width) {
    const int64_t count = std::min(width, rows.rows() - first);
    for (int64_t begin = 0; begin < depth; begin += kPackDepth) {
      const int64_t end = std::min(begin + kPackDepth, depth);
      for (int64_t row = 0; row < count; ++row) {
        const float* source = rows.data() + (first + row) * rows.outerStride();
        for (int64_t k = begin; k < end; ++k) packed[k * width + row] = source[k];
      }
      for (int64_t k = begin; k < end; ++k) {
        std::fill_n(packed + k * width + count, width - count, 0.0F);
      }
    }
    packed += depth * width;
  }
}

}  // namespace paroquant::linalg
