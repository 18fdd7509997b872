#include "method/column_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "method/round_to_nearest.h"
#include "paroquant/base/half.h"
#include "paroquant/method/output_error.h"

namespace paroquant::method {
namespace {

constexpr double kMaxLogScale = 5;
// Of channels that have no scale of their own.
constexpr double kNone = std::numeric_limits<double>::infinity();

VectorD ColumnNorms(const ConstMatrixRef& weight) {
  VectorD squares = VectorD::Zero(weight.cols());
  for (Eigen::Index row = 0; row < weight.rows(); ++row) {
    squares += weight.row(row).transpose().cast<double>().cwiseAbs2();
  }
  return squares.cwiseSqrt();
}

// The mean over rows of |w| in units of the greatest of its group, [K].
VectorD RelativeMagnitudes(const ConstMatrixRef& weight, int group_size) {
  VectorD sums = VectorD::Zero(weight.cols());
  for (Eigen::Index row = 0; row < weight.rows(); ++row) {
    for (Eigen::Index base = 0; base < weight.cols(); base += group_size) {
      const VectorD group =
          weight.row(row).segment(base, group_size).transpose().cwiseAbs().cast<double>();
      const double greatest = group.maxCoeff();
      if (greatest > 0) sums.segment(base, group_size) += group / greatest;
    }
  }
  return sums / static_cast<double>(weight.rows());
}

// The mean of the logarithms that are not kNone.
double Mean(const Eigen::Ref<const VectorD>& logs) {
  double sum = 0;
  int count = 0;
  for (const double log : logs) {
    if (log == kNone) continue;
    sum += log;
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

// Halves of 1 / s from log s: geometric mean 1 in each group, within bounds.
std::vector<uint16_t> StoredScales(const VectorD& logs, int group_size) {
  std::vector<uint16_t> stored(static_cast<size_t>(logs.size()), FloatToHalf(1.0F));
  for (Eigen::Index base = 0; base < logs.size(); base += group_size) {
    const double mean = Mean(logs.segment(base, group_size));
    for (Eigen::Index j = base; j < base + group_size; ++j) {
      if (logs[j] == kNone) continue;
      const double log = std::clamp(mean - logs[j], -kMaxLogScale, kMaxLogScale);
      stored[static_cast<size_t>(j)] = FloatToHalf(static_cast<float>(std::exp(log)));
    }
  }
  return stored;
}

}  // namespace

std::vector<uint16_t> InverseNormChannelScales(const ConstMatrixRef& weight, int group_size) {
  const VectorD norms = ColumnNorms(weight);
  const VectorD logs =
      norms.unaryExpr([](double norm) { return norm > 0 ? -std::log(norm) : kNone; });
  return StoredScales(logs, group_size);
}

std::vector<uint16_t> ActivationAwareChannelScales(const LinearProblem& problem, int bits,
                                                   int group_size, quant::ZeroPoint zero) {
  constexpr int kRatios = 20;
  const VectorD activations = problem.statistics->MeanSquares().cwiseSqrt();
  const VectorD magnitudes = RelativeMagnitudes(problem.target, group_size);
  Basis basis = IdentityBasis(problem.target.cols(), group_size);
  const auto error = [&] {
    const auto linear = RoundToNearest(problem, basis, bits, {GridChoice::kMinMax, zero});
    return OutputError(problem.target, linear, *problem.statistics);
  };
  std::vector<uint16_t> best = basis.channel_scales;
  double least = error();
  for (int step = 0; step < kRatios; ++step) {
    const double ratio = static_cast<double>(step) / kRatios;
    VectorD logs(activations.size());
    for (Eigen::Index j = 0; j < logs.size(); ++j) {
      const bool alive = activations[j] > 0 && magnitudes[j] > 0;
      logs[j] =
          alive ? ratio * std::log(activations[j]) - (1 - ratio) * std::log(magnitudes[j]) : kNone;
    }
    basis.channel_scales = StoredScales(logs, group_size);
    const double found = error();
    if (!(found < least)) continue;
    least = found;
    best = basis.channel_scales;
  }
  return best;
}

}  // namespace paroquant::method
