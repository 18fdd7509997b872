#include "method/group_grids.h"

#include <span>

#include "paroquant/base/half.h"

namespace paroquant::method {
namespace {

using Codes = Eigen::Array<float, 1, Eigen::Dynamic>;

// The min-max grids of rows whose weights are clamped to +-factor times their greatest.
quant::RowGrids MinMaxGridsOfRows(const ConstMatrixRef& channels, float factor, int bits,
                                  quant::ZeroPoint zero) {
  quant::RowGrids grids{Vector(channels.cols()), Vector(channels.cols())};
  Vector weights(channels.rows());
  for (Eigen::Index row = 0; row < channels.cols(); ++row) {
    weights = channels.col(row);
    if (factor < 1) {
      const float limit = factor * weights.cwiseAbs().maxCoeff();
      weights = weights.cwiseMax(-limit).cwiseMin(limit);
    }
    const quant::Grid grid =
        quant::MinMaxGrid({weights.data(), static_cast<size_t>(weights.size())}, bits, zero);
    grids.scales[row] = grid.scale;
    grids.zeros[row] = static_cast<float>(grid.zero);
  }
  return grids;
}

// e^T costs e of each row, e its error on the grid.
Vector RowCosts(const ConstMatrixRef& channels, const Matrix& costs, const quant::RowGrids& grids,
                int bits) {
  Matrix errors(channels.rows(), channels.cols());
  const auto scales = grids.scales.transpose().array();
  const auto zeros = grids.zeros.transpose().array();
  for (Eigen::Index i = 0; i < channels.rows(); ++i) {
    const Codes values = (NearestCodes(channels.row(i), grids, bits) - zeros) * scales;
    errors.row(i) = values.matrix() - channels.row(i);
  }
  const Matrix costly =
      costs.cols() == 1 ? Matrix(costs.col(0).asDiagonal() * errors) : Matrix(costs * errors);
  return costly.cwiseProduct(errors).colwise().sum().transpose();
}

// The search of AWQ (arXiv 2306.00978): factors 1, 0.95 .. 0.55.
quant::RowGrids ClippedGrids(const ConstMatrixRef& channels, const Matrix& costs, int bits,
                             quant::ZeroPoint zero) {
  constexpr int kFactors = 10;
  quant::RowGrids best = MinMaxGridsOfRows(channels, 1, bits, zero);
  Vector least = RowCosts(channels, costs, best, bits);
  for (int i = 1; i < kFactors; ++i) {
    const float factor = 1.0F - 0.05F * static_cast<float>(i);
    const quant::RowGrids grids = MinMaxGridsOfRows(channels, factor, bits, zero);
    const Vector found = RowCosts(channels, costs, grids, bits);
    for (Eigen::Index row = 0; row < least.size(); ++row) {
      if (!(found[row] < least[row])) continue;
      least[row] = found[row];
      best.scales[row] = grids.scales[row];
      best.zeros[row] = grids.zeros[row];
    }
  }
  return best;
}

}  // namespace

quant::RowGrids FindGrids(GridRule rule, const ConstMatrixRef& channels, const Matrix& costs,
                          int bits) {
  switch (rule.choice) {
    case GridChoice::kMinMax:
      return MinMaxGridsOfRows(channels, 1, bits, rule.zero);
    case GridChoice::kClipped:
      return ClippedGrids(channels, costs, bits, rule.zero);
    case GridChoice::kSearched:
      break;
  }
  const Vector importance = costs.cols() == 1 ? Vector(costs.col(0)) : Vector(costs.diagonal());
  return quant::SearchGrids(channels, {importance.data(), static_cast<size_t>(importance.size())},
                            bits, rule.zero);
}

Codes NearestCodes(const Eigen::Ref<const Eigen::RowVectorXf>& channel,
                   const quant::RowGrids& grids, int bits) {
  const auto max_code = static_cast<float>(quant::MaxCode(bits));
  return ((channel.array() / grids.scales.transpose().array()).rint() +
          grids.zeros.transpose().array())
      .max(0.0F)
      .min(max_code);
}

void StoreGrids(const quant::RowGrids& grids, int64_t group, int64_t first_row,
                quant::QuantizedLinear& linear) {
  const int64_t groups = linear.in_features / linear.group_size;
  for (Eigen::Index row = 0; row < grids.scales.size(); ++row) {
    const auto index = static_cast<size_t>((first_row + row) * groups + group);
    linear.scales[index] = FloatToHalf(grids.scales[row]);
    linear.zeros[index] = static_cast<uint8_t>(quant::ToCode(grids.zeros[row], linear.bits));
  }
}

void StoreCodes(const Codes& codes, int64_t channel, int64_t first_row,
                quant::QuantizedLinear& linear) {
  for (Eigen::Index row = 0; row < codes.size(); ++row) {
    linear.codes[static_cast<size_t>((first_row + row) * linear.in_features + channel)] =
        static_cast<uint8_t>(quant::ToCode(codes[row], linear.bits));
  }
}

}  // namespace paroquant::method
