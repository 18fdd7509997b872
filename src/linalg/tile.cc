#include "linalg/tile.h"

#include <algorithm>

namespace paroquant::linalg {
namespace {

// Some of the rows of a run, zeros in place of the others.
void InterleaveSome(const float* rows, int64_t count, int64_t stride, int64_t depth, int64_t width,
                    float* packed) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t row = 0; row < count; ++row) packed[row] = rows[row * stride + k];
    std::fill_n(packed + count, width - count, 0.0F);
    packed += width;
  }
}

}  // namespace

template <int64_t kWidth>
void PackColumns(const ConstMatrixRef& rows, float* packed) {
  for (int64_t first = 0; first < rows.cols(); first += kWidth) {
    const int64_t count = std::min(kWidth, rows.cols() - first);
    const float* source = rows.data() + first;
    for (int64_t k = 0; k < rows.rows(); ++k) {
      if (count == kWidth) {
        std::copy_n(source, kWidth, packed);
      } else {
        std::copy_n(source, count, packed);
        std::fill_n(packed + count, kWidth - count, 0.0F);
      }
      source += rows.outerStride();
      packed += kWidth;
    }
  }
}

template <int64_t kWidth>
void PackRows(const ConstMatrixRef& rows, float* packed) {
  if (rows.size() == 0) return;  // there may be no memory to point into
  const int64_t stride = rows.outerStride();
  for (int64_t first = 0; first < rows.rows(); first += kWidth) {
    const float* source = rows.data() + first * stride;
    if (first + kWidth <= rows.rows()) {
      kernels::ActiveKernels().interleave_rows(source, stride, rows.cols(), kWidth, packed);
    } else {
      InterleaveSome(source, rows.rows() - first, stride, rows.cols(), kWidth, packed);
    }
    packed += rows.cols() * kWidth;
  }
}

template void PackColumns<kTileRows>(const ConstMatrixRef& rows, float* packed);
template void PackColumns<kTileColumns>(const ConstMatrixRef& rows, float* packed);
template void PackRows<kTileRows>(const ConstMatrixRef& rows, float* packed);
template void PackRows<kTileColumns>(const ConstMatrixRef& rows, float* packed);

}  // namespace paroquant::linalg
