#include "method/round_to_nearest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "method/group_grids.h"
#include "paroquant/base/parallel.h"

namespace paroquant::method {
namespace {

// Rows of a group that are rounded together.
constexpr int64_t kRowsPerChunk = 64;

// What errors in the channels of each group cost: the diagonal blocks of the inputs' second moment
// in the basis; nothing for grids that look at no inputs.
std::vector<Matrix> GroupCosts(const LinearProblem& problem, const Basis& basis, GridChoice grid) {
  const int64_t size = basis.rotation.group_size;
  const auto groups = static_cast<size_t>(basis.rotation.channels / size);
  if (grid == GridChoice::kMinMax) return std::vector<Matrix>(groups);
  MatrixD moment = problem.statistics->Moment(0);
  TransformMoment(basis, moment);
  std::vector<Matrix> costs;
  for (int64_t base = 0; base < moment.rows(); base += size) {
    costs.push_back(moment.block(base, base, size, size).cast<float>());
  }
  return costs;
}

}  // namespace

quant::QuantizedLinear RoundToNearest(const LinearProblem& problem, Basis basis, int bits,
                                      GridRule grid) {
  const Matrix channels = RotatedChannels(problem.target, basis);
  const std::vector<Matrix> costs = GroupCosts(problem, basis, grid.choice);

  quant::QuantizedLinear linear = EmptyLinear(problem.target.rows(), std::move(basis), bits);
  const int64_t size = linear.group_size;
  const int64_t chunks = (linear.out_features + kRowsPerChunk - 1) / kRowsPerChunk;
  ParallelFor(linear.in_features / size * chunks, [&](int64_t task) {
    const int64_t base = task / chunks * size;
    const int64_t first_row = task % chunks * kRowsPerChunk;
    const int64_t rows = std::min(kRowsPerChunk, linear.out_features - first_row);
    const auto weights = channels.block(base, first_row, size, rows);
    const quant::RowGrids grids =
        FindGrids(grid, weights, costs[static_cast<size_t>(base / size)], bits);
    StoreGrids(grids, base / size, first_row, linear);
    for (int64_t i = 0; i < size; ++i) {
      StoreCodes(NearestCodes(weights.row(i), grids, bits), base + i, first_row, linear);
    }
  });
  return linear;
}

}  // namespace paroquant::method
