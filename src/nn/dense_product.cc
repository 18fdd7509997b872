#include "paroquant/nn/dense_product.h"

#include <algorithm>
#include <cassert>

#include "paroquant/base/parallel.h"

namespace paroquant::nn {
namespace {

// A tile of the result: large enough for Eigen's products to reach their speed, small enough to
// leave work for every thread.
constexpr int64_t kTileRows = 256;
constexpr int64_t kTileColumns = 256;

// Calls body(row, rows, column, columns) for the tiles of a matrix.
template <typename Body>
void ForEachTile(int64_t rows, int64_t columns, const Body& body) {
  const int64_t across = (columns + kTileColumns - 1) / kTileColumns;
  const int64_t down = (rows + kTileRows - 1) / kTileRows;
  ParallelFor(across * down, [&](int64_t tile) {
    const int64_t row = tile / across * kTileRows;
    const int64_t column = tile % across * kTileColumns;
    body(row, std::min(kTileRows, rows - row), column, std::min(kTileColumns, columns - column));
  });
}

}  // namespace

void MultiplyDense(ConstMatrixRef input, ConstMatrixRef weight, MatrixRef output) {
  assert(input.cols() == weight.rows() && output.cols() == weight.cols());
  ForEachTile(output.rows(), output.cols(),
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
                output.block(row, column, rows, columns).noalias() =
                    input.middleRows(row, rows) * weight.middleCols(column, columns);
              });
}

void MultiplyDenseTransposed(ConstMatrixRef output_gradient, ConstMatrixRef weight,
                             MatrixRef input_gradient) {
  assert(output_gradient.cols() == weight.cols() && input_gradient.cols() == weight.rows());
  ForEachTile(input_gradient.rows(), input_gradient.cols(),
              [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
                input_gradient.block(row, column, rows, columns).noalias() =
                    output_gradient.middleRows(row, rows) *
                    weight.middleRows(column, columns).transpose();
              });
}

void AddOuterProducts(ConstMatrixRef input, ConstMatrixRef output_gradient, MatrixRef sum) {
  assert(input.rows() == output_gradient.rows());
  ForEachTile(
      sum.rows(), sum.cols(), [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
        sum.block(row, column, rows, columns).noalias() +=
            input.middleCols(row, rows).transpose() * output_gradient.middleCols(column, columns);
      });
}

}  // namespace paroquant::nn
