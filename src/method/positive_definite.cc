#include "method/positive_definite.h"

#include <algorithm>
#include <cassert>

#include "paroquant/base/parallel.h"

namespace paroquant::method {
namespace {

constexpr int64_t kBlock = 128;

int64_t Blocks(int64_t size) { return (size + kBlock - 1) / kBlock; }

// The parts of rows [first, first + count) below a diagonal block that is already factored.
void SolvePanel(MatrixD& matrix, int64_t start, int64_t size) {
  const int64_t below = start + size;
  const auto diagonal = matrix.block(start, start, size, size);
  ParallelFor(Blocks(matrix.rows() - below), [&](int64_t item) {
    const int64_t row = below + item * kBlock;
    auto part = matrix.block(row, start, std::min(kBlock, matrix.rows() - row), size);
    diagonal.triangularView<Eigen::Lower>().transpose().solveInPlace<Eigen::OnTheRight>(part);
  });
}

// Takes the panel's products out of all that lies to the right of it, block row by block row.
void UpdateRest(MatrixD& matrix, int64_t start, int64_t size) {
  const int64_t below = start + size;
  const int64_t blocks = Blocks(matrix.rows() - below);
  ParallelFor(blocks, [&](int64_t item) {
    const int64_t row = below + (blocks - 1 - item) * kBlock;  // the longest first
    const int64_t rows = std::min(kBlock, matrix.rows() - row);
    const int64_t columns = row + rows - below;
    matrix.block(row, below, rows, columns).noalias() -=
        matrix.block(row, start, rows, size) *
        matrix.block(below, start, columns, size).transpose();
  });
}

}  // namespace

void FactorLower(MatrixD& matrix) {
  for (int64_t start = 0; start < matrix.rows(); start += kBlock) {
    const int64_t size = std::min(kBlock, matrix.rows() - start);
    auto diagonal = matrix.block(start, start, size, size);
    const Eigen::LLT<MatrixD> factored(diagonal);
    assert(factored.info() == Eigen::Success);
    diagonal.triangularView<Eigen::Lower>() = factored.matrixL();
    SolvePanel(matrix, start, size);
    UpdateRest(matrix, start, size);
  }
}

void SolveRows(const MatrixD& lower, MatrixD& rows) {
  constexpr int64_t kRows = 128;
  ParallelFor((rows.rows() + kRows - 1) / kRows, [&](int64_t item) {
    const int64_t start = item * kRows;
    auto part = rows.middleRows(start, std::min(kRows, rows.rows() - start));
    lower.triangularView<Eigen::Lower>().transpose().solveInPlace<Eigen::OnTheRight>(part);
    lower.triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(part);
  });
}

}  // namespace paroquant::method
