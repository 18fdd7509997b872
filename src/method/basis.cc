#include "method/basis.h"

#include <algorithm>
#include <utility>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {

Basis IdentityBasis(int64_t channels, int group_size, int rounds) {
  return {.channel_scales = std::vector<uint16_t>(static_cast<size_t>(channels), FloatToHalf(1)),
          .rotation = quant::IdentityRotation(channels, group_size, rounds)};
}

quant::QuantizedLinear EmptyLinear(int64_t out_features, Basis basis, int bits) {
  const int64_t channels = basis.rotation.channels;
  const int group_size = basis.rotation.group_size;
  const auto grids = static_cast<size_t>(out_features * (channels / group_size));
  return {.out_features = out_features,
          .in_features = channels,
          .bits = bits,
          .group_size = group_size,
          .codes = std::vector<uint8_t>(static_cast<size_t>(out_features * channels)),
          .zeros = std::vector<uint8_t>(grids),
          .scales = std::vector<uint16_t>(grids),
          .channel_scales = std::move(basis.channel_scales),
          .rotation = std::move(basis.rotation)};
}

Vector ColumnScales(const std::vector<uint16_t>& channel_scales) {
  Vector scales(static_cast<Eigen::Index>(channel_scales.size()));
  for (size_t i = 0; i < channel_scales.size(); ++i) {
    scales[static_cast<Eigen::Index>(i)] = 1 / HalfToFloat(channel_scales[i]);
  }
  return scales;
}

Matrix ScaledChannels(const ConstMatrixRef& weight, const Vector& column_scales) {
  constexpr int64_t kStrip = 64;  // a transposed square that stays in the first-level cache
  Matrix channels(weight.cols(), weight.rows());
  ParallelFor((weight.cols() + kStrip - 1) / kStrip, [&](int64_t strip) {
    const int64_t column = strip * kStrip;
    const int64_t columns = std::min(kStrip, weight.cols() - column);
    const auto scales = column_scales.segment(column, columns);
    for (int64_t row = 0; row < weight.rows(); row += kStrip) {
      const int64_t rows = std::min(kStrip, weight.rows() - row);
      channels.block(column, row, columns, rows) =
          scales.asDiagonal() * weight.block(row, column, rows, columns).transpose();
    }
  });
  return channels;
}

Matrix RotatedChannels(const ConstMatrixRef& weight, const Basis& basis) {
  Matrix channels = ScaledChannels(weight, ColumnScales(basis.channel_scales));
  quant::PreparedRotation<float>(basis.rotation).RotateChannels(channels, nullptr, channels);
  return channels;
}

void TransformMoment(const Basis& basis, MatrixD& moment) {
  const VectorD inverse = ColumnScales(basis.channel_scales).cast<double>().cwiseInverse();
  const quant::PreparedRotation<double> rotation(basis.rotation);
  rotation.RotateRows(moment, inverse.data(), moment);
  rotation.RotateChannels(moment, inverse.data(), moment);
}

MatrixD DampedMoment(const InputStatistics& statistics, const Basis& basis, double damping) {
  MatrixD moment = statistics.Moment(0);
  TransformMoment(basis, moment);
  const double mean = moment.diagonal().mean();
  if (!(mean > 0)) return MatrixD::Identity(moment.rows(), moment.cols());
  moment.diagonal().array() += damping * mean;
  return moment;
}

}  // namespace paroquant::method
