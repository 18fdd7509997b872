#include "paroquant/method/outlier_counts.h"

#include <algorithm>
#include <cmath>

#include "method/basis.h"

namespace paroquant::method {
namespace {

constexpr int kBins = 24;
constexpr double kBinsInRms = 2;     // of weights
constexpr double kBinsInOctave = 2;  // of channels
constexpr double kLowestOctave = -6;

// The bin at a distance from the first one's lower edge; those outside have the nearest.
size_t BinAt(double bins) { return static_cast<size_t>(std::clamp(bins, 0.0, kBins - 1.0)); }

}  // namespace

std::vector<double> WeightBinEdges() {
  std::vector<double> edges;
  for (int i = 0; i <= kBins; ++i) edges.push_back(i / kBinsInRms);
  return edges;
}

std::vector<double> ChannelBinEdges() {
  std::vector<double> edges;
  for (int i = 0; i <= kBins; ++i) edges.push_back(std::exp2(kLowestOctave + i / kBinsInOctave));
  return edges;
}

std::vector<int64_t> CountWeights(const ConstMatrixRef& weight, int group_size) {
  std::vector<int64_t> counts(kBins);
  for (Eigen::Index row = 0; row < weight.rows(); ++row) {
    for (Eigen::Index base = 0; base < weight.cols(); base += group_size) {
      const VectorD group = weight.row(row).segment(base, group_size).transpose().cast<double>();
      const double rms = std::sqrt(group.squaredNorm() / group_size);
      for (const double value : group) {
        ++counts[rms > 0 ? BinAt(kBinsInRms * std::abs(value) / rms) : 0];
      }
    }
  }
  return counts;
}

std::vector<int64_t> CountChannels(const VectorD& mean_squares) {
  std::vector<int64_t> counts(kBins);
  const double mean = mean_squares.mean();
  for (const double square : mean_squares) {
    // The logarithm of a mean square is twice that of its root.
    const double octaves = square > 0 ? std::log2(square / mean) / 2 : kLowestOctave;
    ++counts[BinAt(kBinsInOctave * (octaves - kLowestOctave))];
  }
  return counts;
}

OutlierCounts CountOutliers(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                            const InputStatistics* inputs) {
  const Basis basis{linear.channel_scales, linear.rotation};
  const Matrix rotated = RotatedChannels(weight, basis).transpose();
  OutlierCounts counts{.weights_before = CountWeights(weight, linear.group_size),
                       .weights_after = CountWeights(rotated, linear.group_size),
                       .inputs_before = {},
                       .inputs_after = {}};
  if (inputs == nullptr) return counts;
  MatrixD moment = inputs->Moment(0);
  counts.inputs_before = CountChannels(moment.diagonal());
  TransformMoment(basis, moment);
  counts.inputs_after = CountChannels(moment.diagonal());
  return counts;
}

}  // namespace paroquant::method
