#include "linalg/double_product.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "kernels/kernels.h"
#include "linalg/tile.h"
#include "paroquant/base/parallel.h"

namespace paroquant::linalg {
namespace {

using kernels::kDoubleTileColumns;

// Rows [first, first + width) of `rows` [n, K], as many as there are, times `factor`, interleaved
// to [K][width]; zeros in place of the others.
template <typename Rows>
void PackRun(const Rows& rows, int64_t first, int64_t width, double factor, double* packed) {
  const int64_t count = std::min(width, rows.rows() - first);
  Eigen::Map<MatrixD> run(packed, rows.cols(), width);
  run.leftCols(count) = factor * rows.middleRows(first, count).transpose();
  run.rightCols(width - count).setZero();
}

// All strips of b^T, in memory that the next call on this thread uses again.
template <typename Rows>
const double* PackStrips(const Rows& b) {
  thread_local VectorD strips;
  const int64_t count = CeilDivide(b.rows(), kDoubleTileColumns);
  const int64_t size = kDoubleTileColumns * b.cols();
  if (strips.size() < count * size) strips.resize(count * size);
  for (int64_t i = 0; i < count; ++i) {
    PackRun(b, i * kDoubleTileColumns, kDoubleTileColumns, 1.0, strips.data() + i * size);
  }
  return strips.data();
}

}  // namespace

Subtrahend::Subtrahend(const ConstMatrixDRef& a)
    : depth_(a.cols()), slabs_(CeilDivide(a.rows(), kTileRows) * kTileRows * a.cols()) {
  ParallelFor(CeilDivide(a.rows(), kTileRows), [&](int64_t slab) {
    const int64_t first = slab * kTileRows;
    PackRun(a, first, kTileRows, -1.0, slabs_.data() + first * depth_);
  });
}

void Subtrahend::SubtractStrips(int64_t first, const double* strips, MatrixDRef& c) const {
  assert(first % kTileRows == 0);
  const auto multiply = kernels::ActiveKernels().multiply_double_tile;
  std::array<double, static_cast<size_t>(kTileRows * kDoubleTileColumns)> tile{};
  for (int64_t row = 0; row < c.rows(); row += kTileRows) {
    const int64_t rows = std::min(kTileRows, c.rows() - row);
    const double* slab = slabs_.data() + (first + row) * depth_;
    for (int64_t column = 0; column < c.cols(); column += kDoubleTileColumns) {
      const double* strip = strips + column * depth_;
      const int64_t columns = std::min(kDoubleTileColumns, c.cols() - column);
      if (columns == kDoubleTileColumns) {
        multiply(rows, depth_, slab, strip, &c(row, column), c.outerStride());
        continue;
      }
      auto part = c.block(row, column, rows, columns);
      Eigen::Map<MatrixD> whole(tile.data(), rows, kDoubleTileColumns);
      whole.leftCols(columns) = part;
      multiply(rows, depth_, slab, strip, tile.data(), kDoubleTileColumns);
      part = whole.leftCols(columns);
    }
  }
}

void Subtrahend::Subtract(int64_t first, const ConstMatrixDRef& b, MatrixDRef c) const {
  SubtractStrips(first, PackStrips(b.transpose()), c);
}

void Subtrahend::SubtractTransposed(int64_t first, const ConstMatrixDRef& b, MatrixDRef c) const {
  SubtractStrips(first, PackStrips(b), c);
}

}  // namespace paroquant::linalg
