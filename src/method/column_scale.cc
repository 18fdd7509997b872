#include "method/column_scale.h"

#include <algorithm>
#include <cmath>

#include "paroquant/base/half.h"

namespace paroquant::method {
namespace {

constexpr double kMaxLogScale = 5;

VectorD ColumnNorms(const ConstMatrixRef& weight) {
  VectorD squares = VectorD::Zero(weight.cols());
  for (Eigen::Index row = 0; row < weight.rows(); ++row) {
    squares += weight.row(row).transpose().cast<double>().cwiseAbs2();
  }
  return squares.cwiseSqrt();
}

// The mean of the logarithms of those norms that are not 0.
double MeanLog(const Eigen::Ref<const VectorD>& norms) {
  double sum = 0;
  int count = 0;
  for (const double norm : norms) {
    if (norm == 0) continue;
    sum += std::log(norm);
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

}  // namespace

std::vector<uint16_t> InverseNormChannelScales(const ConstMatrixRef& weight, int group_size) {
  const VectorD norms = ColumnNorms(weight);
  std::vector<uint16_t> stored(static_cast<size_t>(norms.size()), FloatToHalf(1.0F));
  for (Eigen::Index base = 0; base < norms.size(); base += group_size) {
    const double mean = MeanLog(norms.segment(base, group_size));
    for (Eigen::Index j = base; j < base + group_size; ++j) {
      if (norms[j] == 0) continue;
      const double log = std::clamp(std::log(norms[j]) - mean, -kMaxLogScale, kMaxLogScale);
      stored[static_cast<size_t>(j)] = FloatToHalf(static_cast<float>(std::exp(log)));
    }
  }
  return stored;
}

}  // namespace paroquant::method
