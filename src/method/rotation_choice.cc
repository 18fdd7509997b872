#include "method/rotation_choice.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "method/error_feedback.h"
#include "method/hadamard_rotation.h"
#include "method/pairwise_rotation.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {
namespace {

// The block of group `number` in the order of rounding, its channels in their own order.
MatrixD DiagonalBlock(const ErrorFeedback& feedback, int64_t number) {
  const int64_t size = feedback.group_size;
  const int64_t first = number * size;
  const VectorD pivots = feedback.importance.segment(first, size).cast<double>().cwiseSqrt();
  const MatrixD factor =
      feedback.inner[static_cast<size_t>(number)].cast<double>() * pivots.asDiagonal();
  const MatrixD ordered = factor * factor.transpose();
  MatrixD block(size, size);
  const auto channel = [&](int64_t i) {
    return feedback.order[static_cast<size_t>(first + i)] % size;
  };
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) block(channel(i), channel(j)) = ordered(i, j);
  }
  return block;
}

double RotatedLogError(const quant::Rotation& rotation, const Matrix& channels,
                       const MatrixD& block) {
  Matrix rotated(channels.rows(), channels.cols());
  quant::PreparedRotation<float>(rotation).RotateChannels(channels, nullptr, rotated);
  MatrixD moment(block.rows(), block.cols());
  const quant::PreparedRotation<double> prepared(rotation);
  prepared.RotateRows(block, nullptr, moment);
  prepared.RotateChannels(moment, nullptr, moment);
  return ExpectedLogError(rotated, moment);
}

quant::Rotation ChooseForGroup(const Matrix& channels, const MatrixD& block, int rounds) {
  const auto size = static_cast<int>(channels.rows());
  std::array<quant::Rotation, 3> candidates = {quant::IdentityRotation(size, size, rounds),
                                               HadamardRotation(size, size, rounds),
                                               FindGroupRotation(channels, rounds)};
  quant::Rotation* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (quant::Rotation& candidate : candidates) {
    const double error = RotatedLogError(candidate, channels, block);
    if (best != nullptr && !(error < least)) continue;
    best = &candidate;
    least = error;
  }
  return std::move(*best);
}

}  // namespace

double ExpectedLogError(const Matrix& channels, const MatrixD& block) {
  const ErrorFeedback feedback = FactorMoment(block, static_cast<int>(block.rows()));
  const double costs = feedback.importance.cast<double>().sum();
  const double greatest = channels.cwiseAbs().maxCoeff();
  if (greatest == 0) return -std::numeric_limits<double>::infinity();
  double sum = 0;  // of |w / greatest|_4^2
  for (Eigen::Index row = 0; row < channels.cols(); ++row) {
    const auto weights = channels.col(row).array().cast<double>() / greatest;
    sum += std::sqrt(weights.square().square().sum());
  }
  const double mean = sum / static_cast<double>(channels.cols());
  return std::log(costs) + std::log(mean) + 2 * std::log(greatest);
}

quant::Rotation ChooseRotation(const Matrix& channels, const MatrixD& moment, int group_size,
                               int rounds) {
  const ErrorFeedback feedback = FactorMoment(moment, group_size);
  std::vector<quant::Rotation> groups(static_cast<size_t>(channels.rows() / group_size));
  ParallelFor(static_cast<int64_t>(groups.size()), [&](int64_t number) {
    const int64_t group = feedback.order[static_cast<size_t>(number * group_size)] / group_size;
    groups[static_cast<size_t>(group)] =
        ChooseForGroup(channels.middleRows(group * group_size, group_size),
                       DiagonalBlock(feedback, number), rounds);
  });
  return JoinGroups(groups);
}

}  // namespace paroquant::method
