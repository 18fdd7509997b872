#include <algorithm>
#include <array>

#include "linalg/tile.h"
#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"

namespace paroquant::linalg {
namespace {

// The longest sum in single precision.
constexpr int64_t kChunkTokens = 512;
// Rows of a task: together with a panel's strips they fit the second-level cache.
constexpr int64_t kRowsPerTask = 16 * kTileRows;

// The channels of a chunk of tokens as runs of kWidth, packed in parallel.
template <int64_t kWidth>
void PackChannels(const ConstMatrixRef& tokens, Vector& packed) {
  const int64_t runs = CeilDivide(tokens.cols(), kWidth);
  packed.resize(runs * kWidth * tokens.rows());
  ParallelFor(runs, [&](int64_t run) {
    const int64_t first = run * kWidth;
    PackColumns<kWidth>(tokens.middleCols(first, std::min(kWidth, tokens.cols() - first)),
                        packed.data() + first * tokens.rows());
  });
}

struct Chunk {
  int64_t tokens = 0;
  Vector slabs;   // of x^T
  Vector strips;  // of y
};

using Tile = std::array<float, static_cast<size_t>(kTileRows* kTileColumns)>;

// sum += the product's tile at (row, column), cut off at the edges of `sum`.
void AddTile(const Chunk& chunk, int64_t row, int64_t column, MatrixD& sum) {
  const int64_t rows = std::min(kTileRows, sum.rows() - row);
  const int64_t columns = std::min(kTileColumns, sum.cols() - column);
  Tile tile{};
  const kernels::Kernels& run = kernels::ActiveKernels();
  run.multiply_tile(rows, chunk.tokens, chunk.slabs.data() + row * chunk.tokens,
                    chunk.strips.data() + column * chunk.tokens, tile.data(), kTileColumns);
  run.add_tile(rows, columns, tile.data(), &sum(row, column), sum.outerStride());
}

enum class Part { kAll, kLower };

void AddChunk(const Chunk& chunk, Part part, MatrixD& sum) {
  const int64_t row_tasks = CeilDivide(sum.rows(), kRowsPerTask);
  const int64_t column_tasks = CeilDivide(sum.cols(), kPanelColumns);
  ParallelFor(row_tasks * column_tasks, [&](int64_t task) {
    const int64_t first_row = task / column_tasks * kRowsPerTask;
    const int64_t last_row = std::min(first_row + kRowsPerTask, sum.rows());
    const int64_t first_column = task % column_tasks * kPanelColumns;
    const int64_t last_column = std::min(first_column + kPanelColumns, sum.cols());
    for (int64_t row = first_row; row < last_row; row += kTileRows) {
      const int64_t end =
          part == Part::kLower ? std::min(row + kTileRows, last_column) : last_column;
      for (int64_t column = first_column; column < end; column += kTileColumns) {
        AddTile(chunk, row, column, sum);
      }
    }
  });
}

void AddTransposedProduct(const ConstMatrixRef& x, const ConstMatrixRef& y, Part part,
                          MatrixD& sum) {
  Chunk chunk;
  for (int64_t start = 0; start < x.rows(); start += kChunkTokens) {
    chunk.tokens = std::min(kChunkTokens, x.rows() - start);
    PackChannels<kTileRows>(x.middleRows(start, chunk.tokens), chunk.slabs);
    PackChannels<kTileColumns>(y.middleRows(start, chunk.tokens), chunk.strips);
    AddChunk(chunk, part, sum);
  }
}

}  // namespace

void AddCrossProduct(const ConstMatrixRef& x, const ConstMatrixRef& y, MatrixD& sum) {
  AddTransposedProduct(x, y, Part::kAll, sum);
}

void AddGram(const ConstMatrixRef& x, MatrixD& sum) {
  AddTransposedProduct(x, x, Part::kLower, sum);
}

}  // namespace paroquant::linalg
