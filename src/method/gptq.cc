#include "method/gptq.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "method/row_feedback.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/rotation.h"

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
               quant::QuantizedLinear& linear)
      : channels_(channels),
        first_row_(first_row),
        rows_(std::min(ChunkRows(channels.cols()), channels.cols() - first_row)),
        feedback_(feedback),
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
    const std::span importance(feedback_.importance.data() + base, static_cast<size_t>(size));
    const quant::RowGrids grids = quant::SearchGrids(compensated, importance, linear_.bits);
    StoreGrids(Channel(base) / size, grids);
    errors_.middleRows(base, size) = wanted - RoundChannels(base, compensated, grids);
  }

  // The rounded values of a group, [g, rows]; the codes go to the layer.
  Matrix RoundChannels(int64_t base, const Matrix& compensated, const quant::RowGrids& grids) {
    const Matrix& inner = feedback_.inner[static_cast<size_t>(base / feedback_.group_size)];
    const auto scales = grids.scales.transpose().array();
    const auto zeros = grids.zeros.transpose().array();
    const auto max_code = static_cast<float>(quant::MaxCode(linear_.bits));
    Matrix values(compensated.rows(), rows_);
    Matrix errors(compensated.rows(), rows_);
    Eigen::RowVectorXf weight(rows_);
    for (Eigen::Index i = 0; i < compensated.rows(); ++i) {
      weight = compensated.row(i);
      weight.noalias() += inner.col(i).head(i).transpose() * errors.topRows(i);
      const Eigen::Array<float, 1, Eigen::Dynamic> codes =
          ((weight.array() / scales).rint() + zeros).max(0.0F).min(max_code);
      values.row(i) = (codes - zeros) * scales;
      errors.row(i) = compensated.row(i) - values.row(i);
      for (int64_t row = 0; row < rows_; ++row) {
        linear_
            .codes[static_cast<size_t>((first_row_ + row) * channels_.rows() + Channel(base + i))] =
            static_cast<uint8_t>(codes[row]);
      }
    }
    return values;
  }

  void StoreGrids(int64_t group, const quant::RowGrids& grids) {
    const auto groups = static_cast<int64_t>(feedback_.panels.size());
    for (int64_t row = 0; row < rows_; ++row) {
      const auto index = static_cast<size_t>((first_row_ + row) * groups + group);
      linear_.scales[index] = FloatToHalf(grids.scales[row]);
      linear_.zeros[index] = static_cast<uint8_t>(grids.zeros[row]);
    }
  }

  int64_t Channel(int64_t number) const { return feedback_.order[static_cast<size_t>(number)]; }

  const Matrix& channels_;
  const int64_t first_row_;
  const int64_t rows_;
  const ErrorFeedback& feedback_;
  quant::QuantizedLinear& linear_;
  Matrix errors_;  // [K, rows] in the order of rounding: W - W_hat of what is done
};

}  // namespace

void RoundWithFeedback(const Matrix& channels, const ErrorFeedback& feedback,
                       quant::QuantizedLinear& linear) {
  const int64_t rows = ChunkRows(channels.cols());
  ParallelFor((channels.cols() + rows - 1) / rows,
              [&](int64_t chunk) { ChunkRounder(channels, chunk * rows, feedback, linear).Run(); });
}

quant::QuantizedLinear QuantizeInBasis(const LinearProblem& problem, Basis basis, int bits,
                                       double damping) {
  assert(problem.statistics->channels() == problem.target.cols());
  MatrixD moment = problem.statistics->DampedMoment(damping);
  TransformMoment(basis, moment);
  const ErrorFeedback feedback = FactorMoment(moment, basis.rotation.group_size);
  moment.resize(0, 0);

  Matrix rotated = ScaledChannels(problem.target, ColumnScales(basis.channel_scales));
  quant::PreparedRotation<float>(basis.rotation).RotateChannels(rotated, nullptr, rotated);

  quant::QuantizedLinear linear = EmptyLinear(problem.target.rows(), std::move(basis), bits);
  if (problem.output_moment == nullptr) {
    RoundWithFeedback(rotated, feedback, linear);
    return linear;
  }
  const auto round = [&](const Matrix& channels, quant::QuantizedLinear& rows) {
    RoundWithFeedback(channels, feedback, rows);
  };
  RoundWithRowFeedback(rotated, *problem.output_moment, round, linear);
  return linear;
}

}  // namespace paroquant::method
