#include "paroquant/quant/dequantize.h"

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::quant {

Matrix Dequantize(const QuantizedLinear& linear) {
  const auto group_size = static_cast<size_t>(linear.group_size);
  const auto channels = static_cast<size_t>(linear.in_features);
  const size_t groups = channels / group_size;
  Matrix weight(linear.out_features, linear.in_features);
  ParallelFor(linear.out_features, [&](int64_t row) {
    const size_t first_group = static_cast<size_t>(row) * groups;
    for (size_t index = first_group; index < first_group + groups; ++index) {
      const Grid grid{HalfToFloat(linear.scales[index]), linear.zeros[index]};
      DequantizeGroup(std::span(linear.codes).subspan(index * group_size, group_size), grid,
                      std::span(weight.data() + index * group_size, group_size));
    }
  });
  return weight;
}

Matrix EffectiveWeight(const QuantizedLinear& linear) {
  Matrix weight = Dequantize(linear);
  const Vector channel_scales = ChannelScales(linear);
  PreparedRotation<float>(linear.rotation).UnrotateRows(weight, channel_scales.data(), weight);
  if (linear.order.empty()) return weight;
  Matrix ordered(weight.rows(), weight.cols());
  ordered(Eigen::all, linear.order) = weight;
  return ordered;
}

Vector ChannelScales(const QuantizedLinear& linear) {
  Vector scales(linear.in_features);
  for (Eigen::Index i = 0; i < scales.size(); ++i) {
    scales[i] = HalfToFloat(linear.channel_scales[static_cast<size_t>(i)]);
  }
  return scales;
}

double RelativeWeightError(const ConstMatrixRef& weight, const QuantizedLinear& linear) {
  const double energy = weight.cast<double>().squaredNorm();
  const Matrix error = EffectiveWeight(linear) - weight;
  return energy > 0.0 ? error.cast<double>().squaredNorm() / energy : 0.0;
}

}  // namespace paroquant::quant
