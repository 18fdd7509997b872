#include "linalg/positive_definite.h"

#include <algorithm>
#include <cassert>

#include "linalg/double_product.h"
#include "linalg/tile.h"
#include "paroquant/base/parallel.h"

namespace paroquant::linalg {
namespace {

// Columns that are factored, or solved for, before the others learn of them; whole tiles.
constexpr int64_t kBlock = 192;
static_assert(kBlock % kTileRows == 0);

// rows of `matrix` [n, size] = rows D^-1 for a triangular D [size, size], in parallel.
template <typename Triangle, typename Rows>
void DivideBy(const Triangle& diagonal, Rows&& matrix) {
  ParallelFor(CeilDivide(matrix.rows(), kBlock), [&](int64_t item) {
    const int64_t row = item * kBlock;
    auto part = matrix.middleRows(row, std::min(kBlock, matrix.rows() - row));
    diagonal.template solveInPlace<Eigen::OnTheRight>(part);
  });
}

// Takes the products of a factored panel with itself out of all that lies to the right of it, block
// column by block column.
void UpdateRest(MatrixD& matrix, int64_t start, int64_t size) {
  const int64_t below = start + size;
  const int64_t rest = matrix.rows() - below;
  const Subtrahend panel(matrix.block(below, start, rest, size));
  ParallelFor(CeilDivide(rest, kBlock), [&](int64_t item) {
    const int64_t first = item * kBlock;  // the longest column first
    const int64_t column = below + first;
    const int64_t columns = std::min(kBlock, rest - first);
    panel.SubtractTransposed(first, matrix.block(column, start, columns, size),
                             matrix.block(column, column, rest - first, columns));
  });
}

// Calls update(column block, first row, row count) for some blocks of columns of `rows`, rows by
// rows, in parallel.
template <typename Update>
void ForEachPart(int64_t first_block, int64_t last_block, int64_t rows, const Update& update) {
  const int64_t chunks = CeilDivide(rows, kBlock);
  ParallelFor((last_block - first_block) * chunks, [&](int64_t item) {
    const int64_t row = item % chunks * kBlock;
    update(first_block + item / chunks, row, std::min(kBlock, rows - row));
  });
}

}  // namespace

void FactorLower(MatrixD& matrix) {
  for (int64_t start = 0; start < matrix.rows(); start += kBlock) {
    const int64_t size = std::min(kBlock, matrix.rows() - start);
    const int64_t below = start + size;
    auto diagonal = matrix.block(start, start, size, size);
    const Eigen::LLT<MatrixD> factored(diagonal);
    assert(factored.info() == Eigen::Success);
    diagonal.triangularView<Eigen::Lower>() = factored.matrixL();
    DivideBy(diagonal.transpose().triangularView<Eigen::Upper>(),
             matrix.block(below, start, matrix.rows() - below, size));
    UpdateRest(matrix, start, size);
  }
}

// Forwards through rows = x L^T, then back through x = y L.
void SolveRows(const MatrixD& lower, MatrixD& rows) {
  const int64_t channels = lower.rows();
  const int64_t blocks = CeilDivide(channels, kBlock);
  const auto size_of = [&](int64_t block) { return std::min(kBlock, channels - block * kBlock); };
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t start = i * kBlock;
    auto solved = rows.middleCols(start, size_of(i));
    const auto diagonal = lower.block(start, start, size_of(i), size_of(i));
    DivideBy(diagonal.transpose().triangularView<Eigen::Upper>(), solved);
    const Subtrahend known(solved);
    ForEachPart(i + 1, blocks, rows.rows(), [&](int64_t j, int64_t row, int64_t count) {
      known.SubtractTransposed(row, lower.block(j * kBlock, start, size_of(j), size_of(i)),
                               rows.block(row, j * kBlock, count, size_of(j)));
    });
  }
  for (int64_t i = blocks - 1; i >= 0; --i) {
    const int64_t start = i * kBlock;
    auto solved = rows.middleCols(start, size_of(i));
    const auto diagonal = lower.block(start, start, size_of(i), size_of(i));
    DivideBy(diagonal.triangularView<Eigen::Lower>(), solved);
    const Subtrahend known(solved);
    ForEachPart(0, i, rows.rows(), [&](int64_t j, int64_t row, int64_t count) {
      known.Subtract(row, lower.block(start, j * kBlock, size_of(i), kBlock),
                     rows.block(row, j * kBlock, count, kBlock));
    });
  }
}

}  // namespace paroquant::linalg
