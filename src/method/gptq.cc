#include "method/gptq.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "method/code_descent.h"
#include "method/group_grids.h"
#include "method/row_feedback.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/affine.h"

namespace paroquant::method {
namespace {

// Rows that one item of work rounds together. More rows read the feedback's panels less often,
// fewer leave work for more threads.
constexpr int64_t kChunkRows = 64;
// Of a layer, or a part of one, that has few.
constexpr int64_t kFewRows = 8;

int64_t ChunkRows(int64_t rows) { return rows < kChunkRows ? kFewRows : kChunkRows; }

// Rounds some rows of the layer, group after group.
class ChunkRounder {
 public:
  ChunkRounder(const Matrix& channels, int64_t first_row, const ErrorFeedback& feedback,
               GridRule grid, quant::QuantizedLinear& linear)
      : channels_(channels),
        first_row_(first_row),
        rows_(std::min(ChunkRows(channels.cols()), channels.cols() - first_row)),
        feedback_(feedback),
        grid_(grid),
        linear_(linear),
        errors_(channels.rows(), rows_) {}

  void Run() {
    const auto groups = static_cast<int64_t>(feedback_.panels.size());
    for (int64_t group = 0; group < groups; ++group) RoundGroup(group);
  }

 private:
  void RoundGroup(int64_t group) {
    const int64_t size = feedback_.group_size;
    const int64_t base = group * size;
    Matrix wanted(size, rows_);
    for (int64_t i = 0; i < size; ++i) {
      wanted.row(i) = channels_.row(Channel(base + i)).segment(first_row_, rows_);
    }
    Matrix compensated = wanted;
    if (group > 0) {
      compensated.noalias() +=
          feedback_.panels[static_cast<size_t>(group)].transpose() * errors_.topRows(base);
    }
    const Matrix costs = feedback_.importance.segment(base, size);
    const quant::RowGrids grids = FindGrids(grid_, compensated, costs, linear_.bits);
    StoreGrids(grids, Channel(base) / size, first_row_, linear_);
    errors_.middleRows(base, size) = wanted - RoundChannels(base, compensated, grids);
  }

  // The rounded values of a group, [g, rows]; the codes go to the layer.
  Matrix RoundChannels(int64_t base, const Matrix& compensated, const quant::RowGrids& grids) {
    const Matrix& inner = feedback_.inner[static_cast<size_t>(base / feedback_.group_size)];
    const auto scales = grids.scales.transpose().array();
    const auto zeros = grids.zeros.transpose().array();
    Matrix values(compensated.rows(), rows_);
    Matrix errors(compensated.rows(), rows_);
    Eigen::RowVectorXf weight(rows_);
    for (Eigen::Index i = 0; i < compensated.rows(); ++i) {
      weight = compensated.row(i);
      weight.noalias() += inner.col(i).head(i).transpose() * errors.topRows(i);
      const auto codes = NearestCodes(weight, grids, linear_.bits);
      values.row(i) = (codes - zeros) * scales;
      errors.row(i) = compensated.row(i) - values.row(i);
      StoreCodes(codes, Channel(base + i), first_row_, linear_);
    }
    return values;
  }

  int64_t Channel(int64_t number) const { return feedback_.order[static_cast<size_t>(number)]; }

  const Matrix& channels_;
  const int64_t first_row_;
  const int64_t rows_;
  const ErrorFeedback& feedback_;
  const GridRule grid_;
  quant::QuantizedLinear& linear_;
  Matrix errors_;  // [K, rows] in the order of rounding: W - W_hat of what is done
};

}  // namespace

void RoundWithFeedback(const Matrix& channels, const ErrorFeedback& feedback, GridRule grid,
                       quant::QuantizedLinear& linear) {
  const int64_t rows = ChunkRows(channels.cols());
  ParallelFor((channels.cols() + rows - 1) / rows, [&](int64_t chunk) {
    ChunkRounder(channels, chunk * rows, feedback, grid, linear).Run();
  });
}

quant::QuantizedLinear QuantizeInBasis(const LinearProblem& problem, Basis basis, int bits,
                                       double damping, GridRule grid, int descent_passes) {
  assert(problem.statistics->channels() == problem.target.cols());
  MatrixD moment = DampedMoment(*problem.statistics, basis, damping);
  const ErrorFeedback feedback = FactorMoment(moment, basis.rotation.group_size);
  if (descent_passes == 0) moment.resize(0, 0);  // K x K: not to be held while rows are rounded
  const Matrix rotated = RotatedChannels(problem.target, basis);
  quant::QuantizedLinear linear = EmptyLinear(problem.target.rows(), std::move(basis), bits);
  const auto round = [&](const Matrix& channels, quant::QuantizedLinear& rows) {
    RoundWithFeedback(channels, feedback, grid, rows);
  };
  if (problem.output_moment == nullptr) {
    round(rotated, linear);
  } else {
    RoundWithRowFeedback(rotated, *problem.output_moment, round, linear);
  }
  if (descent_passes > 0) {
    DescendCodes(rotated, moment, problem.output_moment, descent_passes, linear);
  }
  return linear;
}

}  // namespace paroquant::method
